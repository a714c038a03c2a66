/** What is said of a drawn room before anybody runs it. */
import { describe, expect, it } from 'vitest';
import { checkFloor, fromFloor, homography, oddPoint, toFloor } from '../../../protocol/floor.ts';
import { areaOf, crossesItself, layoutProblems } from '../../../protocol/layout.ts';
import type { LayoutOrder } from '../../../protocol/orders.ts';
import type { FloorPoint, Point, Polygon } from '../../../protocol/seat.ts';

const SQUARE: Polygon = [
  [0.1, 0.1],
  [0.4, 0.1],
  [0.4, 0.6],
  [0.1, 0.6],
];
const BOW: Polygon = [
  [0.1, 0.1],
  [0.4, 0.6],
  [0.4, 0.1],
  [0.1, 0.6],
];
const good: LayoutOrder = {
  seats: [{ seatId: '1', name: '1号席', views: [{ cameraId: 'cam', zone: SQUARE }] }],
  zones: [{ zoneId: 'door', kind: 'door', cameraId: 'cam', polygon: SQUARE }],
  doorLines: [
    {
      cameraId: 'cam',
      line: [
        [0.1, 0.9],
        [0.3, 0.9],
      ],
      inside: [0.2, 0.5],
    },
  ],
  floor: [],
};
const codes = (layout: LayoutOrder) => layoutProblems(layout, ['cam']).map(({ code, part }) => `${part} ${code}`);
const seat = good.seats[0]!;
const zoneOf = (zone: Polygon, cameraId = 'cam') => ({ ...good, seats: [{ ...seat, views: [{ cameraId, zone }] }] });

/** A camera above a floor: what it makes of a place in metres. */
const seen = ([x, y]: FloorPoint): Point => [0.5 + (0.3 * x) / (1 + 0.2 * y), 0.9 - (0.35 * y) / (1 + 0.2 * y)];
const floor = (places: readonly FloorPoint[]) => ({
  cameraId: 'cam',
  points: places.map((place) => ({ image: seen(place), floor: place })),
});
const CORNERS: readonly FloorPoint[] = [
  [-1, 0],
  [1, 0],
  [1.2, 3],
  [-1.2, 3],
];

describe('faults of a layout', () => {
  it('are none in a room that is drawn well, or not at all', () => {
    expect(codes(good)).toEqual([]);
    expect(codes({ seats: [], zones: [], doorLines: [], floor: [] })).toEqual([]);
  });

  it('are said of outlines that cross, are too small, have no corners or leave the picture', () => {
    expect(crossesItself(BOW)).toBe(true);
    expect(crossesItself(SQUARE)).toBe(false);
    expect(areaOf(SQUARE)).toBeCloseTo(0.15);
    expect(codes(zoneOf(BOW))).toEqual(['seats crosses_itself']);
    expect(codes(zoneOf(SQUARE.slice(0, 2)))).toEqual(['seats few_points']);
    expect(codes(zoneOf(SQUARE.map(([x, y]) => [x / 50, y / 50] as const)))).toEqual(['seats too_small']);
    expect(codes(zoneOf(SQUARE.map(([x, y]) => [x + 0.7, y] as const)))).toEqual(['seats outside_picture']);
    const desk = { ...good, seats: [{ ...seat, views: [{ cameraId: 'cam', zone: SQUARE, desk: BOW }] }] };
    expect(codes(desk)).toEqual(['seats crosses_itself']);
  });

  it('are said of seats that no camera sees, or one twice, and of cameras that are not there', () => {
    expect(codes({ ...good, seats: [{ ...seat, views: [] }] })).toEqual(['seats no_view']);
    expect(codes({ ...good, seats: [{ ...seat, views: [...seat.views, ...seat.views] }] })).toEqual([
      'seats seen_twice',
    ]);
    expect(codes(zoneOf(SQUARE, 'gone'))).toEqual(['seats no_such_camera']);
    expect(codes({ ...good, seats: [seat, seat] })).toEqual(['seats id_twice']);
    expect(codes({ ...good, seats: [{ ...seat, name: ' ' }] })).toEqual(['seats no_name']);
    expect(codes({ ...good, zones: [...good.zones, ...good.zones] })).toEqual(['zones id_twice']);
  });

  it('are said of a door line without an inner side, or too short to be one', () => {
    const [line] = good.doorLines;
    expect(codes({ ...good, doorLines: [{ ...line!, inside: [0.25, 0.901] }] })).toEqual(['doorLines no_inside']);
    expect(codes({ ...good, doorLines: [{ ...line!, line: [line!.line[0], line!.line[0]] }] })).toEqual([
      'doorLines short_line',
    ]);
  });

  it('are said of floor points that are too few or on no floor', () => {
    expect(codes({ ...good, floor: [floor(CORNERS)] })).toEqual([]);
    expect(codes({ ...good, floor: [floor(CORNERS.slice(1))] })).toEqual(['floor few_floor_points']);
    expect(codes({ ...good, floor: [floor(CORNERS), floor(CORNERS)] })).toEqual(['floor floor_twice']);
    const inLine: readonly FloorPoint[] = [0, 1, 2, 3].map((y) => [0, y]);
    expect(codes({ ...good, floor: [floor(inLine)] })).toEqual(['floor floor_unusable']);
  });

  it('name what is meant in both languages, and where it is to be seen', () => {
    const [problem] = layoutProblems(zoneOf(BOW), ['cam']);
    expect(problem).toMatchObject({ part: 'seats', index: 0, cameraId: 'cam' });
    expect(problem!.words.zh).toContain('1号席');
    expect(problem!.words.en).toContain('crosses itself');
  });
});

describe('the floor', () => {
  it('goes from the picture to metres and back', () => {
    const calibration = floor(CORNERS);
    const [there, back] = [homography(calibration)!, fromFloor(calibration)!];
    const place: FloorPoint = [0.4, 1.7];
    const at = toFloor(back, place)!;
    expect(at[0]).toBeCloseTo(seen(place)[0], 6);
    expect(at[1]).toBeCloseTo(seen(place)[1], 6);
    expect(toFloor(there, at)![1]).toBeCloseTo(1.7, 6);
  });

  it('tells a point that was measured wrongly', () => {
    const five = floor([...CORNERS, [0, 1.5]]);
    expect(checkFloor(five).state).toBe('good');
    const wrong = { ...five, points: five.points.map((p, i) => (i === 4 ? { ...p, floor: [0.8, 1.5] as const } : p)) };
    expect(checkFloor(wrong).state).toBe('wrong');
    expect(oddPoint(wrong)).toBeUndefined();
    const six = floor([...CORNERS, [0, 1.5], [0.5, 2.5]]);
    const odd = { ...six, points: six.points.map((p, i) => (i === 2 ? { ...p, floor: [0.2, 3] as const } : p)) };
    expect(oddPoint(six)).toBeUndefined();
    expect(oddPoint(odd)).toBe(2);
  });
});
