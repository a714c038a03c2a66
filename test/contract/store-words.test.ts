/** Words leave the store by their class and stand nowhere any more; what they were said about stays; on both databases. */
import { readFileSync } from 'node:fs';
import pg from 'pg';
import { describe, expect, it } from 'vitest';
import type { StoreConfig } from '../../cloud/store/open.ts';
import { openStore } from '../../cloud/store/open.ts';
import { openPostgres } from '../../cloud/store/postgres.ts';
import { openSqlite } from '../../cloud/store/sqlite.ts';
import type { Store } from '../../cloud/store/store.ts';
import type { EpisodeBody, RoomEvent } from '../../protocol/event.ts';
import { withoutWords } from '../../protocol/words.ts';
import { clipBody, delivery, episodeBody, gapBody, roomEvent, WALL } from '../medium/cloud/events.ts';
import { placesOf } from './every-text.ts';
import { DRIVERS, readAll, standOn } from './store-stand.ts';

const DAY = 86_400_000;
const HOUR = 3_600_000;
const user = { userId: 'u', name: '王监督', role: 'supervisor' } as const;
const SAID = '他说评审费今天就要给到位';
const PHRASE = '评审费今天就要给';

const spoken = (
  episodeId: string,
  wordClass: 'fee' | 'prohibited' = 'fee',
  phase: EpisodeBody['phase'] = 'end',
): EpisodeBody => ({
  ...episodeBody(episodeId, phase, 'alarm'),
  behaviour: `speech_${wordClass}`,
  figures: [{ name: 'hits', value: 3, threshold: 3, unit: '' }],
  sentence: { zh: `听到议论评审费“${PHRASE}”，本场第 3 次`, en: `Heard talk about the fee “${PHRASE}”, number 3` },
  transcript: { language: 'zh-CN', engine: 'fsmn', text: SAID, hit: [2, 10] },
});

describe.each(DRIVERS)('words in the store on %s', (driver) => {
  let store: Store;
  let config: StoreConfig;
  standOn(driver, (fresh, where) => {
    [store, config] = [fresh, where];
    return () => store;
  });
  const close = (episodeId: string, wallMs: number) =>
    store.act({ actionId: `a-${episodeId}-${wallMs}`, episodeId, kind: 'confirm', wallMs }, user);
  const rounds = async (wallMs: number, days: Parameters<Store['removeWords']>[0]['days'], count = 5) => {
    let events = 0;
    for (let i = 0; i < count; i++) {
      const gone = await store.removeWords({ days, wallMs });
      events += Object.values(gone.events).reduce((sum, n) => sum + n, 0);
    }
    return events;
  };

  it('stand nowhere when their time is over, while the event, its figures, times and verdict stay', async () => {
    const begin = await store.head();
    const first = spoken('e1', 'fee', 'begin');
    await store.ingest([delivery([roomEvent('s1', 1, first), roomEvent('s1', 2, spoken('e1'))])], WALL);
    await store.ingest([delivery([roomEvent('s1', 3, spoken('e2', 'prohibited'))])], WALL);
    // Words that are refused, in every way in which that happens.
    const json = JSON.stringify(roomEvent('s1', 4, spoken('e3')));
    const bad = [{ seq: 4, code: 'bad_shape', reason: 'body: unknown', json }];
    await store.ingest([delivery([], { streamId: 's1', bad })], WALL);
    await store.ingest([delivery([roomEvent('s7', 1, spoken('e1'), 'room-2')])], WALL);
    const payload = Buffer.from(`{"x": "${SAID}"`).toString('base64');
    await store.keepUnreadable({ roomId: 'room-1', code: 'not_json', reason: 'no JSON', payload }, WALL);
    const silent = JSON.stringify(roomEvent('s1', 5, gapBody()));
    await store.ingest(
      [delivery([], { streamId: 's1', bad: [{ seq: 5, code: 'bad_seq', reason: 'x', json: silent }] })],
      WALL,
    );
    for (const id of ['e1', 'e2']) await close(id, WALL + 1);
    const before = await store.alert('e1');
    expect(await placesOf(config, PHRASE)).toEqual(
      expect.arrayContaining(['alerts.view', 'rejected.payload', expect.stringMatching(/^events.*\.json$/)]),
    );

    expect(await rounds(WALL + 7 * DAY - HOUR, { fee: 7, prohibited: 90 })).toBe(0);
    expect(await rounds(WALL + 7 * DAY + HOUR, { fee: 7, prohibited: 90 })).toBe(3);
    const at = WALL + 7 * DAY + HOUR;
    const after = (await store.alert('e1'))!;
    const mark = { afterDays: 7, wallMs: at, by: 'cloud' };
    expect(after.events.map(({ body }) => body)).toEqual([
      { ...withoutWords(first, mark as never), wordsRemoved: mark },
      expect.objectContaining({ figures: first.figures, wordsRemoved: mark, durationMs: first.durationMs }),
    ]);
    expect(after.events.map(({ eventId, at, storedWallMs }) => ({ eventId, at, storedWallMs }))).toEqual(
      before!.events.map(({ eventId, at, storedWallMs }) => ({ eventId, at, storedWallMs })),
    );
    expect(after.alert).toEqual({
      ...before!.alert,
      sentence: {
        zh: '听到议论评审费，已结束；原话已在 7 天后按保留期限删除',
        en: 'Was heard: talk about the fee; the words were removed after 7 days by the retention',
      },
    });
    expect(after.actions).toEqual(before!.actions);
    // The other class keeps its words; refused payloads went with the class that goes first.
    expect((await store.alert('e2'))!.events[0]!.body).toMatchObject({ transcript: { text: SAID } });
    expect((await store.rejections(9)).map((row) => row.payload)).toContain(silent);
    expect((await placesOf(config, PHRASE)).every((place) => !place.startsWith('rejected'))).toBe(true);
    const { episodes } = await store.rules.episodes({ limit: 10 });
    expect(episodes.map(({ episodeId, transcripts }) => [episodeId, transcripts.length]).sort()).toEqual([
      ['e1', 0],
      ['e2', 1],
    ]);

    expect(await rounds(WALL + 91 * DAY, { fee: 7, prohibited: 90 })).toBe(1);
    expect(await placesOf(config, PHRASE)).toEqual([]);
    expect(await placesOf(config, SAID)).toEqual([]);
    const { items } = await readAll(store, begin);
    expect(items.filter(({ kind }) => kind === 'event')).toHaveLength(4);
    expect(JSON.stringify(items)).not.toContain(PHRASE);
    expect(await store.chainHolds()).toBe(true);
  });

  it('stay while nobody has judged the alert, and a full time after the judgement', async () => {
    await store.ingest([delivery([roomEvent('s1', 1, spoken('e1'))])], WALL);
    expect(await rounds(WALL + 50 * DAY, { fee: 7 })).toBe(0);
    await close('e1', WALL + 50 * DAY);
    expect(await rounds(WALL + 56 * DAY, { fee: 7 })).toBe(0);
    expect((await store.alert('e1'))!.alert.sentence.zh).toContain(PHRASE);
    expect(await rounds(WALL + 57 * DAY + 1, { fee: 7 })).toBe(1);
    expect(await placesOf(config, PHRASE)).toEqual([]);
    // What nobody has seen yet is not judged either.
    await store.ingest([delivery([roomEvent('s2', 2, spoken('e2'))])], WALL);
    expect(await rounds(WALL + 90 * DAY, { fee: 7 })).toBe(0);
    expect(await placesOf(config, PHRASE)).not.toEqual([]);
  });

  it('do not come back by a resend, which is known as stored', async () => {
    const event = roomEvent('s1', 1, spoken('e1'));
    await store.ingest([delivery([event])], WALL);
    await close('e1', WALL + 1);
    await rounds(WALL + 8 * DAY, { fee: 7 });
    expect(await store.ingest([delivery([event])], WALL + 8 * DAY)).toMatchObject({
      stored: 0,
      repeated: 1,
      rejected: 0,
      quarantined: [],
    });
    // By a copy of the machine, under another stream: refused, without the words.
    const other: RoomEvent = { ...event, streamId: 's9', seq: 1 };
    expect(await store.ingest([delivery([other])], WALL + 8 * DAY)).toMatchObject({ stored: 0, rejected: 1 });
    expect((await store.rejections(1))[0]).toMatchObject({ code: 'event_id_stored' });
    // In a batch for which the stream ends.
    const far = roomEvent('s1', 1_000_000, gapBody());
    expect((await store.ingest([delivery([event, far])], WALL + 8 * DAY)).quarantined).toHaveLength(1);
    expect(await placesOf(config, PHRASE)).toEqual([]);
    expect((await store.alert('e1'))!.events[0]!.body).toMatchObject({ wordsRemoved: { afterDays: 7 } });
  });

  it('go with their event, of which the store then remembers nothing', async () => {
    await store.ingest([delivery([roomEvent('s1', 1, spoken('e1'))])], WALL);
    await close('e1', WALL + 1);
    for (let i = 0; i < 3; i++) await store.retire({ beforeWallMs: WALL + 2 * DAY, wallMs: WALL + 9 * DAY });
    expect(await store.alert('e1')).toBeUndefined();
    expect(await rounds(WALL + 9 * DAY, { fee: 1 })).toBe(0);
    expect(await placesOf(config, 'speech_fee')).toEqual([]);
    expect(await placesOf(config, PHRASE)).toEqual([]);
  });

  it('leave at most a day at once, and the words of a class without a time stay', async () => {
    for (let day = 0; day < 4; day++) {
      await store.ingest([delivery([roomEvent('s1', day + 1, spoken(`e${day}`))])], WALL + day * DAY);
      await close(`e${day}`, WALL + day * DAY);
    }
    const wrong = WALL + 4000 * DAY;
    expect(await store.removeWords({ days: { prohibited: 5 }, wallMs: wrong })).toMatchObject({ events: {} });
    expect(await store.removeWords({ days: { fee: 5 }, wallMs: wrong })).toMatchObject({ events: { fee: 1 } });
    expect(await rounds(wrong, { fee: 5 })).toBe(3);
  });

  it('leave in slices that end, of a long episode and beside alerts that are not judged', async () => {
    const open = Array.from({ length: 60 }, (_, i) => roomEvent('s1', i + 1, spoken(`open-${i}`)));
    await store.ingest([delivery(open)], WALL);
    const long = Array.from({ length: 120 }, (_, i) => roomEvent('s1', i + 61, spoken('long', 'fee', 'update')));
    await store.ingest([delivery(long)], WALL + 1);
    await close('long', WALL + 2);
    expect(await store.removeWords({ days: { fee: 2 }, wallMs: WALL + 3 * DAY })).toEqual({
      events: { fee: 120 },
      alerts: 1,
      refused: 0,
    });
    expect((await store.alert('open-0'))!.events[0]!.body).toMatchObject({ transcript: { text: SAID } });
  });

  it('leave an alert whose episode goes on afterwards with the newer words until their own time', async () => {
    await store.ingest([delivery([roomEvent('s1', 1, spoken('e1'))])], WALL);
    await close('e1', WALL);
    await rounds(WALL + 8 * DAY, { fee: 7 });
    const again = { ...spoken('e1', 'fee', 'begin'), sentence: { zh: '听到“再说一遍”', en: 'Heard “once more”' } };
    await store.ingest([delivery([roomEvent('s1', 2, again)])], WALL + 8 * DAY);
    expect((await store.alert('e1'))!.alert.sentence.zh).toBe('听到“再说一遍”');
    await rounds(WALL + 16 * DAY, { fee: 7 });
    expect(await placesOf(config, '再说一遍')).toEqual([]);
  });

  it('are all that may ever change in an event', async () => {
    const event = roomEvent('s1', 1, spoken('e1'));
    await store.ingest([delivery([event])], WALL);
    await store.close();
    const mark = { afterDays: 1, wallMs: WALL, by: 'cloud' } as const;
    const body = withoutWords(spoken('e1'), mark);
    const sql = config.kind === 'sqlite' ? openSqlite(config.path) : openPostgres(config.url);
    const change = (json: unknown) =>
      sql.write((tx) => tx.all('update events set json = $1 where event_id = $2', JSON.stringify(json), event.eventId));
    try {
      for (const wrong of [
        { ...event, body: { ...body, figures: [] } },
        { ...event, body: { ...body, level: 'notice' } },
        { ...event, body: { ...body, transcript: spoken('e1').transcript } },
        { ...event, body: { ...spoken('e1'), sentence: body.sentence } },
        { ...event, at: { ...event.at, wallMs: 1 }, body },
      ])
        await expect(change(wrong)).rejects.toThrow();
      const move = sql.write((tx) => tx.all('update events set seq = 9 where event_id = $1', event.eventId));
      await expect(move).rejects.toThrow();
      await change({ ...event, body });
    } finally {
      await sql.close();
      store = await openStore(config);
    }
  });

  it('are left out of clips, whose overlays are given out once their time is over', async () => {
    const files = [{ name: 'overlay.json', sha256: 'a'.repeat(64), bytes: 9 }] as const;
    const events = [
      roomEvent('s1', 1, episodeBody('e1', 'end')),
      roomEvent('s1', 2, clipBody('e1', 'c1', 'room-1', files)),
      roomEvent('s1', 3, episodeBody('e2', 'end')),
      roomEvent('s1', 4, clipBody('e2', 'c2', 'room-1', files)),
    ];
    await store.ingest([delivery(events)], WALL);
    for (const clipId of ['c1', 'c2']) await store.clipFileArrived({ clipId, ...files[0], storedWallMs: WALL + 1 });
    await close('e1', WALL + 2);
    const query = { beforeWallMs: WALL + DAY, limit: 10 };
    const [overlay, ...more] = await store.overlays(query);
    expect(more).toEqual([]);
    expect(overlay).toMatchObject({ clipId: 'c1', sha256: files[0].sha256, announcedSha256: files[0].sha256 });
    expect(await store.overlays({ ...query, after: overlay! })).toEqual([]);
    expect(await store.overlays({ ...query, beforeWallMs: WALL + 1 })).toEqual([]);
    await store.overlayEmptied(overlay!, { sha256: 'b'.repeat(64), bytes: 5 });
    expect((await store.overlays(query))[0]).toMatchObject({ sha256: 'b'.repeat(64), announcedSha256: 'a'.repeat(64) });
    await store.overlayLooked('c1', WALL + DAY);
    expect(await store.overlays(query)).toEqual([]);
    expect((await store.clip('c1'))!.files).toMatchObject([{ sha256: 'b'.repeat(64), bytes: 5 }]);
  });

  it('leave the bytes of the file, or the rows that a vacuum keeps', async () => {
    await store.ingest([delivery([roomEvent('s1', 1, spoken('e1'))])], WALL);
    await close('e1', WALL);
    await rounds(WALL + 8 * DAY, { fee: 7 });
    await store.close();
    if (config.kind === 'sqlite') expect(readFileSync(config.path).includes(Buffer.from(PHRASE))).toBe(false);
    else {
      const client = new pg.Client({ connectionString: config.url });
      await client.connect();
      await client.query('vacuum');
      await client.end();
    }
    store = await openStore(config);
    expect(await placesOf(config, PHRASE)).toEqual([]);
  });
});
