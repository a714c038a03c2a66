/** `--smoke`: behaves like a first supervisor without a browser, from the one-time token to a decoded clip, and prints the times. */
import { execFile } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { AlertView, ClipGrantView, OverviewView } from '../../cloud/http/api.ts';
import { Unavailable } from '../../protocol/errors.ts';
import { type Desk, openDesk } from '../stand.ts';
import { type Running, setupMs } from './running.ts';

const LIMIT_MS = 5 * 60_000;
const run = promisify(execFile);

/** Prints one JSON object as the last line; returns 0, or 1 with the reason after five minutes. */
export async function runSmoke(running: Running, signal: AbortSignal): Promise<number> {
  const setup = await setupMs();
  const since = () => Math.round(performance.now() - running.startedMs);
  const found = {
    firstFrameMs: null as number | null,
    firstAlertMs: null as number | null,
    clipMs: null as number | null,
  };
  running.agent.onSaid((said) => {
    if (said.firstFrame === true) found.firstFrameMs ??= since();
  });
  const result = (extra: object) =>
    console.log(JSON.stringify({ setupMs: setup, ...found, url: running.url, ...extra }));
  try {
    const desk = await openDesk(running.setupUrl ?? running.url);
    let alert: AlertView | undefined;
    while (!alert?.clips.some((clip) => clip.ready)) {
      if (signal.aborted) throw new Unavailable('smoke_stopped', 'stopped before the first clip arrived');
      if (since() > LIMIT_MS)
        throw new Unavailable('smoke_timeout', `no ${alert ? 'clip' : 'alert'} within five minutes`);
      await new Promise((resolve) => setTimeout(resolve, 250));
      const overview = await desk.get<OverviewView>('/api/overview');
      // The first alert that a clip belongs to: a fault while starting has no picture to show.
      const first = overview.alerts
        .filter((one) => !one.fault)
        .sort((a, b) => a.firstStoredWallMs - b.firstStoredWallMs)[0];
      if (first) found.firstAlertMs ??= since();
      alert = first;
    }
    const clipId = alert.clips.find((clip) => clip.ready)!.clipId;
    const frames = await decodeClip(desk, clipId);
    found.clipMs = since();
    result({ alert: alert.sentence.en, frames });
    return 0;
  } catch (error) {
    result({ reason: (error as Error).message });
    return 1;
  }
}

async function decodeClip(desk: Desk, clipId: string): Promise<number> {
  const grant = await desk.post<ClipGrantView>(`/api/clips/${clipId}/view`, {});
  const file = join(tmpdir(), `evalroom-smoke-${process.pid}.mp4`);
  await writeFile(file, await desk.bytes(grant.mp4Url), { mode: 0o600 });
  const { stdout } = await run('ffprobe', [
    '-v',
    'error',
    '-count_frames',
    '-select_streams',
    'v:0',
    '-show_entries',
    'stream=nb_read_frames',
    '-of',
    'csv=p=0',
    file,
  ]).finally(() => rm(file, { force: true }));
  const frames = Number.parseInt(stdout, 10);
  if (!(frames > 0)) throw new Unavailable('smoke_clip_empty', `clip ${clipId} has no picture that ffmpeg can decode`);
  return frames;
}
