/** From the picture to the floor: a homography out of four or more calibrated points, and where a person's feet are. */
import { upperBody } from '../../protocol/observation.ts';
import type { FloorCalibration } from '../../protocol/room.ts';
import { type Box, contains, type FloorPoint, type Point, type Polygon } from '../../protocol/seat.ts';

/** Row-major 3 × 3, last element 1. */
export type Homography = readonly number[];

/** Pictures of room cameras are 16:9; layouts carry fractions only. */
const ASPECT = 16 / 9;
/** Height of a standing person in box widths: shoulders and arms against the whole. */
const BODY_PER_WIDTH = 3;

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

/** Metres on the floor for one picture width, at the picture point that shows `floor`; undefined where that is not seen. */
export function metresPerWidth(calibration: FloorCalibration, floor: FloorPoint): number | undefined {
  const h = homography(calibration);
  const back = homography({
    cameraId: calibration.cameraId,
    points: calibration.points.map((p) => ({ image: p.floor, floor: p.image })),
  });
  const at = back && toFloor(back, floor);
  if (!h || !at) return undefined;
  const [a, b] = [toFloor(h, [at[0] - 0.02, at[1]]), toFloor(h, [at[0] + 0.02, at[1]])];
  return a && b ? Math.hypot(a[0] - b[0], a[1] - b[1]) / 0.04 : undefined;
}

/**
 * Where the feet stand in the picture. A desk or the picture's lower edge cuts the box: then the feet are put where a
 * standing person of this width would have them, if that is lower.
 */
export function footPoint(box: Box, desks: readonly Polygon[]): { readonly point: Point; readonly guessed: boolean } {
  const x = (box[0] + box[2]) / 2;
  const y = box[3];
  const cut = y > 0.985 || desks.some((d) => contains(d, [x, y - 0.005]) || contains(d, [x, y + 0.02]));
  const reach = box[1] + (box[2] - box[0]) * ASPECT * BODY_PER_WIDTH;
  const short = y - box[1] < 0.75 * (reach - box[1]);
  return cut || short ? { point: [x, Math.max(y, reach)], guessed: true } : { point: [x, y], guessed: false };
}

/** Distance of two picture points in shoulder widths of the person: key points where there are, else from the box. */
export function inShoulders(
  person: { readonly box: Box; readonly pose?: readonly (readonly [number, number, number])[] },
  from: Point,
  usualWidth: number | undefined,
): number {
  const [left, right] = [person.pose?.[5], person.pose?.[6]];
  const turned = 0.6 * (usualWidth ?? person.box[2] - person.box[0]);
  const posed =
    left && right && left[2] > 0.3 && right[2] > 0.3
      ? Math.hypot(left[0] - right[0], (left[1] - right[1]) / ASPECT)
      : 0;
  // Who turns sideways has narrow shoulders in the picture, and is no further away for it.
  const shoulders = Math.max(posed, turned);
  const body = upperBody({ ...person, score: 1 } as Parameters<typeof upperBody>[0]);
  return Math.hypot(body[0] - from[0], (body[1] - from[1]) / ASPECT) / shoulders;
}
