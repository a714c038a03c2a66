/** The English engine as a Recogniser: Debian's pocketsphinx in a child process, kept alive by its host. */
import { existsSync } from 'node:fs';
import type { Logger } from 'pino';
import type { Phrase } from '../../protocol/rules.ts';
import type { Clock } from '../../protocol/time.ts';
import { because, type Why } from '../../protocol/why.ts';
import { spawnChild } from './child.ts';
import { type EngineEvents, type EnginePort, hostEngine } from './hosted.ts';
import type { OpenEnglish } from './pocketsphinx-child.ts';
import type { Recogniser, RecogniserOptions } from './recogniser.ts';

/** Where the Debian package puts its model. */
const DEBIAN_MODEL = '/usr/share/pocketsphinx/model/en-us';

/** Why no English can be heard on this machine; undefined where it can. */
export const missingEnglish = (folder = DEBIAN_MODEL): Why | undefined =>
  existsSync(folder) ? undefined : because('no_model_en', { folder });

/** One run of the engine, in a child process of its own. */
export const spawnEnglish = (
  { phrases, folder = DEBIAN_MODEL }: { readonly phrases: readonly Phrase[]; readonly folder?: string | undefined },
  events: EngineEvents,
): EnginePort => spawnChild<OpenEnglish>('./pocketsphinx-child.ts', { phrases, folder }, events);

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
      missing: () => missingEnglish(folder),
      spawn: (events) => spawnEnglish({ phrases: options.phrases, folder }, events),
    },
  });
}
