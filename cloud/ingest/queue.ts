/** Inside the ingest: payloads that wait for the store, read at the last moment, and which of them go into the next transaction. */
import type { Lane } from '../../protocol/stream.ts';
import type { Delivery, Unreadable } from '../store/store.ts';
import { readDelivery } from './read.ts';

/** Events in one transaction. */
export const COMMIT_EVENTS = 500;
/** Bounds of what waits. Unread, its bytes are all that it costs; as objects, events are some ten times that. */
const QUEUE_PAYLOADS = 20_000;
const QUEUE_BYTES = 32 * 1024 * 1024;
/** What is read and cannot go yet; beyond it nothing more is read. */
const ASIDE_MAX = 500;
const ASIDE_BYTES = 8 * 1024 * 1024;
/** Of these a room may have so many that wait for their predecessors: its windows, and not the patience of a worker. */
const EARLY_PER_ROOM = 16;
/**
 * A delivery whose predecessor has not come waits so long: another worker has it, most likely. Stored beyond the hole it
 * would be seen no earlier, and would have to be read again. Shorter than any resend.
 */
const PATIENCE_MS = 500;
/** Streams of which is remembered how far they are stored; the longest unchanged are forgotten, and asked for again. */
const STREAMS_MAX = 50_000;

/** A payload on an events topic, as the broker gave it. */
interface Heard {
  readonly roomId: string;
  readonly lane: Lane;
  readonly payload: Uint8Array;
}

interface Waiting {
  readonly delivery: Delivery;
  readonly name: string;
  readonly first: number;
  readonly last: number;
  readonly bytes: number;
  /** From then on it goes, whatever has come of the events before it. */
  readonly untilMonoMs: number;
}

export interface IngestQueue {
  /** False when there is no room: the payload was not taken. */
  offer(heard: Heard): boolean;
  /** Payloads that wait, read or not. */
  readonly length: number;
  /** Events that could go now, counted up to a transaction's worth. */
  ready(nowMonoMs: number): number;
  /** Up to 500 events of streams that are in no other transaction: theirs are in one now, until `done`. */
  take(nowMonoMs: number): readonly Delivery[];
  done(taken: readonly Delivery[]): void;
  /** Streams of which something waits that does not follow what they are known to have stored. */
  doubtful(): readonly string[];
  /** So far a stream is stored; infinite where nothing of it has to wait. */
  reached(streamId: string, through: number): void;
}

/** `onUnreadable` is told of each payload of which not even stream and seq can be read. */
export function createQueue(onUnreadable: (unreadable: Unreadable) => void): IngestQueue {
  const heard: Heard[] = [];
  let bytes = 0;
  /** Read, in the order of arrival within a stream. */
  let aside: Waiting[] = [];
  const stored = new Map<string, number>();
  /** Streams in a transaction. The room is part of the name, so that no room can hold up another one's stream. */
  const busy = new Set<string>();
  const nameOf = ({ roomId, streamId }: Delivery) => `${roomId}/${streamId}`;
  const follows = ({ delivery, first }: Waiting) => first <= (stored.get(delivery.streamId) ?? 0) + 1;

  const read = ({ roomId, lane, payload }: Heard, nowMonoMs: number, left: readonly Waiting[]): Waiting | undefined => {
    const found = readDelivery(payload, roomId, lane);
    if ('unreadable' in found) {
      onUnreadable(found.unreadable);
      return undefined;
    }
    const { delivery } = found;
    const { good, bad } = delivery;
    const first = Math.min(good[0]?.seq ?? Number.POSITIVE_INFINITY, bad[0]?.seq ?? Number.POSITIVE_INFINITY);
    const one = {
      delivery,
      name: nameOf(delivery),
      first,
      last: first + good.length + bad.length - 1,
      bytes: payload.length,
      untilMonoMs: Number.NEGATIVE_INFINITY,
    };
    if (follows(one)) return one;
    const others = left.filter((other) => other.delivery.roomId === roomId).length;
    return others < EARLY_PER_ROOM ? { ...one, untilMonoMs: nowMonoMs + PATIENCE_MS } : one;
  };

  /** What can go, up to a transaction, and what is left of all that is read. */
  const choose = (nowMonoMs: number): { chosen: Waiting[]; left: Waiting[]; events: number } => {
    const chosen: Waiting[] = [];
    const left: Waiting[] = [];
    const held = new Set<string>();
    const next = new Map<string, number>();
    let events = 0;
    let leftBytes = 0;
    const leave = (one: Waiting) => {
      left.push(one);
      leftBytes += one.bytes;
    };
    const look = (one: Waiting) => {
      const { name } = one;
      const size = one.last - one.first + 1;
      if (busy.has(name) || held.has(name)) return leave(one);
      if (!follows(one) && one.first > (next.get(name) ?? 0) && nowMonoMs < one.untilMonoMs) return leave(one);
      if (chosen.length > 0 && events + size > COMMIT_EVENTS) {
        held.add(name);
        return leave(one);
      }
      chosen.push(one);
      events += size;
      next.set(name, Math.max(next.get(name) ?? 0, one.last + 1));
    };
    for (const one of aside) look(one);
    while (heard.length > 0 && events < COMMIT_EVENTS && left.length < ASIDE_MAX && leftBytes < ASIDE_BYTES) {
      const next = heard.shift()!;
      const one = read(next, nowMonoMs, left);
      if (one) look(one);
      else bytes -= next.payload.length;
    }
    return { chosen, left, events };
  };

  return {
    offer(one) {
      if (heard.length >= QUEUE_PAYLOADS || bytes + one.payload.length > QUEUE_BYTES) return false;
      heard.push(one);
      bytes += one.payload.length;
      return true;
    },
    get length() {
      return heard.length + aside.length;
    },
    ready(nowMonoMs) {
      const { chosen, left, events } = choose(nowMonoMs);
      aside = [...chosen, ...left];
      return events;
    },
    take(nowMonoMs) {
      const { chosen, left } = choose(nowMonoMs);
      aside = left;
      for (const one of chosen) {
        busy.add(one.name);
        bytes -= one.bytes;
      }
      return chosen.map(({ delivery }) => delivery);
    },
    done(taken) {
      for (const delivery of taken) busy.delete(nameOf(delivery));
    },
    doubtful: () => [
      ...new Set(
        aside
          .filter((one) => !follows(one) && !busy.has(nameOf(one.delivery)))
          .map(({ delivery }) => delivery.streamId),
      ),
    ],
    reached(streamId, through) {
      stored.delete(streamId);
      stored.set(streamId, through);
      if (stored.size > STREAMS_MAX) stored.delete(stored.keys().next().value!);
    },
  };
}
