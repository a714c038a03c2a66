/** Retention over a real store: a cloud that is restarted with a clock years ahead keeps its evidence, on both databases. */
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { virtualClock } from '../../../agent/clock.ts';
import { createRetention } from '../../../cloud/retention.ts';
import { openStore, type StoreConfig } from '../../../cloud/store/open.ts';
import type { Store } from '../../../cloud/store/store.ts';
import { DRIVERS, standOn } from '../../contract/store-stand.ts';
import { delivery, episodeBody, roomEvent, WALL } from './events.ts';

const DAY = 86_400_000;
const HOUR = 3_600_000;
const user = { userId: 'u', name: '王监督', role: 'supervisor' } as const;

describe.each(DRIVERS)('retention on %s', (driver) => {
  let store: Store;
  let config: StoreConfig;
  standOn(driver, (fresh, where) => {
    [store, config] = [fresh, where];
    return () => store;
  });
  /** A process of its own, whose clock says `wallMs` when it starts. */
  const restart = async (wallMs: number) => {
    await store.close();
    store = await openStore(config);
    const clock = virtualClock({ wallMs });
    const files = { remove: async () => undefined };
    const overlays = { look: async () => ({ emptied: 0, faults: [] }) };
    const log = pino({ level: 'silent' });
    const retention = createRetention({ store, files, overlays, clock, log, kept: { retentionMs: 30 * DAY } });
    return {
      async hours(count: number) {
        for (let i = 0; i < count; i++) {
          await retention.look();
          await clock.advance(HOUR);
        }
      },
    };
  };

  it('removes nothing on the word of a clock that a restart has set years ahead', async () => {
    await store.ingest([delivery([roomEvent('s1', 1, episodeBody('e1', 'end'))])], WALL);
    await store.act({ actionId: 'a1', episodeId: 'e1', kind: 'confirm', wallMs: WALL + 1 }, user);
    await (await restart(WALL + HOUR)).hours(2);
    const wrong = WALL + 3000 * DAY;
    const first = await restart(wrong);
    await first.hours(1);
    await store.ingest([delivery([roomEvent('s1', 2, episodeBody('e2'))])], wrong + HOUR);
    expect(await store.newestWallMs()).toBe(wrong + HOUR);
    // What is stored now agrees with the clock; it is the clock's own word.
    for (let n = 1; n <= 3; n++) await (await restart(wrong + n * HOUR)).hours(2);
    expect((await store.counts()).events).toBe(2);
    expect(await store.alert('e1')).toBeDefined();
    expect(await store.retentionClock()).toMatchObject({ doubtMs: 21 * HOUR });
    // Somebody sets it right: the wait begins anew, and what is old enough leaves in the end.
    await (await restart(WALL + 31 * DAY)).hours(25);
    expect(await store.alert('e1')).toBeUndefined();
    expect(await store.alert('e2')).toBeDefined();
  });
});
