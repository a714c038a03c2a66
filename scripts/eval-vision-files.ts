/** A folder of videos with truth files for `eval vision`: reads what other hands have written, and says what it cannot read and why. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { InvalidInput } from '../protocol/errors.ts';
import type { Truth, TruthCamera, TruthRoom } from './eval-vision-truth.ts';

export interface FootageOptions {
  readonly dir: string;
  /** Only videos whose name contains this. */
  readonly only?: string;
  /** Each camera is a room of its own. */
  readonly single?: boolean;
}

/** A video that is not scored, and why. */
export interface LeftOut {
  readonly file: string;
  readonly reason: string;
}

export interface Footage {
  readonly rooms: readonly TruthRoom[];
  readonly leftOut: readonly LeftOut[];
}

const point = z.tuple([z.number(), z.number()]).rest(z.number());
const polygon = z.union([z.array(point).min(3), z.array(point).max(0), z.null()]).optional();
const id = z.union([z.number(), z.string()]);
const seat = id.nullable().optional();
const people = z.array(
  z.object({ id, seat, in_room: z.boolean().optional(), seat_dist: z.number().nullable().optional() }).loose(),
);

/** Only what is read; truth files hold more. What can be told from the rest may be missing. */
const TruthSchema = z
  .object({
    fps: z.number().positive(),
    width: z.number().positive(),
    height: z.number().positive(),
    duration_s: z.number().positive().optional(),
    frames_total: z.number().positive().optional(),
    camera_model: z
      .object({
        fx: z.number(),
        fy: z.number(),
        cx: z.number(),
        cy: z.number(),
        R_world_to_cam: z.array(z.array(z.number()).length(3)).length(3),
        position: z.array(z.number()).length(3),
      })
      .loose()
      .nullable()
      .optional(),
    seats: z.array(
      z
        .object({
          seat: id,
          seat_polygon: polygon,
          desk_polygon: polygon,
          seat_point_world: point.nullable().optional(),
          floor_zone_world: z.array(point).nullable().optional(),
        })
        .loose(),
    ),
    people: z.array(z.object({ id, seat, role: z.string().optional() }).loose()).optional(),
    frames: z
      .array(
        z
          .object({
            frame: z.number().optional(),
            t: z.number().optional(),
            image: z.string().nullable().optional(),
            people: people.optional(),
          })
          .loose(),
      )
      .optional(),
    events: z
      .array(
        z
          .object({ type: z.string(), seat, with_seat: seat, start_s: z.number(), end_s: z.number().nullable() })
          .loose(),
      )
      .optional(),
  })
  .loose();

/** The rooms of a folder of NAME.mp4 with NAME.json beside each. Rejects with InvalidInput where it has none that can be read. */
export async function readRooms({ dir, only, single }: FootageOptions): Promise<Footage> {
  const names = await readdir(dir).catch((cause: unknown) => {
    throw new InvalidInput(
      'no_media',
      `--dir ${dir} cannot be read; name a folder of NAME.mp4 with NAME.json beside each`,
      cause,
    );
  });
  const leftOut: LeftOut[] = [];
  const rooms = new Map<string, TruthCamera[]>();
  for (const video of names.filter((n) => /\.mp4$/i.test(n) && n.includes(only ?? '')).sort()) {
    const cameraId = video.slice(0, -'.mp4'.length);
    if (!names.includes(`${cameraId}.json`)) {
      leftOut.push({ file: video, reason: `no ${cameraId}.json beside it` });
      continue;
    }
    const truth = await readTruth(join(dir, `${cameraId}.json`));
    if (typeof truth === 'string') {
      leftOut.push({ file: video, reason: `${cameraId}.json: ${truth}` });
      continue;
    }
    const name = single ? cameraId : cameraId.replace(/_cam.$/, '');
    rooms.set(name, [...(rooms.get(name) ?? []), { cameraId, file: join(dir, video), truth }]);
  }
  if (rooms.size === 0) {
    const why = leftOut.map(({ file, reason }) => `\n  ${file}: ${reason}`).join('');
    throw new InvalidInput(
      'no_media',
      `${dir} holds no NAME.mp4 with a NAME.json that can be read${only ? ` and "${only}" in its name` : ''}; docs/behaviours.md describes both${why}`,
    );
  }
  return { rooms: [...rooms].map(([name, cameras]) => ({ name, cameras })), leftOut };
}

/** The truth, or in words what is wrong with it. */
async function readTruth(path: string): Promise<Truth | string> {
  let read: unknown;
  try {
    read = JSON.parse((await readFile(path, 'utf8')).replace(/^\uFEFF/, ''));
  } catch (error) {
    return `it cannot be read as JSON (${error instanceof Error ? error.message : String(error)})`;
  }
  const shaped = TruthSchema.safeParse(read);
  if (shaped.success) return completed(shaped.data);
  const { path: where, message } = shaped.error.issues[0]!;
  return `${where.join('.') || 'the whole'}: ${message}`;
}

const two = ([x, y]: readonly number[]) => [x!, y!] as const;

/** What a truth file leaves out, told from the rest of it. */
function completed(read: z.infer<typeof TruthSchema>): Truth {
  const frames = (read.frames ?? [])
    .map((frame, index) => ({
      t: frame.t ?? (frame.frame ?? index) / read.fps,
      image: frame.image ?? 'normal',
      people: (frame.people ?? []).map((one) => ({
        id: one.id,
        in_room: one.in_room ?? true,
        ...(one.seat_dist === undefined ? {} : { seat_dist: one.seat_dist }),
      })),
    }))
    .sort((a, b) => a.t - b.t);
  // Who sits where may stand in the frames alone.
  const inFrames = new Map((read.frames ?? []).flatMap((f) => (f.people ?? []).map((one) => [one.id, one] as const)));
  const listed: readonly {
    id: number | string;
    seat?: number | string | null | undefined;
    role?: string | undefined;
  }[] = read.people ?? [...inFrames.values()].map(({ id, seat }) => ({ id, seat: seat ?? null }));
  const frame = 1 / read.fps;
  const duration = read.duration_s ?? (read.frames_total ?? 0) * frame;
  const duration_s = duration || (frames.at(-1)?.t ?? 0) + frame;
  return {
    fps: read.fps,
    width: read.width,
    height: read.height,
    duration_s,
    ...(read.camera_model ? { camera_model: read.camera_model } : {}),
    seats: read.seats.map((one) => ({
      seat: one.seat,
      seat_polygon: (one.seat_polygon ?? []).map(two),
      ...(one.desk_polygon?.length ? { desk_polygon: one.desk_polygon.map(two) } : {}),
      ...(one.seat_point_world ? { seat_point_world: two(one.seat_point_world) } : {}),
      ...(one.floor_zone_world ? { floor_zone_world: one.floor_zone_world.map(two) } : {}),
    })),
    people: listed.map((one) => ({
      id: one.id,
      seat: one.seat ?? null,
      role: one.role ?? (one.seat == null ? 'stranger' : 'expert'),
    })),
    frames,
    events: (read.events ?? []).map((one) => ({
      type: one.type,
      ...(one.seat == null ? {} : { seat: one.seat }),
      ...(one.with_seat == null ? {} : { with_seat: one.with_seat }),
      start_s: one.start_s,
      // Still going on when the video ends.
      end_s: one.end_s ?? duration_s,
    })),
  };
}
