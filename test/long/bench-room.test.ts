/** The benchmarks of a whole room in small: each runs to its end and prints what others read. */
import { describe, expect, it } from 'vitest';
import { bench } from './bench.ts';

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
      expect.arrayContaining(['seenP50Ms', 'seenP99Ms', 'speechP50Ms', 'speechP95Ms', 'speech']),
    );
  });
});
