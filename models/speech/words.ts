/** Engines that give words (vosk, sherpa-onnx) as Recognisers: each in a child process, kept alive by its host. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { Clock } from '../../protocol/time.ts';
import { spawnChild } from './child.ts';
import { hostEngine } from './hosted.ts';
import type { Recogniser, RecogniserOptions } from './recogniser.ts';
import type { OpenWords } from './words-child.ts';

const SHORT: Readonly<Record<string, string>> = { zh: 'cn', en: 'en' };

/** Where things lie under the models folder: `vosk/` and `sherpa/`, a model's folder in it named by its language. */
export interface WordPlaces {
  readonly library: string;
  readonly folder: string | undefined;
  /** Why nothing can be started, with the cure. */
  readonly missing: string | undefined;
}

/** Looks for library and model of one language. */
export function findWords(engine: 'vosk' | 'sherpa', language: string, modelsFolder: string): WordPlaces {
  const home = join(modelsFolder, engine);
  const own = language.split('-')[0]!;
  const library = engine === 'vosk' ? join(home, 'libvosk.so') : home;
  const names = existsSync(home) ? readdirSync(home).sort() : [];
  // vosk-model-small-cn-0.22, sherpa-onnx-streaming-zipformer-zh-14M-2023-02-23, or plainly zh.
  const name = names.find((one) => one.split('-').some((part) => part === own || part === SHORT[own]));
  const folder = name === undefined ? undefined : join(home, name);
  const there = engine === 'vosk' ? existsSync(library) : existsSync(join(home, 'node_modules', 'sherpa-onnx-node'));
  const missing = !there
    ? `no library of ${engine} in ${home}; run: evalroom models fetch ${engine}`
    : folder === undefined
      ? `no ${engine} model for ${language} in ${home}; unpack one there, in a folder with "${SHORT[own] ?? own}" in its name`
      : undefined;
  return { library, folder, missing };
}

/** A recogniser over such an engine. Missing parts are looked for again every few seconds. */
export function createWords(deps: {
  engine: 'vosk' | 'sherpa';
  language: string;
  options: RecogniserOptions;
  clock: Clock;
  log: Logger;
}): Recogniser {
  const { engine, language, options, clock, log } = deps;
  const find = () => findWords(engine, language, options.modelsFolder);
  return hostEngine({
    clock,
    log,
    hosted: {
      engine,
      language,
      countsTalk: true,
      missing: () => find().missing,
      spawn: (events) => {
        const { library, folder = '' } = find();
        const { phrases, project } = options;
        const open: OpenWords = { engine, language, phrases, project, library, folder };
        return spawnChild('./words-child.ts', open, events);
      },
    },
  });
}
