/** What a seat looks like: templates of the empty and of the taken seat, compared without regard to light. */
import type { SeatPatch } from '../../protocol/observation.ts';
import { bounds, contains, type Polygon } from '../../protocol/seat.ts';

/** A patch with its mean taken off and its contrast made equal; only the cells inside the zone. */
export type Look = readonly number[];

/** Looks nearer than this are the same; much nearer to empty than to taken is empty. */
export const SAME_LOOK = 0.25;

const CELLS = 6;
/** Grey levels added to the contrast, so that a blank patch does not blow up its noise. */
const CONTRAST_FLOOR = 4;

/** Which of the 36 cells lie in the zone: neighbours and passers-by in the corners must not count. */
export function cellsInside(zone: Polygon): readonly number[] {
  const [x0, y0, x1, y1] = bounds(zone);
  const inside: number[] = [];
  for (let r = 0; r < CELLS; r++)
    for (let c = 0; c < CELLS; c++)
      if (contains(zone, [x0 + ((c + 0.5) * (x1 - x0)) / CELLS, y0 + ((r + 0.5) * (y1 - y0)) / CELLS]))
        inside.push(r * CELLS + c);
  return inside;
}

/** Normalised look of a seat; undefined where the patch is not of the agreed size or the zone has no cells. */
export function look(patch: SeatPatch, cells: readonly number[]): Look | undefined {
  if (patch.grid.length !== CELLS * CELLS * 3 || cells.length === 0) return undefined;
  const values: number[] = [];
  for (const cell of cells) for (let k = 0; k < 3; k++) values.push(patch.grid[cell * 3 + k]!);
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const contrast = Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length) + CONTRAST_FLOOR;
  return values.map((v) => Math.round(((v - mean) / contrast) * 1000) / 1000);
}

/** Root mean square difference: 0 for the same look, about 0.5 and more for another one. */
export function unlike(a: Look, b: Look): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i]! - b[i]!) ** 2;
  return Math.sqrt(sum / a.length);
}

/** Largest difference of any one cell: a hand that moves shows in few cells, and hardly in the mean of all. */
export function largestChange(a: Look, b: Look): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  let most = 0;
  for (let i = 0; i + 2 < a.length; i += 3)
    most = Math.max(most, Math.abs(a[i]! + a[i + 1]! + a[i + 2]! - b[i]! - b[i + 1]! - b[i + 2]!) / 3);
  return most;
}

/** Difference to the nearest of several looks; infinite without any. */
export function nearest(a: Look, templates: readonly Look[]): number {
  return templates.reduce((best, t) => Math.min(best, unlike(a, t)), Number.POSITIVE_INFINITY);
}

/** Moves a template a share of the way to what is seen. */
export function blend(template: Look, seen: Look, share: number): Look {
  return template.map((v, i) => Math.round((v + (seen[i]! - v) * share) * 1000) / 1000);
}
