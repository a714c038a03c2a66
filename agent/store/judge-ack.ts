/** Inside the outbox, for every driver of it: what an ack of a stream may delete. Pure; the first invariant hangs on it. */
import { crc32 } from 'node:zlib';
import { type Ack, LIMITS } from '../../protocol/stream.ts';
import type { AckResult } from './outbox.ts';

/** What the outbox knows of a stream. */
export interface AckedStream {
  readonly lastSeq: number;
  readonly through: number;
  /** CRC-32 of the eventIds of seq 1 to `through`; null where an older version deleted them uncounted. */
  readonly chain: number | null;
  /** Of an earlier opening: how far that had sent is not known, so an ack may name all that it holds. */
  readonly left: boolean;
  /** Highest seq that this opening has published. */
  readonly offered: number;
}

/** Where the stream stands once its events up to `through` are deleted. */
export interface Progress {
  readonly through: number;
  readonly chain: number | null;
}

/**
 * `idsUpTo(seq)`: eventIds of the events behind `through`, up to and with `seq`. A result other than Progress deletes
 * nothing. An ack may be ahead of what was sent here where somebody else writes the same stream (an older image of the
 * disk, or a copy of the running machine): then all that may go out before an ack has gone out, and nothing more ever
 * would. Such an ack is believed where it proves that the cloud has these very events; else the stream is given up.
 */
export function judgeAck(
  { lastSeq, through, chain, left, offered }: AckedStream,
  { through: told, eventId, chain: theirs }: Pick<Ack, 'through' | 'eventId' | 'chain'>,
  idsUpTo: (seq: number) => readonly string[],
): Progress | Exclude<AckResult, 'unknown_stream' | 'progress'> {
  if (told <= through) return 'no_progress';
  const stuck = offered >= Math.min(lastSeq, through + LIMITS.windowEvents);
  const ahead = told > (left ? lastSeq : offered);
  if (ahead && (!stuck || through === lastSeq)) return 'beyond_sent';
  if (told > lastSeq && eventId !== undefined) return 'other_event';
  // A cloud that names no events: all that an older image holds is behind what it has.
  if (ahead && eventId === undefined && !(left && offered >= lastSeq)) return 'beyond_sent';
  if (ahead && told <= lastSeq && (theirs === undefined || chain === null)) return 'other_event';
  const reached = Math.min(told, lastSeq);
  const ids = idsUpTo(reached);
  const ours = chain === null ? null : crc32(ids.join(''), chain);
  const same = (eventId ?? ids.at(-1)) === ids.at(-1) && (theirs === undefined || ours === null || theirs === ours);
  return same ? { through: reached, chain: ours } : 'other_event';
}
