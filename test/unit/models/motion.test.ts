import { describe, expect, it } from 'vitest';
import { motionBetween } from '../../../models/motion.ts';
import type { Luma } from '../../../models/picture.ts';

const WIDTH = 40;
const HEIGHT = 20;
const luma = (value: (x: number, y: number) => number): Luma => ({
  width: WIDTH,
  height: HEIGHT,
  values: Float32Array.from({ length: WIDTH * HEIGHT }, (_, i) => value(i % WIDTH, Math.floor(i / WIDTH))),
});
const grey = luma(() => 100);
/** A block of 4 × 4 cells at the upper left is lighter. */
const block = luma((x, y) => (x < 4 && y < 4 ? 140 : 100));

describe('motion', () => {
  it('is everywhere before there is anything to compare', () => {
    expect(motionBetween(undefined, grey).within([0, 0, 1, 1])).toBe(1);
  });

  it('is the share of changed cells in the region', () => {
    const motion = motionBetween(grey, block);
    expect(motion.within([0, 0, 0.1, 0.2])).toBe(1);
    expect(motion.within([0, 0, 0.2, 0.2])).toBe(0.5);
    expect(motion.within([0.5, 0.5, 1, 1])).toBe(0);
    expect(motion.within([0.9, 0.9, 0.9, 0.9])).toBe(0);
  });

  it('leaves out what is excepted', () => {
    const motion = motionBetween(grey, block);
    expect(motion.within([0, 0, 0.2, 0.2], [[0, 0, 0.1, 0.2]])).toBe(0);
    expect(motion.within([0, 0, 0.1, 0.2], [[-1, -1, 2, 2]])).toBe(0);
  });

  it('does not take noise of the camera or a changed lamp for motion', () => {
    const noise = luma((x, y) => 100 + ((x * 7 + y * 13) % 5) - 2);
    expect(motionBetween(grey, noise).within([0, 0, 1, 1])).toBe(0);
    expect(
      motionBetween(
        grey,
        luma(() => 112),
      ).within([0, 0, 1, 1]),
    ).toBe(0);
  });
});
