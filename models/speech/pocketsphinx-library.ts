/** The few functions of Debian's libpocketsphinx that the English ear calls. Only the child process loads this. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import koffi from 'koffi';
import { Unavailable } from '../../protocol/errors.ts';
import type { HeardWord } from './words-spotter.ts';

/** A stretch that the decoder took for a phrase; frames of 10 ms since the decoder was made. */
export interface Segment {
  readonly word: string;
  readonly beginFrame: number;
  readonly endFrame: number;
  /** The library's own score: base-1.0001 logarithm, shifted right by 10 bits. */
  readonly score: number;
}

/** A word that the whole language model heard; samples count from the first one of the piece, phones as the dictionary has them. */
export interface SpokenWord extends HeardWord {
  readonly phones: readonly string[];
}

export interface Decoder {
  /** Phones of a word of the dictionary; undefined when it is not in it. */
  phones(word: string): readonly string[] | undefined;
  /** Reads a keyword file (`phrase /threshold/` per line) and searches for nothing else; false when it is refused. */
  spot(keywordFile: string): boolean;
  begin(): void;
  end(): void;
  feed(samples: Int16Array): void;
  /** What has been spotted since `begin`. */
  segments(): Segment[];
  inSpeech(): boolean;
  /**
   * Every word of a short piece of sound by the model of the whole language, in a decoder of its own that is opened when it
   * is first asked (a quarter of a second, 95 MB). Absent where the folder has no such model.
   */
  wordsOf?(samples: Int16Array): SpokenWord[];
  /** Frees it; no other call may follow. */
  close(): void;
}

/**
 * A path is given up when it falls this far behind the best one. The library's own 1e-48 is narrower than the threshold
 * of a phrase of 17 phones, so that longer ones were lost before they could be compared with theirs.
 */
const BEAM = '1e-200';
/** What a word of the language model is not: silence, noises, and the mark of another pronunciation behind a word. */
const NO_WORD = /^[<[+]/;
const VARIANT = /\(\d+\)$/;
/** Samples per frame. */
const FRAME = 160;
/** Base of the library's logarithms. */
const LOG_BASE = 1.0001;
const INSTALL = 'run: apt-get install libpocketsphinx3 pocketsphinx-en-us';

function load(name: string): ReturnType<typeof koffi.load> {
  try {
    return koffi.load(name);
  } catch (error) {
    throw new Unavailable('library_missing', `loading ${name}: it is not installed; ${INSTALL}`, error);
  }
}

/** Opens the acoustic model and dictionary in `folder`. Throws Unavailable (`library_missing`, `model_missing`). */
export function openDecoder(folder: string): Decoder {
  const dictionary = join(folder, 'cmudict-en-us.dict');
  for (const path of [join(folder, 'en-us', 'mdef'), dictionary])
    if (!existsSync(path)) throw new Unavailable('model_missing', `opening the English model: no ${path}; ${INSTALL}`);
  const base = load('libsphinxbase.so.3');
  const library = load('libpocketsphinx.so.3');
  const initConfig = base.func('void *cmd_ln_init(void *inout, void *defn, int strict, ...)');
  const definitions = library.func('void *ps_args()');
  const init = library.func('void *ps_init(void *)');
  const free = library.func('int ps_free(void *)');
  const lookUp = library.func('str ps_lookup_word(void *, str)');
  const setKeywords = library.func('int ps_set_kws(void *, str, str)');
  const setSearch = library.func('int ps_set_search(void *, str)');
  const startStream = library.func('int ps_start_stream(void *)');
  const startUtterance = library.func('int ps_start_utt(void *)');
  const endUtterance = library.func('int ps_end_utt(void *)');
  const process = library.func('int ps_process_raw(void *, void *, size_t, int, int)');
  const hypothesis = library.func('str ps_get_hyp(void *, _Out_ int *)');
  const speech = library.func('uint8_t ps_get_in_speech(void *)');
  const firstSegment = library.func('void *ps_seg_iter(void *)');
  const nextSegment = library.func('void *ps_seg_next(void *)');
  const segmentWord = library.func('str ps_seg_word(void *)');
  const segmentFrames = library.func('void ps_seg_frames(void *, _Out_ int *, _Out_ int *)');
  const segmentScore = library.func('int ps_seg_prob(void *, _Out_ int *, _Out_ int *, _Out_ int *)');

  const open = (more: Readonly<Record<string, string>>): unknown => {
    const settings = { hmm: join(folder, 'en-us'), dict: dictionary, logfn: '/dev/null', ...more };
    const flat = Object.entries(settings).flatMap(([key, value]) => ['str', `-${key}`, 'str', value]);
    const config = initConfig(null, definitions(), 1, ...flat, 'void *', null);
    return config ? init(config) : null;
  };
  const refused = () =>
    new Unavailable('model_missing', `opening the English model in ${folder}: the library refuses it; ${INSTALL}`);
  const decoder = open({ beam: BEAM });
  if (!decoder) throw refused();
  const phones = (word: string) => (lookUp(decoder, word) as string | null)?.split(' ');

  const language = join(folder, 'en-us.lm.bin');
  let words: unknown;
  const wordsOf = (samples: Int16Array): SpokenWord[] => {
    // Silence stays in: without it the frames of the words would not be those of the sound.
    words ??= open({ lm: language, remove_silence: 'no' });
    if (!words) throw refused();
    startStream(words);
    startUtterance(words);
    // The whole piece at once: the means of the sound are those of all of it then.
    process(words, samples, samples.length, 0, 1);
    endUtterance(words);
    if (hypothesis(words, [0]) === null) return [];
    const found: SpokenWord[] = [];
    for (let segment = firstSegment(words); segment; segment = nextSegment(segment)) {
      const said = segmentWord(segment) as string;
      if (NO_WORD.test(said)) continue;
      const begin = [0];
      const end = [0];
      segmentFrames(segment, begin, end);
      found.push({
        text: said.replace(VARIANT, ''),
        phones: phones(said) ?? phones(said.replace(VARIANT, '')) ?? [],
        beginSample: begin[0]! * FRAME,
        endSample: Math.min(samples.length, (end[0]! + 1) * FRAME),
        sure: Math.min(1, LOG_BASE ** segmentScore(segment, [0], [0], [0])),
      });
    }
    return found;
  };

  return {
    phones,
    ...(existsSync(language) ? { wordsOf } : {}),
    spot: (keywordFile) => setKeywords(decoder, 'phrases', keywordFile) === 0 && setSearch(decoder, 'phrases') === 0,
    begin: () => void startUtterance(decoder),
    end: () => void endUtterance(decoder),
    feed: (samples) => void process(decoder, samples, samples.length, 0, 0),
    close: () => {
      free(decoder);
      if (words) free(words);
    },
    inSpeech: () => speech(decoder) !== 0,
    segments: () => {
      if (hypothesis(decoder, [0]) === null) return [];
      const found: Segment[] = [];
      for (let segment = firstSegment(decoder); segment; segment = nextSegment(segment)) {
        const begin = [0];
        const end = [0];
        segmentFrames(segment, begin, end);
        found.push({
          word: (segmentWord(segment) as string).trim(),
          beginFrame: begin[0]!,
          endFrame: end[0]!,
          score: segmentScore(segment, [0], [0], [0]),
        });
      }
      return found;
    },
  };
}
