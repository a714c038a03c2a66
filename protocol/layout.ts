/** What is wrong with a drawn room, in plain words: the page says it while one draws, the cloud and the box before they take it. Pure. */
import type { Sentence } from './event.ts';
import { checkFloor } from './floor.ts';
import type { LayoutOrder } from './orders.ts';
import type { Point, Polygon } from './seat.ts';

/** `part` and `index` name what is meant: the third seat, the first door line. */
export interface LayoutProblem {
  readonly code:
    | 'crosses_itself'
    | 'few_points'
    | 'too_small'
    | 'outside_picture'
    | 'no_view'
    | 'seen_twice'
    | 'no_name'
    | 'id_twice'
    | 'no_such_camera'
    | 'no_inside'
    | 'short_line'
    | 'few_floor_points'
    | 'floor_twice'
    | 'floor_unusable';
  readonly part: 'seats' | 'zones' | 'doorLines' | 'floor';
  readonly index: number;
  /** Camera on whose picture it is to be seen, where it is. */
  readonly cameraId?: string;
  readonly words: Sentence;
}

/** Share of the picture below which an area is a slip of the hand. */
const SMALLEST_AREA = 0.0003;
/** Picture widths below which a line is a slip of the hand, and beside which a point is on it. */
const SHORTEST_LINE = 0.01;
const BESIDE_LINE = 0.003;

/** True when two sides of the polygon cross. */
export function crossesItself(points: Polygon): boolean {
  for (let i = 0; i < points.length; i++)
    for (let j = i + 2; j < points.length; j++) {
      if (i === 0 && j === points.length - 1) continue;
      const [a, b, c, d] = [points[i]!, points[i + 1]!, points[j]!, points[(j + 1) % points.length]!];
      if (sideOf(a, b, c) * sideOf(a, b, d) < 0 && sideOf(c, d, a) * sideOf(c, d, b) < 0) return true;
    }
  return false;
}

/** -1, 0 or 1: on which side of the line a → b the point is. */
const sideOf = (a: Point, b: Point, c: Point) =>
  Math.sign((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]));

/** Area of a polygon as a share of the picture. */
export function areaOf(points: Polygon): number {
  let twice = 0;
  for (let i = 0; i < points.length; i++) {
    const [[ax, ay], [bx, by]] = [points[i]!, points[(i + 1) % points.length]!];
    twice += ax * by - bx * ay;
  }
  return Math.abs(twice) / 2;
}

/** Distance of a point from the line through a and b, in picture widths. */
function fromLine([a, b]: readonly [Point, Point], [x, y]: Point): number {
  const [dx, dy] = [b[0] - a[0], b[1] - a[1]];
  return Math.abs(dx * (y - a[1]) - dy * (x - a[0])) / Math.max(1e-9, Math.hypot(dx, dy));
}

const inPicture = (points: readonly Point[]) => points.every(([x, y]) => x >= 0 && x <= 1 && y >= 0 && y <= 1);

/** Every fault of a layout, none where it can run. `cameraIds` are those of the room. */
export function layoutProblems(layout: LayoutOrder, cameraIds: readonly string[]): LayoutProblem[] {
  const problems: LayoutProblem[] = [];
  const reporter = (part: LayoutProblem['part'], index: number, cameraId?: string) => {
    const say = (code: LayoutProblem['code'], zh: string, en: string) =>
      problems.push({ code, part, index, ...(cameraId === undefined ? {} : { cameraId }), words: { zh, en } });
    return say;
  };
  const camera = (part: LayoutProblem['part'], index: number, cameraId: string, zh: string, en: string) => {
    if (!cameraIds.includes(cameraId))
      reporter(part, index, cameraId)(
        'no_such_camera',
        `${zh}画在摄像机 ${cameraId} 上，但本室没有这台摄像机。请删除后重画。`,
        `${en} is drawn on camera ${cameraId}, which this room does not have: delete it and draw it again.`,
      );
  };
  const area = (
    at: { part: LayoutProblem['part']; index: number; cameraId: string; zh: string; en: string },
    points: Polygon,
  ) => {
    const say = reporter(at.part, at.index, at.cameraId);
    const { zh, en } = at;
    if (points.length < 3) say('few_points', `${zh}至少需要三个角点。`, `${en} needs at least three corners.`);
    else if (!inPicture(points))
      say('outside_picture', `${zh}超出了画面，请拖回画面内。`, `${en} reaches outside the picture: drag it back.`);
    else if (crossesItself(points))
      say(
        'crosses_itself',
        `${zh}的边线互相交叉，请把角点按顺序围成一圈。`,
        `The outline of ${en} crosses itself: put its corners in order around the area.`,
      );
    else if (areaOf(points) < SMALLEST_AREA)
      say('too_small', `${zh}太小，请拉大。`, `${en} is too small: make it larger.`);
  };

  for (const [index, { seatId, name, views }] of layout.seats.entries()) {
    const say = reporter('seats', index, views[0]?.cameraId);
    const [zh, en] = [name || `席位 ${index + 1}`, `Seat ${name || index + 1}`];
    if (name.trim() === '') say('no_name', `第 ${index + 1} 个席位还没有名称。`, `Seat ${index + 1} has no name yet.`);
    if (layout.seats.findIndex((other) => other.seatId === seatId) !== index)
      say('id_twice', `有两个席位都叫“${zh}”（编号 ${seatId}）。`, `Two seats have the number ${seatId}.`);
    if (views.length === 0)
      say(
        'no_view',
        `${zh}没有任何摄像机看到：请在某个画面上画出它，或删除。`,
        `${en} is seen by no camera: draw it on a picture, or delete it.`,
      );
    for (const [v, { cameraId, zone, desk }] of views.entries()) {
      camera('seats', index, cameraId, zh, en);
      if (views.findIndex((other) => other.cameraId === cameraId) !== v)
        reporter('seats', index, cameraId)(
          'seen_twice',
          `${zh}在摄像机 ${cameraId} 上画了两次，请删除一个。`,
          `${en} is drawn twice on camera ${cameraId}: delete one.`,
        );
      area({ part: 'seats', index, cameraId, zh, en }, zone);
      if (desk) area({ part: 'seats', index, cameraId, zh: `${zh}的桌面`, en: `the desk of ${en}` }, desk);
    }
  }
  for (const [index, { zoneId, cameraId, polygon }] of layout.zones.entries()) {
    const [zh, en] = [`区域“${zoneId}”`, `Zone "${zoneId}"`];
    if (zoneId.trim() === '' || layout.zones.findIndex((other) => other.zoneId === zoneId) !== index)
      reporter('zones', index, cameraId)(
        'id_twice',
        `${zh}的名称已被使用或为空，请改名。`,
        `The name of ${en} is taken or empty: change it.`,
      );
    camera('zones', index, cameraId, zh, en);
    area({ part: 'zones', index, cameraId, zh, en }, polygon);
  }
  for (const [index, { cameraId, line, inside }] of layout.doorLines.entries()) {
    const say = reporter('doorLines', index, cameraId);
    const [zh, en] = [`门线 ${index + 1}`, `Door line ${index + 1}`];
    camera('doorLines', index, cameraId, zh, en);
    if (!inPicture([...line, inside]))
      say('outside_picture', `${zh}超出了画面，请拖回画面内。`, `${en} reaches outside the picture: drag it back.`);
    else if (Math.hypot(line[0][0] - line[1][0], line[0][1] - line[1][1]) < SHORTEST_LINE)
      say('short_line', `${zh}太短，请沿门槛拉长。`, `${en} is too short: draw it along the threshold.`);
    else if (fromLine(line, inside) < BESIDE_LINE)
      say(
        'no_inside',
        `${zh}没有室内一侧：请把“内”点拖到房间里。`,
        `${en} has no inner side: drag its point "in" into the room.`,
      );
  }
  for (const [index, calibration] of layout.floor.entries()) {
    const { cameraId, points } = calibration;
    const say = reporter('floor', index, cameraId);
    const [zh, en] = [`摄像机 ${cameraId} 的地面点`, `The floor points of camera ${cameraId}`];
    camera('floor', index, cameraId, zh, en);
    if (layout.floor.findIndex((other) => other.cameraId === cameraId) !== index)
      say('floor_twice', `${zh}有两组，只能保留一组。`, `${en} are given twice: keep one set.`);
    if (points.length < 4)
      say(
        'few_floor_points',
        `${zh}只有 ${points.length} 个，至少需要四个；不需要距离时请全部删除。`,
        `${en} are only ${points.length}: four are needed, or delete them all.`,
      );
    else if (!inPicture(points.map(({ image }) => image)))
      say('outside_picture', `${zh}超出了画面。`, `${en} reach outside the picture.`);
    else if (checkFloor(calibration).state === 'unusable')
      say(
        'floor_unusable',
        `${zh}不在同一块地面上（在一条直线上，或米数写错），请核对。`,
        `${en} lie on no floor (in one line, or with wrong metres): check them.`,
      );
  }
  return problems;
}
