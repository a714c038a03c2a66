/** One evaluation in one room: its phase, and who is allowed what until when. Fed to decide/ as an input of its own. */
import type { RosterEntry } from './room.ts';
import type { WallMs } from './time.ts';

/**
 * `evaluating`: work at the seats. `discussion`: talk to each other is allowed (also clarification). `signature`: sheets go
 * round. `break`, `paused`: nobody need be at a seat. `submitted`: results are in, people may go. `idle`: the evaluation has ended and
 * none is on; but for cameras and microphones nothing is watched.
 */
export const SESSION_PHASES = [
  'idle',
  'evaluating',
  'discussion',
  'signature',
  'break',
  'paused',
  'submitted',
] as const;
export type SessionPhase = (typeof SESSION_PHASES)[number];

/**
 * An allowance. `absence`: away from the seat; `escorted`: out of the room with escort; `staff`: `people` more in the room; `help`: at
 * another's seat; `call`: a telephone; `maintenance`: somebody works on cameras and microphones, whose faults are not told meanwhile.
 */
export interface Permit {
  readonly permitId: string;
  readonly kind: 'absence' | 'escorted' | 'staff' | 'help' | 'call' | 'maintenance';
  /** Absent for the room as a whole (`staff`, `maintenance`) and for every seat. */
  readonly seatId?: string;
  readonly fromWallMs: WallMs;
  readonly untilWallMs: WallMs;
  /** More people in the room than the roster, for `staff`; 1 where it is not said. */
  readonly people?: number;
}

/** State of the session; each input of it replaces the one before. */
export interface Session {
  readonly sessionId: string;
  readonly phase: SessionPhase;
  /** When everybody has to be seated, where that is known. */
  readonly startWallMs?: WallMs;
  readonly permits: readonly Permit[];
  /** Who sits where this time; absent: as the room's own file says. */
  readonly roster?: readonly RosterEntry[];
  /** Names of each bidder, for the phrases that ask for one; absent: those of the room's own file. */
  readonly bidders?: readonly (readonly string[])[];
}
