/** How a picture lies on the drawing board: zoom and place, between fractions of the picture and pixels of the screen. Pure. */
import type { Point } from '../../../protocol/seat.ts';
import type { Rect } from '../geometry.ts';

/** Zoom 1 is the whole picture; x and y are the pixels by which it is pushed. */
export interface Sight {
  readonly zoom: number;
  readonly x: number;
  readonly y: number;
}

export const WHOLE: Sight = { zoom: 1, x: 0, y: 0 };
const MOST = 8;

/** `base` is where the picture lies at zoom 1. */
export function toScreen(base: Rect, { zoom, x, y }: Sight, [px, py]: Point): Point {
  return [base.x + x + px * base.w * zoom, base.y + y + py * base.h * zoom];
}

export function toPicture(base: Rect, { zoom, x, y }: Sight, [sx, sy]: Point): Point {
  return [(sx - base.x - x) / (base.w * zoom), (sy - base.y - y) / (base.h * zoom)];
}

/** Zooms by a factor; what lies under the given pixel stays there as far as the picture's edges allow. */
export function zoomed(base: Rect, sight: Sight, factor: number, [sx, sy]: Point): Sight {
  const zoom = Math.min(MOST, Math.max(1, sight.zoom * factor));
  const [px, py] = toPicture(base, sight, [sx, sy]);
  return held(base, { zoom, x: sx - base.x - px * base.w * zoom, y: sy - base.y - py * base.h * zoom });
}

export function pushed(base: Rect, sight: Sight, dx: number, dy: number): Sight {
  return held(base, { ...sight, x: sight.x + dx, y: sight.y + dy });
}

/** The picture always fills its place. */
function held(base: Rect, { zoom, x, y }: Sight): Sight {
  return {
    zoom,
    x: Math.min(0, Math.max(base.w * (1 - zoom), x)),
    y: Math.min(0, Math.max(base.h * (1 - zoom), y)),
  };
}
