/** A room while it is being drawn: shapes on the picture of one camera, and every change as a function from draft to draft. Pure. */
import { homography, toFloor } from '../../../protocol/floor.ts';
import type { LayoutOrder } from '../../../protocol/orders.ts';
import type { Zone } from '../../../protocol/room.ts';
import { bounds, contains, type FloorPoint, iou, type Point, type Polygon, type Seat } from '../../../protocol/seat.ts';

export type Draft = Pick<LayoutOrder, 'seats' | 'zones' | 'doorLines' | 'floor'>;

/** What is picked; `index` counts in the draft's list of that part (a desk belongs to a seat, `floor` is a calibration). */
export interface Picked {
  readonly part: 'seat' | 'desk' | 'zone' | 'door' | 'floor';
  readonly index: number;
}

/** Something drawn on one camera's picture. A door's points are its two ends and the point on the room's side. */
export interface Shape extends Picked {
  readonly points: readonly Point[];
  readonly name: string;
}

export const samePick = (a: Picked | undefined, b: Picked | undefined): boolean =>
  a?.part === b?.part && a?.index === b?.index;

const rounded = (value: number) => Math.round(value * 10_000) / 10_000;
/** Into the picture, with four decimals: a tenth of a pixel of what cameras give. */
export const inside = ([x, y]: Point): Point => [
  rounded(Math.min(1, Math.max(0, x))),
  rounded(Math.min(1, Math.max(0, y))),
];

/** What is to be seen on this camera, in drawing order. */
export function shapesOf(draft: Draft, cameraId: string): Shape[] {
  const shapes: Shape[] = [];
  for (const [index, { polygon, zoneId, cameraId: on }] of draft.zones.entries())
    if (on === cameraId) shapes.push({ part: 'zone', index, points: polygon, name: zoneId });
  for (const [index, { name, views }] of draft.seats.entries()) {
    const view = views.find((one) => one.cameraId === cameraId);
    if (view?.desk) shapes.push({ part: 'desk', index, points: view.desk, name });
    if (view) shapes.push({ part: 'seat', index, points: view.zone, name });
  }
  for (const [index, { line, inside: room, cameraId: on }] of draft.doorLines.entries())
    if (on === cameraId) shapes.push({ part: 'door', index, points: [...line, room], name: String(index + 1) });
  for (const [index, { points, cameraId: on }] of draft.floor.entries())
    if (on === cameraId) shapes.push({ part: 'floor', index, points: points.map(({ image }) => image), name: '' });
  return shapes;
}

const replaced = <T>(list: readonly T[], index: number, change: (one: T) => T): readonly T[] =>
  list.map((one, i) => (i === index ? change(one) : one));
const without = <T>(list: readonly T[], index: number): readonly T[] => list.filter((_, i) => i !== index);

/** The shape with other points; a floor's points keep their metres. */
export function withPoints(draft: Draft, at: Picked, cameraId: string, points: readonly Point[]): Draft {
  const drawn = points.map(inside);
  switch (at.part) {
    case 'seat':
    case 'desk':
      return withView(draft, at.index, cameraId, at.part === 'seat' ? { zone: drawn } : { desk: drawn });
    case 'zone':
      return { ...draft, zones: replaced(draft.zones, at.index, (zone) => ({ ...zone, polygon: drawn })) };
    case 'door': {
      const [a, b, room] = drawn;
      if (!a || !b || !room) return draft;
      return {
        ...draft,
        doorLines: replaced(draft.doorLines, at.index, (door) => ({ ...door, line: [a, b], inside: room })),
      };
    }
    case 'floor':
      return {
        ...draft,
        floor: replaced(draft.floor, at.index, (one) => ({
          ...one,
          points: one.points.map((point, i) => ({ ...point, image: drawn[i] ?? point.image })),
        })),
      };
  }
}

function withView(draft: Draft, index: number, cameraId: string, change: { zone?: Polygon; desk?: Polygon }): Draft {
  const change1 = (seat: Seat): Seat => {
    const there = seat.views.some((view) => view.cameraId === cameraId);
    if (there)
      return { ...seat, views: seat.views.map((view) => (view.cameraId === cameraId ? { ...view, ...change } : view)) };
    return change.zone ? { ...seat, views: [...seat.views, { cameraId, ...change, zone: change.zone }] } : seat;
  };
  return { ...draft, seats: replaced(draft.seats, index, change1) };
}

/** The smallest number that no seat has. */
export function freeSeatId(draft: Draft): string {
  const taken = new Set(draft.seats.map(({ seatId }) => seatId));
  for (let n = 1; ; n += 1) if (!taken.has(String(n))) return String(n);
}

/** A change and what is picked after it. */
export interface Edit {
  readonly draft: Draft;
  readonly picked: Picked | undefined;
}

/** Draws a seat; `index` names one that another camera sees already, absent: a new one. */
export function addSeat(draft: Draft, cameraId: string, zone: Polygon, index?: number): Edit {
  const drawn = zone.map(inside);
  if (index !== undefined && draft.seats[index])
    return { draft: withView(draft, index, cameraId, { zone: drawn }), picked: { part: 'seat', index } };
  const seatId = freeSeatId(draft);
  const seat: Seat = { seatId, name: `${seatId}号席`, views: [{ cameraId, zone: drawn }] };
  return { draft: { ...draft, seats: [...draft.seats, seat] }, picked: { part: 'seat', index: draft.seats.length } };
}

/** The view that was drawn as a seat of its own is of another seat. */
export function joinSeat(draft: Draft, from: number, to: number, cameraId: string): Edit {
  const view = draft.seats[from]?.views.find((one) => one.cameraId === cameraId);
  const target = draft.seats[to];
  if (!view || !target || target.views.some((one) => one.cameraId === cameraId))
    return { draft, picked: { part: 'seat', index: from } };
  const seats = draft.seats
    .map((seat, i): Seat => {
      if (i === to) return { ...seat, views: [...seat.views, view] };
      return i === from ? { ...seat, views: seat.views.filter((one) => one !== view) } : seat;
    })
    .filter((seat, i) => i !== from || seat.views.length > 0);
  return {
    draft: { ...draft, seats },
    picked: { part: 'seat', index: seats.findIndex((s) => s.seatId === target.seatId) },
  };
}

export function addDesk(draft: Draft, index: number, cameraId: string, desk: Polygon): Edit {
  return { draft: withView(draft, index, cameraId, { desk: desk.map(inside) }), picked: { part: 'desk', index } };
}

export function addZone(draft: Draft, cameraId: string, kind: Zone['kind'], polygon: Polygon): Edit {
  const taken = new Set(draft.zones.map(({ zoneId }) => zoneId));
  let n = 1;
  while (taken.has(`${kind}-${n}`)) n += 1;
  const zone: Zone = { zoneId: `${kind}-${n}`, kind, cameraId, polygon: polygon.map(inside) };
  return { draft: { ...draft, zones: [...draft.zones, zone] }, picked: { part: 'zone', index: draft.zones.length } };
}

/** The room's side is taken to be where the middle of the picture lies; the installer turns it round where it is not. */
export function addDoor(draft: Draft, cameraId: string, a: Point, b: Point): Edit {
  const middle: Point = [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
  const [dx, dy] = [b[0] - a[0], b[1] - a[1]];
  const length = Math.max(1e-6, Math.hypot(dx, dy));
  const away = Math.max(0.06, length / 2);
  const [nx, ny] = [(-dy / length) * away, (dx / length) * away];
  const toMiddle = nx * (0.5 - middle[0]) + ny * (0.5 - middle[1]) >= 0 ? 1 : -1;
  const door = {
    cameraId,
    line: [inside(a), inside(b)] as const,
    inside: inside([middle[0] + nx * toMiddle, middle[1] + ny * toMiddle]),
  };
  return {
    draft: { ...draft, doorLines: [...draft.doorLines, door] },
    picked: { part: 'door', index: draft.doorLines.length },
  };
}

/** Mirrors the point of the room's side at the line. */
export function turnDoor(draft: Draft, index: number): Draft {
  return {
    ...draft,
    doorLines: replaced(draft.doorLines, index, (door) => {
      const [[ax, ay], [bx, by]] = door.line;
      const [px, py] = door.inside;
      const [dx, dy] = [bx - ax, by - ay];
      const t = ((px - ax) * dx + (py - ay) * dy) / Math.max(1e-9, dx * dx + dy * dy);
      return { ...door, inside: inside([2 * (ax + t * dx) - px, 2 * (ay + t * dy) - py]) };
    }),
  };
}

/** Puts a floor point; the first four are guessed as the corners of a square metre, so that they only need to be corrected. */
export function addFloorPoint(draft: Draft, cameraId: string, image: Point): Edit {
  const index = draft.floor.findIndex((one) => one.cameraId === cameraId);
  const count = index < 0 ? 0 : (draft.floor[index]?.points.length ?? 0);
  const floor = GUESSES[count] ?? ([0, 0] as const);
  const point = { image: inside(image), floor };
  const list =
    index < 0
      ? [...draft.floor, { cameraId, points: [point] }]
      : replaced(draft.floor, index, (one) => ({ ...one, points: [...one.points, point] }));
  return {
    draft: { ...draft, floor: list },
    picked: { part: 'floor', index: index < 0 ? draft.floor.length : index },
  };
}
const GUESSES: readonly FloorPoint[] = [
  [0, 0],
  [1, 0],
  [1, 1],
  [0, 1],
];

export function setMetres(draft: Draft, index: number, point: number, floor: FloorPoint): Draft {
  const change = (one: Draft['floor'][number]) => ({
    ...one,
    points: replaced(one.points, point, (p) => ({ ...p, floor })),
  });
  return { ...draft, floor: replaced(draft.floor, index, change) };
}

/** Where a seat stands, by a tap on a picture whose floor is measured; unchanged where the floor says nothing there. */
export function placeSeat(draft: Draft, index: number, cameraId: string, image: Point): Draft {
  const calibration = draft.floor.find((one) => one.cameraId === cameraId);
  const h = calibration && homography(calibration);
  const at = h && toFloor(h, image);
  if (!at || Math.abs(at[0]) > 100 || Math.abs(at[1]) > 100) return draft;
  return changeSeat(draft, index, { floor: [Math.round(at[0] * 100) / 100, Math.round(at[1] * 100) / 100] });
}

/** Takes one corner away: undefined where the shape would be none any more. */
export function withoutCorner(draft: Draft, shape: Shape, cameraId: string, corner: number): Draft | undefined {
  if (shape.part === 'floor') {
    const points = without(draft.floor[shape.index]?.points ?? [], corner);
    if (points.length === 0) return { ...draft, floor: without(draft.floor, shape.index) };
    return { ...draft, floor: replaced(draft.floor, shape.index, (one) => ({ ...one, points })) };
  }
  if (shape.part === 'door' || shape.points.length <= 3) return undefined;
  return withPoints(draft, shape, cameraId, without(shape.points, corner));
}

/** Takes away what is picked from this camera's picture; a seat that no camera sees any more goes with its last view. */
export function withoutShape(draft: Draft, { part, index }: Picked, cameraId: string): Draft {
  switch (part) {
    case 'zone':
      return { ...draft, zones: without(draft.zones, index) };
    case 'door':
      return { ...draft, doorLines: without(draft.doorLines, index) };
    case 'floor':
      return { ...draft, floor: without(draft.floor, index) };
    case 'desk':
      return {
        ...draft,
        seats: replaced(draft.seats, index, (seat) => ({
          ...seat,
          views: seat.views.map((view) => {
            const { desk: _gone, ...rest } = view;
            return view.cameraId === cameraId ? rest : view;
          }),
        })),
      };
    case 'seat': {
      const views = draft.seats[index]?.views.filter((view) => view.cameraId !== cameraId) ?? [];
      if (views.length === 0) return { ...draft, seats: without(draft.seats, index) };
      return { ...draft, seats: replaced(draft.seats, index, (seat) => ({ ...seat, views })) };
    }
  }
}

export const changeSeat = (draft: Draft, index: number, change: Partial<Pick<Seat, 'name' | 'floor'>>): Draft => ({
  ...draft,
  seats: replaced(draft.seats, index, (seat) => ({ ...seat, ...change })),
});
export const changeZone = (draft: Draft, index: number, change: Partial<Pick<Zone, 'zoneId' | 'kind'>>): Draft => ({
  ...draft,
  zones: replaced(draft.zones, index, (zone) => ({ ...zone, ...change })),
});

/** The shape moved as far as it stays in the picture. */
export function moved(points: readonly Point[], dx: number, dy: number): Point[] {
  const [x0, y0, x1, y1] = bounds(points);
  const [mx, my] = [Math.min(1 - x1, Math.max(-x0, dx)), Math.min(1 - y1, Math.max(-y0, dy))];
  return points.map(([x, y]) => inside([x + mx, y + my]));
}

/** Two corners of a rectangle as a polygon. */
export function rectangle([ax, ay]: Point, [bx, by]: Point): Polygon {
  const [x0, x1, y0, y1] = [Math.min(ax, bx), Math.max(ax, bx), Math.min(ay, by), Math.max(ay, by)];
  return [
    [x0, y0],
    [x1, y0],
    [x1, y1],
    [x0, y1],
  ].map((point) => inside(point as unknown as Point));
}

/** Proposed places for which the draft has no seat on this camera yet. */
export function openProposals<T extends { readonly zone: Polygon }>(
  draft: Draft,
  cameraId: string,
  proposals: readonly T[],
): T[] {
  const drawn = draft.seats.flatMap((seat) => seat.views.filter((view) => view.cameraId === cameraId));
  return proposals.filter(({ zone }) => {
    const [x0, y0, x1, y1] = bounds(zone);
    return !drawn.some(
      (view) => iou(bounds(view.zone), bounds(zone)) > 0.25 || contains(view.zone, [(x0 + x1) / 2, (y0 + y1) / 2]),
    );
  });
}
