/** The live feed over scripted rows: catching up while rows arrive, slow browsers, other workers' commits. */
import fc from 'fast-check';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { createFeed, type FeedSink } from '../../../cloud/alerts/feed.ts';
import type { FeedItem, FeedPage, Position } from '../../../cloud/store/store.ts';
import { stillClock } from './still-clock.ts';

/** Rows 1, 2, 3 …, read in pages of `page`; each read takes `turns` turns of the event loop. */
function rows(page: number, turns: () => number) {
  let head = 0;
  return {
    add: (n: number) => {
      head += n;
    },
    head: async () => ({ pos: head, seq: 0 }),
    watchFeed: () => async () => undefined,
    async since(from: Position): Promise<FeedPage> {
      const to = Math.min(head, from.pos + page);
      for (let i = turns(); i > 0; i--) await Promise.resolve();
      const items = Array.from({ length: to - from.pos }, (_, i) => item(from.pos + i + 1));
      return { items, position: { pos: to, seq: 0 }, more: to < head };
    },
  };
}

const item = (pos: number): FeedItem =>
  ({
    kind: 'clip',
    clipId: String(pos),
    episodeId: 'e',
    alert: {},
    position: { pos, seq: 0 },
    cursor: `${pos}`,
  }) as unknown as FeedItem;

const settle = async () => {
  for (let i = 0; i < 50; i++) await Promise.resolve();
};

function sink(room = Number.POSITIVE_INFINITY) {
  const got: number[] = [];
  const ends: string[] = [];
  const it: FeedSink = {
    send(items) {
      got.push(...items.map(({ position }) => position.pos));
      return got.length < room;
    },
    drained: async () => undefined,
    end: (reason) => ends.push(reason),
  };
  return { got, ends, it };
}

const upTo = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i + 1);
const log = pino({ level: 'silent' });

describe('live feed', () => {
  it('gives what came before and what comes after, once and in order, whatever happens in between', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 4 }),
        fc.array(fc.tuple(fc.nat(6), fc.nat(3), fc.boolean(), fc.nat(8)), { maxLength: 30 }),
        async (page, steps) => {
          let n = 0;
          const store = rows(page, () => (n = (n * 7 + 3) % 5));
          const { clock, pass } = stillClock();
          store.add(3);
          const feed = createFeed({ store, log, clock });
          await feed.start();
          const all: { from: number; sink: ReturnType<typeof sink> }[] = [];
          for (const [added, what, poked, turns] of steps) {
            store.add(added);
            if (poked) feed.poke();
            else if (what === 1) pass();
            if (what === 2) {
              const one = { from: Math.min(turns, (await store.head()).pos), sink: sink() };
              all.push(one);
              void feed.subscribe({ pos: one.from, seq: 0 }, one.sink.it);
            }
            for (let i = 0; i < turns; i++) await Promise.resolve();
          }
          for (let i = 0; i < 40; i++) {
            pass();
            await settle();
          }
          const head = (await store.head()).pos;
          for (const one of all) expect(one.sink.got).toEqual(upTo(one.from, head));
          await feed.close();
          for (const one of all) expect(one.sink.ends).toEqual(['closed']);
        },
      ),
      { seed: 3, numRuns: 200 },
    );
  });

  it('sees what another worker has stored, without being poked', async () => {
    const store = rows(10, () => 0);
    const { clock, pass } = stillClock();
    const feed = createFeed({ store, log, clock });
    await feed.start();
    const one = sink();
    await feed.subscribe({ pos: 0, seq: 0 }, one.it);
    await settle();
    store.add(2);
    await settle();
    expect(one.got).toEqual([]);
    pass();
    await settle();
    expect(one.got).toEqual([1, 2]);
    await feed.close();
  });

  it('closes a browser that does not keep up, and no other', async () => {
    const store = rows(10, () => 0);
    const { clock, pass } = stillClock();
    const feed = createFeed({ store, log, clock });
    await feed.start();
    const [slow, quick] = [sink(2), sink()];
    await feed.subscribe({ pos: 0, seq: 0 }, slow.it);
    await feed.subscribe({ pos: 0, seq: 0 }, quick.it);
    await settle();
    for (let i = 0; i < 3; i++) {
      store.add(1);
      feed.poke();
      await settle();
      pass();
      await settle();
    }
    expect([slow.got, slow.ends]).toEqual([[1, 2], ['slow']]);
    expect([quick.got, quick.ends]).toEqual([[1, 2, 3], []]);
    expect(feed.subscribers()).toBe(1);
    await feed.close();
  });

  it('shows a commit after a pause at once, and gathers those that follow each other', async () => {
    const store = rows(10, () => 0);
    const { clock, pass } = stillClock();
    const feed = createFeed({ store, log, clock });
    await feed.start();
    const pages: number[] = [];
    const one: FeedSink = {
      send: (items) => pages.push(items.length) > 0,
      drained: async () => undefined,
      end: () => undefined,
    };
    await feed.subscribe({ pos: 0, seq: 0 }, one);
    await settle();
    for (let i = 0; i < 5; i++) {
      store.add(1);
      feed.poke();
      await settle();
    }
    expect(pages).toEqual([1]);
    pass();
    await settle();
    expect(pages).toEqual([1, 4]);
    await feed.close();
  });

  it('goes on when the database is away for a while', async () => {
    const store = rows(10, () => 0);
    let away = false;
    const flaky = {
      ...store,
      since: (from: Position) => (away ? Promise.reject(new Error('away')) : store.since(from)),
    };
    const { clock, pass } = stillClock();
    const feed = createFeed({ store: flaky, log, clock });
    await feed.start();
    const one = sink();
    await feed.subscribe({ pos: 0, seq: 0 }, one.it);
    away = true;
    store.add(1);
    feed.poke();
    await settle();
    away = false;
    pass();
    await settle();
    expect(one.got).toEqual([1]);
    await feed.close();
  });
});
