/** Between the net and the phrases: its 2,599 characters are pooled to toneless syllables, and phrases are spelt in them. */
import { pinyin } from 'pinyin-pro';
import { InvalidInput } from '../../protocol/errors.ts';
import { mergedParts } from './lexicon/sounds.ts';
import { spokenForms } from './lexicon/spoken.ts';

/** The net's blank is over-sure on speech it was not trained on; this share of it is kept. */
const BLANK_SHARE = 0.3;
const LOG_FLOOR = 1e-10;
/** Who says n for l, or z for zh, means the other: a syllable has at least its sibling's log probability less this per part. */
const MERGED_LOSS = 1;
const HAN = /^\p{Script=Han}$/u;
/** Not spoken: dropped from a form before it is spelt. */
const SILENT = /[\s\p{P}\p{S}]/u;

/** The syllable table of one token list. Class 0 is the blank, 1 … `names.length` - 2 are syllables, the last is all else. */
export interface Syllables {
  /** Name per class: `''` for the blank, toneless pinyin (`lv` for 绿), `'?'` for all else. */
  readonly names: readonly string[];
  /**
   * Log probabilities per class (blank reduced, siblings in many people's Mandarin raised to each other, not
   * renormalised) of one posterior row over the tokens. The best class stays the best.
   */
  pool(posterior: Float32Array): Float32Array;
  /** Spells a form: for each character the classes that may be heard for it. Throws InvalidInput (`phrase_unspeakable`). */
  spell(form: string): readonly (readonly number[])[];
}

/** All readings of one character, toneless; empty for anything that is not a Han character. */
function readings(character: string): string[] {
  if (!HAN.test(character)) return [];
  const found = pinyin(character, { toneType: 'none', multiple: true, type: 'array', v: true });
  return [...new Set(found)].filter((syllable) => /^[a-z]+$/.test(syllable));
}

/** Toneless pinyin of a text as it is read aloud, one reading each, separated by blanks: what sounds alike is equal. */
export function soundsOf(text: string): string {
  const han = [...(spokenForms(text, 'zh')[0] ?? text)].filter((character) => HAN.test(character)).join('');
  return pinyin(han, { toneType: 'none', type: 'array', v: true }).join(' ');
}

/** `tokens` are the lines of the model's token file in order; the first one is the blank. */
export function createSyllables(tokens: readonly string[]): Syllables {
  const ofToken = tokens.map((token, index) => (index === 0 ? [] : readings(token)));
  const known = [...new Set(ofToken.flat())].sort();
  const classOf = new Map(known.map((syllable, index) => [syllable, index + 1]));
  const rest = known.length + 1;
  const names = ['', ...known, '?'];
  // A character with several readings gives its whole mass to each: the listener does not know which one was meant.
  const pairs = ofToken.flatMap((list, token) => {
    if (token === 0) return [];
    return list.length === 0 ? [[token, rest] as const] : list.map((s) => [token, classOf.get(s)!] as const);
  });
  const siblings = names.map((name, c) =>
    names.flatMap((other, o) => {
      const isSound = (k: number) => k > 0 && k < rest;
      const parts = c !== o && isSound(c) && isSound(o) ? mergedParts(name, other) : undefined;
      return parts ? [{ from: o, loss: parts * MERGED_LOSS }] : [];
    }),
  );
  const from = Uint16Array.from(pairs, ([token]) => token);
  const to = Uint16Array.from(pairs, ([, syllable]) => syllable);

  return {
    names,
    pool(posterior) {
      const out = new Float32Array(names.length);
      for (let i = 0; i < from.length; i++) out[to[i]!]! += posterior[from[i]!]!;
      out[0] = posterior[0]! * BLANK_SHARE;
      for (let i = 0; i < out.length; i++) out[i] = Math.log(out[i]! + LOG_FLOOR);
      const raised = Float32Array.from(out);
      siblings.forEach((list, c) => {
        for (const { from: sibling, loss } of list) raised[c] = Math.max(raised[c]!, out[sibling]! - loss);
      });
      return raised;
    },
    spell(form) {
      const spelt = [...form]
        .filter((character) => !SILENT.test(character))
        .map((character) => {
          const classes = readings(character).flatMap((syllable) => classOf.get(syllable) ?? []);
          if (classes.length > 0) return classes;
          throw new InvalidInput(
            'phrase_unspeakable',
            `spelling a Mandarin phrase: "${character}" in "${form}" has no syllable; write it in Chinese characters as it is said`,
          );
        });
      if (spelt.length < 2)
        throw new InvalidInput(
          'phrase_too_short',
          `spelling a Mandarin phrase: "${form}" has ${spelt.length} syllables; one syllable matches everyday speech, use two or more`,
        );
      return spelt;
    },
  };
}
