/** The benchmarks of a whole room in small: each runs to its end and prints what others read. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const CLI = fileURLToPath(new URL('../../scripts/cli.ts', import.meta.url));

async function bench(...args: string[]): Promise<Record<string, unknown>> {
  const { stdout } = await promisify(execFile)(process.execPath, [CLI, 'bench', ...args, '--json']);
  return JSON.parse(stdout.trimEnd().split('\n').at(-1)!) as Record<string, unknown>;
}
const number = expect.any(Number);

describe('evalroom bench', () => {
  it('camera', async () => {
    expect(await bench('camera', '--seconds', '5', '--fps', '1', '--set', 'default')).toMatchObject({
      modelSet: 'blazepose+pose-lite',
      ffmpegCore: number,
      detectorCore: number,
      poseCore: number,
      restCore: number,
      totalCore: number,
      bareCore: number,
      overhead: number,
      analysedFps: number,
      drops: number,
      rssMb: number,
    });
  });

  it('latency', async () => {
    const printed = await bench('latency', '--alerts', '5', '--seconds', '30');
    expect(printed).toMatchObject({ alerts: number, visionP50Ms: number, visionP99Ms: number });
    expect(printed.alerts).toBeGreaterThanOrEqual(5);
    expect(Object.keys(printed)).toEqual(
      expect.arrayContaining(['seenP50Ms', 'seenP99Ms', 'speechP50Ms', 'speechP99Ms']),
    );
  });
});
