/** What is wrong with a room's own equipment, in the order of how much it takes away: pure. */
import type { Why } from '../../../protocol/why.ts';
import type { RoomCard } from '../../http/api.ts';
import { SILENT_MS } from './history.ts';

/** Older than this in the outbox and the desk is not seeing the room live. */
export const OUTBOX_OLD_MS = 30_000;

export type Fault =
  | { readonly kind: 'offline'; readonly sinceWallMs: number }
  | { readonly kind: 'never_heard' }
  | { readonly kind: 'blind'; readonly cameraId: string; readonly fault?: string; readonly why?: readonly Why[] }
  | { readonly kind: 'not_recording'; readonly cameraId: string }
  | {
      readonly kind: 'deaf';
      readonly microphoneId: string;
      readonly language: string;
      /** The box is too slow for it. */
      readonly slow?: true;
      readonly reason?: string;
      readonly why?: readonly Why[];
    }
  | { readonly kind: 'unconfirmed'; readonly microphoneId: string; readonly language: string }
  | { readonly kind: 'sound'; readonly microphoneId: string; readonly fault: string }
  | { readonly kind: 'clock' }
  | { readonly kind: 'floor'; readonly cameraId: string }
  | { readonly kind: 'outbox_full' }
  | { readonly kind: 'outbox_old'; readonly oldestMs: number; readonly events: number }
  | { readonly kind: 'disk_low'; readonly freeBytes: number };

/** Faults of a room as the cloud knows it at `nowMs` (cloud's wall time). A starting stream is not yet a fault. */
export function faultsOf(room: RoomCard, nowMs: number): readonly Fault[] {
  const { state, heardWallMs } = room;
  if (!state || heardWallMs === undefined) return [{ kind: 'never_heard' }];
  // What was last heard of a silent room is no longer known to be true, so its silence is the one fault shown.
  if (isSilent(room, nowMs)) return [{ kind: 'offline', sinceWallMs: heardWallMs }];
  const found: Fault[] = [];
  for (const camera of state.health.cameras) {
    // A camera that is not recorded is seen all the same.
    const unrecorded = camera.fault === 'record_down';
    const fault = unrecorded ? undefined : camera.fault;
    if (camera.decode === 'down' || fault)
      found.push({
        kind: 'blind',
        cameraId: camera.cameraId,
        ...(fault ? { fault } : {}),
        ...(camera.why ? { why: camera.why } : {}),
      });
    if (camera.record === 'down' || unrecorded) found.push({ kind: 'not_recording', cameraId: camera.cameraId });
  }
  for (const ear of state.health.ears)
    if (ear.state === 'deaf')
      found.push({
        kind: 'deaf',
        microphoneId: ear.microphoneId,
        language: ear.language,
        ...(ear.slow ? { slow: true } : {}),
        ...(ear.reason ? { reason: ear.reason } : {}),
        ...(ear.why ? { why: ear.why } : {}),
      });
    else if (ear.unconfirmed)
      found.push({ kind: 'unconfirmed', microphoneId: ear.microphoneId, language: ear.language });
  // Each language of a microphone tells of its one sound.
  const sounds = new Map(state.health.ears.map(({ microphoneId, fault }) => [microphoneId, fault]));
  for (const [microphoneId, fault] of sounds) if (fault) found.push({ kind: 'sound', microphoneId, fault });
  if (state.at.clock === 'doubtful') found.push({ kind: 'clock' });
  // A camera at fault says so already, and is not measured by.
  for (const { cameraId, floor, fault } of state.health.cameras)
    if (floor === 'doubtful' && !fault) found.push({ kind: 'floor', cameraId });
  const { outbox, disk } = state.health;
  if (outbox.full) found.push({ kind: 'outbox_full' });
  else if (outbox.events > 0 && outbox.oldestMs > OUTBOX_OLD_MS)
    found.push({ kind: 'outbox_old', oldestMs: outbox.oldestMs, events: outbox.events });
  if (disk.low) found.push({ kind: 'disk_low', freeBytes: disk.freeBytes });
  return found;
}

/** True where the room is not heard now. */
export function isSilent(room: Pick<RoomCard, 'heardWallMs'>, nowMs: number): boolean {
  return room.heardWallMs === undefined || nowMs - room.heardWallMs > SILENT_MS;
}
