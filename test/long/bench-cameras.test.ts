/** The benchmarks of cameras that take longer, in small, and a calibration: each runs to its end and prints what others read. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { demoFilm } from '../../hardware/fake/demo-film.ts';
import { bounds, type Point } from '../../protocol/seat.ts';
import { startChild } from '../../scripts/children.ts';
import { bench } from './bench.ts';

const CLI = fileURLToPath(new URL('../../scripts/cli.ts', import.meta.url));
const number = expect.any(Number);

describe('evalroom bench camera', () => {
  it('--most', async () => {
    const printed = await bench('camera', '--most', '--seconds', '3', '--fps', '1', '--set', 'default');
    expect(printed).toMatchObject({ cores: number, most: number });
    const tried = printed.tried as { cameras: number }[];
    expect(tried[0]).toMatchObject({
      cameras: 2,
      analysedFps: number,
      drops: number,
      stateP99Ms: number,
      core: number,
    });
    expect(tried.map(({ cameras }) => cameras)).toEqual(tried.map((_, i) => 2 * (i + 1)));
  });

  it('--soak', async () => {
    expect(await bench('camera', '--soak', '1', '--fps', '1', '--set', 'default')).toMatchObject({
      ...{ minutes: 1, rssMbFirst: number, rssMbLast: number, rssMbPerHour: number, rssMbPerHourError: number },
      ...{ dropsFirstHalf: number, dropsSecondHalf: number },
    });
  });
});

describe('evalroom calibrate', () => {
  it('proposes seats where people sit in front of a camera', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'evalroom-calibrate-'));
    const passwordFile = join(folder, 'password');
    await writeFile(passwordFile, 'calibrate\n', { mode: 0o600 });
    const secretFile = join(folder, 'secret');
    await writeFile(secretFile, 'of nothing that is asked\n', { mode: 0o600 });
    const args = ['fake-camera', '--user', 'viewer', '--password-file', passwordFile, '--cache', join(folder, 'sound')];
    const camera = await startChild({ name: 'camera', args, env: {} });
    try {
      const room = parse(readFileSync(demoFilm().room, 'utf8')) as {
        cameras: Record<string, unknown>[];
        seats: { views: { zone: Point[] }[] }[];
      };
      const [first] = room.cameras;
      const path = join(folder, 'room.yaml');
      const own = { ...first, onvif: camera.ready.onvif, user: 'viewer', passwordFile };
      await writeFile(
        path,
        stringify({
          ...room,
          cameras: [own],
          seats: [],
          zones: [],
          doorLines: [],
          floor: [],
          roster: [],
          data: folder,
        }),
      );
      const { stdout } = await promisify(execFile)(process.execPath, [
        ...[CLI, 'calibrate', '--room', path, '--minutes', '0.5', '--json'],
      ]);
      const { cameras } = JSON.parse(stdout.trimEnd().split('\n').at(-1)!) as {
        cameras: { cameraId: string; frames: number; seats: { zone: Point[] }[] }[];
      };
      expect(cameras).toMatchObject([{ cameraId: 'cam-a', frames: number }]);
      // Each one that is proposed lies where the room of the film has a seat, and no seat is proposed twice.
      const drawn = room.seats.map(({ views }) => bounds(views[0]!.zone));
      const found = cameras[0]!.seats.map(({ zone }) => {
        const [x0, y0, x1, y1] = bounds(zone);
        const [x, y] = [(x0 + x1) / 2, (y0 + y1) / 2];
        return drawn.findIndex(([dx0, dy0, dx1, dy1]) => x > dx0 && x < dx1 && y > dy0 && y < dy1);
      });
      expect(found.length).toBeGreaterThanOrEqual(4);
      expect(found).not.toContain(-1);
      expect(new Set(found).size).toBe(found.length);
    } finally {
      await camera.close();
      await rm(folder, { recursive: true, force: true });
    }
  });
});
