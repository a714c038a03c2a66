/** Real people on real cameras: at a table one after another, seen from behind, and four who sit in a classroom. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { evalVision } from '../../scripts/eval-vision.ts';

const real = join(process.env.EVALROOM_MEDIA ?? '', 'real');
const TABLE = join(real, 'intel-one-by-one-person-detection.mp4');
const CLASSROOM = join(real, 'intel-classroom.gif');
/** The eyes may take this long on a busy machine. */
const LONG_MS = 900_000;

/** Seconds during which somebody stands at the table. */
const AT_TABLE = [
  [8, 18],
  [24, 43],
  [52, 68],
  [77, 84],
  [94, 118],
  [125, 134],
] as const;

const BEGIN_S = 8;

function encode(input: readonly string[], file: string): void {
  const codec = ['-c:v', 'libx264', '-preset', 'veryfast', '-crf', '20', '-pix_fmt', 'yuv420p'];
  execFileSync('ffmpeg', ['-v', 'error', ...input, ...codec, file]);
}

interface Film {
  readonly width: number;
  readonly height: number;
  readonly fps: number;
  readonly seconds: number;
  /** Zones by seat, in pixels: left, top, right, bottom. */
  readonly zones: readonly (readonly [number, number, number, number])[];
  readonly taken: (seat: number, s: number) => boolean;
}

/** A truth file of nothing but who is at which seat. */
function truthOf({ width, height, fps, seconds, zones, taken }: Film) {
  const seats = zones.map((_, i) => i + 1);
  return {
    ...{ fps, width, height, duration_s: seconds, events: [] },
    seats: zones.map(([x0, y0, x1, y1], i) => ({
      seat: i + 1,
      seat_polygon: [
        [x0, y0],
        [x1, y0],
        [x1, y1],
        [x0, y1],
      ],
    })),
    people: seats.map((seat) => ({ id: seat, seat, role: 'expert' })),
    frames: Array.from({ length: Math.floor(seconds * fps) }, (_, frame) => ({
      ...{ frame, t: frame / fps, image: 'normal' },
      people: seats.map((id) => ({ id, in_room: true, seat_dist: taken(id, frame / fps) ? 0 : 3 })),
    })),
  };
}

describe('occupancy on real footage', () => {
  let dir = '';
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'evalroom-real-'));
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  async function figures(film: Film) {
    writeFileSync(join(dir, 'film.json'), JSON.stringify(truthOf(film)));
    const options = { dir, rules: 'eval', fps: 2, report: false, cache: false } as const;
    return await evalVision(options, (line) => console.log(line));
  }

  it('is right at a table where people come and go', { timeout: LONG_MS }, async (ctx) => {
    if (!existsSync(TABLE)) ctx.skip('needs EVALROOM_MEDIA, a folder with real/ in it');
    // Before the first of them nothing can be known of the seat.
    encode(['-ss', String(BEGIN_S), '-i', TABLE, '-an'], join(dir, 'film.mp4'));
    const taken = (_seat: number, s: number) => AT_TABLE.some(([from, to]) => s + BEGIN_S >= from && s + BEGIN_S < to);
    // Around who stands at the table, from the hair to the hips.
    const zones = [[350, 5, 540, 270]] as const;
    const result = await figures({ width: 768, height: 432, fps: 10, seconds: 139 - BEGIN_S, zones, taken });
    // Labels are whole seconds; frames of exactly two seconds after a change are scored, and may be half a second late.
    // With the set that comes with npm some who leave are noticed a second or two later.
    const least = result.modelSet.startsWith('yolox') ? 0.98 : 0.93;
    expect(result.occupancyAccuracy).toBeGreaterThanOrEqual(least);
  });

  it('is right for four who sit all the time', { timeout: LONG_MS }, async (ctx) => {
    if (!existsSync(CLASSROOM)) ctx.skip('needs EVALROOM_MEDIA, a folder with real/ in it');
    encode(['-stream_loop', '19', '-i', CLASSROOM, '-t', '60'], join(dir, 'film.mp4'));
    // Two in front, two behind them.
    const zones = [
      [45, 125, 120, 225],
      [108, 118, 162, 175],
      [212, 115, 262, 172],
      [280, 130, 355, 225],
    ] as const;
    const result = await figures({ width: 480, height: 270, fps: 15, seconds: 60, zones, taken: () => true });
    // Nothing is known before people have been seen.
    expect(result.occupancyAccuracy).toBeGreaterThanOrEqual(0.98);
    expect(result.falseAlarmsPerRoomHour).toBe(0);
  });
});
