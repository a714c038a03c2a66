import { describe, expect, it } from 'vitest';
import { boxOfPose, withoutMiniatures } from '../../../../models/pose/refine.ts';
import type { Keypoint, Person } from '../../../../protocol/observation.ts';
import type { Box } from '../../../../protocol/seat.ts';

const ASPECT = 16 / 9;

/** Somebody upright with the middle of the shoulders at (x, y), `wide` picture heights from shoulder to shoulder. */
function pose(x: number, y: number, wide: number, score = 0.9): Keypoint[] {
  const at = (dx: number, dy: number): Keypoint => [x + (dx * wide) / ASPECT, y + dy * wide, score];
  return [
    ...[at(0, -0.7), at(0.1, -0.8), at(-0.1, -0.8), at(0.2, -0.7), at(-0.2, -0.7)],
    ...[at(0.5, 0), at(-0.5, 0), at(0.7, 0.7), at(-0.7, 0.7), at(0.5, 1.1), at(-0.5, 1.1)],
    ...[at(0.3, 1.4), at(-0.3, 1.4), at(0.3, 2.2), at(-0.3, 2.2), at(0.3, 3), at(-0.3, 3)],
  ];
}
const boxed = (x: number, y: number, width: number): Box => [x - width / 2, y - 0.1, x + width / 2, y + 0.15];

describe('boxOfPose', () => {
  it('draws the box from the hair to the hips around the arms', () => {
    const box = boxOfPose(pose(0.5, 0.5, 0.1), ASPECT)!;
    expect(box[0]).toBeCloseTo(0.5 - 0.09 / ASPECT);
    expect(box[2]).toBeCloseTo(0.5 + 0.09 / ASPECT);
    expect(box[1]).toBeCloseTo(0.5 - 0.13);
    expect(box[3]).toBeCloseTo(0.5 + 0.14);
  });

  it('draws none around a pose without shoulders', () => {
    expect(boxOfPose(pose(0.5, 0.5, 0.1, 0.1), ASPECT)).toBeUndefined();
  });
});

describe('withoutMiniatures', () => {
  const usual = (x: number): Person => ({ box: boxed(x, 0.5, 0.1), score: 0.8, pose: pose(x, 0.5, 0.1) });

  it('takes off a body that was put onto a chin', () => {
    const tiny: Person = { box: boxed(0.8, 0.5, 0.1), score: 0.8, pose: pose(0.8, 0.5, 0.02) };
    const kept = withoutMiniatures([usual(0.2), usual(0.5), tiny], ASPECT);
    expect(kept.map((p) => p.pose !== undefined)).toEqual([true, true, false]);
    expect(withoutMiniatures([tiny], ASPECT)[0]!.pose).toBeUndefined();
  });

  it('keeps a pose of the usual size in a box that is far too large, and one of somebody further away', () => {
    const large: Person = { box: boxed(0.7, 0.5, 0.4), score: 0.8, pose: pose(0.7, 0.5, 0.1) };
    const far: Person = { box: boxed(0.7, 0.4, 0.05), score: 0.8, pose: pose(0.7, 0.4, 0.05) };
    expect(withoutMiniatures([usual(0.2), usual(0.5), large], ASPECT)[2]).toBe(large);
    expect(withoutMiniatures([usual(0.2), usual(0.5), far], ASPECT)[2]).toBe(far);
  });
});
