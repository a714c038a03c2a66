/** What is read of what may be long is bounded, and says what it leaves out, on both databases. */
import { describe, expect, it } from 'vitest';
import type { Store } from '../../../cloud/store/store.ts';
import { DRIVERS, standOn } from '../../contract/store-stand.ts';
import { clipBody, delivery, episodeBody, roomEvent, WALL } from './events.ts';

describe.each(DRIVERS)('long stories in the store on %s', (driver) => {
  let store: Store;
  standOn(driver, (fresh) => {
    store = fresh;
    return undefined;
  });

  it('gives of an episode of hours the first events, the newest and its clips, and says how many are left out', async () => {
    const files = [{ name: 'clip.mp4' as const, sha256: 'b'.repeat(64), bytes: 10 }];
    const events = Array.from({ length: 500 }, (_, n) =>
      n === 100
        ? roomEvent('s1', n + 1, clipBody('long', 'c1', 'room-1', files))
        : roomEvent('s1', n + 1, episodeBody('long', n === 0 ? 'begin' : 'update')),
    );
    for (let at = 0; at < events.length; at += 50) await store.ingest([delivery(events.slice(at, at + 50))], WALL + at);
    const detail = (await store.alert('long'))!;
    expect(detail.eventsLeftOut).toBe(99);
    const seqs = detail.events.map(({ seq }) => seq);
    expect(seqs).toEqual([...seqs].sort((a, b) => a - b));
    expect(seqs).toHaveLength(401);
    expect([seqs[0], seqs[49], seqs[50], seqs[51], seqs.at(-1)]).toEqual([1, 50, 101, 151, 500]);
    // A short one is whole, and nothing is said.
    await store.ingest([delivery([roomEvent('s2', 1, episodeBody('short'))])], WALL);
    expect(await store.alert('short')).not.toHaveProperty('eventsLeftOut');
    expect((await store.overview()).unlisted).toBe(0);
  });

  it('reads a long log in slices, with others between them, and misses nothing that is appended meanwhile', async () => {
    const entry = (n: number) => ({ wallMs: WALL + n, actor: 'cloud', action: 'test', object: `${n}` });
    // As many at once as there are connections: who waits for one too long is refused.
    for (let at = 0; at < 1000; at += 8)
      await Promise.all(Array.from({ length: 8 }, (_, n) => store.appendLog(entry(at + n))));
    let turns = 0;
    let counting = true;
    const count = () => {
      turns += 1;
      if (counting) setImmediate(count);
    };
    setImmediate(count);
    const checked = Promise.all([store.chainHolds(), store.appendLog(entry(1000)), store.chainHolds()]);
    expect(await checked).toEqual([true, undefined, true]);
    counting = false;
    expect(turns).toBeGreaterThan(0);
    expect(await store.chainHolds()).toBe(true);
  });
});
