/** Footage with known truth: the files that `eval vision` reads, and the layout that an installer would have drawn for them. */
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { InvalidInput } from '../protocol/errors.ts';
import type { FloorCalibration, RoomLayout } from '../protocol/room.ts';
import type { FloorPoint, Point, Polygon } from '../protocol/seat.ts';

export interface FootageOptions {
  readonly dir: string;
  /** Only videos whose name contains this. */
  readonly only?: string;
  /** Each camera is a room of its own. */
  readonly single?: boolean;
}

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
    readonly seat_polygon: readonly Point[];
    readonly desk_polygon?: readonly Point[];
    readonly seat_point_world?: FloorPoint;
    readonly floor_zone_world?: readonly FloorPoint[];
  }[];
  readonly people: readonly { readonly id: number; readonly seat: number | null; readonly role: string }[];
  readonly frames: readonly {
    readonly frame: number;
    readonly t: number;
    readonly image: string;
    readonly people: readonly { readonly id: number; readonly in_room: boolean; readonly seat_dist?: number | null }[];
  }[];
  readonly events: readonly {
    readonly type: string;
    readonly seat?: number | null;
    readonly with_seat?: number;
    readonly start_s: number;
    readonly end_s: number;
  }[];
}

/** One room of the evaluation: its cameras by id, the first of which gives the episodes' truth. */
export interface TruthRoom {
  readonly name: string;
  readonly cameras: readonly { readonly cameraId: string; readonly truth: Truth }[];
}

/** The layout that an installer would have drawn: seats, desks, and four floor points where the camera is known. */
export function layoutOf(room: TruthRoom): RoomLayout {
  const first = room.cameras[0]!.truth;
  const scaled = (truth: Truth, polygon: readonly Point[]): Polygon =>
    polygon.map(([x, y]): Point => [x / truth.width, y / truth.height]);
  return {
    roomId: room.name,
    name: room.name,
    centre: 'eval',
    timeZone: 'Asia/Shanghai',
    seats: first.seats.map(({ seat, seat_point_world }) => ({
      seatId: String(seat),
      name: `${seat}号席`,
      ...(seat_point_world ? { floor: seat_point_world } : {}),
      views: room.cameras.flatMap(({ cameraId, truth }) => {
        const view = truth.seats.find((s) => s.seat === seat);
        if (!view) return [];
        const desk = view.desk_polygon ? { desk: scaled(truth, view.desk_polygon) } : {};
        return [{ cameraId, zone: scaled(truth, view.seat_polygon), ...desk }];
      }),
    })),
    zones: [],
    doorLines: [],
    floor: room.cameras.flatMap(({ cameraId, truth }) => floorOf(cameraId, truth)),
    roster: first.people
      .filter((p) => p.role === 'expert' && p.seat !== null)
      .map((p) => ({ seatId: String(p.seat), expertId: `E-${p.id}` })),
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
    return [{ image, floor: f }];
  });
  return points.length >= 4 ? [{ cameraId, points }] : [];
}

/** Only what is read; truth files hold more. */
const TruthSchema = z.object({
  fps: z.number().positive(),
  width: z.number().positive(),
  height: z.number().positive(),
  duration_s: z.number().positive(),
  seats: z.array(
    z
      .object({
        seat: z.union([z.number(), z.string()]),
        seat_polygon: z.array(z.tuple([z.number(), z.number()])).min(3),
      })
      .loose(),
  ),
  people: z.array(z.object({ id: z.number(), seat: z.number().nullable(), role: z.string() }).loose()),
  frames: z
    .array(
      z
        .object({
          frame: z.number(),
          t: z.number(),
          image: z.string(),
          people: z.array(z.object({ id: z.number(), in_room: z.boolean() }).loose()),
        })
        .loose(),
    )
    .min(1),
  events: z.array(z.object({ type: z.string(), start_s: z.number(), end_s: z.number() }).loose()),
});

/** The rooms of a folder of NAME.mp4 with NAME.json beside each. Rejects with InvalidInput for what cannot be read. */
export async function readRooms({ dir, only, single }: FootageOptions): Promise<readonly TruthRoom[]> {
  const names = await readdir(dir).catch((cause: unknown) => {
    throw new InvalidInput(
      'no_media',
      `--dir ${dir} cannot be read; name a folder of NAME.mp4 with NAME.json beside each`,
      cause,
    );
  });
  const videos = names
    .filter((n) => n.endsWith('.mp4') && names.includes(n.replace(/mp4$/, 'json')) && n.includes(only ?? ''))
    .sort();
  if (videos.length === 0)
    throw new InvalidInput(
      'no_media',
      `${dir} holds no NAME.mp4 with a NAME.json beside it${only ? ` and "${only}" in its name` : ''}`,
    );
  const rooms = new Map<string, { cameraId: string; truth: Truth }[]>();
  for (const video of videos) {
    const cameraId = basename(video, '.mp4');
    const name = single ? cameraId : cameraId.replace(/_cam.$/, '');
    rooms.set(name, [...(rooms.get(name) ?? []), { cameraId, truth: await readTruth(join(dir, `${cameraId}.json`)) }]);
  }
  return [...rooms].map(([name, cameras]) => ({ name, cameras }));
}

async function readTruth(path: string): Promise<Truth> {
  try {
    return TruthSchema.parse(JSON.parse(await readFile(path, 'utf8'))) as unknown as Truth;
  } catch (cause) {
    throw new InvalidInput('bad_truth', `${path} is not a truth file as docs/behaviours.md describes it`, cause);
  }
}
