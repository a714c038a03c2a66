/** From the picture to the floor: scale at a place, where a person's feet are, and distances without any calibration. */
import { fromFloor, homography, toFloor } from '../../protocol/floor.ts';
import { upperBody } from '../../protocol/observation.ts';
import type { FloorCalibration } from '../../protocol/room.ts';
import { type Box, contains, type FloorPoint, type Point, type Polygon } from '../../protocol/seat.ts';

/** Pictures of room cameras are 16:9; layouts carry fractions only. */
const ASPECT = 16 / 9;
/** Height of a standing person in box widths: shoulders and arms against the whole. */
const BODY_PER_WIDTH = 3;

/** Metres on the floor for one picture width, at the picture point that shows `floor`; undefined where that is not seen. */
export function metresPerWidth(calibration: FloorCalibration, floor: FloorPoint): number | undefined {
  const h = homography(calibration);
  const back = fromFloor(calibration);
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
