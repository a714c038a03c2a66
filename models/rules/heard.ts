/** Which forms of a pack no ear can ever hear: too short, or written in signs that are not spoken. */
import { InvalidInput } from '../../protocol/errors.ts';
import type { RulePack } from '../../protocol/rules.ts';
import { englishUnits, mandarinUnits, type Units } from '../speech/lexicon/lexicon.ts';
import { fillSlots } from '../speech/lexicon/slots.ts';
import { spokenForms } from '../speech/lexicon/spoken.ts';
import { soundsOf } from '../speech/syllables.ts';

/** The units that a language is spelt in; undefined where no lexicon knows it. */
export function unitsOf(language: string): Units | undefined {
  return UNITS.find((units) => language.startsWith(units.language));
}
const UNITS: readonly Units[] = [mandarinUnits(soundsOf), englishUnits];

const NOT_SPOKEN = /[\s\p{P}\p{S}]/gu;
const NOT_HAN = /[^\p{Script=Han}]/u;

export interface UnheardForm {
  readonly phraseId: string;
  readonly form: string;
  /** `short`: one syllable or word; `signs`: letters or signs in a Mandarin form that nobody can read aloud. */
  readonly reason: 'short' | 'signs';
}

/** Forms that a recogniser would be deaf to. */
export function unheardForms({ phrases }: Pick<RulePack, 'phrases'>): UnheardForm[] {
  return phrases.flatMap(({ phraseId, forms, language }) =>
    forms.flatMap((form): UnheardForm[] => {
      const units = unitsOf(language);
      const filled = fillSlots(form, units?.language ?? language)[0] ?? form;
      const text = spokenForms(filled, language)[0] ?? filled;
      if (units?.language === 'zh' && NOT_HAN.test(text.replace(NOT_SPOKEN, '')))
        return [{ phraseId, form, reason: 'signs' }];
      const least = units?.least ?? 1;
      return (units?.spell(text).length ?? least) < least ? [{ phraseId, form, reason: 'short' }] : [];
    }),
  );
}

/** Throws InvalidInput `rule_pack_unheard` for a pack that promises to hear what it cannot. */
export function refuseUnheard(pack: RulePack): void {
  const first = unheardForms(pack)[0];
  if (!first) return;
  const why = first.reason === 'short' ? 'use two syllables or words and more' : 'write it in Chinese characters';
  throw new InvalidInput(
    'rule_pack_unheard',
    `checking the rule pack ${pack.name} ${pack.version}: no ear can hear "${first.form}" of ${first.phraseId}; ${why}`,
  );
}
