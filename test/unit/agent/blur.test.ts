/** A picture that leaves the box without faces in it. */
import { describe, expect, it } from 'vitest';
import { createHeadMemory, pixelated } from '../../../agent/blur.ts';
import type { Picture } from '../../../models/pose/detector.ts';
import { headBox } from '../../../protocol/heads.ts';
import type { Box } from '../../../protocol/seat.ts';

const ASPECT = 16 / 9;

/** Fine detail everywhere: neighbouring pixels differ widely. */
function noisy(): Picture {
  const [width, height] = [320, 180];
  let state = 1;
  const rgb = Uint8Array.from({ length: width * height * 3 }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return state >> 16;
  });
  return { width, height, rgb };
}

/** Mean difference of a pixel to its right neighbour: what a face is recognised by. */
function detail({ width, height, rgb }: Picture, [x0, y0, x1, y1]: Box): number {
  let [sum, count] = [0, 0];
  for (let y = Math.ceil(y0 * height); y < Math.floor(y1 * height); y++)
    for (let x = Math.ceil(x0 * width); x < Math.floor(x1 * width) - 1; x++) {
      sum += Math.abs(rgb[(y * width + x) * 3]! - rgb[(y * width + x + 1) * 3]!);
      count += 1;
    }
  return sum / count;
}

const person = { box: [0.4, 0.3, 0.55, 0.8] as const };
const FACE: Box = [0.44, 0.31, 0.51, 0.45];
const ELSEWHERE: Box = [0.7, 0.3, 0.8, 0.5];

describe('heads', () => {
  it('are within the box of the head, with key points or without', () => {
    const inside = (inner: Box, outer: Box) =>
      inner[0] >= outer[0] && inner[1] >= outer[1] && inner[2] <= outer[2] && inner[3] <= outer[3];
    expect(inside(FACE, headBox(person, ASPECT))).toBe(true);
    // Bent far to the left: the face is where its key points are.
    const points = [0.36, 0.37, 0.35, 0.38, 0.34].map((x) => [x, 0.5, 0.9] as const);
    expect(inside([0.34, 0.47, 0.38, 0.53], headBox({ ...person, pose: points }, ASPECT))).toBe(true);
    const unsure = points.map(([x, y]) => [x, y, 0.05] as const);
    expect(headBox({ ...person, pose: unsure }, ASPECT)).toEqual(headBox(person, ASPECT));
  });

  it('stay in the picture', () => {
    for (const side of headBox({ box: [-0.05, -0.02, 0.1, 0.4] }, ASPECT)) {
      expect(side).toBeGreaterThanOrEqual(0);
      expect(side).toBeLessThanOrEqual(1);
    }
  });
});

describe('heads around a time at which nobody looked', () => {
  it('are hidden on the way from one look to the next, while who sits hides no more than a head', () => {
    const memory = createHeadMemory();
    const walker = (x: number) => ({ box: [x, 0.2, x + 0.08, 0.6] as const });
    const sitting = { box: [0.8, 0.4, 0.9, 0.8] as const };
    memory.saw([walker(0.2), sitting], 1000, ASPECT);
    memory.saw([sitting, walker(0.45)], 2000, ASPECT);
    const [from, to] = [headBox(walker(0.2), ASPECT), headBox(walker(0.45), ASPECT)];
    // Half way, at half a second, the head is in neither of the two.
    const between: Box = [0.34, 0.22, 0.38, 0.28];
    const covers = (box: Box) =>
      box[0] <= between[0] && box[2] >= between[2] && box[1] <= between[1] && box[3] >= between[3];
    expect([from, to].some(covers)).toBe(false);
    const hidden = memory.near(1500)!;
    expect(hidden.some(covers)).toBe(true);
    const right = hidden.filter((box) => box[2] > 0.6);
    const seat = headBox(sitting, ASPECT);
    for (const box of right) expect(box).toEqual(seat);
    // Who was seen once only is where they were seen.
    memory.saw([], 30_000, ASPECT);
    memory.saw([walker(0.2)], 40_000, ASPECT);
    expect(memory.near(40_500)).toEqual([from]);
    expect(memory.near(60_000)).toBeUndefined();
  });
});

describe('a still with blurred heads', () => {
  it('has no detail where a head is, all of it elsewhere, and leaves the frame itself alone', () => {
    const picture = noisy();
    const before = Uint8Array.from(picture.rgb);
    const memory = createHeadMemory();
    memory.saw([person], 1000, ASPECT);
    const shown = memory.blurred(picture, 1000);
    expect(detail(shown, FACE)).toBeLessThan(detail(picture, FACE) / 10);
    expect(detail(shown, ELSEWHERE)).toBe(detail(picture, ELSEWHERE));
    expect(picture.rgb).toEqual(before);
  });

  it('remembers a head that the detector misses for a moment, and shows nothing clear when nobody looked', () => {
    const picture = noisy();
    const memory = createHeadMemory();
    memory.saw([person], 1000, ASPECT);
    memory.saw([], 2500, ASPECT);
    expect(detail(memory.blurred(picture, 2500), FACE)).toBeLessThan(8);
    expect(detail(memory.blurred(picture, 9000), FACE)).toBeLessThan(8);
    expect(detail(memory.blurred(picture, 9000), ELSEWHERE)).toBeLessThan(20);
  });

  it('leaves so few blocks of a large head that nobody is told by them', () => {
    const shown = pixelated(noisy(), [[0.2, 0.2, 0.5, 0.9]]);
    const row = (y: number) => new Set(Array.from({ length: 96 }, (_, x) => shown.rgb[(y * 320 + 64 + x) * 3]));
    expect(row(100).size).toBeLessThanOrEqual(3);
  });
});
