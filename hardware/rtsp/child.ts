/** One ffmpeg child from spawn to its last breath: stdin given, stderr kept short and redacted, SIGTERM and then SIGKILL. */
import { spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { Unavailable } from '../../protocol/errors.ts';
import type { Clock } from '../../protocol/time.ts';
import { type Failure, failureOf } from './failure.ts';
import { type Fifo, openFifo } from './fifo.ts';
import type { PipeSink } from './raw.ts';
import { redact } from './source.ts';

const STDERR_LINES = 20;

/** After this long, one SIGTERM has shown to be not enough (a hung peer): SIGKILL follows. */
const TERM_GRACE_MS = 1500;

export interface ChildParts {
  readonly args: readonly string[];
  /** Written to stdin, which is then closed. */
  readonly stdin: string;
  /**
   * Receivers of fd 3, 4 …: all are drained always, since one full pipe stops the whole process. A sink has its bytes
   * read into its own memory: for pictures, which would otherwise be a heap of garbage at every frame.
   */
  readonly pipes: readonly (((chunk: Buffer) => void) | PipeSink)[];
  readonly secrets: readonly string[];
  /** Called with each line of its log, warnings and worse, without credentials. */
  readonly onLine?: (line: string) => void;
  readonly clock: Clock;
}

export interface Child {
  readonly pid: number | undefined;
  /** Ends when the process is gone and its pipes are read to the end. */
  readonly ended: Promise<Failure>;
  /** Asks it to end, then makes it; resolves when it is gone. */
  stop(): Promise<void>;
  /** Ends it at once: for a peer that hangs, where a polite signal is known to be ignored. */
  kill(): Promise<void>;
}

/** Starts ffmpeg. A program that is not there, or no room for its pipes, shows as a failure of the run, not as an exception. */
export function startFfmpeg(parts: ChildParts): Child {
  const fifos: (Fifo | undefined)[] = [];
  try {
    for (const pipe of parts.pipes) fifos.push(typeof pipe === 'function' ? undefined : openFifo(pipe));
  } catch (error) {
    for (const fifo of fifos) fifo?.drop();
    if (!(error instanceof Unavailable)) throw error;
    return neverStarted({ kind: 'failed', reason: error.message });
  }
  return started(parts, fifos);
}

/** The run ended before it began: whoever supervises it waits and tries again. */
function neverStarted(failure: Failure): Child {
  const gone = async () => {};
  return { pid: undefined, ended: Promise.resolve(failure), stop: gone, kill: gone };
}

function started(
  { args, stdin, pipes, secrets, onLine, clock }: ChildParts,
  fifos: readonly (Fifo | undefined)[],
): Child {
  // Every line as often as it is said: how long a thing lasts is told by its lines.
  const quiet = ['-hide_banner', '-nostats', '-loglevel', 'repeat+level+warning'];
  const child = spawn('ffmpeg', [...quiet, ...args], {
    stdio: ['pipe', 'ignore', 'pipe', ...fifos.map((fifo) => fifo?.writeFd ?? ('pipe' as const))],
  });
  for (const fifo of fifos) fifo?.begin();
  const lines: string[] = [];
  let partial = '';
  (child.stdio[2] as Readable).on('data', (chunk: Buffer) => {
    const parts = (partial + chunk.toString('utf8')).split('\n');
    partial = (parts.pop() ?? '').slice(0, 1000);
    const clean = parts.map((line) => redact(line.slice(0, 1000), secrets));
    for (const line of clean) onLine?.(line);
    lines.push(...clean);
    lines.splice(0, lines.length - STDERR_LINES);
  });
  pipes.forEach((receive, i) => {
    if (typeof receive !== 'function') return;
    const pipe = child.stdio[i + 3] as Readable;
    pipe.on('data', receive);
    pipe.on('error', () => {});
  });
  const input = child.stdio[0] as Writable;
  // A child that ends before it has read its input closes the pipe: its exit tells the story.
  input.on('error', () => {});
  input.end(stdin);

  const gone = new Promise<Failure>((resolve) => {
    child.once('error', (error) =>
      resolve({ kind: 'failed', reason: `ffmpeg could not be started: ${error.message}` }),
    );
    child.once('close', (code) => resolve(failureOf([...lines, redact(partial, secrets)].join('\n'), code)));
  });
  const ended = gone.then(async (failure) => {
    await Promise.all(fifos.map((fifo) => fifo?.ended));
    return failure;
  });

  async function end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    if (signal === 'SIGTERM') {
      const given = new AbortController();
      void ended.then(() => given.abort());
      await clock.sleep(TERM_GRACE_MS, given.signal);
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    }
    await ended;
  }
  return { pid: child.pid, ended, stop: () => end('SIGTERM'), kill: () => end('SIGKILL') };
}
