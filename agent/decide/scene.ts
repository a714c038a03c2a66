/** The room at one instant as the rules see it: cameras that can be trusted or not, tracks, fused presence. */
import type { Occupancy } from '../../protocol/event.ts';
import type { Observation } from '../../protocol/observation.ts';
import type { Session } from '../../protocol/session.ts';
import type { Instant } from '../../protocol/time.ts';
import type { Exit } from './doors.ts';
import type { Habit, Spot } from './place.ts';
import type { CameraSight } from './sight.ts';
import type { Track } from './track.ts';

/** What decide/ is fed with: an observation, the session's state, or that time has passed (about once a second). */
export type Input =
  | Observation
  | { readonly kind: 'session'; readonly at: Instant; readonly session: Session | undefined }
  | { readonly kind: 'tick'; readonly at: Instant };

export interface CameraScene {
  readonly cameraId: string;
  readonly sight: CameraSight;
  /** No conclusions from this camera now. */
  readonly blind: boolean;
  /** True on the step that brought a frame of this camera. */
  readonly fresh: boolean;
  readonly tracks: readonly Track[];
  readonly spots: readonly Spot[];
  /** Seats by the track that owns them, and the habit of each owner. */
  readonly owners: readonly {
    readonly seatId: string;
    readonly trackId: number;
    readonly habit?: Habit;
    /** When the owner was first seen elsewhere, if nobody was seen at the seat since. */
    readonly outMonoMs?: number;
  }[];
  /** Tracks that are at a seat in the newest frame. */
  readonly seated: readonly { readonly seatId: string; readonly trackId: number }[];
  /** How well this camera sees each seat, 0..1. */
  readonly worth: Readonly<Record<string, number>>;
  /** Seats by how long nothing has moved there, and how different they look from the seat as it is usually taken. */
  readonly rests: readonly {
    readonly seatId: string;
    readonly sinceMonoMs: number;
    readonly unlikeTaken: number;
    /** How much lower than usual the head was when last detected, in box widths. */
    readonly sunk: number;
    /** When the owner or anybody was last seen there by this camera. */
    readonly hereMonoMs?: number;
    /** Who that was. */
    readonly hereTrackId?: number;
  }[];
}

export interface SeatScene {
  readonly seatId: string;
  readonly occupancy: Occupancy;
  readonly sinceWallMs: number;
  /** This step's own evidence: somebody seen, evidence that nobody is there, or nothing learnt. */
  readonly sample: 'here' | 'gone' | 'none';
  /** First evidence of leaving, monotonic ms, while the occupancy is `no`. */
  readonly leftMonoMs?: number;
}

export interface Scene {
  readonly at: Instant;
  readonly input: Input;
  readonly cameras: readonly CameraScene[];
  readonly seats: readonly SeatScene[];
  /** As the last input of its kind said; undefined: no session is known, and everything is watched. */
  readonly session: Session | undefined;
  /** People who went out by a door in the last minutes, oldest first. */
  readonly exits: readonly Exit[];
}
