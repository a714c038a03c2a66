/** A larger picture out of the recorder's newest segment with real ffmpeg: its size, its age, its heads, and why there may be none. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../../agent/clock.ts';
import { createPictures, type PicturesParts } from '../../../agent/picture.ts';
import type { RingSegment } from '../../../agent/record/ring.ts';
import { grabStill } from '../../../agent/record/still.ts';
import type { PictureAnswer } from '../../../protocol/picture.ts';
import type { Box } from '../../../protocol/seat.ts';
import { until } from './mosquitto.ts';

const clock = systemClock();
const log = pino({ level: 'silent' });
const { signal } = new AbortController();
let folder: string;
/** Two seconds of fine moving detail in 1080p at 25 pictures a second, with sound. */
let segment: RingSegment;

const record = (name: string, input: string, ...more: string[]): string => {
  const path = join(folder, name);
  const video = ['-f', 'lavfi', '-i', input, '-f', 'lavfi', '-i', 'sine'];
  const code = ['-t', '2', '-c:v', 'libx264', '-preset', 'ultrafast', '-g', '50', '-pix_fmt', 'yuv420p', '-c:a', 'aac'];
  execFileSync('ffmpeg', ['-v', 'error', '-y', ...video, ...code, ...more, path]);
  return path;
};
const segmentAt = (path: string): RingSegment => {
  const endWallMs = clock.wallMs() - 1000;
  return { cameraId: 'cam-a', path, order: 1, crc: 0, bytes: 1, beginWallMs: endWallMs - 2000, endWallMs };
};
/** Grey values of a JPEG, and its size. */
const decoded = (jpeg: Uint8Array) => {
  const path = join(folder, 'read.jpg');
  writeFileSync(path, jpeg);
  const probe = ['-v', 'error', '-show_entries', 'stream=width,height', '-of', 'csv=p=0', path];
  const [width, height] = execFileSync('ffprobe', probe).toString().trim().split(',').map(Number) as [number, number];
  const grey = execFileSync('ffmpeg', ['-v', 'error', '-i', path, '-f', 'rawvideo', '-pix_fmt', 'gray', '-'], {
    maxBuffer: 1e8,
  });
  return { width, height, grey };
};
/** Mean difference of a pixel to its right neighbour within a box. */
const detail = ({ width, height, grey }: ReturnType<typeof decoded>, [x0, y0, x1, y1]: Box) => {
  let [sum, count] = [0, 0];
  for (let y = Math.ceil(y0 * height); y < y1 * height - 1; y++)
    for (let x = Math.ceil(x0 * width); x < x1 * width - 2; x++) {
      sum += Math.abs(grey[y * width + x]! - grey[y * width + x + 1]!);
      count += 1;
    }
  return sum / count;
};

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'evalroom-picture-'));
  segment = segmentAt(record('noise.mp4', 'testsrc2=size=1920x1080:rate=25,noise=alls=60:allf=t'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('a larger picture', () => {
  it('is of the end of the newest segment, 1600 pixels wide, and within its bytes however fine its detail is', async () => {
    const bytes = 250 * 1024;
    const { jpeg, shownWallMs } = await grabStill({ segment, side: 1600, bytes, signal, limitMs: 60_000 });
    expect(jpeg.length).toBeLessThanOrEqual(bytes);
    expect(segment.endWallMs - shownWallMs).toBeLessThan(1000);
    const plain = segmentAt(record('plain.mp4', 'testsrc2=size=1920x1080:rate=25'));
    const { width, height } = decoded((await grabStill({ segment: plain, side: 1600, bytes, signal })).jpeg);
    expect([width, height]).toEqual([1600, 900]);
  }, 60_000);

  it('is not made larger than the camera gives it, stands upright where that is hung on its side, and takes what one picture a second leaves', async () => {
    const upright = segmentAt(record('upright.mp4', 'testsrc2=size=720x1280:rate=1'));
    const still = await grabStill({ segment: upright, side: 1600, bytes: 250_000, signal });
    expect(decoded(still.jpeg)).toMatchObject({ width: 720, height: 1280 });
    expect(still.shownWallMs).toBe(upright.beginWallMs);
    const wide = segmentAt(record('wide.mp4', 'testsrc2=size=704x576:rate=25', '-vf', 'setsar=16/11'));
    const { width, height } = decoded((await grabStill({ segment: wide, side: 1600, bytes: 250_000, signal })).jpeg);
    expect(width / height).toBeCloseTo(16 / 9, 1);
  }, 60_000);

  it('has blocks where heads are, and is as it was elsewhere', async () => {
    const head: Box = [0.25, 0.25, 0.45, 0.5];
    const elsewhere: Box = [0.6, 0.25, 0.8, 0.5];
    const open = decoded((await grabStill({ segment, side: 1600, bytes: 1e7, signal })).jpeg);
    const hidden = () => [head];
    const blurred = decoded((await grabStill({ segment, side: 1600, bytes: 1e7, signal, hidden })).jpeg);
    expect(blurred).toMatchObject({ width: open.width, height: open.height });
    expect(detail(blurred, head)).toBeLessThan(0.2 * detail(open, head));
    expect(detail(blurred, elsewhere)).toBeGreaterThan(0.9 * detail(open, elsewhere));
  }, 60_000);

  it('is refused in words of the code where ffmpeg is missing or the file is no film', async () => {
    const parts = { segment, side: 1600, bytes: 1e6, signal, limitMs: 60_000 };
    await expect(grabStill({ ...parts, ffmpeg: '/nowhere/ffmpeg' })).rejects.toMatchObject({ code: 'ffmpeg_missing' });
    const path = join(folder, 'broken.mp4');
    writeFileSync(path, 'no film');
    await expect(grabStill({ ...parts, segment: segmentAt(path) })).rejects.toMatchObject({ code: 'picture_unmade' });
    await expect(grabStill({ ...parts, bytes: 1000 })).rejects.toMatchObject({ code: 'picture_large' });
  }, 60_000);

  it('is not tried at a quality that can not make it small enough', async () => {
    const stout = join(folder, 'stout-ffmpeg');
    writeFileSync(stout, '#!/bin/sh\necho "$@" >> "$0.tried"\nprintf 1234567890\n', { mode: 0o755 });
    const parts = { segment, side: 1600, bytes: 4, signal, ffmpeg: stout, limitMs: 60_000 };
    await expect(grabStill(parts)).rejects.toMatchObject({ code: 'picture_large' });
    const qualities = [...readFileSync(`${stout}.tried`, 'utf8').matchAll(/-q:v (\d+)/g)].map(([, quality]) => quality);
    expect(qualities).toEqual(['3', '11', '20']);
  }, 60_000);

  it('is given up in time, however many attempts it would take, and says that the machine is slow', async () => {
    const slow = join(folder, 'slow-ffmpeg');
    writeFileSync(slow, '#!/bin/sh\nsleep 0.4\nprintf xxxxxxxx\n', { mode: 0o755 });
    const parts = { segment, side: 1600, bytes: 4, signal, ffmpeg: slow, limitMs: 900 };
    await expect(grabStill(parts)).rejects.toMatchObject({
      code: 'picture_unmade',
      message: expect.stringContaining('too much to do'),
    });
  }, 60_000);
});

describe('the box that is asked', () => {
  const run = (over: Partial<PicturesParts>) => {
    const answers: (PictureAnswer & { cameraId: string })[] = [];
    const pictures = createPictures({
      cameraIds: ['cam-a', 'cam-b'],
      newest: (cameraId) => (cameraId === 'cam-a' ? segment : undefined),
      answer: (cameraId, answer) => void answers.push({ cameraId, ...answer }),
      clock,
      log,
      ...over,
    });
    const ask = (askId: string, cameraId: string) => pictures.ask({ v: 1, ask: 'picture', askId, cameraId });
    return { pictures, answers, ask };
  };

  it('answers all who ask for a camera with one picture and its age, and says why it has none of another', async () => {
    const calm = segmentAt(record('calm.mp4', 'testsrc2=size=1920x1080:rate=25'));
    const { pictures, answers, ask } = run({ newest: (cameraId) => (cameraId === 'cam-a' ? calm : undefined) });
    ask('1', 'cam-a');
    ask('2', 'cam-a');
    ask('3', 'cam-b');
    ask('4', 'cam-x');
    await until('four answers', () => answers.length === 4);
    const [one, two, ...others] = answers;
    expect(one!.jpeg).toBe(two!.jpeg);
    expect(existsSync(calm.path)).toBe(true);
    // The segment ended a second before the test began, and the picture lies a little before its end.
    expect(one!.ageMs).toBeGreaterThan(1000);
    expect(others).toEqual([
      { cameraId: 'cam-b', askId: '3', ageMs: 0, refused: 'not_recorded' },
      { cameraId: 'cam-x', askId: '4', ageMs: 0, refused: 'no_camera' },
    ]);
    await pictures.close();
  }, 60_000);

  it('shows nothing that is older than a minute, and hides all of it where nobody knows where heads were', async () => {
    const stale = run({ newest: () => ({ ...segment, endWallMs: clock.wallMs() - 61_000 }) });
    stale.ask('1', 'cam-a');
    await until('an answer', () => stale.answers.length === 1);
    expect(stale.answers[0]).toMatchObject({ refused: 'not_recorded' });
    await stale.pictures.close();
    const setBack = run({ newest: () => ({ ...segment, endWallMs: clock.wallMs() + 61_000 }) });
    setBack.ask('1', 'cam-a');
    await until('an answer', () => setBack.answers.length === 1);
    expect(setBack.answers[0]).toMatchObject({ refused: 'not_recorded' });
    await setBack.pictures.close();

    const asked: number[] = [];
    const blind = run({
      headsAt: (_cameraId, monoMs) => {
        asked.push(monoMs);
        return undefined;
      },
    });
    blind.ask('1', 'cam-a');
    await until('an answer', () => blind.answers.length === 1);
    const all: Box = [0, 0, 1, 1];
    const open = decoded((await grabStill({ segment, side: 1600, bytes: 1e7, signal })).jpeg);
    expect(detail(decoded(blind.answers[0]!.jpeg!), all)).toBeLessThan(0.2 * detail(open, all));
    // Asked for the time of the picture, not of now.
    expect(clock.monoMs() - asked[0]!).toBeGreaterThan(1500);
    await blind.pictures.close();
  }, 60_000);

  it('makes none for those who have given up, and one for who asked since', async () => {
    let monoMs = 0;
    const rest = Promise.withResolvers<void>();
    const made: string[] = [];
    const { pictures, answers, ask } = run({
      clock: { ...clock, monoMs: () => monoMs, sleep: () => rest.promise },
      newest: (cameraId) => {
        made.push(cameraId);
        return undefined;
      },
    });
    ask('1', 'cam-a');
    await until('an answer', () => answers.length === 1);
    ask('2', 'cam-b');
    ask('3', 'cam-a');
    monoMs = 12_500;
    ask('4', 'cam-a');
    rest.resolve();
    await until('three answers', () => answers.length === 3);
    expect(answers.map(({ askId }) => askId)).toEqual(['1', '3', '4']);
    expect(made).toEqual(['cam-a', 'cam-a']);
    await pictures.close();
  });
});
