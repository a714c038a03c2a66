/** Who waits for orders: answered at once when there is news, woken by a commit, one query for all, and a bound. */
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { virtualClock } from '../../../agent/clock.ts';
import { createOrders } from '../../../cloud/review/orders.ts';
import type { Store } from '../../../cloud/store/store.ts';
import type { RoomOrders } from '../../../protocol/orders.ts';
import type { Clock } from '../../../protocol/time.ts';
import { stillClock } from './still-clock.ts';

const log = pino({ level: 'silent' });
const settle = async () => {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
};

/** A store of revisions alone, that counts how often it is asked. */
function world(clock?: Clock) {
  const revisions = new Map<string, number>();
  const asked = { all: 0 };
  const store: Pick<Store, 'order' | 'orders' | 'orderRevisions'> = {
    orders: async (roomId) => ({ roomId, revision: revisions.get(roomId) ?? 0 }),
    async order(roomId) {
      revisions.set(roomId, (revisions.get(roomId) ?? 0) + 1);
      return { roomId, revision: revisions.get(roomId)! };
    },
    async orderRevisions() {
      asked.all += 1;
      return new Map(revisions);
    },
  };
  const still = stillClock();
  const orders = createOrders({ store, clock: clock ?? still.clock, log });
  const gone = new AbortController();
  const next = (deviceId: string, roomId: string, revision: number, signal = gone.signal) =>
    orders.next({ deviceId, roomId }, { revision, waitMs: 25_000, signal });
  return { revisions, asked, still, orders, next, gone };
}
const by = { actor: 'a', action: 'order', object: 'o' };

describe('waiting for orders', () => {
  it('answers at once whenever the stored revision differs, also when it is lower', async () => {
    const { next, revisions, orders } = world();
    revisions.set('r1', 5);
    expect(await next('box', 'r1', 4)).toMatchObject({ revision: 5 });
    expect(await next('box', 'r1', 9)).toMatchObject({ revision: 5 });
    expect(await next('box', 'r2', 3)).toMatchObject({ revision: 0 });
    await orders.close();
  });

  it('wakes the boxes of the room that was ordered for, and no others', async () => {
    const { next, orders } = world();
    const answers: (RoomOrders | undefined)[] = [];
    void next('a', 'r1', 0).then((answer) => answers.push(answer));
    void next('b', 'r2', 0).then((answer) => answers.push(answer));
    await settle();
    expect(orders.counts().waiting).toBe(2);
    await orders.order('r1', {}, by);
    await settle();
    expect(answers).toEqual([{ roomId: 'r1', revision: 1 }]);
    expect(orders.counts().waiting).toBe(1);
    await orders.close();
    await settle();
    expect(answers).toHaveLength(2);
  });

  it('sees what another process ordered, with one query a second for all who wait', async () => {
    const clock = virtualClock();
    const { next, revisions, asked, orders } = world(clock);
    const answers: (RoomOrders | undefined)[] = [];
    for (let n = 0; n < 50; n++) void next(`box-${n}`, `r${n}`, 0).then((answer) => answers.push(answer));
    await settle();
    expect(asked.all).toBe(1);
    revisions.set('r7', 1);
    await settle();
    expect(answers).toEqual([]);
    await clock.advance(1000);
    await settle();
    expect(answers).toEqual([{ roomId: 'r7', revision: 1 }]);
    expect(asked.all).toBe(2);
    await orders.close();
  });

  it('does not look at all rooms for what this process orders itself, however many rooms that is', async () => {
    const { next, asked, orders } = world();
    const answers: (RoomOrders | undefined)[] = [];
    const heard: string[] = [];
    const stop = orders.onChange((roomId, revision) => heard.push(`${roomId} ${revision}`));
    for (let n = 0; n < 300; n++) void next(`box-${n}`, `r${n}`, 0).then((answer) => answers.push(answer));
    await settle();
    for (let n = 0; n < 300; n++) await orders.order(`r${n}`, {}, by);
    await settle();
    expect(answers).toHaveLength(300);
    expect(heard).toHaveLength(300);
    expect(asked.all).toBe(1);
    stop();
    await orders.close();
  });

  it('does not take back what was ordered here while it looked at what others ordered', async () => {
    const { revisions, orders, still } = world();
    const heard: string[] = [];
    const stop = orders.onChange((roomId, revision) => heard.push(`${roomId} ${revision}`));
    await settle();
    still.pass();
    // The look has read already; the order commits before it is back.
    const ordering = orders.order('r1', {}, by);
    await Promise.all([ordering, settle()]);
    still.pass();
    await settle();
    expect(heard).toEqual(['r1 1']);
    expect(revisions.get('r1')).toBe(1);
    stop();
    await orders.close();
  });

  it('says that nothing is new when the time is over or the box has gone', async () => {
    const { next, still, orders } = world();
    const waiting = next('a', 'r1', 0);
    await settle();
    still.pass();
    expect(await waiting).toBeUndefined();
    const gone = new AbortController();
    const left = next('a', 'r1', 0, gone.signal);
    await settle();
    gone.abort();
    expect(await left).toBeUndefined();
    expect(orders.counts().waiting).toBe(0);
    await orders.close();
  });

  it('keeps one question a box: the older one is of a line that is gone', async () => {
    const { next, orders } = world();
    const first = next('a', 'r1', 0);
    await settle();
    const second = next('a', 'r1', 0);
    expect(await first).toBeUndefined();
    expect(orders.counts().waiting).toBe(1);
    await orders.order('r1', {}, by);
    expect(await second).toMatchObject({ revision: 1 });
    await orders.close();
  });

  it('answers whoever comes when too many wait at once, and counts them', async () => {
    const { next, orders, gone } = world();
    const all = Array.from({ length: 4000 }, (_, n) => next(`box-${n}`, 'r1', 0));
    await settle();
    expect(await next('one-more', 'r1', 0)).toBeUndefined();
    expect(await next('one-more', 'r1', 7)).toMatchObject({ revision: 0 });
    expect(orders.counts()).toEqual({ waiting: 4000, turnedAway: 2 });
    gone.abort();
    await Promise.all(all);
    expect(orders.counts().waiting).toBe(0);
    await orders.close();
  });

  it('tells listeners of each room that has new orders, and not of what was there before', async () => {
    const { revisions, still, orders } = world();
    revisions.set('old', 3);
    const heard: string[] = [];
    const stop = orders.onChange((roomId) => heard.push(roomId));
    await settle();
    expect(heard).toEqual([]);
    revisions.set('r1', 1);
    still.pass();
    await settle();
    expect(heard).toEqual(['r1']);
    stop();
    await orders.close();
  });
});
