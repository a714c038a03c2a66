/** The room at one instant as the rules see it: cameras that can be trusted or not, tracks, fused presence. */
import type { Occupancy } from '../../protocol/event.ts';
import type { Observation } from '../../protocol/observation.ts';
import type { Instant } from '../../protocol/time.ts';
import type { Habit, Spot } from './place.ts';
import type { CameraSight } from './sight.ts';
import type { Track } from './track.ts';

/** What decide/ is fed with: an observation, or that time has passed (about once a second). */
export type Input = Observation | { readonly kind: 'tick'; readonly at: Instant };

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
  readonly owners: readonly { readonly seatId: string; readonly trackId: number; readonly habit?: Habit }[];
  /** Tracks that are at a seat in the newest frame. */
  readonly seated: readonly { readonly seatId: string; readonly trackId: number }[];
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
}
