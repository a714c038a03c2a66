/** How a camera is made of its configuration. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, expect, it } from 'vitest';
import { virtualClock } from '../../../agent/clock.ts';
import type { RoomConfig } from '../../../agent/config.ts';
import { cameraPlans } from '../../../agent/sources.ts';

const dataFolder = mkdtempSync(join(tmpdir(), 'evalroom-sources-'));
afterEach(() => rmSync(dataFolder, { recursive: true }));

it('clears away what a killed agent left half recorded, of this camera alone', async () => {
  for (const cameraId of ['cam-a', 'cam-b']) {
    mkdirSync(join(dataFolder, 'incoming', cameraId), { recursive: true });
    writeFileSync(join(dataFolder, 'incoming', cameraId, 'half.mp4'), 'no index');
  }
  const source = { kind: 'rtsp' as const, main: 'rtsp://127.0.0.1:1/main' };
  const config = { dataFolder, cameras: [{ cameraId: 'cam-a', source, analyseFps: 2, audio: false }] };
  const machine = { clock: virtualClock(), log: pino({ level: 'silent' }) };
  const [plan] = cameraPlans(config as unknown as RoomConfig, [], machine);
  const camera = await plan!.open(new AbortController().signal);
  expect(existsSync(join(dataFolder, 'incoming', 'cam-a', 'half.mp4'))).toBe(false);
  expect(existsSync(join(dataFolder, 'incoming', 'cam-b', 'half.mp4'))).toBe(true);
  await camera.close();
});
