/** Which behaviour a session's phase or a permit allows right now. Used by every rule of decide/. */
import type { Behaviour } from '../../protocol/event.ts';
import type { Permit, Session, SessionPhase } from '../../protocol/session.ts';

/** Nobody need be at a seat, and nobody is watched for how they spend the time. `idle`: an evaluation has ended, and none is on. */
const OFF: readonly SessionPhase[] = ['break', 'paused', 'submitted', 'idle'];

/** True in a phase in which nobody need be at a seat. */
export const isOff = (phase: SessionPhase): boolean => OFF.includes(phase);

/** A behaviour that is not named here is never allowed by a phase. */
const PHASES: Readonly<Partial<Record<Behaviour, readonly SessionPhase[]>>> = {
  left_seat: OFF,
  too_far: [...OFF, 'signature'],
  left_room: OFF,
  left_together: OFF,
  at_other_seat: [...OFF, 'signature'],
  whispering: [...OFF, 'discussion'],
  gathering: [...OFF, 'signature'],
  passing_items: [...OFF, 'signature'],
  sleeping: OFF,
  walking_about: [...OFF, 'signature'],
  not_complete: OFF,
  phone: ['idle'],
  extra_person: ['idle'],
  speech_prohibited: ['idle'],
  speech_suggestive: ['idle'],
  speech_tendentious: ['idle'],
  speech_irrelevant: ['idle'],
  speech_fee: ['idle'],
  outside_contact: ['idle'],
  standing: [...OFF, 'signature', 'discussion'],
};

const PERMITS: Readonly<Partial<Record<Behaviour, readonly Permit['kind'][]>>> = {
  left_seat: ['absence', 'escorted', 'help'],
  too_far: ['absence', 'escorted', 'help'],
  left_room: ['escorted'],
  left_together: ['escorted'],
  at_other_seat: ['help'],
  gathering: ['help'],
  walking_about: ['absence', 'escorted', 'help'],
  phone: ['call'],
  outside_contact: ['call'],
  standing: ['absence', 'escorted', 'help'],
  camera_fault: ['maintenance'],
  microphone_fault: ['maintenance'],
};

/** True while nothing of this kind is to be said about any of these seats (a permit of one of them is enough). */
export function isAllowed(
  session: Session | undefined,
  behaviour: Behaviour,
  seatIds: readonly string[],
  wallMs: number,
): boolean {
  if (!session) return false;
  if (PHASES[behaviour]?.includes(session.phase)) return true;
  const kinds = PERMITS[behaviour] ?? [];
  return session.permits.some(
    (p) =>
      kinds.includes(p.kind) && isValid(p, wallMs) && (p.seatId === undefined || seatIds.some((s) => s === p.seatId)),
  );
}

/** People who may be in the room besides the roster. */
export function guests(session: Session | undefined, wallMs: number): number {
  return (session?.permits ?? [])
    .filter((p) => p.kind === 'staff' && isValid(p, wallMs))
    .reduce((n, p) => n + (p.people ?? 1), 0);
}

const isValid = (p: Permit, wallMs: number) => p.fromWallMs <= wallMs && wallMs < p.untilWallMs;
