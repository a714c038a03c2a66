/** The words around a phrase: whether they negate it, quote it, or name what it needs, however the speaker turns it. */
import type { Phrase } from '../../../protocol/rules.ts';
import { createExact } from './exact.ts';
import { createFuzzy } from './fuzzy.ts';
import { fillContext, type ProjectWords } from './slots.ts';

/** Units before a phrase in which its context counts, and after it in which a needed word may still come. */
const BEFORE = 12;
export const AFTER = 8;
/** A plain negation must stand this close before the phrase; a prohibition reaches further into its sentence. */
const NEGATION_BEFORE = 3;
const PROHIBITION_BEFORE = 8;
/** A condition, or a word that sets a rule aside, stands so close before what it concerns. */
const TURNED_BEFORE = 3;
/** An engine's begin of a phrase may be so many units too early: a negation may lie over it by as much. */
const LAPPED = 2;
/** Who hears so many prohibitions in so many units hears rules being read out: nothing of them is said by the reader. */
const READ_OUT = { prohibitions: 2, units: 80 } as const;
/** A pause ends a sentence: it stands for so many units over which a negation or a quotation has to reach. */
const PAUSE_UNITS = 3;
/** How often a word may have been said until a phrase is judged. */
const REMEMBERED = 8;

/** Spoken to all, or in the words of a rule. */
const PROHIBITION =
  /^(请.{0,3}(不|别|勿)|不得|严禁|禁止|不准|不许|不允许|不应|不可以|不能因|不要因|切勿|杜绝|避免|防止|拒绝|(never|nobody|no one|((must|may|shall|should) not)|(not|never) (allowed|permitted)|(strictly )?(forbidden|prohibited)|please do not)\b)/i;
const NEGATION =
  /^(不|别|没|勿|(not|never|no|nobody|cannot|can't|don't|((do|does|did|can|could|may|must|should|shall|will|would) not))\b)/i;

type Kind = 'prohibition' | 'negation' | 'quotation';
const kindOf = (term: string): Kind =>
  PROHIBITION.test(term) ? 'prohibition' : NEGATION.test(term) ? 'negation' : 'quotation';
const REACH: Readonly<Record<Kind, number>> = {
  prohibition: PROHIBITION_BEFORE,
  negation: NEGATION_BEFORE,
  quotation: BEFORE,
};

/** What turns the words of `unless` round, by language. */
interface Turns {
  /** Have a negation in them, by sense or by sound, and forbid nothing: two negations, a reminder, a question, 特别 for 别. */
  readonly affirming: readonly string[];
  /** A negation behind it is a threat: 要是不能给他打高分. */
  readonly conditions: readonly string[];
  /** The rule that is named behind it is to be set aside: 不管招标文件规定. */
  readonly dismissing: readonly string[];
}
const words = (text: string) => text.split(' ');
const TURNS: Readonly<Record<string, Turns>> = {
  zh: {
    affirming: words(
      '不能不 不得不 不可不 不要不 不许不 不可以不 别不 不要忘了 不要忘记 不能忘了 不能忘记 别忘了 别忘记 别怕 不要怕 不用怕 别管 不要管 不管 ' +
        '别担心 不要担心 不用担心 别犹豫 不要犹豫 别客气 不要客气 不要紧 不要犯傻 能不能 要不要 该不该 可不可以 是不是 行不行 不得分 不能得分 ' +
        '别人 别的 别家 特别 分别 级别 类别 区别 性别 识别 个别',
    ),
    conditions: words('要是 如果 假如 倘若 谁要 谁敢 你敢 万一 你们敢'),
    dismissing: words('不管 别管 不用管 不要管 甭管 不按 别按 不用按 不看 别看 不用看 不理 别理 抛开 撇开 绕开'),
  },
  en: {
    affirming: [
      'do not forget',
      'never forget',
      'do not hesitate',
      'do not worry',
      'do not be afraid',
      'can not but',
      'can not help but',
      'not only',
      'no doubt',
      'no problem',
      'never mind',
      'no matter',
    ],
    conditions: ['if', 'in case', 'unless'],
    dismissing: [
      'ignore',
      'forget',
      'forget about',
      'never mind',
      'no matter',
      'regardless of',
      'do not mind',
      'whatever',
    ],
  },
};
/** A long word that takes a phrase back may be misheard a little itself; a short one would be in everything then. */
const limitOfTerm = (units: number) => (units < 3 ? 0 : 0.5);
const NO_TURNS: Turns = { affirming: [], conditions: [], dismissing: [] };

interface Occurrence {
  readonly begin: number;
  readonly end: number;
}

export interface Context {
  /** One unit further. */
  push(unit: string): void;
  /** Nobody spoke between the unit pushed last and the next. */
  pause(): void;
  /** What the words around say of a phrase over these units: it counts, it does not, or a needed word may yet come. */
  judge(phraseId: string, begin: number, end: number): 'allowed' | 'refused' | 'open';
}

/** One term of a phrase's `unless`. */
interface Veto {
  readonly term: string;
  readonly kind: Kind;
  /** A form of the phrase begins with it: what is heard there is the phrase. */
  readonly leads: boolean;
  /** A form of the phrase holds it: it says nothing inside the phrase. */
  readonly within: boolean;
}

/** `language` as the units' own: `zh` or `en`. Positions count from the first unit pushed. */
export function createContext(deps: {
  phrases: readonly Phrase[];
  language: string;
  spell: (text: string) => readonly string[];
  cost: (a: string, b: string) => number;
  project?: ProjectWords | undefined;
}): Context {
  const { phrases, language, spell, cost, project } = deps;
  const turns = TURNS[language] ?? NO_TURNS;
  // Every phrase has the same lists, and spelling is slow.
  const sounds = new Map<string, string>();
  const soundOf = (term: string) => {
    const sound = sounds.get(term) ?? ` ${spell(term).join(' ')} `;
    sounds.set(term, sound);
    return sound;
  };
  const rules = new Map(
    phrases.flatMap(({ phraseId, forms, context }) => {
      if (!context) return [];
      const { needs, unless = [] } = fillContext(context, language, project);
      // By sound: 防止 is in 甲方指定 too.
      const own = forms.map(soundOf);
      const vetoes = unless.map(
        (term): Veto => ({
          term,
          kind: kindOf(term),
          leads: own.some((form) => form.startsWith(soundOf(term))),
          within: own.some((form) => form.includes(soundOf(term))),
        }),
      );
      return [[phraseId, { needs, vetoes, own }] as const];
    }),
  );
  const all = [...rules.values()];
  const vetoes = new Map(all.flatMap((rule) => rule.vetoes.map((veto) => [veto.term, veto.kind] as const)));
  const needs = all.flatMap((rule) => rule.needs ?? []);
  const terms = [...new Set([...needs, ...turns.affirming, ...turns.conditions, ...turns.dismissing])];
  const spelt = terms.map(spell);
  const matcher = createExact(spelt);
  const vetoTerms = [...vetoes.keys()];
  const vetoMatcher = createFuzzy(
    vetoTerms.map(spell).map((units) => ({ units, limit: limitOfTerm(units.length) })),
    cost,
  );
  /** Where each term was heard, the last ones. */
  const heard = new Map<string, Occurrence[]>();
  let prohibitions: Occurrence[] = [];
  let position = -1;
  /** Units behind which there was a pause, the last ones. */
  let pauses: number[] = [];

  const said = (term: string): readonly Occurrence[] => heard.get(term) ?? [];
  const turned = (list: readonly string[], at: Occurrence) =>
    list.some((term) => said(term).some(({ end }) => end < at.begin && at.begin - end <= TURNED_BEFORE));
  /**
   * Whether a word that would turn this negation round is the negation alone, and the rest of it how the phrase begins: 不要关照
   * has the sound of 不要管 in it, 不得分数 that of 不得分.
   */
  const isOpening = (
    term: string,
    one: Occurrence,
    negation: Occurrence,
    begin: number,
    own: readonly string[],
  ): boolean => {
    const shared = one.end - begin + 1;
    const rest = spell(term).slice(negation.end - one.begin + 1);
    if (shared <= 0 || rest.length === 0) return false;
    // The stretch of a phrase may be longer than the phrase.
    const opening = (form: string) =>
      ` ${form
        .trim()
        .split(' ', shared + LAPPED)
        .join(' ')} `;
    return own.some((form) => opening(form).includes(` ${rest.join(' ')} `));
  };
  const forbids = (at: Occurrence, phraseBegin: number, own: readonly string[]) =>
    !turned(turns.conditions, at) &&
    !turns.affirming.some((term) =>
      said(term).some(
        (one) => one.begin <= at.begin && at.begin <= one.end && !isOpening(term, one, at, phraseBegin, own),
      ),
    );

  /** Whether a word that was heard there takes the phrase over these units back. */
  const stands = (
    { kind, leads, within }: Veto,
    at: Occurrence,
    { begin, end }: Occurrence,
    own: readonly string[],
  ): boolean => {
    const paused = pauses.filter((unit) => unit >= at.end && unit < begin).length;
    const before = at.end < begin && begin - at.end + PAUSE_UNITS * paused <= REACH[kind];
    if (kind === 'quotation') return before && !turned(turns.dismissing, at);
    if (leads && at.end + LAPPED >= begin) return false;
    const lapping = at.begin < begin && at.end >= begin && at.end < begin + LAPPED;
    const inside = at.begin >= begin && at.end <= end;
    return (before || (!within && (lapping || inside))) && forbids(at, begin, own);
  };
  const isReadOut = (begin: number, own: readonly string[]) =>
    prohibitions.filter((at) => at.end < begin && begin - at.end <= READ_OUT.units && forbids(at, begin, own)).length >=
    READ_OUT.prohibitions;
  const refused = (phraseId: string, begin: number, end: number) => {
    const { vetoes: list, own } = rules.get(phraseId) ?? { vetoes: [], own: [] };
    if (list.some(({ kind }) => kind === 'prohibition') && isReadOut(begin, own)) return true;
    return list.some((veto) => said(veto.term).some((at) => stands(veto, at, { begin, end }, own)));
  };
  const note = (term: string, at: Occurrence) => heard.set(term, [...said(term), at].slice(-REMEMBERED));
  const met = (phraseId: string, begin: number, end: number) => {
    const needs = rules.get(phraseId)?.needs;
    if (!needs) return true;
    return needs.some((term) => said(term).some((at) => begin - at.end <= BEFORE && at.begin - end <= AFTER));
  };

  return {
    push(unit) {
      position++;
      for (const index of matcher.push(unit))
        note(terms[index]!, { begin: position - spelt[index]!.length + 1, end: position });
      for (const { pattern, begin, end } of vetoMatcher.push(unit)) {
        const [term, at] = [vetoTerms[pattern]!, { begin, end }];
        note(term, at);
        // 不得 and 不得因 are one prohibition.
        if (vetoes.get(term) === 'prohibition' && !prohibitions.some((one) => one.begin <= end && one.end >= begin))
          prohibitions = [...prohibitions, at].slice(-REMEMBERED);
      }
    },
    pause() {
      pauses = [...pauses, position].slice(-REMEMBERED);
    },
    judge(phraseId, begin, end) {
      if (refused(phraseId, begin, end)) return 'refused';
      if (met(phraseId, begin, end)) return 'allowed';
      return position - end < AFTER ? 'open' : 'refused';
    },
  };
}
