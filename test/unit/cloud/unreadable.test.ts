/** Garbage of one room makes no more than its share of work. */
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { virtualClock } from '../../../agent/clock.ts';
import { createUnreadable } from '../../../cloud/ingest/unreadable.ts';
import type { Unreadable } from '../../../cloud/store/store.ts';

const log = pino({ level: 'silent' });
const garbage = (roomId: string): Unreadable => ({ roomId, code: 'not_json', reason: '', payload: '' });

describe('unreadable payloads', () => {
  it('are kept up to the share of their room, which grows by one each ten seconds', async () => {
    const clock = virtualClock();
    const kept: string[] = [];
    const store = { keepUnreadable: async ({ roomId }: Unreadable) => void kept.push(roomId) };
    const unreadable = createUnreadable({ store, clock, log });
    for (let i = 0; i < 1000; i++) {
      unreadable.keep(garbage('room-1'));
      await Promise.resolve();
      await new Promise(setImmediate);
    }
    unreadable.keep(garbage('room-2'));
    expect(kept).toEqual([...Array.from({ length: 20 }, () => 'room-1'), 'room-2']);
    expect(unreadable.counts()).toEqual({ unreadable: 1001, unreadableNotKept: 980 });
    await clock.advance(25_000);
    for (let i = 0; i < 5; i++) unreadable.keep(garbage('room-1'));
    expect(kept).toHaveLength(23);
  });

  it('do not gather in front of a database that is away', async () => {
    let writes = 0;
    const store = {
      keepUnreadable: () => {
        writes++;
        return new Promise<void>(() => undefined);
      },
    };
    const unreadable = createUnreadable({ store, clock: virtualClock(), log });
    for (let i = 0; i < 100; i++) unreadable.keep(garbage(`room-${i}`));
    expect(writes).toBe(16);
    expect(unreadable.counts()).toEqual({ unreadable: 100, unreadableNotKept: 84 });
  });
});
