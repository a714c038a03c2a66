/** The English ear as one synchronous piece over a decoder: samples in, hits of the pack's phrases out. Runs inside the child. */
import type { Phrase } from '../../protocol/rules.ts';
import type { Decoder, Segment } from './pocketsphinx-library.ts';
import type { Hit } from './recogniser.ts';

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
/** Amplitude (0.001 of full scale) of the noise that is mixed in: digital silence ruins the decoder's means for good. */
const NOISE = 33;
/** An utterance is cut after this much sound: in a pause, or at last anyway. */
const CUT_QUIET = 30 * 16_000;
const CUT_ALWAYS = 120 * 16_000;
const AGAIN_SAMPLES = 16_000;

export interface Keyword {
  readonly phraseId: string;
  /** As the pack writes it, and as the dictionary does. */
  readonly text: string;
  readonly words: string;
  /** Power of ten. */
  readonly threshold: number;
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
        });
    }
  return { keywords, unheard };
}

/** The keyword file of the library. */
export function keywordFile(keywords: readonly Keyword[]): string {
  return keywords.map(({ words, threshold }) => `${words} /1e${threshold}/\n`).join('');
}

/** One pass only: the decoder's own threshold decides, there is no second engine to ask. */
export function createEnglishSpotter(decoder: Decoder, keywords: readonly Keyword[]): (samples: Int16Array) => Hit[] {
  const byWords = new Map(keywords.map((keyword) => [keyword.words, keyword]));
  const reported = new Map<string, number>();
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
  const hitOf = (segment: Segment): Hit | undefined => {
    const keyword = byWords.get(segment.word);
    if (!keyword) return undefined;
    const endSample = Math.min(position, (segment.endFrame + 1) * FRAME);
    const last = reported.get(keyword.phraseId);
    if (last !== undefined && endSample - last <= AGAIN_SAMPLES) return undefined;
    reported.set(keyword.phraseId, endSample);
    return {
      phraseId: keyword.phraseId,
      text: keyword.text,
      score: (segment.score + SCORE_OFFSET) * UNIT,
      threshold: keyword.threshold,
      beginSample: Math.min(endSample, segment.beginFrame * FRAME),
      endSample,
      neededSample: position,
      heard: keyword.text,
    };
  };
  decoder.begin();
  return (samples) => {
    const hits: Hit[] = [];
    // Small steps: a hit is noticed within 100 ms however large the blocks are.
    for (let at = 0; at < samples.length; at += 1600) {
      const step = samples.slice(at, at + 1600);
      for (let i = 0; i < step.length; i++) step[i] = Math.max(-32768, Math.min(32767, Math.round(step[i]! + noise())));
      decoder.feed(step);
      position += step.length;
      utterance += step.length;
      const segments = decoder.segments();
      hits.push(...segments.flatMap((segment) => hitOf(segment) ?? []));
      if (segments.length > 0 || utterance > CUT_ALWAYS || (utterance > CUT_QUIET && !decoder.inSpeech())) anew();
    }
    return hits;
  };
}
