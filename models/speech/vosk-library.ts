/** The few functions of libvosk that an ear calls, through koffi. Only the child process loads this. */
import { existsSync } from 'node:fs';
import koffi from 'koffi';
import { Unavailable } from '../../protocol/errors.ts';
import type { HeardWord, WordEngine } from './words-spotter.ts';

interface Result {
  readonly result?: readonly {
    readonly word: string;
    readonly start: number;
    readonly end: number;
    readonly conf: number;
  }[];
}

const RATE = 16_000;

/**
 * Opens a Kaldi model folder with the library. Throws Unavailable (`library_missing`, `model_missing`). A damaged model may
 * end the process instead: that is why this lives in a child.
 */
export function openVosk({ library, folder }: { library: string; folder: string }): WordEngine {
  if (!existsSync(folder)) throw new Unavailable('model_missing', `opening the vosk model: there is no ${folder}`);
  let lib: ReturnType<typeof koffi.load>;
  try {
    lib = koffi.load(library);
  } catch (error) {
    throw new Unavailable(
      'library_missing',
      `loading ${library}: it is not there or not for this processor; run: evalroom models fetch vosk`,
      error,
    );
  }
  const setLog = lib.func('void vosk_set_log_level(int)');
  const newModel = lib.func('void *vosk_model_new(str)');
  const freeModel = lib.func('void vosk_model_free(void *)');
  const newRecogniser = lib.func('void *vosk_recognizer_new(void *, float)');
  const freeRecogniser = lib.func('void vosk_recognizer_free(void *)');
  const setWords = lib.func('void vosk_recognizer_set_words(void *, int)');
  const accept = lib.func('int vosk_recognizer_accept_waveform(void *, void *, int)');
  const result = lib.func('str vosk_recognizer_result(void *)');

  setLog(-1);
  // A bad path gives a null pointer, not an error.
  const model = newModel(folder);
  if (!model) throw new Unavailable('model_missing', `opening the vosk model in ${folder}: the library refuses it`);
  const recogniser = newRecogniser(model, RATE);
  if (!recogniser)
    throw new Unavailable('model_missing', `opening the vosk model in ${folder}: it gives no recogniser`);
  setWords(recogniser, 1);
  return {
    accept(samples): HeardWord[] {
      if (accept(recogniser, samples, samples.byteLength) !== 1) return [];
      const { result: words = [] } = JSON.parse(result(recogniser) as string) as Result;
      return words.map(({ word, start, end, conf }) => ({
        text: word,
        beginSample: Math.round(start * RATE),
        endSample: Math.round(end * RATE),
        sure: conf,
      }));
    },
    close() {
      freeRecogniser(recogniser);
      freeModel(model);
    },
  };
}
