/** What the tests of the hardware stand on: a real clock, a log that can be read, a short film, and waiting for a condition. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Logger, pino } from 'pino';
import { demoFilm } from '../../hardware/fake/demo-film.ts';
import { runFfmpeg } from '../../hardware/ffmpeg/run.ts';
import type { Backoff } from '../../hardware/rtsp/backoff.ts';
import type { Watchdog } from '../../hardware/rtsp/supervise.ts';
import type { Clock } from '../../protocol/time.ts';

export const clock: Clock = {
  now: () => ({ wallMs: Date.now(), monoMs: performance.now(), bootId: 'test', clock: 'sure' }),
  monoMs: () => performance.now(),
  wallMs: () => Date.now(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const end = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      signal?.addEventListener('abort', end, { once: true });
    }),
};

/** A password with everything that an address, a list and a shell could stumble over. */
export const USER = 'op er@tor';
export const PASSWORD = "p'w: @/%41?ß";

/** Short, so that a test sees an outage and the recovery in seconds. */
export const QUICK_WATCHDOG: Partial<Watchdog> = {
  firstMs: 4000,
  frameMs: 1500,
  soundMs: 1500,
  packetMs: 1500,
  checkMs: 100,
  soundRestartMs: [2000],
};
export const QUICK_BACKOFF: Backoff = { delaysMs: [200, 400], jitter: 0.2, stableMs: 60_000 };

/** A logger whose text can be searched afterwards. */
export function readableLog(): { readonly log: Logger; text(): string } {
  const lines: string[] = [];
  return {
    log: pino({ level: 'trace' }, { write: (line: string) => void lines.push(line) }),
    text: () => lines.join(''),
  };
}

/** Waits until the condition holds; fails with what `state` shows then. */
export async function until(
  holds: () => boolean,
  what: string,
  state: () => unknown = () => '',
  limitMs = 30_000,
): Promise<void> {
  const endMs = performance.now() + limitMs;
  while (!holds()) {
    if (performance.now() > endMs) throw new Error(`not within ${limitMs} ms: ${what}; ${JSON.stringify(state())}`);
    await clock.sleep(25);
  }
}

export interface ShortFilm {
  readonly folder: string;
  readonly main: string;
  readonly sub: string;
  readonly sound: string;
  remove(): Promise<void>;
}

/** Twenty seconds of the demo's film and a tone over noise. */
export async function shortFilm(): Promise<ShortFilm> {
  const folder = await mkdtemp(join(tmpdir(), 'evalroom-film-'));
  const [main, sub, sound] = ['main.mp4', 'sub.mp4', 'sound.m4a'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  const film = demoFilm();
  for (const [from, to] of [[film.main, main] as const, [film.sub, sub] as const])
    await runFfmpeg({ args: ['-i', from, '-t', '20', '-c', 'copy', to], doing: 'cutting a short film' });
  const tone = 'sine=f=440:r=16000:d=20,volume=0.1[t];anoisesrc=r=16000:a=0.002:d=20[n];[t][n]amix=normalize=0';
  await runFfmpeg({
    args: ['-filter_complex', tone, '-c:a', 'aac', '-b:a', '32k', '-ac', '1', sound],
    doing: 'making a tone',
  });
  return { folder, main, sub, sound, remove: () => rm(folder, { recursive: true, force: true }) };
}

/** Process ids of ffmpeg children of this very process. */
export async function ffmpegChildren(): Promise<number[]> {
  const list = spawnSync('ps', ['--ppid', String(process.pid), '-o', 'pid=,comm='], { encoding: 'utf8' }).stdout;
  return list
    .split('\n')
    .filter((line) => line.includes('ffmpeg') && !line.includes('defunct'))
    .map((line) => Number.parseInt(line, 10));
}

/** Arguments of a process as everybody can read them. */
export async function argumentsOf(pid: number): Promise<string> {
  return (await readFile(`/proc/${pid}/cmdline`, 'utf8')).replaceAll('\0', ' ');
}

/** Debian's own: its bindings are not seen by another python on the PATH. */
const PYTHON = '/usr/bin/python3';

/** Why gst-rtsp-server cannot be used here; undefined when it can. */
export function gstMissing(): string | undefined {
  const code =
    "import gi; gi.require_version('GstRtspServer', '1.0'); from gi.repository import Gst, GstRtspServer; Gst.init(None); assert all(Gst.ElementFactory.find(n) for n in ('qtdemux', 'h264parse', 'rtph264pay', 'alawenc', 'rtppcmapay'))";
  const { status } = spawnSync(PYTHON, ['-c', code], { stdio: 'ignore' });
  return status === 0 ? undefined : 'needs gst-rtsp-server (gir1.2-gst-rtsp-server-1.0 and the gstreamer plugins)';
}

/** Starts gst-rtsp-server on a port (0: any free one). */
export async function gstCamera(
  film: ShortFilm,
  port: number,
  sound: 'pcma' | 'none',
): Promise<{ port: number; stop(): Promise<void> }> {
  const script = fileURLToPath(new URL('../fixtures/gst-camera.py', import.meta.url));
  const child: ChildProcess = spawn(
    PYTHON,
    [script, film.main, film.sub, 'viewer', 'secret-word', String(port), sound],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const gone = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const first = await new Promise<string>((resolve, reject) => {
    child.stdout?.once('data', (chunk: Buffer) => resolve(chunk.toString()));
    child.once('close', () => reject(new Error('gst-rtsp-server ended before it listened')));
  });
  return {
    port: Number(first),
    async stop() {
      child.kill('SIGKILL');
      await gone;
    },
  };
}
