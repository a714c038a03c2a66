/** Engines of vosk and sherpa-onnx as Recognisers: each in a child process, kept alive by its host. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { Clock } from '../../protocol/time.ts';
import { because, type Why } from '../../protocol/why.ts';
import { spawnChild } from './child.ts';
import { hostEngine } from './hosted.ts';
import type { Recogniser, RecogniserOptions } from './recogniser.ts';
import type { OpenWords, WordsEngine } from './words-child.ts';

/** Parts of a model's name that say its language. */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  zh: ['zh', 'cn', 'wenetspeech'],
  en: ['en', 'gigaspeech'],
};
/** A keyword spotter's model has this in its name, a recogniser's has not. */
const SPOTTER = 'kws';

/** Where things lie under the models folder: `vosk/` and `sherpa/` (both its engines), a model's folder in it named by its language. */
export interface WordPlaces {
  readonly library: string;
  readonly folder: string | undefined;
  /** Why nothing can be started, with the cure. */
  readonly missing: Why | undefined;
}

/** Looks for library and model of one language. */
export function findWords(engine: WordsEngine, language: string, modelsFolder: string): WordPlaces {
  const kind = engine === 'vosk' ? 'vosk' : 'sherpa';
  const home = join(modelsFolder, kind);
  const own = language.split('-')[0]!;
  const library = kind === 'vosk' ? join(home, 'libvosk.so') : home;
  const names = existsSync(home) ? readdirSync(home).sort() : [];
  const parts = NAMES[own] ?? [own];
  const spots = engine === 'sherpa-kws';
  // vosk-model-small-cn-0.22, sherpa-onnx-streaming-zipformer-zh-14M-2023-02-23, or plainly zh.
  const name = names.find((one) => {
    const said = one.split('-');
    return said.includes(SPOTTER) === spots && said.some((part) => parts.includes(part));
  });
  const folder = name === undefined ? undefined : join(home, name);
  const there = kind === 'vosk' ? existsSync(library) : existsSync(join(home, 'node_modules', 'sherpa-onnx-node'));
  const named = `"${parts[kind === 'vosk' && own === 'zh' ? 1 : 0]}"${spots ? ` and "${SPOTTER}"` : ''}`;
  const missing = !there
    ? because('no_library', { library: kind, folder: home })
    : folder === undefined
      ? because('no_model', { engine, language, folder: home, named })
      : undefined;
  return { library, folder, missing };
}

/** A recogniser over such an engine. Missing parts are looked for again every few seconds. `minded`: as in `OpenWords`. */
export function createWords(deps: {
  engine: WordsEngine;
  language: string;
  options: RecogniserOptions;
  minded?: boolean;
  clock: Clock;
  log: Logger;
}): Recogniser {
  const { engine, language, options, minded, clock, log } = deps;
  const find = () => findWords(engine, language, options.modelsFolder);
  return hostEngine({
    clock,
    log,
    hosted: {
      engine,
      language,
      countsTalk: engine !== 'sherpa-kws',
      missing: () => find().missing,
      spawn: (events) => {
        const { library, folder = '' } = find();
        const { phrases, project } = options;
        const open: OpenWords = { engine, language, phrases, project, minded, library, folder };
        return spawnChild('./words-child.ts', open, events);
      },
    },
  });
}
