/** The ears that `evalroom eval speech` measures: the very code that workers and child processes run, without the process around it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEFAULT_FOLDER } from '../models/manifest.ts';
import type { Engine } from '../models/speech/ears.ts';
import { readFsmnModel } from '../models/speech/fsmn-files.ts';
import { createSpotter } from '../models/speech/fsmn-spotter.ts';
import { openDecoder } from '../models/speech/pocketsphinx-library.ts';
import { createEnglishSpotter, keywordFile, planKeywords } from '../models/speech/pocketsphinx-spotter.ts';
import { openSherpa, openSherpaKeywords } from '../models/speech/sherpa-library.ts';
import { createKeywordSpotter } from '../models/speech/sherpa-spotter.ts';
import { openVosk } from '../models/speech/vosk-library.ts';
import { findWords } from '../models/speech/words.ts';
import { createWordSpotter, type WordEngine } from '../models/speech/words-spotter.ts';
import { Unavailable } from '../protocol/errors.ts';
import type { Phrase } from '../protocol/rules.ts';
import { type Ears, type FrontName, withFront } from './ears/front.ts';

/** Makes a fresh ear per clip, behind that front. Rejects with Unavailable without a model. */
export function earFactory(deps: {
  engine: Engine;
  language: string;
  phrases: readonly Phrase[];
  front: FrontName;
}): Promise<Ears> {
  const modelsFolder = process.env.EVALROOM_MODELS ?? DEFAULT_FOLDER;
  return withFront(deps.front, bare(deps, modelsFolder), modelsFolder);
}

/** The engine's own ears; but for `shipped` without what the product puts before them. */
function bare(
  deps: { engine: Engine; language: string; phrases: readonly Phrase[]; front: FrontName },
  modelsFolder: string,
): Ears {
  const { engine, language, phrases, front } = deps;
  if (engine === 'fsmn') {
    const model = readFsmnModel(modelsFolder);
    const without = front === 'shipped' ? {} : { gate: true, echoes: true };
    return (ease) => createSpotter({ model, phrases, ease, without }).accept;
  }
  if (engine === 'pocketsphinx') return english(phrases);
  const { library, folder, missing } = findWords(engine, language, modelsFolder);
  if (missing !== undefined || folder === undefined)
    throw new Unavailable('model_missing', `measuring ${engine}: ${missing}`);
  if (engine === 'sherpa-kws')
    return () => createKeywordSpotter(openSherpaKeywords({ home: library, folder, phrases })).accept;
  let last: WordEngine | undefined;
  return () => {
    last?.close();
    const words = engine === 'vosk' ? openVosk({ library, folder }) : openSherpa({ home: library, folder, phrases });
    last = words;
    return createWordSpotter({ engine: words, language, phrases }).accept;
  };
}

function english(phrases: readonly Phrase[]): Ears {
  const scratch = mkdtempSync(join(tmpdir(), 'evalroom-eval-'));
  process.once('exit', () => rmSync(scratch, { recursive: true, force: true }));
  let last: ReturnType<typeof openDecoder> | undefined;
  return () => {
    last?.close();
    const decoder = openDecoder('/usr/share/pocketsphinx/model/en-us');
    last = decoder;
    const { keywords, unheard } = planKeywords(phrases, decoder);
    for (const { phraseId, reason } of unheard) process.stderr.write(`cannot be spotted: ${phraseId}: ${reason}\n`);
    const path = join(scratch, 'phrases');
    writeFileSync(path, keywordFile(keywords));
    decoder.spot(path);
    return createEnglishSpotter(decoder, keywords);
  };
}
