/** Fills the slots of phrase forms with what a project is about: bidders by all their names, and numbered bidders. */
import type { Phrase } from '../../../protocol/rules.ts';
import { spokenForms } from './spoken.ts';

/** Names of one bidder: full, short, aliases. */
export interface ProjectWords {
  readonly bidders: readonly (readonly string[])[];
}

/** Forms that one form may become; the rest is left out. */
const MOST_FORMS = 60;
const DIGITS = '一二三四五六七八九十';
const STEMS = '甲乙丙丁戊己庚辛';
const COMPANY = /(股份|集团|有限|责任|公司|工程|科技|建设)+$/;

/** What people call a bidder: its names, and its full name without the legal form. */
function namesOf(bidder: readonly string[]): string[] {
  return bidder.flatMap((name) => {
    const short = name.replace(COMPANY, '');
    return short !== name && short.length >= 2 ? [name, short] : [name];
  });
}

/** Without bidders a slot is filled with ordinal ways of naming one: 第一家, 甲公司, the first bidder. */
function fillings(slot: string, words: ProjectWords, language: string): string[] {
  const count = Math.max(3, Math.min(8, words.bidders.length));
  if (language === 'en') {
    const ordinals = ['first', 'second', 'third', 'fourth', 'fifth', 'sixth', 'seventh', 'eighth'].slice(0, count);
    return slot === 'NUMBER'
      ? ordinals
      : [...words.bidders.flat(), ...ordinals.map((ordinal) => `the ${ordinal} bidder`)];
  }
  const numbered = [...DIGITS].slice(0, count).map((digit) => `第${digit}家`);
  if (slot === 'NUMBER') return numbered;
  return [
    ...words.bidders.flatMap(namesOf).filter((name) => /^\p{Script=Han}+$/u.test(name)),
    ...numbered,
    ...[...STEMS].slice(0, count).map((stem) => `${stem}公司`),
  ];
}

/** All texts that a form stands for; the form itself where it has no slot. At most 60, the project's own names first. */
export function fillSlots(form: string, language: string, words: ProjectWords = { bidders: [] }): string[] {
  const slot = /\{(BIDDER|NUMBER)\}/.exec(form);
  if (!slot) return [form];
  return fillings(slot[1]!, words, language)
    .flatMap((filling) => fillSlots(form.replace(slot[0], filling), language, words))
    .slice(0, MOST_FORMS);
}

/** The phrases with every slot filled and every sign read aloud, as engines that know neither need them. */
export function fillPhrases(phrases: readonly Phrase[], words?: ProjectWords): Phrase[] {
  return phrases.map((phrase) => ({
    ...phrase,
    forms: [
      ...new Set(
        phrase.forms
          .flatMap((form) => fillSlots(form, phrase.language, words))
          .flatMap((form) => spokenForms(form, phrase.language)),
      ),
    ],
  }));
}
