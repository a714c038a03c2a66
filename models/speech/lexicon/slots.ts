/** Fills the slots of phrase forms with what a project is about: bidders by all their names, and numbered bidders. */
import type { Phrase, PhraseContext } from '../../../protocol/rules.ts';
import { quantity, spokenForms } from './spoken.ts';

/** Names of one bidder: full, short, aliases. */
export interface ProjectWords {
  readonly bidders: readonly (readonly string[])[];
  /** Words of what is being bought: talk of them is on the subject. */
  readonly topics?: readonly string[];
}

/** A name or a form with slots that cannot be listened for in full, and why. */
export interface LeftOut {
  readonly text: string;
  readonly reason: string;
}

/** Forms that one form may become: 50 bidders by ten names each, full and short, by number and by letter, fit in. */
const MOST_FORMS = 1200;
/** Numbers that are looked for at least: the bidders' list of a project may be empty, or not complete yet. */
const LEAST_NUMBERED = 10;
const MOST_NUMBERED = 50;
const STEMS = [...'甲乙丙丁戊己庚辛壬癸'];
const ORDINALS = (
  'first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth ' +
  'sixteenth seventeenth eighteenth nineteenth twentieth'
).split(' ');
const TENS = ['thirtieth', 'fortieth', 'fiftieth'];
const OVER_TENS = ['twenty', 'thirty', 'forty'];
const SLOT = /\{(BIDDER|NUMBER)\}/;
const COMPANY = /(股份|集团|有限|责任|公司|工程|科技|建设)+$/;
const HAN = /\p{Script=Han}/u;
const NOT_READ = /[^\p{Script=Han}\s\p{P}\p{S}]/u;

/** 1 is first … 50 is fiftieth. */
const ordinal = (n: number): string =>
  n <= 20
    ? ORDINALS[n - 1]!
    : n % 10 === 0
      ? TENS[n / 10 - 3]!
      : `${OVER_TENS[Math.floor(n / 10) - 2]} ${ORDINALS[(n % 10) - 1]}`;

/** Whether a name can be said in the language: in Mandarin digits and capitals are read aloud, in English there are no characters. */
function isSaid(name: string, language: string): boolean {
  if (!language.startsWith('zh')) return !HAN.test(name);
  const read = spokenForms(name, language)[0] ?? name;
  return HAN.test(read) && !NOT_READ.test(read);
}

/** What people call a bidder: a name, and where it is a full one also without the legal form. */
function namesOf(name: string, language: string): string[] {
  const short = language.startsWith('zh') ? name.replace(COMPANY, '') : name;
  return short !== name && short.length >= 2 ? [name, short] : [name];
}

/** What a slot may hold, the likeliest first: every bidder's first name, then the numbers, then everybody's other names in turn. */
function fillings(slot: string, words: ProjectWords, language: string): string[] {
  const zh = language.startsWith('zh');
  const count = Math.min(MOST_NUMBERED, Math.max(LEAST_NUMBERED, words.bidders.length));
  const numbered = Array.from({ length: count }, (_, i) => (zh ? `第${quantity(String(i + 1))}家` : ordinal(i + 1)));
  if (slot === 'NUMBER') return numbered;
  const said = words.bidders.map((names) => names.filter((name) => isSaid(name, language)));
  const most = Math.max(0, ...said.map((names) => names.length));
  const [first = [], ...others] = Array.from({ length: most }, (_, turn) =>
    said.flatMap((names) => (names[turn] === undefined ? [] : namesOf(names[turn], language))),
  );
  const counted = zh
    ? [...numbered, ...STEMS.slice(0, count).map((stem) => `${stem}公司`)]
    : numbered.map((number) => `the ${number} bidder`);
  return [...new Set([...first, ...counted, ...others.flat()])];
}

/** Every text that a form may stand for, and how many there would be without a limit. Of two slots none is filled up before the other. */
function expand(form: string, language: string, words: ProjectWords): { texts: string[]; all: number } {
  const slot = SLOT.exec(form);
  if (!slot) return { texts: [form], all: 1 };
  const choices = fillings(slot[1]!, words, language).map((filling) =>
    expand(form.replace(slot[0], filling), language, words),
  );
  const longest = Math.max(0, ...choices.map(({ texts }) => texts.length));
  const texts: string[] = [];
  for (let round = 0; round < choices.length + longest && texts.length < MOST_FORMS; round++)
    for (let i = Math.max(0, round - longest + 1); i <= round && i < choices.length && texts.length < MOST_FORMS; i++) {
      const text = choices[i]!.texts[round - i];
      if (text !== undefined) texts.push(text);
    }
  return { texts, all: choices.reduce((sum, choice) => sum + choice.all, 0) };
}

/** All texts that a form stands for, the likeliest first; the form itself where it has no slot. At most 1,200: see `leftOutOf`. */
export function fillSlots(form: string, language: string, words: ProjectWords = { bidders: [] }): string[] {
  return expand(form, language, words).texts;
}

/** Words of a context with its slots filled. */
const fillWords = (list: readonly string[], language: string, words?: ProjectWords) =>
  list.flatMap((word) => fillSlots(word, language, words));

/** A phrase's context with the names of the project in it. */
export function fillContext({ needs, unless }: PhraseContext, language: string, words?: ProjectWords): PhraseContext {
  return {
    ...(needs ? { needs: fillWords(needs, language, words) } : {}),
    ...(unless ? { unless: fillWords(unless, language, words) } : {}),
  };
}

/** The phrases with every slot filled and every sign read aloud, as engines that know neither need them. */
export function fillPhrases(phrases: readonly Phrase[], words?: ProjectWords): Phrase[] {
  return phrases.map((phrase) => ({
    ...phrase,
    ...(phrase.context ? { context: fillContext(phrase.context, phrase.language, words) } : {}),
    forms: [
      ...new Set(
        phrase.forms
          .flatMap((form) => fillSlots(form, phrase.language, words))
          .flatMap((form) => spokenForms(form, phrase.language)),
      ),
    ],
  }));
}

/** Names that no phrase of these can be filled with, and forms that would become too many. */
export function leftOutOf(phrases: readonly Phrase[], words: ProjectWords = { bidders: [] }): LeftOut[] {
  const found = new Map<string, string>();
  for (const { language, forms, context } of phrases) {
    const texts = [...forms, ...(context?.needs ?? []), ...(context?.unless ?? [])];
    if (texts.some((text) => text.includes('{BIDDER}')))
      for (const name of words.bidders.flat())
        if (!isSaid(name, language)) found.set(name, `cannot be read aloud in ${language}`);
    for (const text of texts) {
      if (!SLOT.test(text)) continue;
      const { texts: filled, all } = expand(text, language, words);
      if (all > filled.length) found.set(text, `${all} ways of saying it, of which ${filled.length} are listened for`);
    }
  }
  return [...found].map(([text, reason]) => ({ text, reason }));
}
