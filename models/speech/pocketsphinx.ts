/** The English engine as a Recogniser: Debian's pocketsphinx in a child process, kept alive by its host. */
import { fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import type { Clock } from '../../protocol/time.ts';
import { type EngineEvents, type EnginePort, type EngineReport, hostEngine } from './hosted.ts';
import type { OpenEnglish } from './pocketsphinx-child.ts';
import type { Recogniser, RecogniserOptions } from './recogniser.ts';

/** Where the Debian package puts its model. */
const DEBIAN_MODEL = '/usr/share/pocketsphinx/model/en-us';

function spawnChild(open: OpenEnglish, events: EngineEvents): EnginePort {
  const child = fork(fileURLToPath(new URL('./pocketsphinx-child.ts', import.meta.url)), [], {
    serialization: 'advanced',
    execArgv: [],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  // A send that finds the channel closed fails in its callback; the exit that goes with it is what counts.
  const send = (value: OpenEnglish | Int16Array) => void (child.connected && child.send(value, () => undefined));
  child.on('message', (report) => events.onReport(report as EngineReport));
  child.on('error', (error) => events.onExit(error.message));
  child.on('exit', (code, signal) => events.onExit(signal ? `killed by ${signal}` : `exit ${code}`));
  send(open);
  return { post: send, kill: () => void child.kill('SIGKILL') };
}

/** English keyword spotting. `folder` is the model's folder, where it is not Debian's. */
export function createPocketsphinx(deps: {
  options: RecogniserOptions;
  clock: Clock;
  log: Logger;
  folder?: string;
}): Recogniser {
  const { options, clock, log, folder = DEBIAN_MODEL } = deps;
  return hostEngine({
    clock,
    log,
    hosted: {
      engine: 'pocketsphinx',
      language: 'en',
      missing: () =>
        existsSync(folder)
          ? undefined
          : `no English model in ${folder}; run: apt-get install libpocketsphinx3 pocketsphinx-en-us`,
      spawn: (events) => spawnChild({ phrases: options.phrases, folder }, events),
    },
  });
}
