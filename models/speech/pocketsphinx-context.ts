/** What the words around a phrase of the English ear say of it: whether it counts, whether it was said at all, and what people read beside it. */
import { createLexicon, englishUnits } from './lexicon/lexicon.ts';
import type { SpokenWord } from './pocketsphinx-library.ts';
import type { Keyword } from './pocketsphinx-spotter.ts';

/**
 * Words that the model holds for less likely than this take no phrase back. Of a few minutes of real speech, clean, noisy and in
 * rooms, it heard two negations that nobody had said, both under 0.08, and the true ones mostly from 0.2 on.
 */
const SURE = 0.2;
/** A pause of so many samples ends a sentence: it stands for so many words, over which a negation does not reach. */
const PAUSE_SAMPLES = 0.35 * 16_000;
const PAUSE_UNITS = 3;
/** Words up to so far from a phrase's edges are compared with it. */
const EDGE = 0.2 * 16_000;
/** A phrase that the first pass was less sure of than this (powers of ten for each phone over its threshold) … */
const DOUBTED = 1;
/** … and of which the words have a smaller share of its phones than this was not said. */
const AGREED = 0.15;
/** In place of a word that does not count; no term is spelt so. */
const NOTHING = '\u0000';

interface Span {
  readonly beginSample: number;
  readonly endSample: number;
}

const middle = ({ beginSample, endSample }: Span) => (beginSample + endSample) / 2;

/** Units of the words in their order, and those that belong to the phrase: its first and its last one. */
function unitsOf(
  { beginSample, endSample }: Span,
  words: readonly SpokenWord[],
  least: number,
): { units: string[]; begin: number; end: number } {
  const units: string[] = [];
  let begin: number | undefined;
  let end = -1;
  let last = words[0]?.beginSample ?? 0;
  for (const word of words) {
    if (word.beginSample - last >= PAUSE_SAMPLES) units.push(...Array<string>(PAUSE_UNITS).fill(NOTHING));
    last = word.endSample;
    if (middle(word) >= beginSample) begin ??= units.length;
    const spelt = englishUnits.spell(word.text);
    units.push(...(word.sure < least ? spelt.map(() => NOTHING) : spelt));
    if (middle(word) <= endSample) end = units.length - 1;
  }
  begin ??= units.length;
  return { units, begin, end: Math.max(begin - 1, end) };
}

/** The context's verdict by one of its two lists. */
function verdictOf(deps: {
  keyword: Keyword;
  span: Span;
  words: readonly SpokenWord[];
  side: 'needs' | 'unless';
}): 'allowed' | 'refused' | 'open' {
  const { keyword, span, words, side } = deps;
  const terms = keyword.context?.[side];
  if (!terms?.length) return 'allowed';
  const { phraseId, text } = keyword;
  const lexicon = createLexicon({
    phrases: [
      { phraseId, language: 'en', category: 'prohibited', forms: [text], citation: '', context: { [side]: terms } },
    ],
    units: englishUnits,
  });
  // Doubt is for the phrase: what takes it back must have been heard surely, what it needs must have been heard at all.
  const { units, begin, end } = unitsOf(span, words, side === 'unless' ? SURE : 0);
  for (const unit of units) lexicon.push(unit);
  return lexicon.judge(phraseId, begin, end);
}

/** Share of the phrase's phones that the words over its place have in the same order, 0..1. */
function agreementOf(
  phones: readonly string[],
  { beginSample, endSample }: Span,
  words: readonly SpokenWord[],
): number {
  const said = words
    .filter((word) => word.endSample > beginSample - EDGE && word.beginSample < endSample + EDGE)
    .flatMap((word) => word.phones);
  // Edit distance to any stretch of what was said (Sellers): it may begin and end anywhere for nothing.
  let row = new Array<number>(said.length + 1).fill(0);
  for (const [i, phone] of phones.entries()) {
    const next = [i + 1];
    for (const [j, other] of said.entries())
      next.push(Math.min(row[j]! + (phone === other ? 0 : 1), row[j + 1]! + 1, next[j]! + 1));
    row = next;
  }
  return 1 - Math.min(...row) / phones.length;
}

/** Whether words can change what becomes of a spotted phrase: one that is sure and minds none is told at once. */
export function mindsWords({ keyword, score }: { readonly keyword: Keyword; readonly score: number }): boolean {
  const { context, phones, threshold } = keyword;
  return Boolean(context?.needs?.length || context?.unless?.length) || score - threshold < DOUBTED * phones.length;
}

/**
 * Whether a spotted phrase is told. Without words (`undefined`) it is told unless it needs some. `open`: a needed word may yet
 * come.
 */
export function judgeByWords(deps: {
  keyword: Keyword;
  score: number;
  beginSample: number;
  endSample: number;
  words: readonly SpokenWord[] | undefined;
}): 'allowed' | 'refused' | 'open' {
  const { keyword, score, words, ...span } = deps;
  if (!words) return keyword.context?.needs?.length ? 'refused' : 'allowed';
  const { phones, threshold } = keyword;
  // This is where a hit of a lower level would be told: the first pass has suspected it, the second one has not confirmed it.
  if (score - threshold < DOUBTED * phones.length && agreementOf(phones, span, words) < AGREED) return 'refused';
  if (verdictOf({ keyword, span, words, side: 'unless' }) === 'refused') return 'refused';
  return verdictOf({ keyword, span, words, side: 'needs' });
}

/** The words before the phrase, the phrase as the pack writes it, the words after it. */
export function heardOf(deps: {
  text: string;
  beginSample: number;
  endSample: number;
  words: readonly SpokenWord[] | undefined;
}): string {
  const { text, beginSample, endSample, words = [] } = deps;
  const before = words.filter((word) => middle(word) < beginSample).map((word) => word.text);
  const after = words.filter((word) => middle(word) > endSample).map((word) => word.text);
  return [...before, text, ...after].join(' ');
}
