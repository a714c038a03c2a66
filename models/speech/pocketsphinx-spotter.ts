/** The English ear as one synchronous piece over a decoder: samples in, hits of the pack's phrases out. Runs inside the child. */
import type { Phrase, PhraseContext } from '../../protocol/rules.ts';
import { because, type Why } from '../../protocol/why.ts';
import { laterWords } from './excerpt.ts';
import { heardOf, judgeByWords, mindsWords } from './pocketsphinx-context.ts';
import type { Decoder, Segment, SpokenWord } from './pocketsphinx-library.ts';
import { createReader, type ReadingWatch } from './pocketsphinx-reader.ts';
import type { Hit, LaterWords } from './recogniser.ts';

/**
 * Threshold of a phrase as a power of ten for each of its phones, by how many it has at least. Set where 300 phrases of
 * random everyday words gave no false hit from 12 phones on (and one at -4.5 under 20) in 4.5 minutes of neutral speech,
 * and 2 to 12 per hour and phrase below at -3.
 */
const EXPONENT_PER_PHONE = [
  [20, -4.5],
  [16, -4],
  [12, -3],
  [8, -2.5],
  [0, -2],
] as const;
/** The library adds this to a spotted phrase's score, in its own unit; to be taken off before comparing. */
const SCORE_OFFSET = 1500;
/** Its unit in powers of ten: 2^10 × log10(1.0001). */
const UNIT = 1024 * Math.log10(1.0001);
/** Samples per frame. */
const FRAME = 160;
/** Samples that are fed at one time: 100 ms. */
const STEP = 1600;
/** Amplitude (0.001 of full scale) of the noise that is mixed in: digital silence ruins the decoder's means for good. */
const NOISE = 33;
/** An utterance is cut after this much sound: in a pause, or at last anyway. */
const CUT_QUIET = 30 * 16_000;
const CUT_ALWAYS = 120 * 16_000;
const AGAIN_SAMPLES = 16_000;
/** Sound kept for the words around a phrase, and how much of it before the phrase is read: about the lexicon's twelve words. */
const KEPT_SAMPLES = 10 * 16_000;
const BEFORE_SAMPLES = 4 * 16_000;
/** A needed word may come after the phrase: the words are read again after each half of this. */
const HELD_SAMPLES = 3 * 16_000;
/** Sound whose words are read is at most the sound heard, and so much ahead: a storm of hits must not make the ear late. */
const ALLOWANCE = 60 * 16_000;
/** What was said after a phrase is read for people to see, and only out of what the phrases to come do not need. */
const ALLOWANCE_LEFT = 30 * 16_000;
/** Hits that wait for what is said after them. */
const FOLLOWED = 16;

export interface Keyword {
  readonly phraseId: string;
  /** As the pack writes it, and as the dictionary does. */
  readonly text: string;
  readonly words: string;
  /** Power of ten. */
  readonly threshold: number;
  readonly phones: readonly string[];
  readonly context?: PhraseContext | undefined;
}

/** Lower case, letters and apostrophes only: as the dictionary writes words. */
export function wordsOf(form: string): string[] {
  return form
    .toLowerCase()
    .replace(/[^a-z' ]+/g, ' ')
    .split(/\s+/)
    .filter((word) => word !== '');
}

function thresholdOf(phones: number): number {
  const [, perPhone] = EXPONENT_PER_PHONE.find(([least]) => phones >= least)!;
  return perPhone * phones;
}

/** Forms with a word outside the dictionary come back in `unheard`, with the reason. */
export function planKeywords(
  phrases: readonly Phrase[],
  decoder: Pick<Decoder, 'phones'>,
): { keywords: Keyword[]; unheard: { phraseId: string; reason: string }[] } {
  const keywords: Keyword[] = [];
  const unheard: { phraseId: string; reason: string }[] = [];
  for (const phrase of phrases)
    for (const text of phrase.forms) {
      const words = wordsOf(text);
      const phones = words.map((word) => decoder.phones(word));
      const unknown = words.filter((_, i) => phones[i] === undefined);
      const count = phones.reduce((sum, list) => sum + (list?.length ?? 0), 0);
      if (unknown.length > 0)
        unheard.push({ phraseId: phrase.phraseId, reason: `not in the dictionary: ${unknown.join(', ')}` });
      else if (count < 5)
        unheard.push({ phraseId: phrase.phraseId, reason: `"${text}" is too short to be told from other speech` });
      else if (!keywords.some((known) => known.words === words.join(' ')))
        keywords.push({
          phraseId: phrase.phraseId,
          text,
          words: words.join(' '),
          threshold: thresholdOf(count),
          phones: phones.flatMap((list) => list ?? []),
          context: phrase.context,
        });
    }
  return { keywords, unheard };
}

/** The keyword file of the library. */
export function keywordFile(keywords: readonly Keyword[]): string {
  return keywords.map(({ words, threshold }) => `${words} /1e${threshold}/\n`).join('');
}

/** What an ear that cannot read words says of itself, and why; nothing when no phrase minds those around it. */
export function carelessOf(keywords: readonly Keyword[], error = 'no en-us.lm.bin'): readonly Why[] {
  const idsWith = (side: 'needs' | 'unless') => [
    ...new Set(keywords.filter(({ context }) => context?.[side]?.length).map(({ phraseId }) => phraseId)),
  ];
  const [needs, unless] = [idsWith('needs'), idsWith('unless')];
  return [
    ...(needs.length > 0 ? [because('deaf_to_near', { phrases: needs.join(', '), error })] : []),
    ...(unless.length > 0 ? [because('context_lost', { phrases: unless.join(', '), error })] : []),
  ];
}

/** A spotted phrase whose words were not read yet, or may yet bring one that it needs. */
interface Spotted {
  readonly keyword: Keyword;
  readonly score: number;
  readonly beginSample: number;
  readonly endSample: number;
  /** When the words are read next, and for the last time. */
  readonly askSample: number;
  readonly untilSample: number;
}

/** Samples in, hits out; `later`: what these samples have completed of the words around earlier hits. */
export interface EnglishSpotter {
  (samples: Int16Array): Hit[];
  later(): readonly LaterWords[];
}

/** Two passes: the decoder's own threshold spots, and the words of the language around the phrase decide whether it counts. */
export function createEnglishSpotter(
  decoder: Decoder,
  keywords: readonly Keyword[],
  watch?: ReadingWatch,
): EnglishSpotter {
  const reader = createReader(decoder.wordsOf, watch);
  const byWords = new Map(keywords.map((keyword) => [keyword.words, keyword]));
  const reported = new Map<string, number>();
  const kept = new Int16Array(KEPT_SAMPLES);
  let held: Spotted[] = [];
  let followed: { readonly hit: Hit; readonly head: string }[] = [];
  let later: LaterWords[] = [];
  let allowance = ALLOWANCE;
  let position = 0;
  let utterance = 0;
  let seed = 1;
  const noise = () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return (seed / 2 ** 31 - 1) * NOISE;
  };
  const anew = () => {
    decoder.end();
    decoder.begin();
    utterance = 0;
  };
  const spottedOf = (segment: Segment): Spotted | undefined => {
    const keyword = byWords.get(segment.word);
    if (!keyword) return undefined;
    const endSample = Math.min(position, (segment.endFrame + 1) * FRAME);
    const last = reported.get(keyword.phraseId);
    if (last !== undefined && endSample - last <= AGAIN_SAMPLES) return undefined;
    reported.set(keyword.phraseId, endSample);
    return {
      keyword,
      score: (segment.score + SCORE_OFFSET) * UNIT,
      beginSample: Math.min(endSample, segment.beginFrame * FRAME),
      endSample,
      askSample: position,
      untilSample: position + HELD_SAMPLES,
    };
  };

  /** Words from a while before a sample until now; undefined where they cannot be read. */
  const wordsSince = (beginSample: number): SpokenWord[] | undefined => {
    const from = Math.max(0, position - KEPT_SAMPLES, beginSample - BEFORE_SAMPLES);
    if (!decoder.wordsOf || allowance < position - from) return undefined;
    allowance -= (position - from) * reader.weight();
    const sound = Int16Array.from({ length: position - from }, (_, i) => kept[(from + i) % KEPT_SAMPLES]!);
    return reader.read(sound)?.map((word) => ({
      ...word,
      beginSample: from + word.beginSample,
      endSample: from + word.endSample,
    }));
  };

  /**
   * Of all that is due the words are read at once, which takes a second or two: only where they can change something.
   * What may still become a hit is held.
   */
  const settle = (due: readonly Spotted[]): Hit[] => {
    const words = due.some(mindsWords) ? wordsSince(Math.min(...due.map(({ beginSample }) => beginSample))) : undefined;
    return due.flatMap((spotted) => {
      const { keyword, score, beginSample, endSample } = spotted;
      const verdict = judgeByWords({ keyword, score, beginSample, endSample, words });
      if (verdict === 'open' && position < spotted.untilSample)
        held.push({ ...spotted, askSample: position + HELD_SAMPLES / 2 });
      if (verdict !== 'allowed') return [];
      const { phraseId, text, threshold } = keyword;
      const heard = heardOf({ text, beginSample, endSample, words });
      const hit: Hit = { phraseId, text, score, threshold, beginSample, endSample, neededSample: position, heard };
      const before = words?.filter((word) => word.endSample <= endSample);
      if (decoder.wordsOf)
        followed = [...followed, { hit, head: heardOf({ text, beginSample, endSample, words: before }) }].slice(
          -FOLLOWED,
        );
      return [hit];
    });
  };

  /** The sound in memory begins where a phrase of 10 s ago ended: what was said since is read once more. */
  const follow = () => {
    const due = followed.filter(({ hit }) => position + STEP > hit.endSample + KEPT_SAMPLES);
    followed = followed.filter((one) => !due.includes(one));
    for (const { hit, head } of due) {
      if (allowance < ALLOWANCE_LEFT + KEPT_SAMPLES) continue;
      const after =
        wordsSince(hit.endSample + BEFORE_SAMPLES)?.filter(
          (word) => (word.beginSample + word.endSample) / 2 > hit.endSample,
        ) ?? [];
      const heard = [head, ...after.map((word) => word.text)].join(' ');
      if (heard.length > hit.heard.length) later.push(laterWords(hit, heard, position));
    }
  };

  decoder.begin();
  const accept = (samples: Int16Array): Hit[] => {
    const hits: Hit[] = [];
    later = [];
    // Small steps: a hit is noticed within 100 ms however large the blocks are.
    for (let at = 0; at < samples.length; at += STEP) {
      const step = samples.slice(at, at + STEP);
      for (let i = 0; i < step.length; i++) {
        step[i] = Math.max(-32768, Math.min(32767, Math.round(step[i]! + noise())));
        kept[(position + i) % KEPT_SAMPLES] = step[i]!;
      }
      decoder.feed(step);
      position += step.length;
      utterance += step.length;
      allowance = Math.min(ALLOWANCE, allowance + step.length);
      const segments = decoder.segments();
      const due = [
        ...held.filter(({ askSample }) => askSample <= position),
        ...segments.flatMap((segment) => spottedOf(segment) ?? []),
      ];
      held = held.filter(({ askSample }) => askSample > position);
      if (due.length > 0) hits.push(...settle(due));
      if (followed.length > 0) follow();
      if (segments.length > 0 || utterance > CUT_ALWAYS || (utterance > CUT_QUIET && !decoder.inSpeech())) anew();
    }
    return hits;
  };
  return Object.assign(accept, { later: () => later });
}
