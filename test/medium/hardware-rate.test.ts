import { describe, expect, it } from 'vitest';
import { runFfmpeg } from '../../hardware/ffmpeg/run.ts';
import { selectFilter } from '../../hardware/rtsp/analysis.ts';

/** How many frames a second of a source pass, over twenty seconds that do not begin at time zero. */
async function passed(source: number, fps: number): Promise<number> {
  const input = ['-f', 'lavfi', '-i', `testsrc=r=${source}:d=20:s=64x36`];
  const filters = `setpts=PTS+0.123/TB,${selectFilter(fps)}`;
  const output = ['-vf', filters, '-fps_mode', 'passthrough', '-f', 'framecrc', 'pipe:1'];
  const { stdout } = await runFfmpeg({ args: [...input, ...output], doing: 'counting frames' });
  return (stdout.toString().match(/^\d/gm)?.length ?? 0) / 20;
}

describe('frames handed to the models', () => {
  it.each([
    [25, 1],
    [25, 2],
    [30, 4],
    [15, 2],
    [12, 5],
    [10, 1],
    [5, 2],
    [5, 5],
  ])('of a camera with %d a second are %d a second', async (source, fps) => {
    expect(Math.abs((await passed(source, fps)) - fps)).toBeLessThanOrEqual(0.06 * fps);
  });

  it('are all of a camera that has fewer', async () => {
    expect(await passed(2, 5)).toBe(2);
  });
});
