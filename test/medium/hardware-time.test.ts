import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Frame, SegmentFile } from '../../hardware/camera.ts';
import { createFakeCamera } from '../../hardware/fake/camera.ts';
import { runFfmpeg } from '../../hardware/ffmpeg/run.ts';
import { createRtspCamera } from '../../hardware/rtsp/camera.ts';
import { clock, until } from '../contract/camera-world.ts';

const FPS = 5;
const COUNT = 100;
const [WIDTH, HEIGHT] = [320, 180];
const BITS = 7;
let folder: string;

/** A film whose pictures show their own number: seven bars, white for one. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'evalroom-time-'));
  const raw = Buffer.alloc(COUNT * WIDTH * HEIGHT, 16);
  for (let n = 0; n < COUNT; n++)
    for (let bit = 0; bit < BITS; bit++)
      if ((n >> bit) & 1)
        for (let y = 0; y < HEIGHT; y++) {
          const begin = (n * HEIGHT + y) * WIDTH + bit * 40;
          raw.fill(235, begin, begin + 40);
        }
  await writeFile(join(folder, 'raw'), raw);
  const input = ['-f', 'rawvideo', '-pix_fmt', 'gray', '-s', `${WIDTH}x${HEIGHT}`, '-r', String(FPS)];
  const coding = ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '10', '-bf', '0', '-pix_fmt', 'yuv420p'];
  await runFfmpeg({
    args: [...input, '-i', join(folder, 'raw'), ...coding, join(folder, 'film.mp4')],
    doing: 'a film',
  });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Number of the picture in RGB24 of the film's size. */
function numberOf(rgb: Uint8Array): number {
  let n = 0;
  for (let bit = 0; bit < BITS; bit++) if (rgb[(90 * WIDTH + bit * 40 + 20) * 3]! > 120) n |= 1 << bit;
  return n;
}

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1]!;

describe('the time of a picture', () => {
  it('is known to a part of the time between two pictures, for frames and for recorded segments alike', async () => {
    const log = pino({ level: 'silent' });
    const film = join(folder, 'film.mp4');
    const fake = createFakeCamera({ main: film, sub: film, user: 'u', password: 'p', clock, log });
    const stop = new AbortController();
    await fake.start(stop.signal);
    const { main, sub } = fake.urls();
    const camera = createRtspCamera({
      cameraId: 'cam',
      source: { main, sub, user: 'u', password: 'p' },
      segmentFolder: folder,
      clock,
      log,
      options: { analyseFps: FPS, longSide: WIDTH, audio: false },
    });
    const frames: Frame[] = [];
    const segments: SegmentFile[] = [];
    await camera.start(stop.signal);
    const reading = [
      (async () => {
        // The buffer is ours only until the next frame.
        for await (const frame of camera.frames()) frames.push({ ...frame, rgb: frame.rgb.slice() });
      })(),
      (async () => {
        for await (const segment of camera.segments()) segments.push(segment);
      })(),
    ];
    await until(() => segments.length >= 3, 'three segments');
    // The loop was played once at most, so a number names one moment.
    const lateBy = frames
      .filter(({ lagMs }) => lagMs !== undefined)
      .map(({ rgb, at, lagMs }) => at.monoMs - lagMs! - fake.monoAt((numberOf(rgb) * 1000) / FPS));
    const { path, beginWallMs } = segments.at(-1)!;
    const decode = ['-i', path, '-frames:v', '1', '-f', 'rawvideo', '-pix_fmt', 'rgb24', 'pipe:1'];
    const { stdout } = await runFfmpeg({ args: decode, doing: 'the first picture of a segment' });
    const shownMonoMs = fake.monoAt((numberOf(stdout) * 1000) / FPS);
    const segmentOff = beginWallMs - (clock.wallMs() - clock.monoMs() + shownMonoMs);
    stop.abort();
    await camera.close();
    await Promise.all(reading);
    await fake.close();
    expect(lateBy.length).toBeGreaterThan(10);
    // A whole interval (200 ms) would be the picture before or after: the overlay would be beside the people.
    expect(Math.abs(median(lateBy))).toBeLessThan(100);
    expect(Math.abs(segmentOff)).toBeLessThan(100);
    if (process.env.EVALROOM_PRINT) console.log({ median: median(lateBy), segmentOff, lag: frames.at(-1)?.lagMs });
  });
});
