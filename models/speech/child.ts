/** Starts the child process of an engine and carries samples to it and reports from it. */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { EngineEvents, EnginePort, EngineReport } from './hosted.ts';

/** `file` beside this one; `open` is the first message. The child ends with its parent's channel. */
export function spawnChild<Open extends object>(file: string, open: Open, events: EngineEvents): EnginePort {
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), [], {
    serialization: 'advanced',
    execArgv: [],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  // A send that finds the channel closed fails in its callback; the exit that goes with it is what counts.
  const send = (value: Open | Int16Array) => void (child.connected && child.send(value, () => undefined));
  child.on('message', (report) => events.onReport(report as EngineReport));
  child.on('error', (error) => events.onExit(error.message));
  child.on('exit', (code, signal) => events.onExit(signal ? `killed by ${signal}` : `exit ${code}`));
  send(open);
  return { post: send, kill: () => void child.kill('SIGKILL') };
}
