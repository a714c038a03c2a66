/** The room editor's geometry: what each stroke makes of the draft, where things lie when zoomed, and undo. */
import { describe, expect, it } from 'vitest';
import {
  addDesk,
  addDoor,
  addFloorPoint,
  addSeat,
  addZone,
  type Draft,
  freeSeatId,
  joinSeat,
  moved,
  openProposals,
  placeSeat,
  rectangle,
  setMetres,
  shapesOf,
  turnDoor,
  withoutCorner,
  withoutShape,
  withPoints,
} from '../../../cloud/web/state/draft.ts';
import { pushed, toPicture, toScreen, WHOLE, zoomed } from '../../../cloud/web/state/sight.ts';
import { begun, done, redone, undone } from '../../../cloud/web/state/undo.ts';
import { layoutProblems } from '../../../protocol/layout.ts';
import type { Polygon } from '../../../protocol/seat.ts';

const EMPTY: Draft = { seats: [], zones: [], doorLines: [], floor: [] };
const LEFT = rectangle([0.3, 0.6], [0.1, 0.2]);
const RIGHT = rectangle([0.6, 0.2], [0.8, 0.6]);
const two = () => addSeat(addSeat(EMPTY, 'a', LEFT).draft, 'a', RIGHT).draft;

describe('strokes', () => {
  it('make rectangles with corners in order, whichever way they are dragged', () => {
    expect(LEFT).toEqual([
      [0.1, 0.2],
      [0.3, 0.2],
      [0.3, 0.6],
      [0.1, 0.6],
    ]);
    expect(rectangle([-1, -1], [2, 2])[2]).toEqual([1, 1]);
  });

  it('make seats with the next free number, and views of seats that another camera sees', () => {
    const draft = two();
    expect(draft.seats.map(({ seatId, name }) => [seatId, name])).toEqual([
      ['1', '1号席'],
      ['2', '2号席'],
    ]);
    expect(freeSeatId({ ...draft, seats: draft.seats.slice(1) })).toBe('1');
    const both = addSeat(draft, 'b', LEFT, 1);
    expect(both.draft.seats[1]!.views.map(({ cameraId }) => cameraId)).toEqual(['a', 'b']);
    expect(layoutProblems(both.draft, ['a', 'b'])).toEqual([]);
  });

  it('join a seat drawn on a second picture with the one it is', () => {
    const draft = addSeat(two(), 'b', LEFT).draft;
    const joined = joinSeat(draft, 2, 0, 'b');
    expect(joined.draft.seats).toHaveLength(2);
    expect(joined.draft.seats[0]!.views).toHaveLength(2);
    expect(joined.picked).toEqual({ part: 'seat', index: 0 });
    // A camera sees a seat once.
    expect(joinSeat(joined.draft, 1, 0, 'a').draft).toBe(joined.draft);
  });

  it('put desks, zones and doors where they were drawn, the inner side towards the middle', () => {
    const desk = addDesk(two(), 0, 'a', RIGHT).draft;
    expect(shapesOf(desk, 'a').map(({ part }) => part)).toEqual(['desk', 'seat', 'seat']);
    expect(shapesOf(desk, 'b')).toEqual([]);
    const zones = addZone(addZone(EMPTY, 'a', 'door', LEFT).draft, 'a', 'door', RIGHT).draft;
    expect(zones.zones.map(({ zoneId }) => zoneId)).toEqual(['door-1', 'door-2']);
    const { draft } = addDoor(EMPTY, 'a', [0.1, 0.9], [0.3, 0.9]);
    expect(draft.doorLines[0]!.inside[1]).toBeLessThan(0.9);
    expect(layoutProblems(draft, ['a'])).toEqual([]);
    const turned = turnDoor(draft, 0);
    expect(turned.doorLines[0]!.inside[1]).toBeGreaterThan(0.9);
    expect(turnDoor(turned, 0).doorLines[0]!.inside[1]).toBeCloseTo(draft.doorLines[0]!.inside[1]);
  });

  it('collect floor points of a camera, whose metres stay when they are moved', () => {
    let draft = EMPTY;
    for (const point of [LEFT[0]!, LEFT[1]!, LEFT[2]!, LEFT[3]!]) draft = addFloorPoint(draft, 'a', point).draft;
    expect(draft.floor).toHaveLength(1);
    draft = setMetres(draft, 0, 1, [2.5, 0]);
    const [shape] = shapesOf(draft, 'a');
    draft = withPoints(draft, shape!, 'a', moved(shape!.points, 0.1, 0));
    expect(draft.floor[0]!.points[1]).toEqual({ image: [0.4, 0.2], floor: [2.5, 0] });
    for (let i = 0; i < 4; i += 1) draft = withoutCorner(draft, shapesOf(draft, 'a')[0]!, 'a', 0)!;
    expect(draft.floor).toEqual([]);
  });

  it('say where a seat stands by a tap on a measured floor, and nothing where none is measured', () => {
    expect(placeSeat(two(), 0, 'a', [0.5, 0.5])).toEqual(two());
    let draft = two();
    for (const point of LEFT) draft = addFloorPoint(draft, 'a', point).draft;
    const middle = placeSeat(draft, 1, 'a', [0.2, 0.4]);
    expect(middle.seats[1]!.floor).toEqual([0.5, 0.5]);
  });

  it('take away: a corner while three are left, a view, and the seat with its last view', () => {
    const draft = addSeat(two(), 'b', LEFT, 1).draft;
    const [shape] = shapesOf(draft, 'a');
    const less = withoutCorner(draft, shape!, 'a', 0)!;
    expect(shapesOf(less, 'a')[0]!.points).toHaveLength(3);
    expect(withoutCorner(less, shapesOf(less, 'a')[0]!, 'a', 0)).toBeUndefined();
    expect(withoutShape(draft, { part: 'seat', index: 1 }, 'a').seats[1]!.views).toHaveLength(1);
    expect(withoutShape(draft, { part: 'seat', index: 0 }, 'a').seats.map(({ seatId }) => seatId)).toEqual(['2']);
  });

  it('never leave the picture', () => {
    expect(moved(LEFT, -1, 1)).toEqual(rectangle([0, 0.6], [0.2, 1]));
    const draft = withPoints(two(), { part: 'seat', index: 0 }, 'a', [[-3, 0.5], [0.5, 4], ...LEFT.slice(2)]);
    expect(layoutProblems(draft, ['a']).map(({ code }) => code)).not.toContain('outside_picture');
  });
});

describe('proposals', () => {
  it('are those places where no seat is drawn on this camera', () => {
    const nearRight: Polygon = rectangle([0.61, 0.22], [0.8, 0.6]);
    const free = rectangle([0.4, 0.2], [0.5, 0.5]);
    const list = [LEFT, nearRight, free].map((zone) => ({ zone }));
    expect(openProposals(two(), 'a', list)).toEqual([{ zone: free }]);
    expect(openProposals(two(), 'b', list)).toHaveLength(3);
  });
});

describe('the picture on the board', () => {
  const base = { x: 10, y: 20, w: 800, h: 450 };

  it('keeps what lies under the pointer there while it is zoomed', () => {
    const place = [500, 300] as const;
    const before = toPicture(base, WHOLE, place);
    const sight = zoomed(base, WHOLE, 2.5, place);
    const after = toPicture(base, sight, place);
    expect(after[0]).toBeCloseTo(before[0]);
    expect(after[1]).toBeCloseTo(before[1]);
    const back = toScreen(base, sight, after);
    expect(back[0]).toBeCloseTo(500);
  });

  it('never shows anything beside the picture', () => {
    const far = pushed(base, zoomed(base, WHOLE, 2, [400, 200]), 5000, -5000);
    expect(toScreen(base, far, [0, 0])[0]).toBeCloseTo(10);
    expect(toScreen(base, far, [1, 1])[1]).toBeCloseTo(470);
    expect(zoomed(base, far, 0.01, [400, 200])).toEqual(WHOLE);
  });
});

describe('undo', () => {
  it('goes back, forward, and forgets the future after a new step', () => {
    let undo = done(done(begun('a'), 'b'), 'c');
    undo = undone(undo);
    expect(undo.now).toBe('b');
    expect(redone(undo).now).toBe('c');
    undo = done(undone(undo), 'd');
    expect(redone(undo)).toBe(undo);
    expect(undone(undone(undone(undo))).now).toBe('a');
    expect(done(undo, 'd')).toBe(undo);
  });
});
