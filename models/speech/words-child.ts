/** The child process of an ear of vosk or sherpa-onnx: a native library may end it, and only it. */
import type { Phrase } from '../../protocol/rules.ts';
import { because, reasonOf, type Why } from '../../protocol/why.ts';
import type { EngineReport } from './hosted.ts';
import type { ProjectWords } from './lexicon/slots.ts';
import { partlyOf } from './sherpa-keywords.ts';
import { createKeywordSpotter } from './sherpa-spotter.ts';
import { createWordSpotter, type WordEngine, type WordSpotter } from './words-spotter.ts';

/** Engines that run in such a child: two that give words, and sherpa-onnx's keyword spotter. */
export type WordsEngine = 'vosk' | 'sherpa' | 'sherpa-kws';

/** First thing that the parent sends; blocks of samples follow. */
export interface OpenWords {
  readonly engine: WordsEngine;
  readonly language: string;
  readonly phrases: readonly Phrase[];
  readonly project?: ProjectWords | undefined;
  /** Another engine minds the words around a phrase: without one, an engine that hears the phrases only may not count some. */
  readonly minded?: boolean | undefined;
  /** libvosk.so, or the folder in which sherpa-onnx-node was installed. */
  readonly library: string;
  /** Folder of the model. */
  readonly folder: string;
}

const tell = (report: EngineReport) => process.send?.(report);
const cpuMs = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

async function open(asked: OpenWords): Promise<WordSpotter | undefined> {
  const { language, phrases } = asked;
  const { spotter, partly } = asked.engine === 'sherpa-kws' ? await openSpotter(asked) : await openWords(asked);
  if (spotter.patterns === 0) {
    tell({
      kind: 'refused',
      why: partly
        ? because('none_spotted', { count: phrases.length, error: reasonOf(partly) ?? '' })
        : because('none_spotted_in', { count: phrases.length, language }),
    });
    return undefined;
  }
  tell(partly ? { kind: 'ready', partly } : { kind: 'ready' });
  return spotter;
}

interface Opened {
  readonly spotter: WordSpotter;
  /** Names phrases that it is deaf to, or does not hear as the pack means them. */
  readonly partly?: readonly Why[];
}

async function openWords({ engine, language, phrases, project, library, folder }: OpenWords): Promise<Opened> {
  let words: WordEngine;
  if (engine === 'vosk') words = (await import('./vosk-library.ts')).openVosk({ library, folder });
  else words = (await import('./sherpa-library.ts')).openSherpa({ home: library, folder, phrases });
  return { spotter: createWordSpotter({ engine: words, language, phrases, project }) };
}

async function openSpotter({ phrases, library, folder, minded }: OpenWords): Promise<Opened> {
  const { engine, keywords } = (await import('./sherpa-library.ts')).openSherpaKeywords({
    home: library,
    folder,
    phrases,
    minded,
  });
  const spotter = createKeywordSpotter({ engine, keywords });
  const partly = partlyOf({ phrases, keywords, minded });
  return partly.length === 0 ? { spotter } : { spotter, partly };
}

let spotter: Promise<WordSpotter | undefined> | undefined;
process.on('disconnect', () => process.exit(0));
// A Ctrl-C in the terminal reaches the whole group; the parent decides when its ears end.
process.on('SIGINT', () => undefined);
process.on('message', async (message: OpenWords | Int16Array) => {
  if (!(message instanceof Int16Array)) {
    spotter = open(message).catch((error: Error) => {
      tell({ kind: 'refused', why: because('engine_refused', { error: error.message }) });
      return undefined;
    });
    return;
  }
  const ready = await spotter;
  const began = cpuMs();
  const hits = ready?.accept(message) ?? [];
  const [talk, later] = [ready?.talk(), ready?.later() ?? []];
  tell({ kind: 'done', samples: message.length, busyMs: cpuMs() - began, hits, talk, later });
});
