/** The streaming recogniser of sherpa-onnx as an engine that gives words. Only the child process loads this. */
import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Unavailable } from '../../protocol/errors.ts';
import type { HeardWord, WordEngine } from './words-spotter.ts';

/** What is used of the package's own interface. */
interface Sherpa {
  readonly OnlineRecognizer: new (
    config: object,
  ) => {
    createStream(): { acceptWaveform(sound: { samples: Float32Array; sampleRate: number }): void };
    isReady(stream: object): boolean;
    decode(stream: object): void;
    isEndpoint(stream: object): boolean;
    reset(stream: object): void;
    getResult(stream: object): { readonly tokens?: readonly string[]; readonly timestamps?: readonly number[] };
  };
}

const RATE = 16_000;
/** A token lasts at most so long: only its begin is told. */
const TOKEN_S = 0.4;

/** The model's files by their usual names: an encoder, decoder and joiner (transducer), a tokens.txt, perhaps a bpe.model. */
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

/**
 * Opens a streaming transducer. `home` is a folder in which sherpa-onnx-node was installed. Throws Unavailable; a model that
 * the library dislikes ends the process: that is why this lives in a child.
 */
export function openSherpa({ home, folder }: { home: string; folder: string }): WordEngine {
  let sherpa: Sherpa;
  try {
    sherpa = createRequire(join(home, 'package.json'))('sherpa-onnx-node') as Sherpa;
  } catch (error) {
    throw new Unavailable(
      'library_missing',
      `loading sherpa-onnx-node from ${home}; run: evalroom models fetch sherpa`,
      error,
    );
  }
  const { transducer, tokens } = filesOf(folder);
  const recogniser = new sherpa.OnlineRecognizer({
    featConfig: { sampleRate: RATE, featureDim: 80 },
    modelConfig: { transducer, tokens, numThreads: 1, provider: 'cpu', debug: 0 },
    decodingMethod: 'greedy_search',
    enableEndpoint: 1,
    rule1MinTrailingSilence: 1.2,
    rule2MinTrailingSilence: 0.6,
    rule3MinUtteranceLength: 15,
  });
  const stream = recogniser.createStream();
  let position = 0;
  let begin = 0;
  return {
    accept(samples) {
      stream.acceptWaveform({ sampleRate: RATE, samples: Float32Array.from(samples, (value) => value / 32_768) });
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
