/** From a calibrated floor to the camera itself, and from a body in the picture to metres beside a seat, however high the body is. */
import { fromFloor } from '../../protocol/floor.ts';
import type { FloorCalibration } from '../../protocol/room.ts';
import type { FloorPoint, Point } from '../../protocol/seat.ts';

/** Rules reckon in pictures of 16:9, however wide the camera's own is (shape.ts). */
const ASPECT = 16 / 9;
/** Focal lengths of room cameras in picture heights: about 130° to 30° across. */
const FOCAL = { least: 0.4, most: 3.3 } as const;
/** A room's camera hangs so high, metres. */
const HEIGHT = { least: 1.2, most: 8 } as const;

type Vector = readonly [number, number, number];

/** A camera with square pixels that looks through the middle of its picture. Vectors are in its own axes, x to the right. */
export interface Lens {
  /** In picture heights. */
  readonly focal: number;
  /** Middle of the picture. */
  readonly middle: Point;
  /** Directions of the floor's axes, and upwards. */
  readonly east: Vector;
  readonly north: Vector;
  readonly up: Vector;
  /** The floor's origin, metres. */
  readonly origin: Vector;
}

/**
 * The camera that sees the floor as this calibration says: its axes are square to each other and equally long, which
 * leaves one focal length. Undefined where that is none of a room's camera: then the points were clicked too roughly.
 * `width`: where the picture's right edge lies.
 */
export function lensOf(calibration: FloorCalibration, width: number): Lens | undefined {
  const g = fromFloor(calibration);
  if (!g) return undefined;
  const middle: Point = [width / 2, 0.5];
  // Columns, measured from the middle of the picture in picture heights.
  const column = (i: number): Vector => [
    ASPECT * (g[i]! - middle[0] * g[6 + i]!),
    g[3 + i]! - middle[1] * g[6 + i]!,
    g[6 + i]!,
  ];
  const [a, b, c] = [column(0), column(1), column(2)];
  // Both conditions are linear in 1 / focal²; least squares, since either may say nothing on a camera square to the room.
  const rows = [
    [a[0] * b[0] + a[1] * b[1], a[2] * b[2]],
    [a[0] ** 2 + a[1] ** 2 - b[0] ** 2 - b[1] ** 2, a[2] ** 2 - b[2] ** 2],
  ] as const;
  const inverse = -rows.reduce((sum, [p, q]) => sum + p * q, 0) / rows.reduce((sum, [p]) => sum + p * p, 0);
  const focal = 1 / Math.sqrt(inverse);
  if (!(focal >= FOCAL.least && focal <= FOCAL.most)) return undefined;
  const bare = ([x, y, z]: Vector): Vector => [x / focal, y / focal, z];
  const length = (Math.hypot(...bare(a)) + Math.hypot(...bare(b))) / 2;
  // What was seen lies before the camera.
  const [x, y] = calibration.points[0]!.floor;
  const sign = a[2] * x + b[2] * y + c[2] > 0 ? 1 : -1;
  const metric = (v: Vector) => times(bare(v), sign / length);
  const [east, north, origin] = [metric(a), metric(b), metric(c)];
  const square = cross(east, north);
  const above = -dot(square, origin);
  if (!(Math.abs(above) >= HEIGHT.least && Math.abs(above) <= HEIGHT.most)) return undefined;
  return { focal, middle, east, north, up: times(square, Math.sign(above)), origin };
}

/**
 * How far to the right of a seat's place on the floor a picture point lies, metres, along the picture: where its ray meets
 * the upright plane through the seat. A standing person's shoulders are nearer to a camera under the ceiling than the
 * floor is, and so move further in the picture for the same pace. Undefined where the ray misses the plane.
 */
export function besideSeat(
  { focal, middle, east, north, up, origin }: Lens,
  seat: FloorPoint,
  at: Point,
): number | undefined {
  const place = plus(plus(times(east, seat[0]), times(north, seat[1])), origin);
  const right = plus([1, 0, 0], times(up, -up[0]));
  const normal = cross(right, up);
  const ray: Vector = [(ASPECT * (at[0] - middle[0])) / focal, (at[1] - middle[1]) / focal, 1];
  const far = dot(normal, place) / dot(normal, ray);
  if (!(far > 0)) return undefined;
  return dot(right, plus(times(ray, far), times(place, -1))) / Math.hypot(...right);
}

const dot = (a: Vector, b: Vector) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const times = ([x, y, z]: Vector, k: number): Vector => [k * x, k * y, k * z];
const plus = (a: Vector, b: Vector): Vector => [a[0] + b[0], a[1] + b[1], a[2] + b[2]];
const cross = (a: Vector, b: Vector): Vector => [
  a[1] * b[2] - a[2] * b[1],
  a[2] * b[0] - a[0] * b[2],
  a[0] * b[1] - a[1] * b[0],
];
