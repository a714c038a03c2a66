import { expect, it } from 'vitest';
import { boxOf, detectBox } from '../../../../hardware/box/detect.ts';

const nothing = { cpuInfo: '', compatible: '', renderNode: false, cores: 4 };

it.each([
  [{ cpuInfo: 'model name : Intel(R) N100', renderNode: true }, 'n100', true, 2],
  [{ cpuInfo: 'model name : Intel(R) N100' }, 'n100', false, 2],
  [{ compatible: 'radxa,rock-5b\0rockchip,rk3588', renderNode: true, cores: 8 }, 'rk3588', true, 4],
  [{ compatible: 'nvidia,p3768\0nvidia,tegra234', cores: 6 }, 'jetson', false, 3],
  [{ cpuInfo: 'model name : AMD EPYC', renderNode: true, cores: 2 }, 'generic', false, 1],
  [{ cores: 1 }, 'generic', false, 1],
] as const)('%j is a %s', (signs, name, hardware, workers) => {
  const box = boxOf({ ...nothing, ...signs });
  expect([box.name, box.hwaccel.length > 0, box.workers]).toEqual([name, hardware, workers]);
});

it('finds some profile for the machine that it runs on', async () => {
  expect((await detectBox()).workers).toBeGreaterThan(0);
});
