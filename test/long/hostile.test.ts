/** A million streams from one room: bounded rows, flat memory, and the next room is served as before. */
import { expect, it } from 'vitest';
import type { Delivery } from '../../cloud/store/store.ts';
import { goodEvents } from '../storm/hostile/payloads.ts';
import { openSimStore } from '../storm/sim/store.ts';

const STREAMS = 1_000_000;
const AT_ONCE = 500;
const MB = 1024 * 1024;

it('a million streams from one room', async () => {
  const { store, close } = await openSimStore();
  try {
    const of = (roomId: string, streamId: string, salt: number): Delivery => ({
      ...{ roomId, streamId, lane: 'alert', bad: [] },
      good: goodEvents(roomId, streamId, salt, 1),
    });
    let refused = 0;
    let rssHalfway = 0;
    for (let from = 0; from < STREAMS; from += AT_ONCE) {
      const many = Array.from({ length: AT_ONCE }, (_, index) => of('room-evil', `many-${from + index}`, from + index));
      const { acks, quarantined } = await store.ingest([...many, of('room-good', `good-${from}`, 2_000_000 + from)], 1);
      refused += acks.filter(({ ack }) => ack.quarantined === 'too_many_streams').length;
      expect(acks.find(({ roomId }) => roomId === 'room-good')!.ack.through).toBe(1);
      expect(quarantined).toEqual([]);
      if (from === STREAMS / 2) rssHalfway = process.memoryUsage().rss;
    }
    expect(refused).toBe(STREAMS - 20_000);
    const counts = await store.counts();
    expect(counts.events).toBe(20_000 + STREAMS / AT_ONCE);
    expect(counts.rejected).toBeLessThanOrEqual(5000);
    const grewMb = (process.memoryUsage().rss - rssHalfway) / MB;
    console.log(`${refused} streams refused, memory grew by ${Math.round(grewMb)} MB in the second half`);
    expect(grewMb).toBeLessThan(200);
  } finally {
    await close();
  }
});
