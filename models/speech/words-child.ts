/** The child process of an ear whose engine gives words (vosk, sherpa): a native library may end it, and only it. */
import type { Phrase } from '../../protocol/rules.ts';
import type { EngineReport } from './hosted.ts';
import type { ProjectWords } from './lexicon/slots.ts';
import { createWordSpotter, type WordEngine, type WordSpotter } from './words-spotter.ts';

/** First thing that the parent sends; blocks of samples follow. */
export interface OpenWords {
  readonly engine: 'vosk' | 'sherpa';
  readonly language: string;
  readonly phrases: readonly Phrase[];
  readonly project?: ProjectWords | undefined;
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

async function open({
  engine,
  language,
  phrases,
  project,
  library,
  folder,
}: OpenWords): Promise<WordSpotter | undefined> {
  let words: WordEngine;
  if (engine === 'vosk') words = (await import('./vosk-library.ts')).openVosk({ library, folder });
  else words = (await import('./sherpa-library.ts')).openSherpa({ home: library, folder });
  const spotter = createWordSpotter({ engine: words, language, phrases, project });
  if (spotter.patterns === 0) {
    tell({ kind: 'refused', reason: `none of ${phrases.length} phrases can be spotted in ${language}` });
    return undefined;
  }
  tell({ kind: 'ready' });
  return spotter;
}

let spotter: Promise<WordSpotter | undefined> | undefined;
process.on('disconnect', () => process.exit(0));
// A Ctrl-C in the terminal reaches the whole group; the parent decides when its ears end.
process.on('SIGINT', () => undefined);
process.on('message', async (message: OpenWords | Int16Array) => {
  if (!(message instanceof Int16Array)) {
    spotter = open(message).catch((error: Error) => {
      tell({ kind: 'refused', reason: error.message });
      return undefined;
    });
    return;
  }
  const ready = await spotter;
  const began = cpuMs();
  const hits = ready?.accept(message) ?? [];
  tell({ kind: 'done', samples: message.length, busyMs: cpuMs() - began, hits, talk: ready?.talk() });
});
