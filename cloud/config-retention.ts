/** Beside config.ts: `retention` of cloud.yaml, how long events and the words in them are kept, and what is wrong with it. */
import { z } from 'zod';
import { WORD_CLASSES, type WordDays, wordDaysOf } from '../protocol/words.ts';

const DAY_MS = 86_400_000;
const days = z.int().min(1).max(36_500).exactOptional();

/** `days` beside classes is what counts for the classes that are not named. */
export const retentionShape = z.strictObject({
  days,
  words: z
    .strictObject({ days, prohibited: days, suggestive: days, tendentious: days, irrelevant: days, fee: days })
    .exactOptional(),
});
type Shape = z.output<typeof retentionShape>;

export interface RetentionConfig {
  /** How long what is stored and judged is kept; for ever where absent. */
  readonly retentionMs?: number;
  /** How long spoken words are kept, by class; a class that is absent has its words as long as the event. */
  readonly wordDays?: WordDays;
}

/** Nothing is set: nothing leaves for its age. */
export function retentionOf(retention: Shape | undefined, faults: string[]): RetentionConfig {
  if (retention === undefined) return {};
  const { days: eventDays, words } = retention;
  if (eventDays === undefined && words === undefined)
    faults.push('retention: give days, or words, or both; leave it out to keep everything');
  if (words && Object.keys(words).length === 0)
    faults.push(`retention.words: give days for all classes, or days for one of ${WORD_CLASSES.join(', ')}`);
  for (const [key, value] of Object.entries(words ?? {}))
    if (eventDays !== undefined && value > eventDays)
      faults.push(
        `retention.words.${key}: ${value} days is longer than retention.days: words leave with their event after ${eventDays}; give at most ${eventDays}, or raise retention.days`,
      );
  return {
    ...(eventDays === undefined ? {} : { retentionMs: eventDays * DAY_MS }),
    ...(words ? { wordDays: wordDaysOf(words) } : {}),
  };
}

/** The setting in force, one line for each thing that is kept. */
export function retentionWords({ retentionMs, wordDays = {} }: RetentionConfig): string[] {
  const ever = 'for ever (nothing leaves for its age)';
  const events = retentionMs === undefined ? ever : `${Math.round(retentionMs / DAY_MS)} days after they are judged`;
  return [
    `events, alerts, clips: ${events}`,
    ...WORD_CLASSES.map((wordClass) => {
      const kept = wordDays[wordClass];
      return `words, ${wordClass}: ${kept === undefined ? 'as long as their event' : `${kept} days`}`;
    }),
  ];
}
