/** The class numbers and key points of COCO, which all our models are brought to. */
import type { Keypoint } from '../../protocol/observation.ts';

/** Classes of the 80-class list. */
export const COCO_PERSON = 0;
export const COCO_PHONE = 67;

/** Persons are reported from this score on: whoever follows them over time knows what a weak one is worth. */
export const WEAKEST = 0.1;

/** Phones are tiny in the whole picture and only ever a weak hint, so their bar is low. */
export const PHONE_SCORE = 0.2;

/** For each of the 17 COCO points the index among BlazePose's 33. */
export const BLAZEPOSE_TO_COCO = [0, 2, 5, 7, 8, 11, 12, 13, 14, 15, 16, 23, 24, 25, 26, 27, 28] as const;

/** Midpoint of the shoulders of a COCO pose. */
export function shoulderMidpoint(pose: readonly Keypoint[]): [number, number] {
  const left = pose[5]!;
  const right = pose[6]!;
  return [(left[0] + right[0]) / 2, (left[1] + right[1]) / 2];
}
