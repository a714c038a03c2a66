/** Geometry of the page: where the picture lies inside its box, and where the seats lie on the plan. Pure. */

import type { Overlay, OverlayFrame } from '../../protocol/clip.ts';
import type { RoomLayout } from '../../protocol/room.ts';
import { bounds, type Point } from '../../protocol/seat.ts';

export interface Rect {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

/** The rectangle that `object-fit: contain` gives a picture of `w × h` inside a box of `boxW × boxH` (same units). */
export function containRect(w: number, h: number, boxW: number, boxH: number): Rect {
  if (w <= 0 || h <= 0 || boxW <= 0 || boxH <= 0) return { x: 0, y: 0, w: Math.max(0, boxW), h: Math.max(0, boxH) };
  const scale = Math.min(boxW / w, boxH / h);
  return { x: (boxW - w * scale) / 2, y: (boxH - h * scale) / 2, w: w * scale, h: h * scale };
}

/** A picture fraction as a position in that rectangle. */
export function place(rect: Rect, [x, y]: Point): Point {
  return [rect.x + x * rect.w, rect.y + y * rect.h];
}

export interface PlanSeat {
  readonly seatId: string;
  readonly name: string;
  /** Position on the plan, 0..width and 0..height. */
  readonly x: number;
  readonly y: number;
}

export interface Plan {
  readonly seats: readonly PlanSeat[];
  /** True where the seats stand by metres; false where they are only as one camera sees them. */
  readonly measured: boolean;
}

/** Middle of a seat's zone as the first camera that sees it has it. */
function seen(seat: RoomLayout['seats'][number]): Point | undefined {
  const view = seat.views[0];
  if (!view) return undefined;
  const [x0, y0, x1, y1] = bounds(view.zone);
  return [(x0 + x1) / 2, (y0 + y1) / 2];
}

/** How much flatter or wider than life a plan may be drawn so that its seats find room. */
const STRETCH = 1.7;

/**
 * Seats on a plan of `width × height`, each with a footprint of `seat.w × seat.h` that no other one may enter. Uses floor
 * metres when every seat has them (y grows away from the camera, so it is turned to point up); else the middles of the
 * zones in the picture.
 */
export function planOf(layout: RoomLayout, width: number, height: number, seat: { w: number; h: number }): Plan {
  const measured = layout.seats.length > 0 && layout.seats.every((one) => one.floor);
  const raw = layout.seats.map((one, i): Point => {
    if (measured && one.floor) return [one.floor[0], -one.floor[1]];
    const point = seen(one) ?? [(i + 1) / (layout.seats.length + 1), 0.5];
    return [point[0] * 16, point[1] * 9];
  });
  if (raw.length === 0) return { seats: [], measured };
  const [x0, y0, x1, y1] = bounds(raw);
  const fitX = x1 > x0 ? Math.max(0, width - seat.w) / (x1 - x0) : Number.POSITIVE_INFINITY;
  const fitY = y1 > y0 ? Math.max(0, height - seat.h) / (y1 - y0) : Number.POSITIVE_INFINITY;
  const fit = Math.min(fitX, fitY);
  const [kx, ky] = Number.isFinite(fit) ? [Math.min(fitX, fit * STRETCH), Math.min(fitY, fit * STRETCH)] : [0, 0];
  const points = raw.map(([x, y]): [number, number] => [
    width / 2 + (x - (x0 + x1) / 2) * kx,
    height / 2 + (y - (y0 + y1) / 2) * ky,
  ]);
  spread(points, seat, width, height);
  return {
    measured,
    seats: layout.seats.map(({ seatId, name }, i) => ({ seatId, name, x: points[i]![0], y: points[i]![1] })),
  };
}

/** Pushes seats apart along the axis on which they overlap least, and back into the room. */
function spread(points: [number, number][], seat: { w: number; h: number }, width: number, height: number): void {
  const [marginX, marginY] = [Math.min(seat.w, width) / 2, Math.min(seat.h, height) / 2];
  for (let round = 0; round < 80; round++) {
    let moved = false;
    for (let i = 0; i < points.length; i++)
      for (let j = i + 1; j < points.length; j++) {
        const [a, b] = [points[i]!, points[j]!];
        const [dx, dy] = [b[0] - a[0], b[1] - a[1]];
        const [overX, overY] = [seat.w - Math.abs(dx), seat.h - Math.abs(dy)];
        if (overX <= 0.5 || overY <= 0.5) continue;
        const axis = overX <= overY ? 0 : 1;
        const push = ((axis === 0 ? overX : overY) / 2) * ((axis === 0 ? dx : dy) < 0 ? -1 : 1);
        a[axis] -= push;
        b[axis] += push;
        moved = true;
      }
    for (const point of points) {
      point[0] = Math.min(width - marginX, Math.max(marginX, point[0]));
      point[1] = Math.min(height - marginY, Math.max(marginY, point[1]));
    }
    if (!moved) return;
  }
}

/** Pairs of key points (COCO order) that make the lines of a skeleton. */
export const BONES: readonly (readonly [number, number])[] = [
  [5, 6],
  [5, 7],
  [7, 9],
  [6, 8],
  [8, 10],
  [5, 11],
  [6, 12],
  [11, 12],
  [11, 13],
  [13, 15],
  [12, 14],
  [14, 16],
  [0, 1],
  [0, 2],
  [1, 3],
  [2, 4],
];

/** Index of the newest frame at or before `tMs`, -1 where none; `frames` rise in `tMs`. */
export function frameAt(frames: readonly { readonly tMs: number }[], tMs: number): number {
  let [low, high] = [0, frames.length - 1];
  let found = -1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    if (frames[middle]!.tMs <= tMs) {
      found = middle;
      low = middle + 1;
    } else high = middle - 1;
  }
  return found;
}

/** An analysed frame older than this says nothing about the picture that is shown. */
const STALE_MS = 1_500;

/** The frame nearest to `tMs`; undefined where the analysis has a hole. Never interpolated: evidence is not invented. */
export function frameFor(overlay: Overlay, tMs: number): OverlayFrame | undefined {
  const index = frameAt(overlay.frames, tMs);
  const before = overlay.frames[Math.max(0, index)];
  const after = overlay.frames[index + 1];
  const frame = before && after && after.tMs - tMs < tMs - before.tMs ? after : before;
  return frame && Math.abs(frame.tMs - tMs) <= STALE_MS ? frame : undefined;
}
