/** The lexicon: finds the pack's phrases in a stream of syllables or words that a recogniser may have garbled, and judges their context. */
import type { Phrase } from '../../../protocol/rules.ts';
import { createExact } from './exact.ts';
import { createFuzzy } from './fuzzy.ts';
import { fillSlots, type ProjectWords } from './slots.ts';
import { stemCost, stemOf, syllableCost } from './sounds.ts';

/** Units of one language: how text is taken apart, and how alike two units are (0 same … 1 nothing in common). */
export interface Units {
  readonly language: string;
  spell(text: string): readonly string[];
  cost(a: string, b: string): number;
  /** Units that a form must have to be looked for at all, and below which only an exact occurrence counts. */
  readonly least: number;
  readonly exactBelow: number;
}

/** Toneless Mandarin syllables; `sounds` gives the syllables of a text separated by blanks. */
export function mandarinUnits(sounds: (text: string) => string): Units {
  return {
    language: 'zh',
    spell: (text) => sounds(text).split(' ').filter(Boolean),
    cost: syllableCost,
    least: 2,
    exactBelow: 4,
  };
}

/** Contractions of a negation, which a recogniser gives as one word and a pack writes as two, or the other way round. */
const IRREGULAR: Readonly<Record<string, string>> = { "can't": 'can not', cannot: 'can not', "won't": 'will not' };
const spelledOut = (word: string) => {
  const plain = word
    .toLowerCase()
    .replaceAll('’', "'")
    .replace(/[^a-z0-9']/g, '');
  return IRREGULAR[plain] ?? plain.replace(/^([a-z]+)n't$/, (_, verb: string) => `${verb} not`);
};

/** English words by their stems. */
export const englishUnits: Units = {
  language: 'en',
  spell: (text) =>
    text
      .split(/\s+/)
      .flatMap((word) => spelledOut(word).split(' '))
      .map(stemOf)
      .filter(Boolean),
  cost: stemCost,
  least: 2,
  exactBelow: 3,
};

/** Position of units counts from the first one pushed, both ends included. */
export interface LexiconHit {
  readonly phraseId: string;
  readonly text: string;
  readonly cost: number;
  readonly limit: number;
  readonly begin: number;
  readonly end: number;
}

export interface Lexicon {
  /** Patterns that are looked for, after slots were filled. */
  readonly patterns: number;
  /** One unit further; the suspected phrases whose context allows them, the best form of each phrase only. */
  push(unit: string): LexiconHit[];
  /** What still waits for its end or its context; nothing is forgotten of what came before. */
  flush(): LexiconHit[];
  /**
   * What the words around a phrase say that another engine found over these units: refused, allowed, or still open
   * because a needed word may yet come.
   */
  judge(phraseId: string, begin: number, end: number): 'allowed' | 'refused' | 'open';
}

/** Total cost that a form of so many units (English: words) may have: one merged sound in short forms, then a growing share. */
export function limitOf(units: number): number {
  return units < 5 ? 0.25 : 1 + 0.4 * (units - 5);
}

/** A bidder by its number is in every other sentence of the room: it says little, and its three units count less for the limit. */
const NUMBERED = /第[一二三四五六七八九十]家/g;
const NUMBERED_LESS = 0.75;
const weightOf = (text: string, units: number) => units - NUMBERED_LESS * (text.match(NUMBERED)?.length ?? 0);

/** Units before a phrase in which its context counts, and after it in which a needed word may still come. */
const BEFORE = 12;
const AFTER = 8;
/** A word of `unless` that begins with a negation must stand this close before the phrase. */
const NEGATION_BEFORE = 3;
const NEGATION =
  /^(不|别|没|禁止|严禁|(not|never|no|nobody|cannot|can't|don't|((do|does|did|can|could|may|must|should|shall|will|would) not))\b)/i;
/** The same phrase again within so many units is the same utterance. */
const AGAIN = 8;
const NOTHING = '\u0000';

interface Entry {
  readonly phraseId: string;
  readonly text: string;
  readonly units: readonly string[];
  readonly limit: number;
}

/** Patterns, slots and context of the phrases of one language. `project` fills the slots. */
export function createLexicon(deps: { phrases: readonly Phrase[]; units: Units; project?: ProjectWords }): Lexicon {
  const { units } = deps;
  const own = deps.phrases.filter((phrase) => phrase.language.startsWith(units.language));
  const entries: Entry[] = own.flatMap((phrase) =>
    phrase.forms
      .flatMap((form) => fillSlots(form, units.language, deps.project))
      .map((text) => ({ text, spelt: units.spell(text) }))
      .filter(({ spelt }) => spelt.length >= units.least)
      .map(({ text, spelt }) => ({
        phraseId: phrase.phraseId,
        text,
        units: spelt,
        limit: spelt.length < units.exactBelow ? 0 : limitOf(weightOf(text, spelt.length)),
      })),
  );
  const short = entries.filter((entry) => entry.limit === 0);
  const long = entries.filter((entry) => entry.limit > 0);
  const shortForms = createExact(short.map((entry) => entry.units));
  const longForms = createFuzzy(
    long.map(({ units: pattern, limit }) => ({ units: pattern, limit })),
    units.cost,
  );
  const contexts = new Map(own.map((phrase) => [phrase.phraseId, phrase.context]));
  const terms = [...new Set(own.flatMap(({ context }) => [...(context?.needs ?? []), ...(context?.unless ?? [])]))];
  const spelt = terms.map((term) => units.spell(term));
  const termForms = createExact(spelt);
  /** Where each term was heard last: its first and last unit. */
  const heard = new Map<string, { begin: number; end: number }>();
  const reported = new Map<string, number>();
  let waiting: LexiconHit[] = [];
  let position = -1;

  const vetoed = (phraseId: string, begin: number) =>
    (contexts.get(phraseId)?.unless ?? []).some((term) => {
      const at = heard.get(term);
      const reach = NEGATION.test(term) ? NEGATION_BEFORE : BEFORE;
      return at !== undefined && at.end < begin && begin - at.end <= reach;
    });
  const met = (phraseId: string, begin: number, end: number) => {
    const needs = contexts.get(phraseId)?.needs;
    if (!needs) return true;
    return needs.some((term) => {
      const at = heard.get(term);
      return at !== undefined && begin - at.end <= BEFORE && at.begin - end <= AFTER;
    });
  };

  /** Of what waits: allowed now, still hoping for a needed word, or given up. */
  const decide = (last: boolean): LexiconHit[] => {
    const hits: LexiconHit[] = [];
    const rest: LexiconHit[] = [];
    for (const hit of waiting.sort((a, b) => a.cost / a.limit - b.cost / b.limit)) {
      const before = reported.get(hit.phraseId);
      if (before !== undefined && hit.end - before < AGAIN) continue;
      if (vetoed(hit.phraseId, hit.begin)) continue;
      if (met(hit.phraseId, hit.begin, hit.end)) {
        reported.set(hit.phraseId, hit.end);
        hits.push(hit);
      } else if (!last && position - hit.end < AFTER) rest.push(hit);
    }
    waiting = rest;
    return hits;
  };

  const step = (unit: string) => {
    for (const index of termForms.push(unit))
      heard.set(terms[index]!, { begin: position - spelt[index]!.length + 1, end: position });
    for (const index of shortForms.push(unit)) {
      const { phraseId, text, units: pattern } = short[index]!;
      waiting.push({ phraseId, text, cost: 0, limit: 1, begin: position - pattern.length + 1, end: position });
    }
    for (const { pattern, cost, begin, end } of longForms.push(unit)) {
      const { phraseId, text, limit } = long[pattern]!;
      waiting.push({ phraseId, text, cost, limit, begin, end });
    }
  };

  return {
    patterns: entries.length,
    push(unit) {
      position++;
      step(unit);
      return waiting.length === 0 ? [] : decide(false);
    },
    flush() {
      position++;
      step(NOTHING);
      return decide(true);
    },
    judge(phraseId, begin, end) {
      if (vetoed(phraseId, begin)) return 'refused';
      if (met(phraseId, begin, end)) return 'allowed';
      return position - end < AFTER ? 'open' : 'refused';
    },
  };
}
