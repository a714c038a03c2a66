/** Floor of a room seen by a camera: picture points to metres and back, and whether measured points agree. Pure. */
import type { FloorCalibration } from './room.ts';
import type { FloorPoint, Point } from './seat.ts';

/** Row-major 3 × 3, last element 1. */
export type Homography = readonly number[];

/**
 * Least squares over all points (direct linear transform with the last element fixed to 1; picture points are fractions
 * and floor points metres, so the system needs no further scaling). Undefined for fewer than four points or points on a line.
 */
export function homography(calibration: FloorCalibration): Homography | undefined {
  if (calibration.points.length < 4) return undefined;
  const normal = Array.from({ length: 8 }, () => new Array<number>(9).fill(0));
  for (const { image, floor } of calibration.points) {
    const [x, y] = image;
    const [u, v] = floor;
    for (const row of [
      [x, y, 1, 0, 0, 0, -u * x, -u * y, u],
      [0, 0, 0, x, y, 1, -v * x, -v * y, v],
    ])
      for (let i = 0; i < 8; i++) for (let j = 0; j < 9; j++) normal[i]![j]! += row[i]! * row[j]!;
  }
  const solved = solve(normal);
  return solved && [...solved, 1];
}

/** Gauss with pivoting on an n × (n + 1) system; undefined when it is singular. */
function solve(m: number[][]): number[] | undefined {
  const n = m.length;
  const scale = Math.max(...m.flat().map(Math.abs));
  for (let c = 0; c < n; c++) {
    let pivot = c;
    for (let r = c + 1; r < n; r++) if (Math.abs(m[r]![c]!) > Math.abs(m[pivot]![c]!)) pivot = r;
    if (Math.abs(m[pivot]![c]!) < 1e-10 * scale) return undefined;
    [m[c], m[pivot]] = [m[pivot]!, m[c]!];
    for (let r = 0; r < n; r++) {
      if (r === c) continue;
      const f = m[r]![c]! / m[c]![c]!;
      for (let k = c; k <= n; k++) m[r]![k]! -= f * m[c]![k]!;
    }
  }
  return m.map((row, i) => row[n]! / row[i]!);
}

/** A picture point on the floor in metres; undefined at or beyond the horizon. */
export function toFloor(h: Homography, [x, y]: Point): FloorPoint | undefined {
  const w = h[6]! * x + h[7]! * y + h[8]!;
  if (Math.abs(w) < 1e-6) return undefined;
  return [(h[0]! * x + h[1]! * y + h[2]!) / w, (h[3]! * x + h[4]! * y + h[5]!) / w];
}

/** The way back: metres to a picture point, for drawing. Undefined where no plane goes through the points. */
export function fromFloor(calibration: FloorCalibration): Homography | undefined {
  return homography({
    cameraId: calibration.cameraId,
    points: calibration.points.map((p) => ({ image: p.floor, floor: p.image })),
  });
}

export interface FloorCheck {
  readonly cameraId: string;
  readonly points: number;
  /**
   * `unusable`: no plane goes through the points. `unproved`: four points always fit, so nothing can be said.
   * `wrong`: a point lies further off than it should. `good`.
   */
  readonly state: 'good' | 'wrong' | 'unproved' | 'unusable';
  /** Distance in metres between where each point is said to be and where the others put it; empty where unproved. */
  readonly errorsM: readonly number[];
}

/** A point that the others put further off than this was measured or clicked wrongly. */
const WRONG_M = 0.25;

/** Each point against the calibration made of all the others: the fit through itself would hide its error. */
export function checkFloor(calibration: FloorCalibration): FloorCheck {
  const { cameraId, points } = calibration;
  const none = { cameraId, points: points.length, errorsM: [] };
  const all = homography(calibration);
  // Points on both sides of the horizon are not on one floor.
  if (!all || !oneSide(all, points)) return { ...none, state: 'unusable' };
  if (points.length < 5) return { ...none, state: 'unproved' };
  const errorsM = points.map(({ image, floor }, left) => {
    const others = homography({ cameraId, points: points.filter((_, i) => i !== left) });
    const at = others && toFloor(others, image);
    return at ? Math.hypot(at[0] - floor[0], at[1] - floor[1]) : Number.POSITIVE_INFINITY;
  });
  return { ...none, errorsM, state: errorsM.some((error) => error > WRONG_M) ? 'wrong' : 'good' };
}

/**
 * The one point without which all the others agree: most likely the one that was measured or clicked wrongly. Undefined
 * where there is none, or where too few points are left to say so (of five, any four fit).
 */
export function oddPoint(calibration: FloorCalibration): number | undefined {
  const { cameraId, points } = calibration;
  if (points.length < 6 || checkFloor(calibration).state !== 'wrong') return undefined;
  const odd = points.flatMap((_, i) => {
    const { state } = checkFloor({ cameraId, points: points.filter((_other, j) => j !== i) });
    return state === 'good' ? [i] : [];
  });
  return odd.length === 1 ? odd[0] : undefined;
}

function oneSide(h: readonly number[], points: readonly { readonly image: Point }[]): boolean {
  const signs = points.map(({ image: [x, y] }) => Math.sign(h[6]! * x + h[7]! * y + h[8]!));
  return signs.every((sign) => sign !== 0 && sign === signs[0]);
}
