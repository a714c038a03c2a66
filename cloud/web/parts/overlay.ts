/** Draws one analysed frame over the picture: seats, people, skeletons. Knows a canvas and numbers, nothing else. */
import type { Overlay, OverlayFrame } from '../../../protocol/clip.ts';
import type { Level } from '../../../protocol/event.ts';
import { BONES, frameFor, place, type Rect } from '../geometry.ts';
import { seatShort } from '../words/words.ts';

export interface Layers {
  readonly seats: boolean;
  readonly tracks: boolean;
  readonly pose: boolean;
  readonly words: boolean;
}

export interface OverlayInk {
  /** Seats that the alert is about, drawn in the colour of its level. */
  readonly seatIds: readonly string[];
  readonly colour: string;
  readonly level: Level;
}

/** `rect` is where the picture lies on the canvas, in its units. */
export function drawOverlay(
  ctx: CanvasRenderingContext2D,
  overlay: Overlay,
  tMs: number,
  rect: Rect,
  layers: Layers,
  ink: OverlayInk,
): void {
  const frame = frameFor(overlay, tMs);
  ctx.lineJoin = 'round';
  ctx.lineCap = 'round';
  if (layers.seats) drawSeats(ctx, overlay, frame, rect, ink);
  if (!frame) return;
  for (const person of frame.persons) {
    const concerned = person.seatId !== undefined && ink.seatIds.includes(person.seatId);
    if (layers.tracks) {
      const [x0, y0] = place(rect, [person.box[0], person.box[1]]);
      const [x1, y1] = place(rect, [person.box[2], person.box[3]]);
      outlined(ctx, concerned ? ink.colour : '#fff', concerned ? 2 : 1.25, () => corners(ctx, x0, y0, x1, y1));
      const name = [
        person.trackId === undefined ? undefined : `#${person.trackId}`,
        person.seatId === undefined ? undefined : `→${person.seatId}`,
      ].filter(Boolean);
      if (name.length > 0) label(ctx, name.join(' '), x0, y0 - 4, '#fff');
    }
    const pose = person.pose;
    if (layers.pose && pose)
      outlined(ctx, concerned ? ink.colour : '#fff', 1.75, () => {
        ctx.beginPath();
        for (const [a, b] of BONES) {
          const [from, to] = [pose[a], pose[b]];
          if (!from || !to || from[2] < 0.3 || to[2] < 0.3) continue;
          ctx.moveTo(...place(rect, [from[0], from[1]]));
          ctx.lineTo(...place(rect, [to[0], to[1]]));
        }
      });
  }
}

function drawSeats(
  ctx: CanvasRenderingContext2D,
  overlay: Overlay,
  frame: OverlayFrame | undefined,
  rect: Rect,
  ink: OverlayInk,
): void {
  for (const seat of overlay.seats) {
    const concerned = ink.seatIds.includes(seat.seatId);
    const occupancy = frame?.seats[seat.seatId] ?? 'unknown';
    const points = seat.zone.map((point) => place(rect, point));
    const first = points[0];
    if (!first) continue;
    // As on the plan: present is a full line, away a dashed one, not known a dotted one.
    ctx.setLineDash(occupancy === 'yes' ? [] : occupancy === 'no' ? [8, 5] : [1, 5]);
    outlined(ctx, concerned ? ink.colour : 'rgba(255,255,255,0.75)', concerned ? 2.5 : 1.25, () => {
      ctx.beginPath();
      for (const [i, point] of points.entries()) i === 0 ? ctx.moveTo(...point) : ctx.lineTo(...point);
      ctx.closePath();
    });
    ctx.setLineDash([]);
    const top = points.reduce((best, point) => (point[1] < best[1] ? point : best), first);
    label(ctx, seatShort(seat.name, seat.seatId), top[0], top[1] - 5, concerned ? ink.colour : '#fff', concerned);
  }
}

/** Strokes twice, dark below, so that a line is seen on any picture. */
function outlined(ctx: CanvasRenderingContext2D, colour: string, width: number, path: () => void): void {
  path();
  ctx.strokeStyle = 'rgba(0,0,0,0.65)';
  ctx.lineWidth = width + 2;
  ctx.stroke();
  ctx.strokeStyle = colour;
  ctx.lineWidth = width;
  ctx.stroke();
}

function corners(ctx: CanvasRenderingContext2D, x0: number, y0: number, x1: number, y1: number): void {
  const arm = Math.min(14, (x1 - x0) / 3, (y1 - y0) / 3);
  ctx.beginPath();
  for (const [x, y, dx, dy] of [
    [x0, y0, 1, 1],
    [x1, y0, -1, 1],
    [x1, y1, -1, -1],
    [x0, y1, 1, -1],
  ] as const) {
    ctx.moveTo(x + dx * arm, y);
    ctx.lineTo(x, y);
    ctx.lineTo(x, y + dy * arm);
  }
}

function label(
  ctx: CanvasRenderingContext2D,
  text: string,
  x: number,
  y: number,
  colour: string,
  strong = false,
): void {
  ctx.font = `${strong ? '600 13px' : '11px'} system-ui, sans-serif`;
  ctx.lineWidth = 3;
  ctx.strokeStyle = 'rgba(0,0,0,0.75)';
  ctx.strokeText(text, x, y);
  ctx.fillStyle = colour;
  ctx.fillText(text, x, y);
}
