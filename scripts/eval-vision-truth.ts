/** Footage with known truth, as `eval vision` scores it, and the layout that an installer would have drawn for it. */
import type { FloorCalibration, RoomLayout } from '../protocol/room.ts';
import type { FloorPoint, Point, Polygon } from '../protocol/seat.ts';
import type { Variant } from './eval-vision-augment.ts';

/** The part of a truth file that is read: seats in pixels, people per frame, episodes in seconds. */
export interface Truth {
  readonly fps: number;
  readonly width: number;
  readonly height: number;
  readonly duration_s: number;
  readonly camera_model?: {
    readonly fx: number;
    readonly fy: number;
    readonly cx: number;
    readonly cy: number;
    readonly R_world_to_cam: readonly (readonly number[])[];
    readonly position: readonly number[];
  };
  readonly seats: readonly {
    readonly seat: number | string;
    /** Empty: this camera does not see the seat. */
    readonly seat_polygon: readonly Point[];
    readonly desk_polygon?: readonly Point[];
    readonly seat_point_world?: FloorPoint;
    readonly floor_zone_world?: readonly FloorPoint[];
  }[];
  readonly people: readonly {
    readonly id: number | string;
    readonly seat: number | string | null;
    readonly role: string;
  }[];
  /** In order of `t`, at any rate, of the whole video or of a part of it. */
  readonly frames: readonly {
    readonly t: number;
    readonly image: string;
    readonly people: readonly {
      readonly id: number | string;
      readonly in_room: boolean;
      /** Metres from the own seat; null: away from it. Absent: the file does not tell, and nothing is scored by it. */
      readonly seat_dist?: number | null;
    }[];
  }[];
  readonly events: readonly {
    readonly type: string;
    readonly seat?: number | string | null;
    readonly with_seat?: number | string | null;
    readonly start_s: number;
    readonly end_s: number;
    /** It went on before the film began: it need not be found, and is right when it is. */
    readonly begun?: boolean;
  }[];
}

/** One camera of a room, and its video. */
export interface TruthCamera {
  readonly cameraId: string;
  readonly file: string;
  readonly truth: Truth;
  /** How its variant shows this very camera, where that depends on its lens or on what happens in the room. */
  readonly shown?: Variant;
}

/** One room of the evaluation: its cameras, at least one, all of which see the same time. */
export interface TruthRoom {
  readonly name: string;
  readonly cameras: readonly TruthCamera[];
}

/** How long the room's footage lasts. */
export const secondsOf = (room: TruthRoom): number => Math.max(...room.cameras.map(({ truth }) => truth.duration_s));

/** Two files tell of one thing that happened when they put its begin this near. */
const SAME_S = 1;

/** A contact is of two seats, and either file may name either first. */
const whoOf = ({ type, seat, with_seat }: Truth['events'][number]): string =>
  [type, ...[seat, with_seat].map((one) => String(one ?? '')).sort()].join(' ');

/** What happened in the room: what any of its truth files tells, once. */
export function eventsOf({ cameras }: TruthRoom): Truth['events'] {
  const all: Truth['events'][number][] = [];
  for (const { truth } of cameras) {
    const others = [...all];
    for (const event of truth.events)
      if (!others.some((one) => whoOf(one) === whoOf(event) && Math.abs(one.start_s - event.start_s) <= SAME_S))
        all.push(event);
  }
  return all;
}

/** Seats that any of the room's truth files lists, by id as the product writes it, in the order of their naming. */
export const seatIdsOf = (room: TruthRoom): readonly string[] => [
  ...new Set(room.cameras.flatMap(({ truth }) => truth.seats.map(({ seat }) => String(seat)))),
];

/** The layout that an installer would have drawn: seats, desks, and four floor points where the camera is known. */
export function layoutOf(room: TruthRoom): RoomLayout {
  const scaled = (truth: Truth, polygon: readonly Point[]): Polygon =>
    polygon.map(([x, y]): Point => [x / truth.width, y / truth.height]);
  return {
    roomId: room.name,
    name: room.name,
    centre: 'eval',
    timeZone: 'Asia/Shanghai',
    seats: seatIdsOf(room).map((seatId) => {
      const views = room.cameras.flatMap(({ cameraId, truth }) => {
        const view = truth.seats.find((s) => String(s.seat) === seatId);
        return view ? [{ cameraId, truth, view }] : [];
      });
      const floor = views.find(({ view }) => view.seat_point_world)?.view.seat_point_world;
      return {
        seatId,
        name: `${seatId}号席`,
        ...(floor ? { floor } : {}),
        views: views
          .filter(({ view }) => view.seat_polygon.length >= 3)
          .map(({ cameraId, truth, view }) => ({
            cameraId,
            zone: scaled(truth, view.seat_polygon),
            ...(view.desk_polygon ? { desk: scaled(truth, view.desk_polygon) } : {}),
          })),
      };
    }),
    zones: [],
    doorLines: [],
    floor: room.cameras.flatMap(({ cameraId, truth }) => floorOf(cameraId, truth)),
    roster: [
      ...new Map(
        room.cameras
          .flatMap(({ truth }) => truth.people)
          .filter((p) => p.role === 'expert' && p.seat !== null)
          .map((p) => [String(p.seat), { seatId: String(p.seat), expertId: `E-${p.id}` }] as const),
      ).values(),
    ],
  };
}

/** Floor points under the seats' zones, projected by the camera's own model. */
function floorOf(cameraId: string, truth: Truth): readonly FloorCalibration[] {
  const model = truth.camera_model;
  if (!model) return [];
  const floor = truth.seats.flatMap((s) => s.floor_zone_world ?? []);
  const points = floor.flatMap((f) => {
    const d = [f[0] - model.position[0]!, f[1] - model.position[1]!, -model.position[2]!];
    const [x, y, z] = model.R_world_to_cam.map((r) => r[0]! * d[0]! + r[1]! * d[1]! + r[2]! * d[2]!) as [
      number,
      number,
      number,
    ];
    if (z <= 0.1) return [];
    const image: Point = [
      (model.cx + (model.fx * x) / z) / truth.width,
      (model.cy + (model.fy * y) / z) / truth.height,
    ];
    // What lies outside the picture nobody could have marked in it.
    return image.every((part) => part >= 0 && part <= 1) ? [{ image, floor: f }] : [];
  });
  return points.length >= 4 ? [{ cameraId, points }] : [];
}
