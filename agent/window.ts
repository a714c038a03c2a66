/** Inside forward.ts: which batch goes next. Windows per stream, newest first without starving the oldest, resends. */
import type { RoomEvent } from '../protocol/event.ts';
import { type Batch, type Lane, LIMITS, PROTOCOL_VERSION } from '../protocol/stream.ts';
import type { Clock } from '../protocol/time.ts';
import type { Outbox, OutboxStream } from './store/outbox.ts';

/** Wait for an ack before the window is sent again, by the number of resends without progress; the last holds on. */
export const RESEND_WAITS_MS = [2000, 4000, 8000, 15_000, 30_000] as const;
const JITTER = 0.25;
/** Streams that may have unacked events under way at once: bounds what is in flight on the whole connection. */
const MAX_ACTIVE = 8;
/** Every so many batches the oldest stream has its turn, however much newer ones have to say. */
const OLDEST_EVERY = 4;

export interface NextBatch {
  readonly lane: Lane;
  readonly payload: { readonly json: string; readonly events: number };
  /** How many of its events had been sent before on this connection. */
  readonly resent: number;
}

export interface Windows {
  /** The batch to publish now, if any; it counts as sent when it is returned. */
  next(): NextBatch | undefined;
  /** The outbox has taken an ack of this stream. */
  acked(streamId: string): void;
  /** Milliseconds until a window is due to be sent again, infinite when nothing is under way. */
  resendInMs(): number;
}

interface Window {
  /** Highest seq published in this round, and ever on this connection. */
  sent: number;
  highest: number;
  through: number;
  resends: number;
  dueMonoMs: number;
}

/** Windows of one connection; a new connection begins with new ones, all from `through + 1`. */
export function createWindows({
  outbox,
  clock,
  random = Math.random,
}: {
  readonly outbox: Outbox;
  readonly clock: Clock;
  readonly random?: () => number;
}): Windows {
  const windows = new Map<string, Window>();
  let turn = 0;

  const waitMs = (resends: number): number =>
    RESEND_WAITS_MS[Math.min(resends, RESEND_WAITS_MS.length - 1)]! * (1 + JITTER * (2 * random() - 1));
  const windowOf = ({ streamId, through }: OutboxStream): Window => {
    let window = windows.get(streamId);
    if (!window) {
      window = { sent: through, highest: through, through, resends: 0, dueMonoMs: Number.POSITIVE_INFINITY };
      windows.set(streamId, window);
    }
    if (through > window.through) {
      window.through = through;
      window.sent = Math.max(window.sent, through);
      window.resends = 0;
      window.dueMonoMs = window.sent > through ? clock.monoMs() + waitMs(0) : Number.POSITIVE_INFINITY;
    }
    return window;
  };
  const underWay = (window: Window): boolean => window.sent > window.through;

  /** Current alert stream, current routine stream, then the left ones from new to old, alerts first. */
  const inOrder = (): OutboxStream[] => {
    const rank = (stream: OutboxStream) => (stream.current ? 0 : 2) + (stream.lane === 'alert' ? 0 : 1);
    return [...outbox.streams()].sort((a, b) => rank(a) - rank(b));
  };

  const next = (): NextBatch | undefined => {
    const streams = inOrder();
    const known = new Set(streams.map((stream) => stream.streamId));
    for (const streamId of windows.keys()) if (!known.has(streamId)) windows.delete(streamId);
    for (const stream of streams) {
      const window = windowOf(stream);
      if (underWay(window) && clock.monoMs() >= window.dueMonoMs) {
        window.sent = window.through;
        window.resends += 1;
        window.dueMonoMs = Number.POSITIVE_INFINITY;
      }
    }
    const active = streams.filter((stream) => underWay(windows.get(stream.streamId)!)).length;
    const ready = streams.filter((stream) => {
      const window = windows.get(stream.streamId)!;
      const room = window.sent - window.through < LIMITS.windowEvents && window.sent < stream.lastSeq;
      return room && (underWay(window) || stream.current || active < MAX_ACTIVE);
    });
    const stream = ++turn % OLDEST_EVERY === 0 ? ready.at(-1) : ready[0];
    if (!stream) return undefined;
    const window = windows.get(stream.streamId)!;
    const room = LIMITS.windowEvents - (window.sent - window.through);
    const events = outbox.events(stream.streamId, window.sent, Math.min(room, LIMITS.batchEvents));
    // Nothing although something should be there: it was damaged and its stream has moved on. Look again.
    if (events.length === 0)
      return outbox.streams().some(({ streamId }) => streamId === stream.streamId) ? undefined : next();
    const batch = encode(stream, events);
    const resent = Math.max(0, Math.min(window.highest, batch.lastSeq) - window.sent);
    if (!underWay(window)) window.dueMonoMs = clock.monoMs() + waitMs(window.resends);
    window.sent = batch.lastSeq;
    window.highest = Math.max(window.highest, batch.lastSeq);
    outbox.sent(stream.streamId, batch.lastSeq);
    return { lane: stream.lane, payload: { json: batch.json, events: batch.events }, resent };
  };

  return {
    next,
    acked: (streamId) => {
      const stream = outbox.streams().find((each) => each.streamId === streamId);
      if (stream) windowOf(stream);
      else windows.delete(streamId);
    },
    resendInMs: () => {
      const due = Math.min(...[...windows.values()].filter(underWay).map((window) => window.dueMonoMs));
      return due - clock.monoMs();
    },
  };
}

/** As many of the events, at least one, as fit into a batch's bytes. */
function encode(stream: OutboxStream, events: readonly RoomEvent[]): { json: string; events: number; lastSeq: number } {
  for (let count = events.length; ; count = Math.ceil(count / 2)) {
    const taken = events.slice(0, count);
    const batch: Batch = { v: PROTOCOL_VERSION, streamId: stream.streamId, lane: stream.lane, events: taken };
    const json = JSON.stringify(batch);
    if (count === 1 || Buffer.byteLength(json) <= LIMITS.batchBytes)
      return { json, events: count, lastSeq: taken.at(-1)!.seq };
  }
}
