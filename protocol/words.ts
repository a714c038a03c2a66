/** Spoken words in an event: which class they are of, and the same event without them. Pure: box and cloud take them out alike. */
import { type EpisodeBody, isSuspected, type Sentence, type WordsRemoved } from './event.ts';

/** Classes of spoken words: the categories of phrases. */
export const WORD_CLASSES = ['prohibited', 'suggestive', 'tendentious', 'irrelevant', 'fee'] as const;
export type WordClass = (typeof WORD_CLASSES)[number];

/** How many days the words of a class are kept; an absent class keeps them as long as their event is there. */
export type WordDays = Readonly<Partial<Record<WordClass, number>>>;

/** The days of each class, where `days` counts for those that are not named. */
export function wordDaysOf({ days, ...named }: WordDays & { readonly days?: number }): WordDays {
  return Object.fromEntries(
    WORD_CLASSES.flatMap((wordClass) => {
      const kept = named[wordClass] ?? days;
      return kept === undefined ? [] : [[wordClass, kept]];
    }),
  );
}

/** What was said beside another behaviour has the shortest time of all. */
export type AnyWordClass = WordClass | 'other';
export const ANY_WORD_CLASSES = [...WORD_CLASSES, 'other'] as const;

/** The days of a class; undefined: as long as the event. */
export function daysOf(days: WordDays, wordClass: AnyWordClass): number | undefined {
  return wordClass === 'other' ? shortestDays(days) : days[wordClass];
}

/** The shortest time of all classes: for whatever holds words of any class. Undefined where no class has one. */
export function shortestDays(days: WordDays): number | undefined {
  const all = WORD_CLASSES.flatMap((wordClass) => days[wordClass] ?? []);
  return all.length === 0 ? undefined : Math.min(...all);
}

const KINDS: Readonly<Record<AnyWordClass, Sentence>> = {
  prohibited: { zh: '禁用语', en: 'prohibited words' },
  suggestive: { zh: '暗示诱导', en: 'suggestive words' },
  tendentious: { zh: '倾向性言论', en: 'tendentious words' },
  irrelevant: { zh: '无关话题', en: 'talk off the subject' },
  fee: { zh: '议论评审费', en: 'talk about the fee' },
  other: { zh: '讲话', en: 'words' },
};

/** A sentence about words quotes them; empty quotes are those of an episode whose words are not known. */
const QUOTE = /[“"「『][^”"」』]*[^\s”"」』][^”"」』]*[”"」』]/;

const classOf = ({ behaviour }: Pick<EpisodeBody, 'behaviour'>): WordClass | undefined =>
  WORD_CLASSES.find((wordClass) => behaviour === `speech_${wordClass}`);

/** The class of the words that the event holds; undefined where it holds none (any more). */
export function wordsIn(body: Pick<EpisodeBody, 'behaviour' | 'sentence' | 'transcript'>): AnyWordClass | undefined {
  const spoken = classOf(body);
  if (body.transcript) return spoken ?? 'other';
  return spoken && (QUOTE.test(body.sentence.zh) || QUOTE.test(body.sentence.en)) ? spoken : undefined;
}

/** The sentence of an alert or event once its words are gone; without `removed` because they stand elsewhere. */
export function wordlessSentence(
  { behaviour, phase, suspected }: Pick<EpisodeBody, 'behaviour' | 'phase'> & { readonly suspected?: boolean },
  removed?: Pick<WordsRemoved, 'afterDays'>,
): Sentence {
  const kind = KINDS[classOf({ behaviour }) ?? 'other'];
  const [zhWhy, enWhy] = removed
    ? [
        `原话已在 ${removed.afterDays} 天后按保留期限删除`,
        `the words were removed after ${removed.afterDays} day${removed.afterDays === 1 ? '' : 's'} by the retention`,
      ]
    : ['原话见已存事件', 'its words stand in the stored event'];
  if (suspected)
    return phase === 'end'
      ? {
          zh: `疑似${kind.zh}，未得到证实，已结束；${zhWhy}`,
          en: `Suspected, never confirmed: ${kind.en}; over; ${enWhy}`,
        }
      : { zh: `疑似${kind.zh}，尚未证实；${zhWhy}`, en: `Suspected ${kind.en}, not confirmed yet; ${enWhy}` };
  return phase === 'end'
    ? { zh: `听到${kind.zh}，已结束；${zhWhy}`, en: `Was heard: ${kind.en}; ${enWhy}` }
    : { zh: `听到${kind.zh}；${zhWhy}`, en: `Heard ${kind.en}; ${enWhy}` };
}

/** The same event without what was said: its figures, times, rule and seats stay. */
export function withoutWords(body: EpisodeBody, removed?: WordsRemoved): EpisodeBody {
  const { transcript: _words, wordsRemoved: _before, ...rest } = body;
  return {
    ...rest,
    // What another behaviour's sentence says is no quotation.
    ...(classOf(body) ? { sentence: wordlessSentence({ ...body, suspected: isSuspected(body) }, removed) } : {}),
    ...(removed ? { wordsRemoved: removed } : {}),
  };
}
