/** The lexicon: finds the pack's phrases in a stream of syllables or words that a recogniser may have garbled, and judges their context. */
import type { Phrase } from '../../../protocol/rules.ts';
import { createContext } from './context.ts';
import { createExact } from './exact.ts';
import { createFuzzy } from './fuzzy.ts';
import { createOverlap } from './overlap.ts';
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
  /** Nobody spoke between the unit pushed last and the next: a negation reaches less far over it. */
  pause(): void;
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
  return units < 5 ? 0.25 : 1.07 + 0.43 * (units - 5);
}

/** A bidder by its number is in every other sentence of the room: it says little, and its units count less for the limit. */
const NUMBERED = /第[一二三四五六七八九十]{1,3}家/;
const NUMBERED_LESS = 0.75;
/** So do those of its full name, which are many and the same in every phrase: half of what is beyond two. */
const NAMED_WHOLE = 2;

/** Units of a form by which its limit is measured. `names` are those of the bidders, the longest first. */
function weightOf(text: string, units: Units, names: readonly string[]): number {
  const length = units.spell(text).length;
  const name = names.find((one) => text.includes(one));
  if (name !== undefined) return length - Math.max(0, units.spell(name).length - NAMED_WHOLE) / 2;
  return length - (NUMBERED.test(text) ? NUMBERED_LESS : 0);
}

/** The same phrase again within so many units is the same utterance. */
const AGAIN = 8;
const NOTHING = '\u0000';

interface Entry {
  readonly phraseId: string;
  readonly text: string;
  readonly units: readonly string[];
  readonly limit: number;
}

/** Patterns, slots and context of the phrases of one language. `project` fills the slots, and says which names a filled one holds. */
export function createLexicon(deps: {
  phrases: readonly Phrase[];
  units: Units;
  project?: ProjectWords | undefined;
}): Lexicon {
  const { units } = deps;
  const own = deps.phrases.filter((phrase) => phrase.language.startsWith(units.language));
  const names = (deps.project?.bidders.flat() ?? []).sort((a, b) => b.length - a.length);
  const entries: Entry[] = own.flatMap((phrase) =>
    phrase.forms
      .flatMap((form) => fillSlots(form, units.language, deps.project))
      .map((text) => ({ text, spelt: units.spell(text) }))
      .filter(({ spelt }) => spelt.length >= units.least)
      .map(({ text, spelt }) => ({
        phraseId: phrase.phraseId,
        text,
        units: spelt,
        limit: spelt.length < units.exactBelow ? 0 : limitOf(weightOf(text, units, names)),
      })),
  );
  const short = entries.filter((entry) => entry.limit === 0);
  const long = entries.filter((entry) => entry.limit > 0);
  const shortForms = createExact(short.map((entry) => entry.units));
  const longForms = createFuzzy(
    long.map(({ units: pattern, limit }) => ({ units: pattern, limit })),
    units.cost,
  );
  const context = createContext({
    phrases: own,
    language: units.language,
    spell: units.spell,
    cost: units.cost,
    project: deps.project,
  });
  const categories = new Map(own.map(({ phraseId, category }) => [phraseId, category]));
  const overlap = createOverlap((phraseId) => categories.get(phraseId));
  const takenBack = createOverlap(() => undefined);
  const reported = new Map<string, number>();
  let waiting: LexiconHit[] = [];
  let position = -1;

  /** Of what waits: allowed now, still hoping for a needed word, or given up. What was said outright is told a unit before anything like it. */
  const decide = (last: boolean): LexiconHit[] => {
    const hits: LexiconHit[] = [];
    const rest: LexiconHit[] = [];
    for (const hit of waiting.sort(
      (a, b) => a.cost / a.limit - b.cost / b.limit || b.end - b.begin - (a.end - a.begin),
    )) {
      const before = reported.get(hit.phraseId);
      if (before !== undefined && hit.end - before < AGAIN) continue;
      const verdict = context.judge(hit.phraseId, hit.begin, hit.end);
      const stretch = { ...hit, exact: hit.cost === 0 };
      // What was said outright and taken back was not something like it that could stand.
      if (verdict === 'refused' && stretch.exact) takenBack.add(stretch);
      if (verdict === 'refused' || overlap.covers(stretch)) continue;
      if (!stretch.exact && takenBack.covers({ ...stretch, phraseId: '' })) continue;
      if (!last && verdict === 'open') rest.push(hit);
      else if (verdict === 'allowed') {
        reported.set(hit.phraseId, hit.end);
        overlap.add(stretch);
        hits.push(hit);
      }
    }
    waiting = rest;
    return hits;
  };

  const step = (unit: string) => {
    context.push(unit);
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
    pause: context.pause,
    judge: context.judge,
  };
}
