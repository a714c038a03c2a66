/** Streams and acks in the cloud store, one suite over both drivers: SQLite in a folder and a PostgreSQL that the test starts. */
import { randomUUID } from 'node:crypto';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { openStore, type StoreConfig } from '../../cloud/store/open.ts';
import type { FeedItem, Position, Store } from '../../cloud/store/store.ts';
import type { RoomEvent } from '../../protocol/event.ts';
import { delivery, episodeBody, gapBody, rejection, roomEvent, WALL } from '../medium/cloud/events.ts';
import { DRIVERS, readAll, standOn } from './store-stand.ts';

const gap = (streamId: string, seq: number) => roomEvent(streamId, seq, gapBody());

/** The ack of a stream whose events these are. */
const reached = (events: readonly Pick<RoomEvent, 'eventId'>[]) => ({
  v: 1,
  streamId: 's1',
  through: events.length,
  eventId: events.at(-1)!.eventId,
  chain: crc32(events.map(({ eventId }) => eventId).join('')),
});

const eventIds = (items: readonly FeedItem[]) =>
  items.flatMap((item) => (item.kind === 'event' ? [item.event.eventId] : []));

describe.each(DRIVERS)('store on %s', (driver) => {
  let config: StoreConfig;
  let store: Store;
  standOn(driver, (fresh, its) => {
    store = fresh;
    config = its;
    return () => store;
  });

  const take = (events: readonly RoomEvent[]) => store.ingest([delivery(events)], WALL);
  const ackOf = async (events: readonly RoomEvent[]) => (await take(events)).acks[0]!.ack;

  it('stores a resent batch once and acks it again', async () => {
    const events = [1, 2, 3].map((seq) => gap('s1', seq));
    expect(await ackOf(events)).toEqual(reached(events));
    const again = await take(events);
    expect(again).toMatchObject({ stored: 0, repeated: 3 });
    expect(again.acks[0]!.ack).toEqual(reached(events));
    expect(await store.counts()).toMatchObject({ events: 3, rejected: 0 });
    expect(eventIds((await readAll(store, { pos: 0, seq: 0 })).items)).toEqual(events.map((e) => e.eventId));
  });

  it('says how far streams are stored, and that nothing of one in quarantine has to wait', async () => {
    await take([gap('s1', 1), gap('s1', 2), gap('s1', 4)]);
    await take([gap('s2', 1)]);
    await take([gap('s2', 1)]);
    expect(await store.reached(['s1', 's2', 's3'])).toEqual(
      new Map([
        ['s1', 2],
        ['s2', Number.POSITIVE_INFINITY],
      ]),
    );
    expect(await store.reached([])).toEqual(new Map());
  });

  it('moves through only over what has no hole, and shows what waited when the hole is filled', async () => {
    const events = [1, 2, 3, 4, 5].map((seq) => gap('s1', seq));
    expect((await ackOf(events.slice(0, 1))).through).toBe(1);
    expect((await ackOf(events.slice(2, 5))).through).toBe(1);
    expect(eventIds((await readAll(store, { pos: 0, seq: 0 })).items)).toHaveLength(1);
    expect((await ackOf(events.slice(1, 2))).through).toBe(5);
    expect(eventIds((await readAll(store, { pos: 0, seq: 0 })).items)).toEqual(events.map((e) => e.eventId));
  });

  it('names the event that it has at through: stored now or before, from behind a hole, or refused', async () => {
    const events = [1, 2, 3, 4, 5].map((seq) => gap('s1', seq));
    const named = async (some: Parameters<typeof delivery>[0]) => (await ackOf(some)).eventId;
    expect(await named([events[1]!])).toBeUndefined();
    expect(await named([events[0]!])).toBe(events[1]!.eventId);
    expect(await named([events[3]!])).toBe(events[1]!.eventId);
    expect(await named([events[0]!])).toBe(events[1]!.eventId);
    const bad = { seq: 3, code: 'bad_shape', reason: 'x', json: JSON.stringify({ eventId: 'id-of-3' }) };
    const unfit = { ...bad, seq: 5, json: '{"eventId":7' };
    const take = async (some: (typeof bad)[]) =>
      (await store.ingest([{ ...delivery([events[0]!]), good: [], bad: some }], WALL)).acks[0]!.ack;
    const way = [events[0]!, events[1]!, { ...events[2]!, eventId: 'id-of-3' }, events[3]!];
    expect(await take([bad])).toEqual(reached(way));
    // From here on the whole way is not known, and is not told.
    expect(await take([unfit])).toEqual({ v: 1, streamId: 's1', through: 5 });
    expect(await take([{ ...bad, seq: 7 }])).toEqual({ v: 1, streamId: 's1', through: 5 });
    expect(await named([gap('s1', 6)])).toBe('id-of-3');
  });

  it('quarantines a stream whose seq comes again with another event, and keeps the other streams going', async () => {
    await take([1, 2].map((seq) => gap('s1', seq)));
    const reused = await store.ingest([delivery([gap('s1', 2), gap('s1', 3)]), delivery([gap('s2', 1)])], WALL);
    expect(reused.quarantined).toMatchObject([{ streamId: 's1', roomId: 'room-1' }]);
    const acks = new Map(reused.acks.map(({ ack }) => [ack.streamId, ack]));
    expect(acks.get('s1')).toMatchObject({ through: 2, quarantined: expect.stringMatching(/^seq_reused/) });
    expect(acks.get('s2')).toMatchObject({ v: 1, streamId: 's2', through: 1 });
    expect(acks.get('s2')!.quarantined).toBeUndefined();
    expect(await ackOf([gap('s1', 3)])).toMatchObject({ through: 2, quarantined: expect.any(String) });
    expect((await store.counts()).events).toBe(3);
    expect(await store.rejections(10)).toContainEqual(
      expect.objectContaining({ streamId: 's1', seq: 2, code: 'seq_reused' }),
    );
  });

  it('shows once what a quarantined stream had behind a hole and the next stream brings again', async () => {
    const hidden = gap('s1', 3);
    await take([gap('s1', 1)]);
    await take([hidden]);
    await take([gap('s1', 1)]);
    const moved = { ...hidden, streamId: 's2', seq: 1 };
    expect((await ackOf([moved])).through).toBe(1);
    const ids = eventIds((await readAll(store, { pos: 0, seq: 0 })).items);
    expect(ids.filter((id) => id === hidden.eventId)).toHaveLength(1);
  });

  it('takes over an event that an older stream left behind a hole', async () => {
    const hidden = gap('s1', 5);
    await take([hidden]);
    expect((await ackOf([{ ...hidden, streamId: 's2', seq: 1 }])).through).toBe(1);
    expect(eventIds((await readAll(store, { pos: 0, seq: 0 })).items)).toEqual([hidden.eventId]);
    expect((await store.counts()).events).toBe(1);
  });

  it('acks past an event that is stored under another place and one whose id is of another room', async () => {
    const first = gap('s1', 1);
    await take([first]);
    expect((await ackOf([{ ...first, streamId: 's2', seq: 1 }])).through).toBe(1);
    const stolen = { ...first, streamId: 's3', seq: 1, roomId: 'room-2' };
    expect(
      (await store.ingest([delivery([stolen, roomEvent('s3', 2, gapBody(), 'room-2')])], WALL)).acks[0]!.ack.through,
    ).toBe(2);
    expect((await store.counts()).events).toBe(2);
    expect((await store.rejections(10)).map((row) => row.code).sort()).toEqual([
      'event_id_of_other_room',
      'event_id_stored',
    ]);
  });

  it('lets a stream belong to one room', async () => {
    await take([gap('s1', 1)]);
    const outcome = await store.ingest([delivery([roomEvent('s1', 2, gapBody(), 'room-2')])], WALL);
    expect(outcome.acks).toEqual([
      { roomId: 'room-2', ack: { v: 1, streamId: 's1', through: 0, quarantined: 'stream_of_other_room' } },
    ]);
    expect(await ackOf([gap('s1', 2)])).toMatchObject({ v: 1, streamId: 's1', through: 2 });
  });

  it('keeps only so many refusals of one room, and goes on storing for it', async () => {
    await take([gap('s1', 1)]);
    const forged = Array.from({ length: 5100 }, (_, i) => delivery([roomEvent('s1', i + 2, gapBody(), 'room-2')]));
    await store.ingest(forged, WALL);
    await store.keepUnreadable({ roomId: 'room-2', code: 'not_json', reason: 'x', payload: 'x' }, WALL);
    expect((await store.counts()).rejected).toBe(5000);
    expect(await ackOf([roomEvent('s2', 1, gapBody(), 'room-2')])).toMatchObject({ through: 1 });
  });

  it('keeps a rejected event with its reason and goes on past it', async () => {
    const outcome = await store.ingest([delivery([gap('s1', 1), gap('s1', 3)], { bad: [rejection(2)] })], WALL);
    expect(outcome.acks[0]!.ack.through).toBe(3);
    expect(await store.rejections(10)).toMatchObject([{ streamId: 's1', seq: 2, code: 'bad_text' }]);
    expect(
      (await store.ingest([delivery([], { bad: [rejection(2)], lane: 'routine' })], WALL)).acks[0]!.ack,
    ).toMatchObject({
      v: 1,
      streamId: 's1',
      through: 3,
    });
    expect((await store.counts()).rejected).toBe(1);
  });

  it('survives U+0000 in a column: the stream goes on, the neighbours are stored', async () => {
    const poison = roomEvent('s1', 2, { ...episodeBody('e1'), episodeId: 'e\u0000' });
    const outcome = await store.ingest(
      [
        delivery([roomEvent('s1', 1, episodeBody('e1')), poison, roomEvent('s1', 3, episodeBody('e1', 'update'))]),
        delivery([gap('s2', 1)]),
      ],
      WALL,
    );
    expect(outcome.acks.at(-1)!.ack.streamId).toBe('s2');
    expect(Math.max(...outcome.acks.filter(({ ack }) => ack.streamId === 's1').map(({ ack }) => ack.through))).toBe(3);
  });

  it('refuses a leap of seq', async () => {
    await take([gap('s1', 1)]);
    expect(await ackOf([gap('s1', Number.MAX_SAFE_INTEGER)])).toMatchObject({
      through: 1,
      quarantined: expect.stringMatching(/^too_far_ahead/),
    });
  });

  it('ends a stream whose hole is never filled', async () => {
    const [second, third] = [gap('s1', 2), gap('s1', 3)];
    const at = async (ms: number, event = second) =>
      (await store.ingest([delivery([event])], WALL + ms)).acks[0]!.ack.quarantined;
    for (let ms = 0; ms <= 300_000; ms += 30_000) expect(await at(ms)).toBeUndefined();
    expect(await at(301_000, third)).toMatch(/^hole/);
  });

  it('does not count the time in which an agent was away as the age of a hole', async () => {
    const [first, second, third] = [gap('s1', 1), gap('s1', 2), gap('s1', 3)];
    await take([second]);
    // Ten minutes without a line; then two workers have two batches, and the later one commits first.
    const back = await store.ingest([delivery([third])], WALL + 600_000);
    expect(back).toMatchObject({ stored: 1, rejected: 0, quarantined: [] });
    const filled = await store.ingest([delivery([first])], WALL + 600_010);
    expect(filled.acks[0]!.ack).toEqual(reached([first, second, third]));
    expect(eventIds((await readAll(store, { pos: 0, seq: 0 })).items)).toEqual(
      [first, second, third].map((e) => e.eventId),
    );
  });

  it('refuses cursors of other stores, of nobody and of the future', async () => {
    expect(() => store.parseCursor('garbage')).toThrow(expect.objectContaining({ code: 'cursor_unknown' }));
    expect(() => store.parseCursor('0123456789.1.0')).toThrow(expect.objectContaining({ code: 'cursor_unknown' }));
    await expect(store.since({ pos: 9, seq: 0 })).rejects.toMatchObject({ code: 'cursor_unknown' });
    const cursor = store.cursorOf({ pos: 3, seq: 7 });
    expect(store.parseCursor(cursor)).toEqual({ pos: 3, seq: 7 });
  });

  it('opens again with everything, and is the same store', async () => {
    await take([roomEvent('s1', 1, episodeBody('e1'))]);
    const { cursor } = await store.overview();
    await store.close();
    store = await openStore(config);
    expect(store.parseCursor(cursor)).toEqual({ pos: 1, seq: 0 });
    expect((await store.overview()).alerts).toHaveLength(1);
    expect(await ackOf([roomEvent('s1', 2, episodeBody('e1', 'end'))])).toMatchObject({ through: 2 });
  });

  it('whatever the order, repeats and reconnects: each event is shown once, in its stream order', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(2), fc.nat(7), fc.nat(3), fc.boolean()), { maxLength: 25 }),
        fc.nat(),
        async (steps, salt) => {
          const streams = [0, 1, 2].map((n) => `p${salt}-${n}-${randomUUID().slice(0, 8)}`);
          const events = streams.map((id) => Array.from({ length: 8 }, (_, i) => gap(id, i + 1)));
          const start = await store.head();
          let seen: string[] = [];
          let place = start;
          const look = async (cut: number) => {
            const { items, position } = await readAll(store, place);
            // A connection lost in the middle of a page goes on from the last line that arrived.
            const arrived = cut === 0 ? items : items.slice(0, Math.max(0, items.length - cut));
            seen.push(...eventIds(arrived));
            place = arrived.length === items.length ? position : (arrived.at(-1)?.position ?? place);
          };
          for (const [stream, from, length, looks] of steps) {
            await store.ingest(
              [delivery(events[stream]!.slice(from, from + length + 1))].filter((d) => d.good.length > 0),
              WALL,
            );
            if (looks) await look(length);
          }
          await store.ingest(
            events.map((all) => delivery(all)),
            WALL,
          );
          await look(1);
          await look(0);
          seen = seen.filter((id) => events.flat().some((event) => event.eventId === id));
          expect([...seen].sort()).toEqual(
            events
              .flat()
              .map((event) => event.eventId)
              .sort(),
          );
          for (const all of events)
            expect(seen.filter((id) => all.some((event) => event.eventId === id))).toEqual(
              all.map((event) => event.eventId),
            );
        },
      ),
      { numRuns: driver === 'sqlite' ? 40 : 15, seed: 20_260_101 },
    );
  }, 60_000);

  // SQLite has no connections to cut.
  if (driver === 'postgres')
    it('says that the database is away when its connections are cut, and goes on', async () => {
      const cutter = new pg.Client(config.kind === 'postgres' ? config.url : undefined);
      await cutter.connect();
      let away = 0;
      let through = 0;
      for (let i = 0; i < 20; i++) {
        const writing = Promise.allSettled([
          take([gap('s1', through + 1)]),
          take([gap('s2', i + 1)]),
          store.overview(),
        ]);
        await cutter.query(
          "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'evalroom-cloud' and datname = current_database()",
        );
        for (const result of await writing) {
          if (result.status === 'fulfilled') continue;
          expect(result.reason).toMatchObject({ kind: 'Unavailable' });
          away++;
        }
        // A connection cut while it lay idle shows at its next use.
        const asked = async () => {
          try {
            through = (await store.ingest([delivery([], { streamId: 's1', lane: 'routine' })], WALL)).acks[0]!.ack
              .through;
            return true;
          } catch (error) {
            expect(error).toMatchObject({ kind: 'Unavailable' });
            return false;
          }
        };
        await expect.poll(asked, { timeout: 10_000 }).toBe(true);
      }
      await cutter.end();
      expect(away).toBeGreaterThan(0);
      expect((await take([gap('s1', through + 1)])).stored).toBe(1);
    });

  it('counts a seq at or below through as stored although its day is gone', async () => {
    const events = [1, 2, 3].map((seq) => gap('s1', seq));
    await take(events);
    expect(await store.retire({ beforeWallMs: WALL + 2 * 86_400_000, wallMs: WALL + 3 * 86_400_000 })).toMatchObject({
      events: 3,
    });
    const again = await take([...events, gap('s1', 4)]);
    expect(again).toMatchObject({ stored: 1, repeated: 3 });
    expect(again.acks[0]!.ack).toMatchObject({ v: 1, streamId: 's1', through: 4 });
    expect((await store.counts()).events).toBe(1);
  });

  it('several workers at once: nothing lost, nothing twice, one order for all', async () => {
    const other = await openStore(config);
    let stopped = false;
    try {
      const streams = ['w1', 'w2', 'w3'].map((id) =>
        Array.from({ length: 60 }, (_, i) => roomEvent(id, i + 1, episodeBody(`e-${id}`))),
      );
      const reader = (async () => {
        const seen: FeedItem[] = [];
        let place: Position = { pos: 0, seq: 0 };
        while (seen.length < 180 && !stopped) {
          const page = await readAll(other, place);
          seen.push(...page.items);
          place = page.position;
          await new Promise((resolve) => setTimeout(resolve, 2));
        }
        return seen;
      })();
      await Promise.all(
        [store, other, store, other].map(async (worker, n) => {
          for (let from = 0; from < 60; from += 5)
            await worker.ingest(
              streams.map((all) => delivery(all.slice(from, from + 5 + n))),
              WALL,
            );
        }),
      );
      const ids = eventIds(await reader);
      expect(new Set(ids).size).toBe(180);
      expect(ids).toHaveLength(180);
      for (const all of streams)
        expect(ids.filter((id) => all.some((event) => event.eventId === id))).toEqual(
          all.map((event) => event.eventId),
        );
    } finally {
      stopped = true;
      await other.close();
    }
  }, 60_000);
});
