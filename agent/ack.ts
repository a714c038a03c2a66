/** Inside forward.ts: what an ack does to the outbox, and what a new connection begins with; no line and no time in it. */
import { parseAck } from '../protocol/schema.ts';
import { LANES, LIMITS } from '../protocol/stream.ts';
import type { AckResult, Outbox } from './store/outbox.ts';
import type { Windows } from './window.ts';

/** A stream with more than this unacked at (re)connection is left to drain behind a new one. */
const BACKLOG_EVENTS = LIMITS.windowEvents;

export type AckTaken =
  | { readonly kind: 'unreadable' }
  /** It named events that were never sent: forged or foreign; nothing was deleted. */
  | { readonly kind: 'forged'; readonly streamId: string; readonly through: number }
  | { readonly kind: 'taken'; readonly result: AckResult; readonly quarantined: boolean };

/** Deletes what the payload of an ack topic covers, and moves on from a stream that the ingest refuses or that somebody else writes too. Throws what the outbox throws. */
export function takeAck(payload: Uint8Array, outbox: Outbox, windows: Windows): AckTaken {
  const parsed = parseAck(payload);
  if (!parsed.ok) return { kind: 'unreadable' };
  const { streamId, through, quarantined } = parsed.ack;
  const result = outbox.ack(parsed.ack);
  if (result === 'beyond_sent') return { kind: 'forged', streamId, through };
  const reason =
    result === 'other_event' ? `other_event: the cloud has other events up to seq ${through} of it` : quarantined;
  const refused = reason !== undefined && result !== 'unknown_stream';
  if (refused) outbox.quarantine(streamId, reason);
  windows.acked(streamId);
  return { kind: 'taken', result, quarantined: refused };
}

/** At a new connection: new events must not wait behind what gathered while there was none. */
export function leaveBacklog(outbox: Outbox): void {
  for (const lane of LANES) {
    const stream = outbox.streams().find((each) => each.lane === lane && each.current);
    if (stream && stream.lastSeq - stream.through > BACKLOG_EVENTS) outbox.rollOver(lane);
  }
}
