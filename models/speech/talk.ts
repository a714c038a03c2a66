/** Keeps count of how much of what an engine understands is about the evaluation, stretch by stretch. */

import type { ProjectWords } from './lexicon/slots.ts';
import { createVocabulary } from './lexicon/vocabulary.ts';
import type { Talk } from './recogniser.ts';

/** Samples of one stretch: 5 s. */
const STRETCH = 80_000;

export interface TalkCount {
  /** A syllable or word that the engine was sure of. */
  unit(unit: string): void;
  /** So much sound further; the count of the stretch that it completes. */
  advance(samples: number): Talk | undefined;
}

export function createTalkCount(deps: {
  language: string;
  spell: (text: string) => readonly string[];
  project?: ProjectWords | undefined;
}): TalkCount {
  const { language, spell, project } = deps;
  const vocabulary = createVocabulary({ language, spell, ...(project ? { project } : {}) });
  let samples = 0;
  let units = 0;
  let covered = 0;
  return {
    unit(unit) {
      units++;
      covered += vocabulary.push(unit);
    },
    advance(more) {
      samples += more;
      if (samples < STRETCH) return undefined;
      // A word may end in this stretch that began in the one before.
      const talk: Talk = { samples, units, covered: Math.min(covered, units) };
      samples = 0;
      units = 0;
      covered = 0;
      return talk;
    },
  };
}
