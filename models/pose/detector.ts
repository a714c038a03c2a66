/** Interfaces of the eyes: a person detector for whole pictures and a pose estimator for crops. */
import type { Keypoint } from '../../protocol/observation.ts';
import type { Box } from '../../protocol/seat.ts';

/** RGB24 picture, width × height × 3 bytes, row-major. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly rgb: Uint8Array;
}

export interface Detection {
  /** Fractions of the picture. */
  readonly box: Box;
  /** 0..1 */
  readonly score: number;
  readonly label: 'person' | 'phone';
}

export interface PersonDetector {
  readonly name: string;
  /** Finds persons in the whole picture, or in `region` of it (fractions), best first. */
  detect(picture: Picture, region?: Box): Promise<Detection[]>;
  close(): Promise<void>;
}

export interface PoseEstimator {
  readonly name: string;
  /**
   * 17 COCO key points in fractions of the whole picture for the person in `box`, or undefined where the model finds
   * nobody whose shoulder midpoint lies in that box.
   */
  estimate(picture: Picture, box: Box): Promise<readonly Keypoint[] | undefined>;
  close(): Promise<void>;
}
