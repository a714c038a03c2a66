/** Evidence on disk and on its way: segments of the recorder, clips pinned out of them, their hashes. */
import type { WordsRemoved } from './event.ts';
import type { Keypoint } from './observation.ts';
import type { Box } from './seat.ts';
import type { WallMs } from './time.ts';

/** A finished file of the recorder, stream-copied from the main stream, beginning with a keyframe. */
export interface Segment {
  readonly cameraId: string;
  readonly path: string;
  readonly beginWallMs: WallMs;
  readonly endWallMs: WallMs;
  readonly bytes: number;
}

export interface ClipFile {
  /** `clip.mp4` or `overlay.json`. */
  readonly name: 'clip.mp4' | 'overlay.json';
  readonly sha256: string;
  readonly bytes: number;
}

/** Why this clip was cut. */
export type ClipCause = 'begin' | 'escalation' | 'end';

export interface ClipManifest {
  readonly clipId: string;
  readonly episodeId: string;
  readonly roomId: string;
  readonly cameraId: string;
  readonly cause: ClipCause;
  /** Wall time of the clip's first picture and of its end. */
  readonly beginWallMs: WallMs;
  readonly endWallMs: WallMs;
  readonly durationMs: number;
  readonly files: readonly ClipFile[];
}

/** One analysed frame inside a clip; `tMs` counts from the clip's first picture. */
export interface OverlayFrame {
  readonly tMs: number;
  readonly persons: readonly {
    readonly box: Box;
    readonly pose?: readonly Keypoint[];
    /** The seat whose owner this track is taken for, where known. */
    readonly seatId?: string;
    readonly trackId?: number;
  }[];
  /** Occupancy of each seat at that time. */
  readonly seats: Readonly<Record<string, 'yes' | 'no' | 'unknown'>>;
}

/** Content of overlay.json: what the page draws over the player. */
export interface Overlay {
  readonly version: 1;
  readonly clipId: string;
  readonly cameraId: string;
  readonly seats: readonly {
    readonly seatId: string;
    readonly name: string;
    readonly zone: readonly (readonly [number, number])[];
  }[];
  readonly frames: readonly OverlayFrame[];
  /** Words heard in the span. */
  readonly words: readonly { readonly tMs: number; readonly text: string; readonly hit: boolean }[];
  /** Words stood here, and were taken out when their time was over. */
  readonly wordsRemoved?: WordsRemoved;
}
