/** Before the store: what a payload on an events topic comes to. Pure: refuses with a reason, never throws. */
import { parseBatch } from '../../protocol/schema.ts';
import { type Lane, LIMITS } from '../../protocol/stream.ts';
import type { Delivery, Unreadable } from '../store/store.ts';

/** A delivery for the store, good and refused events apart; or, where not even stream and seq could be read, what is kept of it. */
export function readDelivery(
  payload: Uint8Array,
  roomId: string,
  lane: Lane,
): { readonly delivery: Delivery } | { readonly unreadable: Unreadable } {
  const parsed = parseBatch(payload, roomId, lane);
  if (parsed.ok) {
    const { streamId, events } = parsed.batch;
    return { delivery: { roomId, streamId, lane, good: events, bad: [] } };
  }
  if (parsed.rescue) {
    const { streamId, good, bad } = parsed.rescue;
    return { delivery: { roomId, streamId, lane, good, bad } };
  }
  const { code, reason } = parsed;
  const head = Buffer.from(payload.subarray(0, LIMITS.eventBytes)).toString('base64');
  return { unreadable: { roomId, code, reason, payload: head } };
}
