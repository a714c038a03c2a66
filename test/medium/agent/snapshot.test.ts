import { spawnSync } from 'node:child_process';
import pino from 'pino';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../agent/clock.ts';
import { createPerceive } from '../../../agent/perceive.ts';
import { encodeSnapshot, SNAPSHOT_BYTES } from '../../../agent/snapshot.ts';
import type { Frame } from '../../../hardware/camera.ts';
import { createEyes } from '../../../models/pose/eyes.ts';

const clock = systemClock();

function picture(width: number, height: number, value: (i: number) => number) {
  return { width, height, rgb: Uint8Array.from({ length: width * height * 3 }, (_, i) => value(i)) };
}

/** Size and format as ffprobe reads them. */
function probe(jpeg: Uint8Array): string {
  const args = ['-v', 'error', '-show_entries', 'stream=codec_name,width,height', '-of', 'csv=p=0', '-f', 'mjpeg', '-'];
  return spawnSync('ffprobe', args, { input: jpeg, encoding: 'utf8' }).stdout.trim();
}

describe('encodeSnapshot', () => {
  it('makes a JPEG of the size that the page wants', () => {
    const jpeg = encodeSnapshot(picture(1280, 720, (i) => i >> 13));
    expect(probe(jpeg)).toBe('mjpeg,640,360');
  });

  it('keeps the shape of a picture that is not 16 to 9', () => {
    expect(probe(encodeSnapshot(picture(720, 960, () => 50)))).toBe('mjpeg,480,640');
  });

  it('stays small, whatever the picture', () => {
    let seed = 1;
    const noise = () => {
      seed = (Math.imul(seed, 1103515245) + 12345) | 0;
      return seed >>> 24;
    };
    const jpeg = encodeSnapshot(picture(640, 360, noise));
    expect(jpeg.length).toBeLessThan(SNAPSHOT_BYTES);
  });

  it('shows what the frame showed', () => {
    // Smooth and with hard edges, a size that is no whole number of blocks.
    const given = picture(150, 90, (i) => {
      const [x, y] = [Math.floor(i / 3) % 150, Math.floor(i / 450)];
      return x > 100 && y > 50 ? 30 + 80 * (i % 3) : (x + y) % 256;
    });
    const jpeg = encodeSnapshot(given);
    const args = ['-v', 'error', '-f', 'mjpeg', '-i', '-', '-f', 'rawvideo', '-pix_fmt', 'rgb24', '-'];
    const { stdout } = spawnSync('ffmpeg', args, { input: jpeg });
    expect(stdout).toHaveLength(given.rgb.length);
    const error = given.rgb.reduce((sum, value, i) => sum + (value - stdout[i]!) ** 2, 0) / given.rgb.length;
    expect(10 * Math.log10(255 ** 2 / error)).toBeGreaterThan(28);
  });

  it('refuses bytes that are no picture', () => {
    const given = picture(64, 36, () => 1);
    expect(() => encodeSnapshot({ ...given, rgb: given.rgb.subarray(9) })).toThrow(
      expect.objectContaining({ code: 'picture_size' }),
    );
  });
});

describe('the snapshot of a camera', () => {
  it('is made of a frame on its way to the eyes, and again only after ten seconds', async () => {
    const eyes = createEyes({
      dataFolder: '.',
      set: 'scripted',
      script: { steps: [] },
      clock,
      log: pino({ level: 'silent' }),
    });
    await eyes.start(new AbortController().signal);
    async function* frames(): AsyncGenerator<Frame> {
      for (let frame = 0; frame < 3; frame++) {
        const { rgb } = picture(640, 360, () => 40 + frame);
        yield { width: 640, height: 360, rgb, at: clock.now(), frame };
      }
    }
    const layout = {
      roomId: 'r',
      name: '',
      centre: '',
      timeZone: 'UTC',
      seats: [],
      zones: [],
      doorLines: [],
      floor: [],
      roster: [],
    };
    const log = pino({ level: 'silent' });
    const perceive = createPerceive({ camera: { cameraId: 'cam', frames }, eyes, layout, clock, log });
    const times: number[] = [];
    for await (const { at } of perceive.observations()) times.push(at.monoMs);
    for (let i = 0; i < 400 && !perceive.snapshot(); i++) await clock.sleep(10);
    expect(probe(perceive.snapshot()!.jpeg)).toBe('mjpeg,640,360');
    expect(perceive.snapshot()?.atMonoMs).toBe(times[0]);
    await perceive.close();
    await eyes.close();
  });
});
