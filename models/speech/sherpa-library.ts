/** The streaming recogniser of sherpa-onnx as an engine that gives words, and its keyword spotter. Only the child process loads this. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Unavailable } from '../../protocol/errors.ts';
import type { Phrase } from '../../protocol/rules.ts';
import {
  hotwordLines,
  modelingUnitOf,
  planSherpaKeywords,
  readPronunciations,
  readTokens,
  type SherpaKeywords,
} from './sherpa-keywords.ts';
import type { KeywordEngine } from './sherpa-spotter.ts';
import type { HeardWord, WordEngine } from './words-spotter.ts';

interface SherpaStream {
  acceptWaveform(sound: { samples: Float32Array; sampleRate: number }): void;
}

/** What is used of the package's own interface. */
interface Sherpa {
  readonly OnlineRecognizer: new (
    config: object,
  ) => {
    createStream(): SherpaStream;
    isReady(stream: SherpaStream): boolean;
    decode(stream: SherpaStream): void;
    isEndpoint(stream: SherpaStream): boolean;
    reset(stream: SherpaStream): void;
    getResult(stream: SherpaStream): { readonly tokens?: readonly string[]; readonly timestamps?: readonly number[] };
  };
  readonly KeywordSpotter: new (
    config: object,
  ) => {
    createStream(): SherpaStream;
    isReady(stream: SherpaStream): boolean;
    decode(stream: SherpaStream): void;
    reset(stream: SherpaStream): void;
    getResult(stream: SherpaStream): { readonly keyword?: string; readonly timestamps?: readonly number[] };
  };
}

const RATE = 16_000;
/** A token lasts at most so long: only its begin is told. */
const TOKEN_S = 0.4;
/** Favour for each token of a hotword on its way through the search, and paths that the search keeps: the library's own values. */
const HOTWORDS_SCORE = 1.5;
const PATHS = 4;
const FEATURES = { sampleRate: RATE, featureDim: 80 };
const toFloats = (samples: Int16Array) => Float32Array.from(samples, (value) => value / 32_768);

/** The model's files by their usual names: an encoder, decoder and joiner (transducer) and a tokens.txt. */
function filesOf(folder: string) {
  let names: string[];
  try {
    names = readdirSync(folder).sort();
  } catch (error) {
    throw new Unavailable('model_missing', `opening the sherpa model: there is no folder ${folder}`, error);
  }
  const file = (part: string) => {
    // The small file where there are both: int8 is several times faster and hardly worse.
    const fits = names.filter((name) => name.includes(part) && name.endsWith('.onnx'));
    const name = fits.find((one) => one.includes('int8')) ?? fits[0];
    if (name) return join(folder, name);
    throw new Unavailable('model_missing', `opening the sherpa model in ${folder}: no ${part}*.onnx in it`);
  };
  if (!names.includes('tokens.txt'))
    throw new Unavailable('model_missing', `opening the sherpa model in ${folder}: no tokens.txt in it`);
  return {
    transducer: { encoder: file('encoder'), decoder: file('decoder'), joiner: file('joiner') },
    tokens: join(folder, 'tokens.txt'),
  };
}

/** A word of several pieces begins with ▁ (or a blank); a Chinese character is a word of its own. */
function wordsOf(tokens: readonly string[], times: readonly number[], from: number): HeardWord[] {
  const words: { text: string; beginS: number; lastS: number }[] = [];
  tokens.forEach((token, i) => {
    const beginS = times[i] ?? times.at(-1) ?? 0;
    const text = token.replace(/^[▁ ]/u, '');
    const last = words.at(-1);
    if (last && !/^[▁ ]/u.test(token) && !/\p{Script=Han}/u.test(token + last.text)) {
      last.text += text;
      last.lastS = beginS;
    } else if (text !== '') words.push({ text, beginS, lastS: beginS });
  });
  return words.map(({ text, beginS, lastS }, i) => ({
    text,
    beginSample: from + Math.round(beginS * RATE),
    endSample: from + Math.round(Math.min(lastS + TOKEN_S, words[i + 1]?.beginS ?? Number.POSITIVE_INFINITY) * RATE),
    sure: 1,
  }));
}

function load(home: string): Sherpa {
  try {
    return createRequire(join(home, 'package.json'))('sherpa-onnx-node') as Sherpa;
  } catch (error) {
    throw new Unavailable(
      'library_missing',
      `loading sherpa-onnx-node from ${home}; run: evalroom models fetch sherpa`,
      error,
    );
  }
}

/** Lets the library read a file of these lines while `use` runs. */
function withLines<Out>(lines: readonly string[], use: (file: string) => Out): Out {
  const scratch = mkdtempSync(join(tmpdir(), 'evalroom-sherpa-'));
  try {
    const file = join(scratch, 'phrases.txt');
    writeFileSync(file, `${lines.join('\n')}\n`);
    return use(file);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

interface Place {
  /** A folder in which sherpa-onnx-node was installed. */
  readonly home: string;
  /** Of the model. */
  readonly folder: string;
  readonly phrases: readonly Phrase[];
  /** Another engine of the room minds the words around a phrase. */
  readonly minded?: boolean | undefined;
}

/**
 * Opens a streaming transducer, with the phrases as hotwords where the model has tokens for them. Throws Unavailable; a
 * model that the library dislikes ends the process: that is why this lives in a child.
 */
export function openSherpa({ home, folder, phrases }: Place): WordEngine {
  const sherpa = load(home);
  const { transducer, tokens } = filesOf(folder);
  const known = readTokens(readFileSync(tokens, 'utf8'));
  const bpeVocab = join(folder, 'bpe.vocab');
  const unit = modelingUnitOf(known, existsSync(bpeVocab));
  const hotwords = unit ? hotwordLines(phrases, known, unit) : [];
  const recogniser = withLines(hotwords, (hotwordsFile) => {
    const favoured =
      hotwords.length > 0
        ? { decodingMethod: 'modified_beam_search', maxActivePaths: PATHS, hotwordsFile, hotwordsScore: HOTWORDS_SCORE }
        : { decodingMethod: 'greedy_search' };
    return new sherpa.OnlineRecognizer({
      featConfig: FEATURES,
      modelConfig: {
        transducer,
        tokens,
        numThreads: 1,
        provider: 'cpu',
        debug: 0,
        ...(unit ? { modelingUnit: unit } : {}),
        ...(unit && unit !== 'cjkchar' ? { bpeVocab } : {}),
      },
      ...favoured,
      enableEndpoint: 1,
      rule1MinTrailingSilence: 1.2,
      rule2MinTrailingSilence: 0.6,
      rule3MinUtteranceLength: 15,
    });
  });
  const stream = recogniser.createStream();
  let position = 0;
  let begin = 0;
  return {
    accept(samples) {
      stream.acceptWaveform({ sampleRate: RATE, samples: toFloats(samples) });
      position += samples.length;
      while (recogniser.isReady(stream)) recogniser.decode(stream);
      if (!recogniser.isEndpoint(stream)) return [];
      const { tokens: said = [], timestamps = [] } = recogniser.getResult(stream);
      const words = wordsOf(said, timestamps, begin);
      recogniser.reset(stream);
      begin = position;
      return words;
    },
    close: () => undefined,
  };
}

/** Opens a keyword spotter for the phrases that its model can spell; as `openSherpa` else. */
export function openSherpaKeywords({ home, folder, phrases, minded = false }: Place): {
  engine: KeywordEngine;
  keywords: SherpaKeywords;
} {
  const sherpa = load(home);
  const { transducer, tokens } = filesOf(folder);
  const words = join(folder, 'en.phone');
  const keywords = planSherpaKeywords({
    phrases,
    minded,
    tokens: readTokens(readFileSync(tokens, 'utf8')),
    ...(existsSync(words) ? { pronunciations: readPronunciations(readFileSync(words, 'utf8')) } : {}),
  });
  // With an empty list the library gives up, and the process with it.
  if (keywords.lines.length === 0) return { engine: { accept: () => [], close: () => undefined }, keywords };
  const spotter = withLines(
    keywords.lines,
    (keywordsFile) =>
      new sherpa.KeywordSpotter({
        featConfig: FEATURES,
        modelConfig: { transducer, tokens, numThreads: 1, provider: 'cpu', debug: 0 },
        maxActivePaths: PATHS,
        numTrailingBlanks: 1,
        keywordsFile,
      }),
  );
  const stream = spotter.createStream();
  const engine: KeywordEngine = {
    accept(samples) {
      stream.acceptWaveform({ sampleRate: RATE, samples: toFloats(samples) });
      const told = [];
      while (spotter.isReady(stream)) {
        spotter.decode(stream);
        const { keyword = '', timestamps = [] } = spotter.getResult(stream);
        if (keyword === '') continue;
        told.push({ keyword, lastedS: (timestamps.at(-1) ?? 0) - (timestamps[0] ?? 0) });
        // Else it tells nothing more.
        spotter.reset(stream);
      }
      return told;
    },
    close: () => undefined,
  };
  return { engine, keywords };
}
