/** One stretch of speech is one thing said: of phrases that were heard over the same units only the best counts. */
import type { SpeechCategory } from '../../../protocol/observation.ts';

/** A phrase over a stretch; units or frames. */
export interface Stretch {
  readonly phraseId: string;
  readonly begin: number;
  readonly end: number;
  /** Heard as it is written, with nothing taken for something else. */
  readonly exact: boolean;
}

export interface Overlap {
  /** Whether something else has been said by these units already; call it with the best first, and `add` what is told. */
  covers(stretch: Stretch): boolean;
  add(stretch: Stretch): void;
}

/** Stretches share so much of the shorter one where they are of the same words. */
const SHARED = 0.5;
const REMEMBERED = 32;

/** Phrases of one category say the same thing twice; those of two categories do where only one of them was said outright. */
export function createOverlap(categoryOf: (phraseId: string) => SpeechCategory | undefined): Overlap {
  let told: Stretch[] = [];
  return {
    covers: (stretch) =>
      told.some((one) => {
        if (one.phraseId === stretch.phraseId) return false;
        const shared = Math.min(one.end, stretch.end) - Math.max(one.begin, stretch.begin) + 1;
        const shorter = Math.min(one.end - one.begin, stretch.end - stretch.begin) + 1;
        if (shared < SHARED * shorter) return false;
        return categoryOf(one.phraseId) === categoryOf(stretch.phraseId) || (one.exact && !stretch.exact);
      }),
    add(stretch) {
      told = [...told, stretch].slice(-REMEMBERED);
    },
  };
}
