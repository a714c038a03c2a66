/** Refusals in the log: each at once, a flood of one as one more entry with its count, and never more kinds than fit. */
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { createRefusals } from '../../../../cloud/identity/refusals.ts';
import type { LogEntry } from '../../../../cloud/store/store.ts';
import { manualClock } from '../../models/speech/manual-clock.ts';

const log = pino({ level: 'silent' });

describe('refusals in the log', () => {
  const start = (failing = false) => {
    const clock = manualClock();
    const entries: string[] = [];
    const appendLog = async ({ action, object }: LogEntry) => {
      if (failing) throw new Error('away');
      entries.push(`${action} ${object}`);
    };
    return { clock, entries, refusals: createRefusals({ store: { appendLog }, clock, log }) };
  };
  const one = { actor: 'unknown', action: 'refuse_connection', object: 'mqtt' };

  it('writes the first at once and counts the rest', async () => {
    const { clock, entries, refusals } = start();
    for (let n = 0; n < 1000; n++) refusals.add(one);
    refusals.add({ ...one, object: 'https' });
    expect(entries).toEqual(['refuse_connection mqtt', 'refuse_connection https']);
    await clock.advance(59_000);
    expect(entries).toHaveLength(2);
    await clock.advance(15_000);
    expect(entries.slice(2)).toEqual(['refuse_connection mqtt (999 more times)']);
    refusals.add(one);
    await refusals.close();
    expect(entries.slice(3)).toEqual(['refuse_connection mqtt']);
  });

  it('bounds the kinds that are told apart', async () => {
    const { entries, refusals } = start();
    for (let n = 0; n < 5000; n++) refusals.add({ ...one, object: `from ${n}` });
    expect(entries).toHaveLength(501);
    await refusals.close();
    expect(entries.at(-1)).toBe('refuse_connection many others (4499 more times)');
  });

  it('never fails the one who refuses', async () => {
    const { refusals } = start(true);
    refusals.add(one);
    await expect(refusals.close()).resolves.toBeUndefined();
  });
});
