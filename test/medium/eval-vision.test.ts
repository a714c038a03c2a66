/** The whole of `eval vision` on seconds of the demo's film, with the models that npm brings: its options, its figures, its page. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { parse } from 'yaml';
import { evalVision } from '../../scripts/eval-vision.ts';
import { SCORED } from '../../scripts/eval-vision-score.ts';

const ROOM = join(import.meta.dirname, '../fixtures/room');
/** Seat 3 walks out at 22.8 s of the film. */
const FROM_S = 12;
const SECONDS = 24;
const [WIDTH, HEIGHT] = [480, 270];

type Polygon = readonly (readonly [number, number])[];
interface Seat {
  readonly id: string;
  readonly views: readonly { readonly zone: Polygon }[];
}

function truth() {
  const { seats } = parse(readFileSync(join(ROOM, 'room.yaml'), 'utf8')) as { seats: readonly Seat[] };
  const outS = 22.8 - FROM_S;
  return {
    ...{ fps: 12.5, width: WIDTH, height: HEIGHT, duration_s: SECONDS },
    seats: seats.map(({ id, views }) => ({
      seat: id,
      seat_polygon: views[0]!.zone.map(([x, y]) => [x * WIDTH, y * HEIGHT]),
    })),
    people: seats.map(({ id }) => ({ id: `p${id}`, seat: id, role: 'expert' })),
    // Labelled twice a second, by hand so to speak.
    frames: Array.from({ length: SECONDS * 2 }, (_, i) => ({
      t: i / 2,
      people: seats.map(({ id }) => ({ id: `p${id}`, seat_dist: id === '3' && i / 2 >= outS ? 2 : 0 })),
    })),
    events: [{ type: 'seat_absent', seat: '3', start_s: outS, end_s: null }],
  };
}

describe('evalroom eval vision', () => {
  let dir: string;
  beforeEach(() => {
    vi.stubEnv('EVALROOM_MODELS', undefined);
    dir = mkdtempSync(join(tmpdir(), 'evalroom-eval-'));
    const coding = ['-an', '-vf', `scale=${WIDTH}:${HEIGHT}`, '-r', '12.5', '-c:v', 'libx264', '-preset', 'veryfast'];
    const cut = ['-v', 'error', '-ss', String(FROM_S), '-t', String(SECONDS), '-i', join(ROOM, 'sub.mp4'), ...coding];
    execFileSync('ffmpeg', [...cut, join(dir, '一号 室.mp4')]);
    writeFileSync(join(dir, '一号 室.json'), JSON.stringify(truth()));
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    rmSync(dir, { recursive: true });
  });

  it('scores film of another size, rate and hand, and goes on past what cannot be read', {
    timeout: 240_000,
  }, async () => {
    writeFileSync(join(dir, 'torn.mp4'), readFileSync(join(dir, '一号 室.mp4')).subarray(0, 20_000));
    writeFileSync(join(dir, 'torn.json'), JSON.stringify(truth()));
    writeFileSync(join(dir, 'alone.mp4'), '');
    const lines: string[] = [];
    const report = join(dir, 'page', 'report.html');
    const result = await evalVision({ dir, rules: 'eval', fps: 2, cache: false, report }, (line) => lines.push(line));
    expect(result).toMatchObject({
      ...{ files: ['一号 室.mp4'], rooms: ['一号 室'], leftOut: ['alone.mp4'], failed: ['torn'] },
      ...{ roomHours: 0.0067, modelSet: expect.any(String), cpuMsPerFrame: expect.any(Number) },
      ...{ faultFramesRight: null, unscored: {}, falseAlarmsPerRoomHour: expect.any(Number) },
    });
    expect(Object.keys(result.behaviours)).toEqual(SCORED);
    expect(result.behaviours.seat_absent).toMatchObject({ episodes: 1, found: 1, false: 0, recall: 1 });
    expect(Object.keys(result.occupancyBySeat)).toEqual(['1', '2', '3', '4', '5']);
    expect(result.occupancyAccuracy).toBeGreaterThan(0.8);
    expect(lines.join('\n')).toMatch(/left out: alone\.mp4: no alone\.json[\s\S]*failed: torn: ffmpeg could not/);
    expect(readFileSync(report, 'utf8')).toContain('一号 室');
  });

  it('gives its figures where the page has no place, and no more than both film and truth tell', {
    timeout: 240_000,
  }, async () => {
    const { frames, ...rest } = truth();
    writeFileSync(join(dir, '一号 室.json'), JSON.stringify({ ...rest, frames, duration_s: 90, events: [] }));
    const lines: string[] = [];
    // A file in the way of the folder.
    const report = join(dir, '一号 室.json', 'report.html');
    const options = { dir, rules: 'default', fps: 0.5, cache: false, report, proposed: true };
    const result = await evalVision(options, (line) => lines.push(line));
    expect(statSync(join(dir, '一号 室.json')).isFile()).toBe(true);
    // Half a minute is too short for a room to propose its seats: they are judged as they were drawn.
    const proposals = { cameras: 1, seats: 5, found: 0, extra: 0, iouMedian: null };
    expect(result).toMatchObject({ failed: [], unscored: {}, proposals });
    expect(result.roomHours).toBeLessThan(0.008);
    expect(lines.join('\n')).toMatch(/its truth lasts 90\.0 s[\s\S]*warning: the page was not written/);
  });
});
