import { describe, expect, it } from 'vitest';
import { poseOf, toCoco } from '../../../../models/pose/landmarker.ts';
import { KEYPOINTS, type Keypoint } from '../../../../protocol/observation.ts';

/** A pose whose shoulder midpoint lies at (x, y). */
function poseAt(x: number, y: number): Keypoint[] {
  return KEYPOINTS.map((name) => [
    name === 'left_shoulder' ? x + 0.02 : name === 'right_shoulder' ? x - 0.02 : x,
    y,
    0.9,
  ]);
}

describe('toCoco', () => {
  it('takes the 17 points of COCO out of the 33, into fractions of the picture', () => {
    const landmarks = Array.from({ length: 33 }, (_, i) => ({ x: i / 100, y: 0.5, visibility: 1.2 }));
    const pose = toCoco(landmarks, [0.5, 0, 1, 0.5]);
    expect(pose).toHaveLength(KEYPOINTS.length);
    expect(pose[KEYPOINTS.indexOf('nose')]).toEqual([0.5, 0.25, 1]);
    expect(pose[KEYPOINTS.indexOf('left_shoulder')]![0]).toBeCloseTo(0.5 + 0.11 / 2);
    expect(pose[KEYPOINTS.indexOf('right_ankle')]![0]).toBeCloseTo(0.5 + 0.28 / 2);
  });
});

describe('poseOf', () => {
  it('takes the pose of the person in the box and not of the neighbour in the crop', () => {
    const own = poseAt(0.3, 0.4);
    expect(poseOf([poseAt(0.45, 0.4), own], [0.25, 0.3, 0.35, 0.6])).toBe(own);
  });

  it('takes the one nearest to the middle where two fit', () => {
    const middle = poseAt(0.3, 0.4);
    expect(poseOf([poseAt(0.34, 0.4), middle], [0.25, 0.3, 0.35, 0.6])).toBe(middle);
  });

  it('gives nobody where only the neighbour was found', () => {
    expect(poseOf([poseAt(0.45, 0.4)], [0.25, 0.3, 0.35, 0.6])).toBeUndefined();
    expect(poseOf([], [0.25, 0.3, 0.35, 0.6])).toBeUndefined();
  });
});
