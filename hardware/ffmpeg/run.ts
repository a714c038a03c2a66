/** Runs one ffmpeg (or ffprobe) to its end and collects what it wrote: for files, never for live streams. */
import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { InvalidInput, Unavailable } from '../../protocol/errors.ts';

export interface FfmpegRun {
  /** Program name, `ffmpeg` unless told. */
  readonly program?: 'ffmpeg' | 'ffprobe';
  readonly args: readonly string[];
  /** How many extra pipes to collect: the first is `pipe:3` in `args`, then `pipe:4` … */
  readonly pipes?: number;
  /** What is being done, for the error's text. */
  readonly doing: string;
}

/**
 * Bytes of stdout and of each extra pipe.
 * @throws Unavailable `ffmpeg_missing` when the program is not installed; InvalidInput `ffmpeg_failed` when it refuses its input.
 */
export async function runFfmpeg({ program = 'ffmpeg', args, pipes = 0, doing }: FfmpegRun): Promise<{
  readonly stdout: Buffer;
  readonly pipes: readonly Buffer[];
}> {
  const extra = Array.from({ length: pipes }, () => 'pipe' as const);
  const quiet = program === 'ffmpeg' ? ['-hide_banner', '-nostdin', '-loglevel', 'error'] : ['-loglevel', 'error'];
  const child = spawn(program, [...quiet, ...args], { stdio: ['ignore', 'pipe', 'pipe', ...extra] });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  const outputs = [1, 2, ...extra.map((_, i) => i + 3)].map((fd) => collect(child.stdio[fd] as Readable));
  let code: number | null;
  try {
    code = await ended;
  } catch (cause) {
    throw new Unavailable('ffmpeg_missing', `${doing}: ${program} could not be started; is it installed?`, cause);
  }
  const [stdout, stderr, ...rest] = await Promise.all(outputs);
  if (code !== 0) {
    const tail = stderr!.toString('utf8').trim().split('\n').slice(-3).join(' | ');
    throw new InvalidInput('ffmpeg_failed', `${doing}: ${program} ended with ${code}: ${tail}`);
  }
  return { stdout: stdout!, pipes: rest };
}

async function collect(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
