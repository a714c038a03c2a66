/** Finds out on which kind of box the agent runs, from what the kernel says of the machine. */
import { readFile, stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { BOXES, type BoxProfile } from './profiles.ts';

/** What the kernel says; empty strings where it says nothing. */
export interface BoxSigns {
  readonly cpuInfo: string;
  /** /proc/device-tree/compatible of ARM boards. */
  readonly compatible: string;
  /** A render node stands in /dev/dri. */
  readonly renderNode: boolean;
  readonly cores: number;
}

/** Which box these signs belong to; a box whose decoder is not there decodes in software. */
export function boxOf({ cpuInfo, compatible, renderNode, cores }: BoxSigns): BoxProfile {
  const name = nameOf(cpuInfo, compatible);
  const { workers, hwaccel, ...rest } = BOXES[name];
  // Capture, store and forward want a core of their own.
  const spare = Math.max(1, cores - 1);
  return { name, ...rest, hwaccel: renderNode ? hwaccel : [], workers: Math.min(workers ?? Math.min(4, spare), spare) };
}

function nameOf(cpuInfo: string, compatible: string): BoxProfile['name'] {
  if (/Intel\(R\) N(95|97|100|150)\b/.test(cpuInfo)) return 'n100';
  if (compatible.includes('rockchip,rk3588')) return 'rk3588';
  if (compatible.includes('nvidia,tegra')) return 'jetson';
  return 'generic';
}

/** The profile of this machine. Never fails: what cannot be read counts as not there. */
export async function detectBox(): Promise<BoxProfile> {
  const read = (path: string) => readFile(path, 'latin1').catch(() => '');
  const [cpuInfo, compatible, renderNode] = await Promise.all([
    read('/proc/cpuinfo'),
    read('/proc/device-tree/compatible'),
    stat('/dev/dri/renderD128').then(
      () => true,
      () => false,
    ),
  ]);
  return boxOf({ cpuInfo, compatible, renderNode, cores: availableParallelism() });
}
