/** `evalroom bench camera --soak`: hours of one camera; whether memory or drops grow. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { CameraOptions } from '../bench.ts';
import { startStand } from '../stand.ts';
import { cameraFilm, costOf } from './camera.ts';
import { modelsFor, provenEyes, sameEyes } from './eyes.ts';
import { rounded } from './figures.ts';
import { processTree } from './processes.ts';

/** Until then caches fill and code is compiled: not looked at. As long as what is looked at, where that is shorter. */
const SETTLE_MS = 300_000;
const EVERY_MS = 15_000;

/** A line through points: its slope and the standard error of the slope, by least squares. */
export function slopeOf(points: readonly (readonly [number, number])[]): { slope: number; error: number } {
  const n = points.length;
  const mean = (of: 0 | 1) => points.reduce((sum, point) => sum + point[of], 0) / n;
  const [mx, my] = [mean(0), mean(1)];
  let [xx, xy] = [0, 0];
  for (const [x, y] of points) {
    xx += (x - mx) ** 2;
    xy += (x - mx) * (y - my);
  }
  const slope = xy / xx;
  const rest = points.reduce((sum, [x, y]) => sum + (y - my - slope * (x - mx)) ** 2, 0);
  return { slope, error: Math.sqrt(rest / Math.max(1, n - 2) / xx) };
}

/** Prints a line a minute, and with --json one object as the last line. Drops are those of the two halves of the time. */
export async function benchSoak({ soak = 60, fps, set, json }: CameraOptions): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'evalroom-soak-'));
  const points: [number, number][] = [];
  const drops: number[] = [];
  try {
    const eyes = await provenEyes(set, folder);
    const film = await cameraFilm(folder);
    const stand = await startStand({
      data: join(folder, 'stand'),
      film,
      roomCamera: { analyseFps: fps, audio: false },
      room: { languages: [], rulePack: 'default', storage: { segmentMiB: 256, segmentMinutes: 10 } },
      env: { EVALROOM_MODELS: modelsFor(set, folder) },
    });
    try {
      const agent = stand.agent();
      sameEyes(agent, eyes);
      const settleMs = Math.min(SETTLE_MS, soak * 60_000);
      console.log(`settling for ${settleMs / 60_000} minutes, then ${soak} minutes are looked at …`);
      await pause(settleMs);
      const beganMs = performance.now();
      for (let nextMs = 0; nextMs <= soak * 60_000; nextMs += EVERY_MS) {
        await pause(Math.max(0, beganMs + nextMs - performance.now()));
        const hours = (performance.now() - beganMs) / 3_600_000;
        const bytes = processTree(agent.pid).reduce((sum, one) => sum + one.rssBytes, 0);
        points.push([hours, bytes / 1e6]);
        drops.push((await costOf(agent)).drops);
        if (nextMs % 60_000 === 0)
          console.log(
            `${String(nextMs / 60_000).padStart(4)} min  ${Math.round(bytes / 1e6)} MB  ${drops.at(-1)} drops`,
          );
      }
    } finally {
      await stand.close();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  const { slope, error } = slopeOf(points);
  const middle = drops[drops.length >> 1]!;
  const figures = {
    minutes: soak,
    rssMbFirst: Math.round(points[0]![1]),
    rssMbLast: Math.round(points.at(-1)![1]),
    rssMbPerHour: rounded(slope, 1),
    rssMbPerHourError: rounded(error, 1),
    dropsFirstHalf: middle - drops[0]!,
    dropsSecondHalf: drops.at(-1)! - middle,
  };
  console.log(
    `memory ${figures.rssMbFirst} -> ${figures.rssMbLast} MB, slope ${figures.rssMbPerHour} ± ${figures.rssMbPerHourError} MB an hour; drops ${figures.dropsFirstHalf} in the first half, ${figures.dropsSecondHalf} in the second`,
  );
  if (json) console.log(JSON.stringify(figures));
}
