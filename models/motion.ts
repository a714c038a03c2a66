/** Where a picture differs from the one before it: says what is worth the models' time, never what happened. */
import type { Box } from '../protocol/seat.ts';
import type { Luma } from './picture.ts';

export interface Motion {
  /** Share 0..1 of the cells inside `region` (fractions of the picture), and outside all of `except`, that changed. */
  within(region: Box, except?: readonly Box[]): number;
}

/** A cell (mean of 4 × 4 pixels of a sub-stream) that differs by less than this is noise of a good camera. */
const LEAST_STEP = 3;
/** A worse camera, or a lamp that flickers, moves all cells: a step counts from so many times the median one. */
const OVER_MEDIAN = 4;

/** Without a picture before it everything has changed. Both are of one size. */
export function motionBetween(before: Luma | undefined, now: Luma): Motion {
  const changed = before && changedCells(before, now);
  const { width, height } = now;
  return {
    within(region, except = []) {
      if (!changed) return 1;
      const inside = cellsOf(region, width, height);
      const holes = except.map((box) => cellsOf(box, width, height));
      let [cells, moving] = [0, 0];
      // Plain loops over whole numbers: this runs for every person of every frame.
      for (let y = inside.top; y < inside.bottom; y++)
        for (let x = inside.left; x < inside.right; x++) {
          let out = false;
          for (let i = 0; i < holes.length && !out; i++) out = holds(holes[i]!, x, y);
          if (out) continue;
          cells += 1;
          moving += changed[y * width + x]!;
        }
      return cells === 0 ? 0 : moving / cells;
    },
  };
}

interface Cells {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

function cellsOf([x0, y0, x1, y1]: Box, width: number, height: number): Cells {
  return {
    left: Math.max(0, Math.floor(x0 * width)),
    top: Math.max(0, Math.floor(y0 * height)),
    right: Math.min(width, Math.ceil(x1 * width)),
    bottom: Math.min(height, Math.ceil(y1 * height)),
  };
}

function holds({ left, top, right, bottom }: Cells, x: number, y: number): boolean {
  return x >= left && x < right && y >= top && y < bottom;
}

/** 1 for each cell whose step is more than noise. */
function changedCells(before: Luma, now: Luma): Uint8Array {
  const [a, b] = [before.values, now.values];
  const steps = new Float32Array(b.length);
  const histogram = new Uint32Array(256);
  for (let i = 0; i < b.length; i++) {
    const step = Math.abs(a[i]! - b[i]!);
    steps[i] = step;
    // Quarters of a level, up to 64 levels.
    histogram[Math.min(255, (step * 4) | 0)]! += 1;
  }
  let [median, seen] = [0, 0];
  while (median < 255 && seen + histogram[median]! <= b.length / 2) seen += histogram[median++]!;
  const least = Math.max(LEAST_STEP, (OVER_MEDIAN * median) / 4);
  const changed = new Uint8Array(b.length);
  for (let i = 0; i < b.length; i++) changed[i] = steps[i]! > least ? 1 : 0;
  return changed;
}
