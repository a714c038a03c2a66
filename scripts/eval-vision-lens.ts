/** Inside `eval vision`: footage as the same camera would have taken it, turned a little and with another focal length: an exact homography of picture, polygons and camera. */
import type { Point } from '../protocol/seat.ts';
import type { Truth } from './eval-vision-truth.ts';

/** How a camera that stays in its place is turned, in degrees, and how much longer its focal length is. */
export interface Turn {
  /** To the right. */
  readonly yaw: number;
  /** Downwards. */
  readonly pitch: number;
  /** Clockwise: the room turns the other way in the picture. */
  readonly roll: number;
  /** Over 1: zoomed in. */
  readonly zoom: number;
}

type Matrix = readonly (readonly number[])[];

/** Of footage whose camera is not known: a lens of 80 degrees. */
const FOCAL_SHARE = 0.6;

const times = (a: Matrix, b: Matrix): Matrix =>
  a.map((row) => b[0]!.map((_, j) => row.reduce((sum, v, k) => sum + v * b[k]![j]!, 0)));
const transposed = (a: Matrix): Matrix => a[0]!.map((_, j) => a.map((row) => row[j]!));

/** World to camera axes: x right, y down, z forward; first yaw, then pitch, then roll. */
function rotation({ yaw, pitch, roll }: Turn): Matrix {
  const [a, b, c] = [yaw, pitch, roll].map((d) => (d * Math.PI) / 180) as [number, number, number];
  const [sa, ca, sb, cb, sc, cc] = [Math.sin(a), Math.cos(a), Math.sin(b), Math.cos(b), Math.sin(c), Math.cos(c)];
  const right = [
    [ca, 0, -sa],
    [0, 1, 0],
    [sa, 0, ca],
  ];
  const down = [
    [1, 0, 0],
    [0, cb, -sb],
    [0, sb, cb],
  ];
  const clockwise = [
    [cc, sc, 0],
    [-sc, cc, 0],
    [0, 0, 1],
  ];
  return times(clockwise, times(down, right));
}

type Pinhole = Pick<NonNullable<Truth['camera_model']>, 'fx' | 'fy' | 'cx' | 'cy'>;

const lensOf = ({ camera_model: model, width, height }: Truth): Pinhole =>
  model ?? { fx: FOCAL_SHARE * width, fy: FOCAL_SHARE * width, cx: width / 2, cy: height / 2 };

const into = ({ fx, fy, cx, cy }: Pinhole): Matrix => [
  [fx, 0, cx],
  [0, fy, cy],
  [0, 0, 1],
];
const outOf = ({ fx, fy, cx, cy }: Pinhole): Matrix => [
  [1 / fx, 0, -cx / fx],
  [0, 1 / fy, -cy / fy],
  [0, 0, 1],
];

function through(h: Matrix, [x, y]: Point): Point {
  const [u, v, w] = h.map((row) => row[0]! * x + row[1]! * y + row[2]!) as [number, number, number];
  return [u / w, v / w];
}

const zoomed = (lens: Pinhole, zoom: number): Pinhole => ({ ...lens, fx: lens.fx * zoom, fy: lens.fy * zoom });

/** What ffmpeg makes the picture with; what the old picture does not show is filled with its edge. */
export function turnFilter(truth: Truth, turn: Turn): string {
  const lens = lensOf(truth);
  const back = times(into(lens), times(transposed(rotation(turn)), outOf(zoomed(lens, turn.zoom))));
  const { width, height } = truth;
  const corners: readonly Point[] = [
    [0, 0],
    [width, 0],
    [0, height],
    [width, height],
  ];
  const shares = corners.flatMap((corner) => {
    const [x, y] = through(back, corner);
    return [`W*${(x / width).toFixed(6)}`, `H*${(y / height).toFixed(6)}`];
  });
  return `perspective=${shares.join(':')}:sense=source`;
}

/** The truth of the turned camera's picture. */
export function turned(truth: Truth, turn: Turn): Truth {
  const lens = lensOf(truth);
  const turning = rotation(turn);
  const other = zoomed(lens, turn.zoom);
  const forth = times(into(other), times(turning, outOf(lens)));
  const at = (point: Point) => through(forth, point);
  const model = truth.camera_model;
  return {
    ...truth,
    ...(model ? { camera_model: { ...model, ...other, R_world_to_cam: times(turning, model.R_world_to_cam) } } : {}),
    seats: truth.seats.map((seat) => ({
      ...seat,
      seat_polygon: seat.seat_polygon.map(at),
      ...(seat.desk_polygon ? { desk_polygon: seat.desk_polygon.map(at) } : {}),
    })),
  };
}
