import { describe, expect, it } from 'vitest';
import { confirm, createCloserLook } from '../../../agent/closer.ts';
import type { Keypoint, Person } from '../../../protocol/observation.ts';
import type { Box, Polygon } from '../../../protocol/seat.ts';

const zoneAt = (x: number): Polygon => [
  [x, 0.4],
  [x + 0.16, 0.4],
  [x + 0.16, 0.6],
  [x, 0.6],
];
const sitterAt = (x: number, score = 0.8): Person => ({ box: [x + 0.03, 0.4, x + 0.13, 0.6], score });
const A = 0.1;
const B = 0.3;

/** A pose whose shoulders lie around (x, y). */
const poseAt = (x: number, y: number): Keypoint[] =>
  Array.from({ length: 17 }, (_, i): Keypoint => [i === 5 ? x - 0.02 : i === 6 ? x + 0.02 : x, y, 0.9]);
const shape = (pose: readonly Keypoint[]): Box => [
  pose[5]![0] - 0.02,
  pose[5]![1] - 0.08,
  pose[6]![0] + 0.02,
  pose[5]![1] + 0.1,
];

/** Two frames a second; what is asked at each. */
function run(until: number, found: (s: number) => readonly Person[], somebody = true) {
  const closer = createCloserLook({ zones: [zoneAt(A), zoneAt(B)] });
  const asked: number[][] = [];
  for (let s = 0; s < until; s += 0.5) {
    const boxes = closer.plan(found(s), s * 1000);
    if (boxes.length > 0) asked.push([s, boxes.length]);
    closer.found(
      boxes.map(([x0, , x1]) => (somebody ? poseAt((x0 + x1) / 2, 0.5) : undefined)),
      found(s),
      shape,
    );
  }
  return asked;
}

describe('a closer look', () => {
  it('is not taken while the detector sees everybody, nor for a frame that it misses', () => {
    expect(run(20, (s) => (s % 2 === 1 ? [sitterAt(A)] : [sitterAt(A), sitterAt(B)]))).toEqual([]);
  });

  it('is not taken where nobody has been seen', () => {
    expect(run(20, () => [sitterAt(A)])).toEqual([]);
  });

  it('shows two who were lost one after the other in the same frames', () => {
    const asked = run(10, (s) => [...(s < 2 ? [sitterAt(A)] : []), ...(s < 2.5 ? [sitterAt(B)] : [])]);
    expect(asked.slice(0, 4)).toEqual([
      [2.5, 1],
      [3, 2],
      [4, 2],
      [5, 2],
    ]);
  });

  it('is taken less and less often where nobody is, and not for ever', () => {
    const seconds = run(200, (s) => (s < 2 ? [sitterAt(A)] : []), false).map(([s]) => s);
    expect(seconds.slice(0, 5)).toEqual([2.5, 4.5, 8.5, 16.5, 24.5]);
    expect(seconds.at(-1)).toBeLessThanOrEqual(122);
  });

  it('finds nobody twice, and confirms whom the detector saw too weakly, in the box that was detected', () => {
    const closer = createCloserLook({ zones: [zoneAt(A)] });
    const pose = poseAt(0.18, 0.5);
    const none = { besides: [], confirmed: new Map() };
    expect(closer.found([pose], [], shape)).toEqual({ ...none, besides: [{ box: shape(pose), score: 0.3, pose }] });
    expect(closer.found([pose], [{ box: shape(pose), score: 0.5 }], shape)).toEqual(none);
    const weak = { box: [0.13, 0.41, 0.23, 0.6], score: 0.2 } as const;
    const { besides, confirmed } = closer.found([pose], [weak], shape);
    expect(besides).toEqual([]);
    expect(confirm([weak], confirmed)).toEqual([{ box: weak.box, score: 0.3, pose }]);
    expect(closer.found([undefined], [], shape)).toEqual(none);
  });

  it('takes nothing for a person that is far too small for who sat there', () => {
    const closer = createCloserLook({ zones: [zoneAt(A)] });
    closer.plan([sitterAt(A)], 0);
    const asked = closer.plan([], 1000);
    expect(asked).toHaveLength(1);
    const told: (Box | undefined)[] = [];
    const found = closer.found([poseAt(0.18, 0.5)], [], (_pose, last) => {
      told.push(last);
      return undefined;
    });
    expect(told).toEqual([sitterAt(A).box]);
    expect(found.besides).toEqual([]);
  });

  it('keeps confirmed until the next look who stays where they were', () => {
    const closer = createCloserLook({ zones: [zoneAt(A)] });
    closer.plan([sitterAt(A)], 0);
    const weak = sitterAt(A, 0.2);
    expect(closer.plan([weak], 1000)).toHaveLength(1);
    const pose = poseAt(0.18, 0.5);
    expect(closer.found([pose], [weak], shape).confirmed.get(0)).toEqual({ pose, ageMs: 0 });
    expect(closer.plan([weak], 1500)).toEqual([]);
    const between = closer.found([], [weak], shape).confirmed;
    expect(confirm([weak], between)).toEqual([{ box: weak.box, score: 0.3, pose, poseAgeMs: 500 }]);
    closer.plan([sitterAt(B, 0.2)], 1900);
    expect(closer.found([], [sitterAt(B, 0.2)], shape).confirmed.size).toBe(0);
  });
});
