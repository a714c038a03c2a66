/** A real clip, snapshot and overlay for the page's tests, made with ffmpeg: of rendered footage where there is some, else of a test picture. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import type { ClipFile, Overlay, OverlayFrame } from '../../protocol/clip.ts';
import { plainZone, type ZoneOf } from './web-world.ts';

const run = promisify(execFile);

export interface Media {
  readonly mp4: string;
  readonly jpeg: string;
  readonly durationMs: number;
  readonly overlay: Omit<Overlay, 'clipId'>;
  readonly files: readonly ClipFile[];
  readonly zoneOf: ZoneOf;
}

interface Truth {
  readonly fps: number;
  readonly width: number;
  readonly height: number;
  readonly seats: readonly { readonly seat: number; readonly seat_polygon: readonly (readonly [number, number])[] }[];
  readonly frames: readonly {
    readonly t: number;
    readonly people: readonly {
      readonly id: number;
      readonly seat: number | null;
      readonly state: string;
      readonly in_room: boolean;
      readonly bbox: readonly [number, number, number, number] | null;
      readonly keypoints: readonly (readonly [number, number, number])[] | null;
    }[];
  }[];
}

const FROM_S = 14;
const LONG_S = 26;

function footage(): { video: string; truth: Truth } | undefined {
  const media = process.env.EVALROOM_MEDIA;
  const folders = [
    path.join(import.meta.dirname, '../fixtures/room'),
    ...(media ? [path.join(media, 'room-dev')] : []),
  ];
  for (const folder of folders) {
    const [video, truth] = [path.join(folder, 'S2_camA.mp4'), path.join(folder, 'S2_camA.json')];
    if (existsSync(video) && existsSync(truth))
      return { video, truth: JSON.parse(readFileSync(truth, 'utf8')) as Truth };
  }
  return undefined;
}

export async function makeMedia(folder: string): Promise<Media> {
  const found = footage();
  const [mp4, jpeg] = [path.join(folder, 'clip.mp4'), path.join(folder, 'snapshot.jpg')];
  const input = found
    ? ['-ss', String(FROM_S), '-t', String(LONG_S), '-i', found.video]
    : ['-f', 'lavfi', '-i', `testsrc2=size=1280x720:rate=5:duration=${LONG_S}`];
  const silence = ['-f', 'lavfi', '-i', `anoisesrc=amplitude=0.002:duration=${LONG_S}`];
  await run('ffmpeg', [
    ...['-v', 'error', '-y', ...input, ...silence, '-map', '0:v', '-map', '1:a', '-shortest'],
    ...[
      '-c:v',
      'libx264',
      '-preset',
      'ultrafast',
      '-crf',
      '27',
      '-pix_fmt',
      'yuv420p',
      '-g',
      '10',
      '-c:a',
      'aac',
      '-ac',
      '1',
    ],
    ...['-movflags', '+faststart', mp4],
  ]);
  await run('ffmpeg', [
    '-v',
    'error',
    '-y',
    '-ss',
    '12',
    '-i',
    mp4,
    '-frames:v',
    '1',
    '-vf',
    'scale=960:540',
    '-q:v',
    '5',
    jpeg,
  ]);
  const bytes = await readFile(mp4);
  const zoneOf: ZoneOf = (seat) => {
    const polygon = found?.truth.seats.find((one) => one.seat === seat)?.seat_polygon;
    if (!found || !polygon) return plainZone(seat);
    return polygon.map(([x, y]) => [x / found.truth.width, y / found.truth.height] as const);
  };
  return {
    mp4,
    jpeg,
    durationMs: LONG_S * 1000,
    zoneOf,
    files: [{ name: 'clip.mp4', sha256: createHash('sha256').update(bytes).digest('hex'), bytes: bytes.length }],
    overlay: {
      version: 1,
      cameraId: 'cam-a',
      seats: [1, 2, 3, 4, 5].map((seat) => ({ seatId: String(seat), name: `${seat}号席`, zone: zoneOf(seat) })),
      frames: found ? framesOf(found.truth) : plainFrames(),
      words: [
        { tMs: 9_200, text: 'please', hit: false },
        { tMs: 9_700, text: 'give company three', hit: false },
        { tMs: 10_600, text: 'a higher score', hit: true },
      ],
    },
  };
}

function framesOf(truth: Truth): OverlayFrame[] {
  const { width, height } = truth;
  return truth.frames
    .filter((frame) => frame.t >= FROM_S && frame.t < FROM_S + LONG_S)
    .map((frame) => ({
      tMs: Math.round((frame.t - FROM_S) * 1000),
      persons: frame.people
        .filter((person) => person.in_room && person.bbox)
        .map((person) => {
          const [x0, y0, x1, y1] = person.bbox ?? [0, 0, 0, 0];
          return {
            box: [x0 / width, y0 / height, x1 / width, y1 / height] as const,
            ...(person.keypoints
              ? { pose: person.keypoints.map(([x, y, v]) => [x / width, y / height, v / 2] as const) }
              : {}),
            ...(person.seat === null ? {} : { seatId: String(person.seat) }),
            trackId: person.id,
          };
        }),
      seats: Object.fromEntries(
        frame.people.flatMap((person) =>
          person.seat === null
            ? []
            : [[String(person.seat), person.state === 'seated' || person.state === 'leaning' ? 'yes' : 'no'] as const],
        ),
      ),
    }));
}

/** One person a seat, seat 3 empty from the tenth second on. */
function plainFrames(): OverlayFrame[] {
  return Array.from({ length: LONG_S * 2 }, (_, i) => ({
    tMs: i * 500,
    persons: [1, 2, 3, 4, 5]
      .filter((seat) => seat !== 3 || i < 20)
      .map((seat) => {
        const x = 0.09 + (seat - 1) * 0.18;
        return { box: [x, 0.4, x + 0.1, 0.72] as const, seatId: String(seat), trackId: seat };
      }),
    seats: { '1': 'yes', '2': 'yes', '3': i < 20 ? 'yes' : 'no', '4': 'unknown', '5': 'yes' },
  }));
}
