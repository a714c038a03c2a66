/** A room of scripted observations for the latency bench: twelve seats whose people come and go, on a real film that nobody looks at. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { runFfmpeg } from '../../hardware/ffmpeg/run.ts';
import type { Person } from '../../protocol/observation.ts';
import type { Box } from '../../protocol/seat.ts';

export const SCRIPT_FPS = 10;
const COLUMNS = 4;
const ROWS = 3;
const SEATS = COLUMNS * ROWS;
/** One seat after the other leaves; the whole round begins anew after this. */
const ROUND_FRAMES = 120;
const AWAY_FRAMES = 30;

export interface ScriptedRoom {
  /** Keys of room.yaml. */
  readonly room: Readonly<Record<string, unknown>>;
  readonly film: { readonly main: string; readonly sub: string };
}

/** Writes film, script and rule pack into `folder`. */
export async function scriptedRoom(folder: string): Promise<ScriptedRoom> {
  await mkdir(join(folder, 'pack'), { recursive: true });
  const main = join(folder, 'main.mp4');
  const sub = join(folder, 'sub.mp4');
  await film(main, '1280x720');
  await film(sub, '640x360');
  const script = join(folder, 'script.json');
  await writeFile(script, JSON.stringify({ eyes: { loop: ROUND_FRAMES, steps: steps() }, ears: [] }));
  await writeFile(join(folder, 'pack', 'pack.yaml'), pack());
  return {
    film: { main, sub },
    room: {
      script,
      rulePack: join(folder, 'pack'),
      languages: ['en'],
      seats: Array.from({ length: SEATS }, (_, seat) => ({
        id: String(seat + 1),
        name: `${seat + 1}号席`,
        views: [{ camera: 'cam-a', zone: corners(zone(seat)) }],
      })),
      zones: [],
      doorLines: [],
      floor: [],
      roster: Array.from({ length: SEATS }, (_, seat) => ({ seat: String(seat + 1), expert: `bench-${seat + 1}` })),
    },
  };
}

/**
 * A still room, and seats whose surface changes from frame to frame. A picture in which nothing changes at a seat is
 * evidence that nobody has left it, so it would contradict the script.
 */
async function film(path: string, size: string): Promise<void> {
  const [width, height] = size.split('x').map(Number) as [number, number];
  const seconds = 20;
  const boxes = Array.from({ length: SEATS }, (_, seat) => {
    const [x0, y0, x1, y1] = zone(seat);
    const at = (part: number, whole: number) => Math.round(part * whole);
    return `drawbox=x=${at(x0, width)}:y=${at(y0, height)}:w=${at(x1 - x0, width)}:h=${at(y1 - y0, height)}:color=white:t=fill`;
  });
  const room = `testsrc2=size=${size}:rate=${SCRIPT_FPS}:duration=0.1,loop=loop=${seconds * SCRIPT_FPS - 1}:size=1,setpts=N/${SCRIPT_FPS}/TB`;
  const surface = `nullsrc=size=32x18:rate=${SCRIPT_FPS}:duration=${seconds},geq=lum='random(1)*255':cb=128:cr=128,scale=${size}:flags=neighbor`;
  const mask = `color=black:size=${size}:rate=${SCRIPT_FPS}:duration=${seconds},${boxes.join(',')}`;
  const filter = `${room},format=gbrp[room];${surface},format=gbrp[seats];${mask},format=gbrp[mask];[room][seats][mask]maskedmerge,noise=alls=4:allf=t[out]`;
  await runFfmpeg({
    doing: 'making a film for the bench',
    args: [
      ...['-v', 'error', '-filter_complex', filter, '-map', '[out]', '-t', String(seconds)],
      ...[
        '-c:v',
        'libx264',
        '-preset',
        'veryfast',
        '-crf',
        '30',
        '-g',
        '20',
        '-bf',
        '0',
        '-pix_fmt',
        'yuv420p',
        '-y',
        path,
      ],
    ],
  });
}

function zone(seat: number): Box {
  const x = 0.04 + (seat % COLUMNS) * 0.24;
  const y = 0.04 + Math.floor(seat / COLUMNS) * 0.32;
  return [x, y, x + 0.12, y + 0.26];
}

const corners = ([x0, y0, x1, y1]: Box) => [
  [x0, y0],
  [x1, y0],
  [x1, y1],
  [x0, y1],
];

/** Everybody sits; each seat's person in turn walks out of its zone, is gone for a while, and sits again. */
function steps(): { from: number; persons: Person[] }[] {
  return Array.from({ length: ROUND_FRAMES }, (_, frame) => ({
    from: frame,
    persons: Array.from({ length: SEATS }, (_, seat) => personAt(seat, frame)).filter((one) => one !== undefined),
  }));
}

function personAt(seat: number, frame: number): Person | undefined {
  const since = (frame - Math.round((seat * ROUND_FRAMES) / SEATS) + ROUND_FRAMES) % ROUND_FRAMES;
  const [x0, y0, x1, y1] = zone(seat);
  // Six frames of walking: half a zone's width each, to the free strip at its right, then out of sight.
  const shift = since < 6 ? (since + 1) * 0.02 : 0;
  if (since >= 6 && since < AWAY_FRAMES) return undefined;
  return { box: [x0 + 0.02 + shift, y0 + 0.02, x1 - 0.02 + shift, y1], score: 0.9 };
}

function pack(): string {
  return stringify({
    name: 'bench',
    version: '1.0.0',
    title: { zh: '测速规则', en: 'Rules for measuring' },
    cooldownMs: 0,
    rules: {
      left_seat: {
        citation: '测速',
        noticeMs: 500,
        alarmMs: null,
        cumulativeAlarmMs: null,
        windowMs: 800,
        onDutyShare: 0.6,
        leavingShare: 0.2,
        returnShare: 0.5,
      },
    },
    phrases: [],
  });
}
