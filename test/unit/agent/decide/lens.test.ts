import { describe, expect, it } from 'vitest';
import { besideSeat, lensOf } from '../../../../agent/decide/lens.ts';
import type { FloorPoint, Point } from '../../../../protocol/seat.ts';

const ASPECT = 16 / 9;

/** A camera at `at`, `height` above the floor, looking along +y and `down` degrees downwards, turned by `turn` degrees. */
function camera({ focal = 0.97, height = 2.6, down = 22, turn = 0, width = 1 }) {
  const [d, t] = [(down * Math.PI) / 180, (turn * Math.PI) / 180];
  return ([x, y]: FloorPoint, z = 0): Point => {
    const [ax, ay] = [x * Math.cos(t) - y * Math.sin(t), x * Math.sin(t) + y * Math.cos(t)];
    const forward = ay * Math.cos(d) + (height - z) * Math.sin(d);
    const below = (height - z) * Math.cos(d) - ay * Math.sin(d);
    return [width / 2 + (focal * ax) / forward / ASPECT, 0.5 + (focal * below) / forward];
  };
}

const FLOOR: readonly FloorPoint[] = [
  [-2, 3],
  [2, 3],
  [2.5, 5],
  [-2.5, 5],
  [0, 4],
];

function calibrated(see: (at: FloorPoint, z?: number) => Point) {
  return { cameraId: 'cam', points: FLOOR.map((floor) => ({ floor, image: see(floor) })) };
}

describe('a camera told from its floor', () => {
  it.each([{}, { height: 3.4, down: 35 }, { turn: 30 }, { focal: 0.7, turn: -20 }, { width: 0.75 }])(
    'measures metres beside a seat whatever height the body is at: %o',
    (options) => {
      const see = camera(options);
      const lens = lensOf(calibrated(see), options.width ?? 1)!;
      expect(lens.focal).toBeCloseTo(options.focal ?? 0.97, 3);
      const t = ((options.turn ?? 0) * Math.PI) / 180;
      const seat: FloorPoint = [1.2, 4];
      for (const aside of [-0.9, 0, 0.6])
        for (const z of [1.05, 1.4]) {
          // Along the picture, which turns with the camera.
          const there: FloorPoint = [seat[0] + aside * Math.cos(t), seat[1] - aside * Math.sin(t)];
          expect(besideSeat(lens, seat, see(there, z))).toBeCloseTo(aside, 3);
        }
    },
  );

  it('is none where the points cannot be of one', () => {
    const see = camera({});
    const { cameraId, points } = calibrated(see);
    expect(lensOf({ cameraId, points: points.slice(0, 3) }, 1)).toBeUndefined();
    const flat = points.map(({ floor }) => ({ floor, image: [floor[0] / 6 + 0.5, floor[1] / 6] as const }));
    expect(lensOf({ cameraId, points: flat }, 1)).toBeUndefined();
  });
});
