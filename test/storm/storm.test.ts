/** The whole path as processes under kill -9, freezes and a bad line; and that the storm notices when the path is broken. */
import { describe, expect, it } from 'vitest';
import { browserMissing } from '../../scripts/browser.ts';
import { runStorm, type StormResult } from '../../scripts/storm/run.ts';
import type { StormOptions } from '../../scripts/storm.ts';

const SEED = 20_261_124;

async function ride(options: Pick<StormOptions, 'kills' | 'rooms' | 'sabotage' | 'browser'>): Promise<StormResult> {
  const result = await runStorm({ store: 'sqlite', ...options, seed: SEED }, () => undefined);
  const { faults, ...numbers } = result;
  console.log(JSON.stringify(numbers), faults.slice(0, 3));
  return result;
}

describe('a storm', () => {
  it('of 30 kills loses nothing, stores and shows nothing twice, and leaves nothing off the screen', async () => {
    const missing = browserMissing();
    // The page itself is one of the screens wherever there is a Chromium.
    if (missing) console.log(`no page among the screens: ${missing}`);
    const result = await ride({ kills: 30, rooms: 3, ...(missing ? {} : { browser: true }) });
    expect(result).toMatchObject({
      kills: 30,
      lost: 0,
      storedTwice: 0,
      shownTwice: 0,
      missingOnScreen: 0,
      quarantined: 0,
      rejected: 0,
      faults: [],
    });
    expect(result.accepted).toBeGreaterThan(500);
  }, 300_000);

  it('notices an outbox that deletes what the broker has taken', async () => {
    const { lost } = await ride({ kills: 6, rooms: 2, sabotage: ['delete_when_sent'] });
    expect(lost).toBeGreaterThan(0);
  });

  it('notices a room that commits twice what it decided once, and a screen that forgets where it was', async () => {
    const result = await ride({ kills: 6, rooms: 2, sabotage: ['accept_twice', 'forget_cursor'] });
    expect(result.lost).toBe(0);
    expect(result.storedTwice).toBeGreaterThan(0);
    expect(result.shownTwice).toBeGreaterThan(0);
    expect(result.missingOnScreen).toBeGreaterThan(0);
  });
});
