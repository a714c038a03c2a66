/** The way down: orders of a room are stored, and the box that waits for them hears of it at once. */
import type { Logger } from 'pino';
import { InvalidInput } from '../../protocol/errors.ts';
import type { RoomOrders } from '../../protocol/orders.ts';
import type { Clock } from '../../protocol/time.ts';
import type { OrderChange } from '../store/orders.ts';
import type { LogEntry, Store } from '../store/store.ts';

/** Other processes order too: so often all rooms are looked at, in one query, while anybody waits. */
const LOOK_MS = 1000;
/** Longest wait that a box may ask for: under the idle limits of usual proxies. */
export const WAIT_MAX_MS = 30_000;
/** Boxes that wait at one time. Beyond it a box is answered at once that nothing is new, and comes back after its own pause. */
const WAITERS_MAX = 4000;
const ROOM = /^[A-Za-z0-9_-]{1,64}$/;

export interface Orders {
  /** For callers that have checked who asks. One transaction with its entry in the log; throws InvalidInput `orders_large`, `bad_id`. */
  order(roomId: string, change: OrderChange, by: Omit<LogEntry, 'wallMs'>): Promise<RoomOrders>;
  current(roomId: string): Promise<RoomOrders>;
  /** The orders of the device's room when their revision is not `revision`, now or within `waitMs`; else undefined. */
  next(
    device: { readonly deviceId: string; readonly roomId: string },
    asked: { readonly revision: number; readonly waitMs: number; readonly signal: AbortSignal },
  ): Promise<RoomOrders | undefined>;
  /** Called soon after any process has ordered something for a room. Returns how to stop it. */
  onChange(listener: (roomId: string, revision: number) => void): () => void;
  /** The room's orders were given this revision in a transaction of its own: told at once, without a look at all rooms. */
  ordered(roomId: string, revision: number): void;
  counts(): { readonly waiting: number; readonly turnedAway: number };
  close(): Promise<void>;
}

interface Waiter {
  readonly roomId: string;
  readonly revision: number;
  wake(): void;
}

export function createOrders(parts: {
  readonly store: Pick<Store, 'order' | 'orders' | 'orderRevisions'>;
  readonly clock: Clock;
  readonly log: Logger;
}): Orders {
  const { store, clock, log } = parts;
  const closing = new AbortController();
  /** By device: a box asks once at a time, so an older question of the same box is of a line that is gone. */
  const waiters = new Map<string, Waiter>();
  const listeners = new Set<(roomId: string, revision: number) => void>();
  let seen: Map<string, number> | undefined;
  /** What was ordered here while a look was on its way: newer than what the look brings. */
  let meanwhile = new Map<string, number>();
  let turnedAway = 0;
  let looking: Promise<void> | undefined;
  const needed = () => waiters.size + listeners.size > 0 && !closing.signal.aborted;

  const tell = (roomId: string, revision: number) => {
    for (const listener of [...listeners]) listener(roomId, revision);
  };
  const ordered = (roomId: string, revision: number) => {
    meanwhile.set(roomId, revision);
    seen?.set(roomId, revision);
    for (const waiter of [...waiters.values()])
      if (waiter.roomId === roomId && waiter.revision !== revision) waiter.wake();
    tell(roomId, revision);
  };
  const look = async () => {
    meanwhile = new Map();
    const now = new Map([...(await store.orderRevisions()), ...meanwhile]);
    const before = seen;
    seen = now;
    for (const waiter of [...waiters.values()]) if ((now.get(waiter.roomId) ?? 0) !== waiter.revision) waiter.wake();
    if (before) for (const [roomId, revision] of now) if (before.get(roomId) !== revision) tell(roomId, revision);
  };
  const run = async () => {
    let failing = false;
    while (needed()) {
      try {
        await look();
        failing = false;
      } catch (error) {
        if (!failing) log.error({ err: error }, 'looking for new orders failed; trying again every second');
        failing = true;
      }
      await clock.sleep(LOOK_MS, closing.signal);
    }
    seen = undefined;
  };
  const begin = () => {
    looking ??= run().finally(() => {
      looking = undefined;
      if (needed()) begin();
    });
  };

  return {
    async order(roomId, change, by) {
      if (!ROOM.test(roomId))
        throw new InvalidInput('bad_id', `ordering for a room: "${roomId.slice(0, 80)}" can not be the id of a room`);
      const orders = await store.order(roomId, change, { ...by, wallMs: clock.wallMs() });
      ordered(roomId, orders.revision);
      return orders;
    },
    current: (roomId) => store.orders(roomId),
    async next({ deviceId, roomId }, { revision, waitMs, signal }) {
      const done = new AbortController();
      const waiter: Waiter = { roomId, revision, wake: () => done.abort() };
      const before = waiters.get(deviceId);
      if (!before && waiters.size >= WAITERS_MAX) {
        turnedAway += 1;
        const now = await store.orders(roomId);
        return now.revision === revision ? undefined : now;
      }
      before?.wake();
      // Before the first look: what is ordered between it and the wait wakes, too.
      waiters.set(deviceId, waiter);
      try {
        begin();
        const now = await store.orders(roomId);
        if (now.revision !== revision) return now;
        await clock.sleep(Math.min(waitMs, WAIT_MAX_MS), AbortSignal.any([done.signal, signal, closing.signal]));
        if (!done.signal.aborted || signal.aborted || closing.signal.aborted) return undefined;
        const later = await store.orders(roomId);
        return later.revision === revision ? undefined : later;
      } finally {
        if (waiters.get(deviceId) === waiter) waiters.delete(deviceId);
      }
    },
    onChange(listener) {
      listeners.add(listener);
      begin();
      return () => listeners.delete(listener);
    },
    ordered,
    counts: () => ({ waiting: waiters.size, turnedAway }),
    async close() {
      closing.abort();
      await looking;
    },
  };
}
