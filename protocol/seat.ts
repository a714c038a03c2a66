/** Geometry of the picture and of the floor: pure functions over points and polygons. */

/** [x, y] as fractions of picture width and height, 0..1, origin top left: valid for main and sub-stream alike. */
export type Point = readonly [number, number];
export type Polygon = readonly Point[];

/** [x0, y0, x1, y1] as fractions of the picture, x0 < x1, y0 < y1. May reach slightly outside 0..1 at the borders. */
export type Box = readonly [number, number, number, number];

/** [x, y] in metres on the floor plan. */
export type FloorPoint = readonly [number, number];

/** A seat as one camera sees it. */
export interface SeatView {
  readonly cameraId: string;
  /** Chair and sitting upper body, as an installer would draw it. */
  readonly zone: Polygon;
  /** The desk's surface, where drawn. */
  readonly desk?: Polygon;
}

export interface Seat {
  readonly seatId: string;
  readonly name: string;
  readonly views: readonly SeatView[];
  /** Where the seat stands on the plan, metres, for the drawing and for distances. */
  readonly floor?: FloorPoint;
}

/** Even-odd rule; points on an edge may count either way. */
export function contains(polygon: Polygon, [x, y]: Point): boolean {
  let inside = false;
  for (let i = 0, j = polygon.length - 1; i < polygon.length; j = i++) {
    const [xi, yi] = polygon[i]!;
    const [xj, yj] = polygon[j]!;
    if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) inside = !inside;
  }
  return inside;
}

/** The smallest box around a polygon. */
export function bounds(polygon: Polygon): Box {
  let [x0, y0, x1, y1] = [
    Number.POSITIVE_INFINITY,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
  ];
  for (const [x, y] of polygon) {
    x0 = Math.min(x0, x);
    y0 = Math.min(y0, y);
    x1 = Math.max(x1, x);
    y1 = Math.max(y1, y);
  }
  return [x0, y0, x1, y1];
}

/** Intersection over union of two boxes, 0..1. */
export function iou(a: Box, b: Box): number {
  const w = Math.min(a[2], b[2]) - Math.max(a[0], b[0]);
  const h = Math.min(a[3], b[3]) - Math.max(a[1], b[1]);
  if (w <= 0 || h <= 0) return 0;
  const both = w * h;
  return both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both);
}
