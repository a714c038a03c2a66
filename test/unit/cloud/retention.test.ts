/** Retention believes a clock that runs evenly, and no other. */
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { virtualClock } from '../../../agent/clock.ts';
import { createRetention } from '../../../cloud/retention.ts';
import type { RetentionClock } from '../../../cloud/store/store.ts';
import type { WordDays } from '../../../protocol/words.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** `kept` outlives the processes; `startWallMs` is what the clock says when one starts. */
function setUp(
  newest: number | undefined,
  startWallMs = 1_800_000_000_000,
  kept: { clock?: RetentionClock } = {},
  { wordDays, fault }: { wordDays?: WordDays; fault?: Error } = {},
) {
  const clock = virtualClock({ wallMs: startWallMs });
  const cuts: number[] = [];
  const removed: string[] = [];
  const lines: string[] = [];
  const entries: string[] = [];
  const looks: number[] = [];
  const retention = createRetention({
    store: {
      removeWords: async ({ days }) => ({ events: days.fee === 7 ? { fee: 2 } : {}, alerts: 1, refused: 0 }),
      appendLog: async ({ action, object }) => void entries.push(`${action} ${object}`),
      retire: async ({ beforeWallMs }) => {
        cuts.push(beforeWallMs);
        return { events: 1, alerts: 0, clips: 1, files: [`file-${cuts.length}`] };
      },
      newestWallMs: async () => newest,
      retentionClock: async () => kept.clock,
      keepRetentionClock: async (now) => {
        kept.clock = now;
      },
    },
    files: { remove: async (sha256: string) => void removed.push(sha256) },
    overlays: {
      async look(beforeWallMs) {
        looks.push(beforeWallMs);
        return { emptied: 3, faults: fault ? [fault] : [] };
      },
    },
    clock,
    log: pino({ level: 'warn' }, { write: (line: string) => void lines.push(line) }),
    kept: { retentionMs: 400 * DAY, ...(wordDays ? { wordDays } : {}) },
  });
  const hours = async (count: number) => {
    for (let i = 0; i < count; i++) {
      await retention.look();
      await clock.advance(HOUR);
    }
  };
  return { clock, cuts, removed, lines, entries, looks, hours };
}

describe('retention', () => {
  it('removes hourly what is older, with its files', async () => {
    const { clock, cuts, removed, hours } = setUp(undefined);
    const begun = clock.wallMs();
    await hours(2);
    expect(cuts).toEqual([begun - 400 * DAY, begun + HOUR - 400 * DAY]);
    expect(removed).toEqual(['file-1', 'file-2']);
  });

  it('removes what it can of a round, and says how many files stay', async () => {
    const removed: string[] = [];
    const retention = createRetention({
      store: {
        retire: async () => ({ events: 3, alerts: 0, clips: 3, files: ['a', 'b', 'c'] }),
        newestWallMs: async () => undefined,
        retentionClock: async () => undefined,
        keepRetentionClock: async () => undefined,
        removeWords: async () => ({ events: {}, alerts: 0, refused: 0 }),
        appendLog: async () => undefined,
      },
      overlays: { look: async () => ({ emptied: 0, faults: [] }) },
      files: {
        async remove(sha256) {
          if (sha256 !== 'c') throw new Error(`removing ${sha256}: away`);
          removed.push(sha256);
        },
      },
      clock: virtualClock({ wallMs: 1_800_000_000_000 }),
      log: pino({ level: 'silent' }),
      kept: { retentionMs: 400 * DAY },
    });
    await expect(retention.look()).rejects.toMatchObject({
      message: expect.stringMatching(/^2 of 3 /),
      errors: [{ message: 'removing a: away' }, { message: 'removing b: away' }],
    });
    expect(removed).toEqual(['c']);
  });

  it('takes words out by their class, captions by the shortest time, and writes one line a round', async () => {
    const none = setUp(undefined);
    await none.hours(1);
    expect([none.looks, none.entries]).toEqual([[], []]);
    const { clock, looks, entries, hours } = setUp(undefined, undefined, {}, { wordDays: { fee: 7, prohibited: 90 } });
    const begun = clock.wallMs();
    await hours(1);
    expect(looks).toEqual([begun - 7 * DAY]);
    expect(entries).toEqual(['retire_words 2 events (fee 2), 1 alerts, 0 refused payloads, 3 captions of clips']);
  });

  it('takes no words out on the word of a clock that has leapt', async () => {
    const { clock, looks, hours } = setUp(1_800_000_000_000, undefined, {}, { wordDays: { fee: 7 } });
    await hours(1);
    clock.step(365 * DAY);
    await hours(24);
    expect(looks).toHaveLength(1);
    await hours(1);
    expect(looks).toHaveLength(2);
  });

  it('says which overlays it could not look into, when the rest is done', async () => {
    const { cuts, entries, hours } = setUp(
      undefined,
      undefined,
      {},
      { wordDays: { fee: 7 }, fault: new Error('away') },
    );
    await expect(hours(1)).rejects.toMatchObject({ message: expect.stringMatching(/^1 overlays /) });
    expect([cuts.length, entries.length]).toEqual([1, 1]);
  });

  it('writes down what has left though the overlays can not even be listed', async () => {
    const entries: string[] = [];
    const retention = createRetention({
      store: {
        retire: async () => ({ events: 0, alerts: 0, clips: 0, files: [] }),
        newestWallMs: async () => undefined,
        retentionClock: async () => undefined,
        keepRetentionClock: async () => undefined,
        removeWords: async () => ({ events: { fee: 2 }, alerts: 1, refused: 0 }),
        appendLog: async ({ action, object }) => void entries.push(`${action} ${object}`),
      },
      overlays: { look: () => Promise.reject(new Error('the database is away')) },
      files: { remove: async () => undefined },
      clock: virtualClock({ wallMs: 1_800_000_000_000 }),
      log: pino({ level: 'silent' }),
      kept: { wordDays: { fee: 7 } },
    });
    await expect(retention.look()).rejects.toMatchObject({ errors: [{ message: 'the database is away' }] });
    expect(entries).toEqual(['retire_words 2 events (fee 2), 1 alerts, 0 refused payloads, 0 captions of clips']);
  });

  it.each([
    ['a year ahead', 365 * DAY],
    ['two hours ahead', 2 * HOUR],
    ['back to 1970', -1_800_000_000_000],
  ])('removes nothing after a leap %s until the clock has run evenly for a day', async (_what, leapMs) => {
    const { clock, cuts, lines, hours } = setUp(1_800_000_000_000);
    await hours(3);
    expect(cuts).toHaveLength(3);
    clock.step(leapMs);
    await hours(24);
    expect(cuts).toHaveLength(3);
    expect(lines.filter((line) => line.includes('has leapt'))).toHaveLength(1);
    await hours(1);
    expect(cuts).toHaveLength(4);
  });

  it('begins to wait anew when the clock is set right', async () => {
    const { clock, cuts, hours } = setUp(1_800_000_000_000);
    await hours(1);
    clock.step(365 * DAY);
    await hours(10);
    clock.step(-365 * DAY);
    await hours(24);
    expect(cuts).toHaveLength(1);
    await hours(1);
    expect(cuts.at(-1)).toBe(1_800_000_000_000 + 35 * HOUR - 400 * DAY);
  });

  it('lets small steps pass', async () => {
    const { clock, cuts, hours } = setUp(1_800_000_000_000);
    for (let i = 0; i < 5; i++) {
      await hours(1);
      clock.step(i % 2 === 0 ? 50 * 60_000 : -50 * 60_000);
    }
    expect(cuts).toHaveLength(5);
  });

  it.each([
    ['years beyond', 1_800_000_000_000 - 900 * DAY, 0],
    ['before', 1_800_000_000_000 + 2 * DAY, 0],
    ['near', 1_800_000_000_000 - HOUR, 24],
  ])(
    'that starts with a clock %s the newest thing stored removes %3$s times in 24 hours',
    async (_what, newest, times) => {
      const { cuts, hours } = setUp(newest);
      await hours(24);
      expect(cuts).toHaveLength(times);
    },
  );

  it('is not talked round by a restart, however often, nor by what a wrong clock has stored', async () => {
    const kept: { clock?: RetentionClock } = {};
    const good = setUp(1_800_000_000_000, 1_800_000_000_000, kept);
    await good.hours(2);
    expect(good.cuts).toHaveLength(2);
    const wrong = 1_800_000_000_000 + 900 * DAY;
    for (let restart = 0; restart < 30; restart++) {
      // By now the newest thing stored has the wrong clock's time.
      const process = setUp(wrong + restart * 60_000, wrong + restart * 60_000, kept);
      await process.hours(1);
      expect(process.cuts).toEqual([]);
    }
    // Half a day in one process and half in another make the day; the time between them does not count.
    const first = setUp(wrong + DAY, wrong + DAY, kept);
    await first.hours(13);
    const second = setUp(wrong + 2 * DAY, wrong + 2 * DAY - HOUR, kept);
    await second.hours(12);
    expect([...first.cuts, ...second.cuts]).toEqual([]);
    await second.hours(1);
    expect(second.cuts).toHaveLength(1);
  });

  it('begins anew when the clock was set right over a restart, and goes on at once where it always was', async () => {
    const kept: { clock?: RetentionClock } = {};
    const at = 1_800_000_000_000;
    await setUp(at, at, kept).hours(2);
    const again = setUp(at - 3 * HOUR, at + 2 * HOUR, kept);
    await again.hours(1);
    expect(again.cuts).toHaveLength(1);
    await setUp(at + 900 * DAY, at + 900 * DAY, kept).hours(1);
    const right = setUp(at + 900 * DAY, at + 3 * HOUR, kept);
    await right.hours(24);
    expect(right.cuts).toEqual([]);
    await right.hours(1);
    expect(right.cuts).toHaveLength(1);
  });
});
