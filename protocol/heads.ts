/** Where heads are in a picture: for those who must not show them. Rather too large than too small. Pure. */
import { type Box, bounds, type Point } from './seat.ts';

/** What is known of somebody: a box, and key points in COCO order where there are some. */
export interface Bodied {
  readonly box: Box;
  readonly pose?: readonly (readonly [number, number, number])[];
}

/** Key points of the face that count; weaker ones may lie anywhere. */
const SURE = 0.2;
const FACE = 5;

/**
 * One box a person, as fractions of the picture. The upper part of the person's box always counts; where key points of
 * the face lie elsewhere (somebody bends down), the box grows around these. `aspect` is width over height.
 */
export function headBox({ box, pose }: Bodied, aspect: number): Box {
  const [x0, y0, x1, y1] = box;
  const [w, h] = [x1 - x0, y1 - y0];
  // A standing body is 7 heads high and a sitting upper body about 2.5: by width where the box is tall.
  const tall = Math.min(0.5 * h, 0.9 * w * aspect);
  const upper: Box = [x0 + 0.1 * w, y0 - 0.08 * h, x1 - 0.1 * w, y0 + tall];
  const face: Point[] = (pose ?? []).slice(0, FACE).flatMap(([x, y, score]) => (score > SURE ? [[x, y] as const] : []));
  if (face.length === 0) return clipped(upper);
  const [fx0, fy0, fx1, fy1] = bounds(face);
  // Eyes and ears span about two thirds of a head; a profile less.
  const size = Math.max(fx1 - fx0, (fy1 - fy0) / aspect, 0.25 * w);
  return clipped([
    Math.min(upper[0], fx0 - 0.6 * size),
    Math.min(upper[1], fy0 - 0.9 * size * aspect),
    Math.max(upper[2], fx1 + 0.6 * size),
    Math.max(upper[3], fy1 + 0.9 * size * aspect),
  ]);
}

const clipped = ([x0, y0, x1, y1]: Box): Box => [Math.max(0, x0), Math.max(0, y0), Math.min(1, x1), Math.min(1, y1)];
