/** Starts parts of the product as processes of their own for the demo, the benchmarks and the tests, and ends them all. */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Unavailable } from '../protocol/errors.ts';

const CLI = fileURLToPath(new URL('./cli.ts', import.meta.url));

export interface Child {
  readonly name: string;
  readonly pid: number;
  /** What the part said when it was ready (an object sent over the IPC channel). */
  readonly ready: Readonly<Record<string, unknown>>;
  /** Sends an object to the part. */
  send(order: Readonly<Record<string, unknown>>): void;
  onSaid(listener: (said: Record<string, unknown>) => void): void;
  /** Resolves with the exit code or signal name. */
  readonly ended: Promise<number | string>;
  kill(signal?: NodeJS.Signals): void;
  /** SIGTERM, then SIGKILL after 5 s; resolves when it is gone. */
  close(): Promise<void>;
}

export interface ChildOptions {
  readonly name: string;
  /** Arguments of the evalroom command. */
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Where its log goes: shown as it is, or collected line by line. */
  readonly onLine?: (line: string) => void;
  readonly readyMs?: number;
}

/**
 * Runs `evalroom ARGS` and waits until it says `{ready: true, …}` over IPC.
 * Throws Unavailable with the last lines of its log when it ends first or is not ready in time.
 */
export async function startChild(options: ChildOptions): Promise<Child> {
  const { name, args, readyMs = 60_000 } = options;
  // As scripts/evalroom.mjs starts it.
  const flags = args[0] === 'agent' ? ['--single-threaded-gc', '--max-semi-space-size=8'] : [];
  const child = spawn(process.execPath, [...flags, CLI, ...args], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: { ...process.env, ...options.env },
  });
  const tail: string[] = [];
  const listeners: ((said: Record<string, unknown>) => void)[] = [];
  for (const stream of [child.stdout!, child.stderr!]) eachLine(stream, (line) => keep(line));
  function keep(line: string): void {
    tail.push(line);
    if (tail.length > 30) tail.shift();
    options.onLine?.(line);
  }
  const ended = new Promise<number | string>((resolve) => {
    child.once('exit', (code, signal) => resolve(signal ?? code ?? 1));
    child.once('error', () => resolve(1));
  });
  const ready = await firstReady(child, ended, readyMs, () => `${name} is not ready: ${tail.slice(-8).join('\n')}`);
  child.on('message', (said) => {
    for (const listener of listeners) listener(said as Record<string, unknown>);
  });
  return {
    name,
    pid: child.pid!,
    ready,
    send: (order) => void child.send?.(order),
    onSaid: (listener) => void listeners.push(listener),
    ended,
    kill: (signal = 'SIGTERM') => void child.kill(signal),
    close: () => endChild(child, ended),
  };
}

function firstReady(
  child: ChildProcess,
  ended: Promise<number | string>,
  readyMs: number,
  why: () => string,
): Promise<Record<string, unknown>> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => fail(`no sign of life within ${readyMs / 1000} s`), readyMs);
    const fail = (reason: string) => {
      clearTimeout(timer);
      child.kill('SIGKILL');
      reject(new Unavailable('part_not_ready', `${why()} (${reason})`));
    };
    void ended.then((code) => fail(`it ended with ${code}`));
    const hear = (said: unknown) => {
      const object = said as Record<string, unknown>;
      if (object.ready !== true) return;
      clearTimeout(timer);
      child.off('message', hear);
      resolve(object);
    };
    child.on('message', hear);
  });
}

async function endChild(child: ChildProcess, ended: Promise<number | string>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 5000);
  await ended;
  clearTimeout(timer);
}

/** Calls `listener` for every line of a stream; a last line without an end counts too. */
export function eachLine(stream: NodeJS.ReadableStream, listener: (line: string) => void): void {
  let rest = '';
  stream.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk.toString('utf8')).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) listener(line);
  });
  stream.on('end', () => {
    if (rest !== '') listener(rest);
  });
}
