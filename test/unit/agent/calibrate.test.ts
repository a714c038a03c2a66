import { describe, expect, it } from 'vitest';
import { createSeatFinder } from '../../../agent/calibrate.ts';
import { checkFloor } from '../../../protocol/floor.ts';
import type { Person } from '../../../protocol/observation.ts';
import { type Box, bounds, contains, iou } from '../../../protocol/seat.ts';

/** Numbers between -1 and 1, the same each time. */
function shaker(seed = 7) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return (state / 0x7fffffff) * 2 - 1;
  };
}
const shaken = (box: Box, by: number, shake: () => number): Box =>
  box.map((side) => side + by * shake()) as unknown as Box;
const SEATS: readonly Box[] = [
  [0.1, 0.4, 0.2, 0.6],
  [0.4, 0.4, 0.5, 0.6],
  [0.7, 0.4, 0.8, 0.6],
];

describe('seats found by watching', () => {
  it('are where people sit, from left to right, although one is missed half of the time', () => {
    const shake = shaker();
    const finder = createSeatFinder();
    for (let i = 0; i < 400; i++) {
      const persons: Person[] = SEATS.filter((_, seat) => seat !== 1 || i % 2 === 0).map((box) => ({
        box: shaken(box, 0.01, shake),
        score: 0.7,
      }));
      finder.see(persons.reverse());
    }
    const found = finder.proposals();
    expect(found).toHaveLength(3);
    for (const [i, { zone }] of found.entries()) expect(iou(bounds(zone), SEATS[i]!)).toBeGreaterThan(0.55);
    expect(found.map(({ share }) => share)).toEqual([1, 0.5, 1]);
    expect(finder.frames()).toBe(400);
  });

  it('leave room for the chair on either side, but none that a neighbour needs', () => {
    const finder = createSeatFinder();
    const row: readonly Box[] = [
      [0.1, 0.4, 0.2, 0.6],
      [0.21, 0.4, 0.31, 0.6],
      [0.7, 0.4, 0.8, 0.6],
      [0.98, 0.4, 1, 0.6],
    ];
    for (let i = 0; i < 100; i++) finder.see(row.map((box) => ({ box, score: 0.9 })));
    const sides = finder.proposals().map(({ zone }) => [bounds(zone)[0], bounds(zone)[2]]);
    expect(sides).toEqual([
      [0.085, 0.205],
      [0.205, 0.325],
      [0.685, 0.815],
      [0.977, 1],
    ]);
  });

  it('are not where somebody walks by, nor what is only weakly seen', () => {
    const finder = createSeatFinder();
    for (let i = 0; i < 300; i++) {
      const x = (i % 30) / 40;
      finder.see([
        { box: SEATS[0]!, score: 0.8 },
        { box: [x, 0.1, x + 0.08, 0.35], score: 0.9 },
        { box: [0.7, 0.4, 0.8, 0.6], score: 0.2 },
      ]);
    }
    const found = finder.proposals();
    expect(found).toHaveLength(1);
    expect(contains(found[0]!.zone, [0.15, 0.5])).toBe(true);
  });

  it('are also where somebody half hidden is seen surely now and then and weakly in between; a chair is not', () => {
    const finder = createSeatFinder();
    for (let i = 0; i < 300; i++)
      finder.see([
        i % 6 === 0 ? { box: [0.8, 0.4, 0.9, 0.65], score: 0.5 } : { box: [0.81, 0.42, 0.89, 0.55], score: 0.2 },
        { box: [0.3, 0.4, 0.4, 0.6], score: i % 60 === 0 ? 0.35 : 0.2 },
      ]);
    const found = finder.proposals();
    expect(found).toHaveLength(1);
    expect(found[0]!.share).toBe(1);
    // Drawn around what was surely seen, not around the part.
    expect(iou(bounds(found[0]!.zone), [0.8, 0.4, 0.9, 0.65])).toBeGreaterThan(0.65);
  });

  it('are one where somebody sits in two ways, and stay inside the picture', () => {
    const finder = createSeatFinder();
    for (let i = 0; i < 100; i++) finder.see([{ box: [-0.01, 0.8, 0.1, i < 50 ? 1.02 : 0.95], score: 0.8 }]);
    const found = finder.proposals();
    expect(found).toHaveLength(1);
    for (const value of found[0]!.zone.flat()) {
      expect(value).toBeGreaterThanOrEqual(0);
      expect(value).toBeLessThanOrEqual(1);
    }
  });

  it('are none without frames', () => {
    expect(createSeatFinder().proposals()).toEqual([]);
  });
});

describe('the check of floor points', () => {
  /** A floor seen in perspective: what is further away lies higher in the picture. */
  const seen = ([x, y]: readonly [number, number]) => ({
    image: [0.5 + x / (y + 4), 0.3 + 2 / (y + 4)] as const,
    floor: [x, y] as const,
  });
  const corners = [
    [-2, 0],
    [2, 0],
    [-2, 5],
    [2, 5],
  ] as const;
  const check = (points: readonly ReturnType<typeof seen>[]) => checkFloor({ cameraId: 'cam', points });

  it('proves nothing with four points, which always fit', () => {
    expect(check(corners.map(seen))).toEqual({ cameraId: 'cam', points: 4, state: 'unproved', errorsM: [] });
  });

  it('finds good what agrees, and names the point that does not', () => {
    const points = [...corners, [0, 2] as const, [1, 4] as const].map(seen);
    const good = check(points);
    expect(good.state).toBe('good');
    expect(Math.max(...good.errorsM)).toBeLessThan(0.01);
    const wrong = check(points.map((point, i) => (i === 4 ? { ...point, floor: [1.5, 2] as const } : point)));
    expect(wrong.state).toBe('wrong');
    expect(wrong.errorsM[4]).toBeGreaterThan(1);
  });

  it('refuses points on a line', () => {
    const line = [0, 1, 2, 3, 4].map((y) => seen([0, y]));
    expect(check(line).state).toBe('unusable');
  });
});
