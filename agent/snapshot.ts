/** Makes the small still of a camera that the room's page shows: one RGB frame in, one JPEG out, by a short-lived ffmpeg. */
import { spawn } from 'node:child_process';
import type { Picture } from '../models/pose/detector.ts';
import { Unavailable } from '../protocol/errors.ts';
import type { Clock } from '../protocol/time.ts';

/** Largest JPEG that is handed on: the page shows many rooms at once. */
export const SNAPSHOT_BYTES = 40_000;
/** Tried in turn until the JPEG is small enough. Quality is ffmpeg's scale: 2 is best, 31 worst. */
const ATTEMPTS = [
  { size: '640:360', quality: 5 },
  { size: '640:360', quality: 9 },
  { size: '640:360', quality: 16 },
  { size: '320:180', quality: 16 },
] as const;
const LIMIT_MS = 5_000;

export interface SnapshotOptions {
  readonly picture: Picture;
  readonly clock: Clock;
  /** Program to run, default `ffmpeg` on the PATH. */
  readonly ffmpeg?: string;
  readonly signal?: AbortSignal;
}

/** JPEG of at most 640 × 360 and 40 kB. Unavailable `snapshot_failed` when ffmpeg is missing, fails or is too slow. */
export async function encodeSnapshot({
  picture,
  clock,
  ffmpeg = 'ffmpeg',
  signal,
}: SnapshotOptions): Promise<Uint8Array> {
  let jpeg = new Uint8Array(0);
  for (const { size, quality } of ATTEMPTS) {
    const scale = `scale=${size}:force_original_aspect_ratio=decrease`;
    jpeg = await encode(picture, ['-vf', scale, '-q:v', String(quality)], ffmpeg, clock, signal);
    if (jpeg.length < SNAPSHOT_BYTES) return jpeg;
  }
  throw new Unavailable('snapshot_failed', `a snapshot still has ${jpeg.length} bytes at the lowest quality`);
}

async function encode(
  { width, height, rgb }: Picture,
  look: readonly string[],
  ffmpeg: string,
  clock: Clock,
  signal: AbortSignal | undefined,
): Promise<Uint8Array<ArrayBuffer>> {
  const input = ['-f', 'rawvideo', '-pix_fmt', 'rgb24', '-video_size', `${width}x${height}`, '-i', 'pipe:0'];
  const output = ['-frames:v', '1', ...look, '-c:v', 'mjpeg', '-f', 'mjpeg', 'pipe:1'];
  const child = spawn(ffmpeg, ['-v', 'error', '-threads', '1', ...input, ...output]);
  const done = new AbortController();
  const stop = () => child.kill('SIGKILL');
  signal?.addEventListener('abort', stop, { once: true });
  void clock.sleep(LIMIT_MS, done.signal).then(() => {
    if (!done.signal.aborted) stop();
  });
  try {
    return await new Promise((resolve, reject) => {
      const parts: Buffer[] = [];
      let complaint = '';
      child.once('error', (cause) => reject(new Unavailable('snapshot_failed', `${ffmpeg} cannot be started`, cause)));
      child.stdout.on('data', (part: Buffer) => parts.push(part));
      child.stderr.on('data', (part: Buffer) => {
        complaint = (complaint + part.toString()).slice(-500);
      });
      child.once('close', (code, killed) => {
        if (code === 0 && parts.length > 0) resolve(Uint8Array.from(Buffer.concat(parts)));
        else reject(new Unavailable('snapshot_failed', `ffmpeg made no JPEG (${killed ?? code}) ${complaint.trim()}`));
      });
      // It may end before it has read everything; what matters is its exit.
      child.stdin.on('error', () => {});
      child.stdin.end(rgb);
    });
  } finally {
    done.abort();
    signal?.removeEventListener('abort', stop);
  }
}
