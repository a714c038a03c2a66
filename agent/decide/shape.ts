/** Between cameras of any shape and the rules, which reckon in pictures of 16:9: what is drawn and what is seen is laid into such a picture, heights as they are. */
import type { FrameObservation, Person } from '../../protocol/observation.ts';
import type { RoomLayout } from '../../protocol/room.ts';
import type { Point, Polygon } from '../../protocol/seat.ts';

/** Cameras whose pictures are not 16:9, each with the width of its picture in widths of one that is. */
export type Shapes = Readonly<Record<string, number>>;

const USUAL = 16 / 9;
/** A picture that is hardly another shape (640 × 362) is taken for the usual one. */
const SAME = 0.005;

/** The width of a picture in widths of a picture of 16:9 that is as high; 1 where nothing is known. */
export function widthOf(aspect: number | undefined): number {
  const width = aspect === undefined ? 1 : aspect / USUAL;
  return Math.abs(width - 1) < SAME ? 1 : width;
}

/** Those that differ. */
export function shapesOf(
  cameras: readonly { readonly cameraId: string; readonly aspect: number | undefined }[],
): Shapes {
  return Object.fromEntries(
    cameras.flatMap(({ cameraId, aspect }) => (widthOf(aspect) === 1 ? [] : [[cameraId, widthOf(aspect)]])),
  );
}

/** A person or a track of a picture this many times as wide. */
export function widened<T extends Pick<Person, 'box' | 'pose'>>(one: T, by: number): T {
  const [x0, y0, x1, y1] = one.box;
  return {
    ...one,
    box: [x0 * by, y0, x1 * by, y1],
    ...(one.pose ? { pose: one.pose.map(([x, y, score]) => [x * by, y, score] as const) } : {}),
  };
}

/** The people of a frame in a picture of 16:9. */
export function frameInShape(frame: FrameObservation): FrameObservation {
  const by = widthOf(frame.aspect);
  return by === 1 ? frame : { ...frame, persons: frame.persons.map((person) => widened(person, by)) };
}

const widths = new WeakMap<RoomLayout, Shapes>();

/** Where the right edge of a camera's picture lies in a layout that layoutInShape() gave; 1 in one that was not reshaped. */
export function widthIn(layout: RoomLayout, cameraId: string): number {
  return widths.get(layout)?.[cameraId] ?? 1;
}

/** Each layout once for each set of shapes: rules remember by the layout what they have worked out of it. */
const known = new WeakMap<RoomLayout, Map<string, RoomLayout>>();

/** What is drawn, in pictures of 16:9; the layout itself where all of them are. */
export function layoutInShape(layout: RoomLayout, shapes: Shapes): RoomLayout {
  if (Object.keys(shapes).length === 0) return layout;
  let byShapes = known.get(layout);
  if (!byShapes) {
    byShapes = new Map();
    known.set(layout, byShapes);
  }
  const key = JSON.stringify(Object.entries(shapes).sort());
  let found = byShapes.get(key);
  if (!found) {
    found = reshaped(layout, shapes);
    byShapes.set(key, found);
    widths.set(found, shapes);
  }
  return found;
}

function reshaped(layout: RoomLayout, shapes: Shapes): RoomLayout {
  const point = (cameraId: string, [x, y]: Point): Point => [x * (shapes[cameraId] ?? 1), y];
  const polygon = (cameraId: string, corners: Polygon): Polygon => corners.map((corner) => point(cameraId, corner));
  return {
    ...layout,
    seats: layout.seats.map((seat) => ({
      ...seat,
      views: seat.views.map((view) => ({
        ...view,
        zone: polygon(view.cameraId, view.zone),
        ...(view.desk ? { desk: polygon(view.cameraId, view.desk) } : {}),
      })),
    })),
    zones: layout.zones.map((zone) => ({ ...zone, polygon: polygon(zone.cameraId, zone.polygon) })),
    doorLines: layout.doorLines.map(({ cameraId, line, inside }) => ({
      cameraId,
      line: [point(cameraId, line[0]), point(cameraId, line[1])],
      inside: point(cameraId, inside),
    })),
    floor: layout.floor.map(({ cameraId, points }) => ({
      cameraId,
      points: points.map(({ image, floor }) => ({ image: point(cameraId, image), floor })),
    })),
  };
}
