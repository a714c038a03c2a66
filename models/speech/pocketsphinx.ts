/** The English engine as a Recogniser: Debian's pocketsphinx in a child process, kept alive by its host. */
import { existsSync } from 'node:fs';
import type { Logger } from 'pino';
import type { Clock } from '../../protocol/time.ts';
import { spawnChild } from './child.ts';
import { hostEngine } from './hosted.ts';
import type { OpenEnglish } from './pocketsphinx-child.ts';
import type { Recogniser, RecogniserOptions } from './recogniser.ts';

/** Where the Debian package puts its model. */
const DEBIAN_MODEL = '/usr/share/pocketsphinx/model/en-us';

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
      spawn: (events) =>
        spawnChild<OpenEnglish>('./pocketsphinx-child.ts', { phrases: options.phrases, folder }, events),
    },
  });
}
