/** The ears that `evalroom eval speech` measures: the very code that workers and child processes run, without the process around it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEFAULT_FOLDER } from '../models/manifest.ts';
import { unheardForms } from '../models/rules/heard.ts';
import type { Engine } from '../models/speech/ears.ts';
import { readFsmnModel } from '../models/speech/fsmn-files.ts';
import { createSpotter } from '../models/speech/fsmn-spotter.ts';
import { openDecoder } from '../models/speech/pocketsphinx-library.ts';
import { createEnglishSpotter, keywordFile, planKeywords } from '../models/speech/pocketsphinx-spotter.ts';
import type { Hit } from '../models/speech/recogniser.ts';
import { openSherpa, openSherpaKeywords } from '../models/speech/sherpa-library.ts';
import { createKeywordSpotter } from '../models/speech/sherpa-spotter.ts';
import { openVosk } from '../models/speech/vosk-library.ts';
import { findWords } from '../models/speech/words.ts';
import { createWordSpotter } from '../models/speech/words-spotter.ts';
import { Unavailable } from '../protocol/errors.ts';
import type { Phrase } from '../protocol/rules.ts';
import { reasonOf } from '../protocol/why.ts';
import { type FrontName, type Laxness, withFront } from './ears/front.ts';

/** One ear: 16 kHz samples in, hits out. `suspects`: all that its first pass has suspected. */
interface OneEar {
  accept(samples: Int16Array): Hit[] | Promise<Hit[]>;
  suspects?(): readonly { readonly phraseId: string; readonly endSample: number }[];
}

/** Ears of one engine for the same phrases. */
export interface EarSet {
  /** Forms that these ears cannot hear, with the reason. */
  readonly unheard: readonly { readonly phraseId: string; readonly reason: string }[];
  /** An ear that has heard nothing; the one before is closed. */
  fresh(lax: Laxness): OneEar;
  close(): void;
}

interface Wanted {
  readonly language: string;
  readonly phrases: readonly Phrase[];
  readonly front: FrontName;
}

/** An engine that is there, with the languages that it hears. */
export interface OpenedEngine {
  readonly languages: readonly string[];
  listenFor(wanted: Wanted): EarSet | Promise<EarSet>;
}

const LANGUAGES = ['zh', 'en'];
const ENGLISH = '/usr/share/pocketsphinx/model/en-us';

/** `asked`: the only language that matters. Throws Unavailable for an engine whose library or model is not there. */
export function openEngine(engine: Engine, asked?: string): OpenedEngine {
  const modelsFolder = process.env.EVALROOM_MODELS ?? DEFAULT_FOLDER;
  const { languages, listenFor } = bareEngine(engine, asked, modelsFolder);
  return {
    languages,
    async listenFor(wanted) {
      const bare = await listenFor(wanted);
      let inner: OneEar | undefined;
      const fronted = await withFront(
        wanted.front,
        (lax) => {
          const ear = bare.fresh(lax);
          inner = ear;
          return (samples) => ear.accept(samples);
        },
        modelsFolder,
      );
      return {
        ...bare,
        fresh(lax) {
          const accept = fronted(lax);
          const suspects = inner?.suspects;
          return { accept, ...(suspects ? { suspects } : {}) };
        },
      };
    },
  };
}

function bareEngine(engine: Engine, asked: string | undefined, modelsFolder: string): OpenedEngine {
  if (engine === 'fsmn') {
    const model = readFsmnModel(modelsFolder);
    return {
      languages: ['zh'],
      listenFor({ phrases, front }) {
        // But for `shipped` without what the product puts before them.
        const ungated = front !== 'shipped';
        return {
          unheard: createSpotter({ model, phrases, ungated }).unheard,
          fresh(lax) {
            const suspects: { phraseId: string; endSample: number }[] = [];
            const onSuspect = (one: { phraseId: string; endSample: number }) => void suspects.push(one);
            const { accept } = createSpotter({
              ...{ model, phrases, ungated, onSuspect, tellSuspected: lax.ease === 0 },
              ...lax,
            });
            return { accept, suspects: () => suspects };
          },
          close: () => undefined,
        };
      },
    };
  }
  if (engine === 'pocketsphinx') {
    openDecoder(ENGLISH).close();
    return { languages: ['en'], listenFor: ({ phrases }) => english(phrases) };
  }
  const places = (asked === undefined ? LANGUAGES : [asked]).map((language) => ({
    language,
    ...findWords(engine, language, modelsFolder),
  }));
  const there = places.filter((place) => place.missing === undefined);
  if (there.length === 0) {
    const missing = places.flatMap((place) => place.missing ?? []).slice(0, 1);
    throw new Unavailable('model_missing', `measuring ${engine}: ${reasonOf(missing)}`);
  }
  return {
    languages: there.map(({ language }) => language),
    listenFor({ language, phrases }) {
      const { library, folder = '' } = there.find((place) => place.language === language)!;
      return engine === 'sherpa-kws'
        ? keywords({ home: library, folder, phrases })
        : words({ engine, library, folder, phrases, language });
    },
  };
}

function words(deps: {
  engine: 'vosk' | 'sherpa';
  library: string;
  folder: string;
  phrases: readonly Phrase[];
  language: string;
}): EarSet {
  const { engine, library, folder, phrases, language } = deps;
  let last: { close(): void } | undefined;
  return {
    unheard: unheardForms({ phrases }).map(({ phraseId, form, reason }) => ({
      phraseId,
      reason: reason === 'short' ? `"${form}" is too short` : `"${form}" has signs that nobody reads aloud`,
    })),
    fresh() {
      last?.close();
      const opened = engine === 'vosk' ? openVosk({ library, folder }) : openSherpa({ home: library, folder, phrases });
      last = opened;
      return createWordSpotter({ engine: opened, language, phrases });
    },
    close: () => last?.close(),
  };
}

function keywords(place: { home: string; folder: string; phrases: readonly Phrase[] }): EarSet {
  let last = openSherpaKeywords(place);
  return {
    unheard: last.keywords.unheard,
    fresh() {
      last.engine.close();
      last = openSherpaKeywords(place);
      return createKeywordSpotter(last);
    },
    close: () => last.engine.close(),
  };
}

function english(phrases: readonly Phrase[]): EarSet {
  const scratch = mkdtempSync(join(tmpdir(), 'evalroom-eval-'));
  let last: ReturnType<typeof openDecoder> | undefined = openDecoder(ENGLISH);
  const plan = planKeywords(phrases, last);
  const path = join(scratch, 'phrases');
  writeFileSync(path, keywordFile(plan.keywords));
  const close = () => {
    last?.close();
    last = undefined;
  };
  return {
    unheard: plan.unheard,
    fresh() {
      // With an empty list the library does not start.
      if (plan.keywords.length === 0) return { accept: () => [] };
      close();
      last = openDecoder(ENGLISH);
      last.spot(path);
      return { accept: createEnglishSpotter(last, plan.keywords) };
    },
    close() {
      close();
      rmSync(scratch, { recursive: true, force: true });
    },
  };
}
