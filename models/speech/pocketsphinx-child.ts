/** The child process of the English ear: a native library may crash it, and only it. Ends with its parent. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Phrase } from '../../protocol/rules.ts';
import { because, type Why } from '../../protocol/why.ts';
import type { EngineReport } from './hosted.ts';
import { openDecoder } from './pocketsphinx-library.ts';
import { carelessOf, createEnglishSpotter, keywordFile, planKeywords } from './pocketsphinx-spotter.ts';

/** First thing that the parent sends; blocks of samples follow. */
export interface OpenEnglish {
  readonly phrases: readonly Phrase[];
  readonly folder: string;
}

const tell = (report: EngineReport) => process.send?.(report);
const cpuMs = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

function open({ phrases, folder }: OpenEnglish): ReturnType<typeof createEnglishSpotter> | undefined {
  const decoder = openDecoder(folder);
  const { keywords, unheard } = planKeywords(phrases, decoder);
  if (keywords.length === 0) {
    const error = unheard[0]?.reason ?? '';
    tell({ kind: 'refused', why: because('none_spotted', { count: phrases.length, error }) });
    return undefined;
  }
  const scratch = mkdtempSync(join(tmpdir(), 'evalroom-kws-'));
  try {
    const path = join(scratch, 'phrases');
    writeFileSync(path, keywordFile(keywords));
    if (!decoder.spot(path)) {
      tell({ kind: 'refused', why: because('phrases_refused') });
      return undefined;
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  const unknown = unheard.map(({ phraseId, reason }) => `${phraseId} (${reason})`).join('; ');
  const deafTo = unknown === '' ? [] : [because('deaf_to', { phrases: unknown })];
  const partlyOf = (careless: readonly Why[]) => {
    const partly = [...deafTo, ...careless];
    return partly.length === 0 ? {} : { partly };
  };
  tell({ kind: 'ready', ...partlyOf(decoder.wordsOf ? [] : carelessOf(keywords)) });
  // Nothing is done yet: a sign of life, and what has become of the ear.
  const alive = (more: { readonly partly?: readonly Why[] } = {}) =>
    tell({ kind: 'done', samples: 0, busyMs: 0, hits: [], ...more });
  return createEnglishSpotter(decoder, keywords, {
    cpuMs,
    onBegin: alive,
    onGivenUp: (why) => alive(partlyOf(carelessOf(keywords, why))),
  });
}

let spot: ReturnType<typeof createEnglishSpotter> | undefined;
process.on('disconnect', () => process.exit(0));
// A Ctrl-C in the terminal reaches the whole group; the parent decides when its ears end.
process.on('SIGINT', () => undefined);
process.on('message', (message: OpenEnglish | Int16Array) => {
  if (message instanceof Int16Array) {
    const began = cpuMs();
    const hits = spot?.(message) ?? [];
    tell({ kind: 'done', samples: message.length, busyMs: cpuMs() - began, hits, later: spot?.later() ?? [] });
    return;
  }
  try {
    spot = open(message);
  } catch (error) {
    tell({ kind: 'refused', why: because('engine_refused', { error: (error as Error).message }) });
  }
});
