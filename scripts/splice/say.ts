/** What is to be said of a rule pack in a set of recordings: its phrases, or the same behind words that take them back. */
import { fillContext, fillSlots } from '../../models/speech/lexicon/slots.ts';
import { spokenForms } from '../../models/speech/lexicon/spoken.ts';
import type { Phrase } from '../../protocol/rules.ts';

/** One way of saying one form: `lead` stands before it without a pause, a word that it needs or one that takes it back. */
export interface Saying {
  readonly phraseId: string;
  readonly category: string;
  /** As the pack has it, slots unfilled. */
  readonly form: string;
  readonly lead: string;
  readonly text: string;
}

/** A form of which nothing can be said, and what is missing for it. */
export interface Unsayable {
  readonly phraseId: string;
  readonly form: string;
  readonly missing: readonly string[];
}

/** What stands between a lead and the phrase in the language. */
const GAP: Readonly<Record<string, string>> = { zh: '', en: ' ' };

/** All ways of saying a form: every filling of its slots behind every word of the list, or behind none. */
export function sayingsOf(phrase: Phrase, form: string, language: string, forbidden: boolean): readonly Saying[] {
  const context = phrase.context ? fillContext(phrase.context, language) : {};
  const leads = forbidden ? (context.unless ?? []) : (context.needs ?? ['']);
  const texts = [...new Set(fillSlots(form, language).flatMap((filled) => spokenForms(filled, language)))];
  const { phraseId, category } = phrase;
  return texts.flatMap((text) =>
    leads.map((lead) => ({
      phraseId,
      category,
      form,
      lead: lead === '' ? '' : `${lead}${GAP[language] ?? ' '}`,
      text,
    })),
  );
}

/**
 * `count` sayings per phrase, its forms in turn; of each form the choice falls by `random` (-1..1) among those that can be
 * said. `missingFor` names what a text needs and nobody has said.
 */
export function drawSayings(deps: {
  phrases: readonly Phrase[];
  language: string;
  forbidden: boolean;
  count: number;
  random: () => number;
  missingFor: (text: string) => readonly string[];
}): { readonly sayings: readonly Saying[]; readonly unsayable: readonly Unsayable[]; readonly forms: number } {
  const { phrases, language, forbidden, count, random, missingFor } = deps;
  const unsayable: Unsayable[] = [];
  let forms = 0;
  const sayings = phrases.flatMap((phrase) => {
    const sayable = phrase.forms.flatMap((form) => {
      const all = sayingsOf(phrase, form, language, forbidden);
      if (all.length === 0) return [];
      forms++;
      const whole = all.filter(({ lead, text }) => missingFor(lead + text).length === 0);
      if (whole.length > 0) return [whole];
      const needed = all.map(({ lead, text }) => missingFor(lead + text)).sort((a, b) => a.length - b.length);
      unsayable.push({ phraseId: phrase.phraseId, form, missing: needed[0]! });
      return [];
    });
    if (sayable.length === 0) return [];
    return Array.from({ length: count }, (_, i) => {
      const ways = sayable[i % sayable.length]!;
      return ways[Math.floor(((random() + 1) / 2) * ways.length) % ways.length]!;
    });
  });
  return { sayings, unsayable, forms };
}
