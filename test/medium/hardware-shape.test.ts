/** Cameras whose pictures are not 16:9, or whose pixels are no squares: what is looked at has the shape of what stood before the lens. */
import { spawnSync } from 'node:child_process';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Frame } from '../../hardware/camera.ts';
import { createFakeCamera } from '../../hardware/fake/camera.ts';
import { runFfmpeg } from '../../hardware/ffmpeg/run.ts';
import { createRtspCamera } from '../../hardware/rtsp/camera.ts';
import { shapeFilter } from '../../hardware/rtsp/shape.ts';
import {
  clock,
  PASSWORD,
  QUICK_BACKOFF,
  QUICK_WATCHDOG,
  readableLog,
  type ShortFilm,
  shortFilm,
  USER,
  until,
} from '../contract/camera-world.ts';

/** Size of a picture of this size and shape of pixels behind the filter. */
function shaped(size: string, sar: string): number[] {
  const source = `color=black:size=${size}:rate=1:duration=1,setsar=${sar}`;
  const args = ['-v', 'error', '-f', 'lavfi', '-i', source, '-vf', shapeFilter(640, 'area'), '-f', 'rawvideo'];
  const { stdout, stderr } = spawnSync('ffmpeg', [...args, '-pix_fmt', 'gray', '-f', 'image2pipe', '-c:v', 'pgm', '-']);
  const head = /^P5\n(\d+) (\d+)\n/.exec(stdout.toString('latin1', 0, 32));
  if (!head) throw new Error(stderr.toString());
  return [Number(head[1]), Number(head[2])];
}

describe('the analysed picture', () => {
  it.each([
    ['640x360', '1', [640, 360], '16:9 as it is'],
    ['1920x1080', '1', [640, 360], '16:9, made smaller'],
    ['320x180', '1', [640, 360], '16:9, made larger'],
    ['1280x960', '1', [640, 480], '4:3 has its whole width'],
    ['1280x1024', '1', [620, 496], '5:4'],
    ['1440x1440', '1', [554, 554], 'a fisheye, cropped to a square'],
    ['720x1280', '1', [360, 640], 'hung on its side'],
    ['704x576', '12/11', [640, 480], 'PAL: pixels are no squares'],
    ['704x576', '16/11', [640, 360], 'PAL, wide'],
    ['960x1080', '2', [640, 360], 'half the columns'],
    ['5120x360', '1', [640, 160], 'wider than people can be told in: squeezed'],
    ['640x352', '0', [640, 352], 'says nothing of its pixels'],
  ])('of %s with pixels of %s is %j (%s)', (size, sar, wanted) => {
    expect(shaped(size, sar)).toEqual(wanted);
  });
});

describe('a camera of 4:3', () => {
  let film: ShortFilm;
  let square: string;
  beforeAll(async () => {
    film = await shortFilm();
    square = join(film.folder, 'square.mp4');
    // The middle of the room's picture, its pixels made half as wide as they are high.
    const filters = ['crop=ih*4/3:ih', 'scale=480:720', 'setsar=2'].join(',');
    const coding = ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '10', '-bf', '0', '-pix_fmt', 'yuv420p'];
    await runFfmpeg({
      doing: 'a film of 4:3',
      args: ['-v', 'error', '-i', film.main, '-vf', filters, ...coding, square],
    });
  });
  afterAll(() => film.remove());

  it('is looked at as 4:3, and so again after its picture became 16:9 in mid-stream', async () => {
    const { log, text } = readableLog();
    const fake = createFakeCamera({ main: film.main, sub: square, user: USER, password: PASSWORD, clock, log });
    await fake.start(new AbortController().signal);
    const { main, sub } = fake.urls();
    const camera = createRtspCamera({
      cameraId: 'cam-a',
      source: { main, sub, user: USER, password: PASSWORD },
      options: { analyseFps: 5, audio: false, watchdog: QUICK_WATCHDOG, backoff: QUICK_BACKOFF },
      segmentFolder: await mkdtemp(join(film.folder, 'segments-')),
      clock,
      log,
    });
    const seen: Pick<Frame, 'width' | 'height' | 'frame'>[] = [];
    void (async () => {
      for await (const { width, height, frame, rgb } of camera.frames()) {
        expect(rgb.length).toBe(width * height * 3);
        seen.push({ width, height, frame });
      }
    })();
    await camera.start(new AbortController().signal);
    const isNow = (width: number, height: number) => () => {
      const last = seen.at(-1);
      return last?.width === width && last.height === height;
    };
    await until(isNow(640, 480), 'pictures of 4:3', camera.health);
    await fake.setFault('resize');
    await until(isNow(640, 360), 'pictures of 16:9', camera.health);
    expect(text()).toContain('the size or the pixel format of the picture changed in mid-stream');
    await fake.setFault(null);
    await until(isNow(640, 480), 'pictures of 4:3 again', camera.health);
    // Numbers go on over all of it: what was dropped is counted.
    expect(seen.every(({ frame }, i) => i === 0 || frame > seen[i - 1]!.frame)).toBe(true);
    await camera.close();
    await fake.close();
  });
});
