/** Retention believes a clock that runs evenly, and no other. */
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { virtualClock } from '../../../agent/clock.ts';
import { createRetention } from '../../../cloud/retention.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

function setUp(newest: number | undefined, startWallMs = 1_800_000_000_000) {
  const clock = virtualClock({ wallMs: startWallMs });
  const cuts: number[] = [];
  const removed: string[] = [];
  const lines: string[] = [];
  const retention = createRetention({
    store: {
      retire: async ({ beforeWallMs }) => {
        cuts.push(beforeWallMs);
        return { events: 1, alerts: 0, clips: 1, files: [`file-${cuts.length}`] };
      },
      newestWallMs: async () => newest,
    },
    files: { remove: async (sha256: string) => void removed.push(sha256) },
    clock,
    log: pino({ level: 'warn' }, { write: (line: string) => void lines.push(line) }),
    retentionMs: 400 * DAY,
  });
  const hours = async (count: number) => {
    for (let i = 0; i < count; i++) {
      await retention.look();
      await clock.advance(HOUR);
    }
  };
  return { clock, cuts, removed, lines, hours };
}

describe('retention', () => {
  it('removes hourly what is older, with its files', async () => {
    const { clock, cuts, removed, hours } = setUp(undefined);
    const begun = clock.wallMs();
    await hours(2);
    expect(cuts).toEqual([begun - 400 * DAY, begun + HOUR - 400 * DAY]);
    expect(removed).toEqual(['file-1', 'file-2']);
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
    await hours(25);
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
    await hours(25);
    expect(cuts).toHaveLength(1);
    await hours(1);
    expect(cuts.at(-1)).toBe(1_800_000_000_000 + 36 * HOUR - 400 * DAY);
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
    ['near', 1_800_000_000_000 - HOUR, 25],
  ])(
    'that starts with a clock %s the newest thing stored removes %3$s times in 25 hours',
    async (_what, newest, times) => {
      const { cuts, hours } = setUp(newest);
      await hours(25);
      expect(cuts).toHaveLength(times);
    },
  );
});
