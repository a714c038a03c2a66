/** What is said after a phrase, put together for as long as it may leave the room and told when that is over. Runs beside the engine. */
import type { Hit, LaterWords } from './recogniser.ts';

/** Words up to this far from a phrase may leave the room: 10 s. */
export const AROUND_SAMPLES = 10 * 16_000;
/** Phrases that are followed at one time, beyond which the oldest is left as it was told, and units kept for each. */
const FOLLOWED = 16;
const UNITS = 150;

export interface Excerpts {
  /** A hit has been told. `head`: what its `heard` begins with, up to the phrase; `after`: what was heard behind it by then. */
  begin(hit: Hit, head: string, after: readonly string[]): void;
  /** One unit more, in the order in which they are said; `sample` is its end. */
  unit(text: string, sample: number): void;
  /** Those whose time was over `settle` samples ago at this position of the sound, and of which there is more than was told. */
  due(position: number, settle: number): LaterWords[];
}

interface Followed {
  readonly hit: Hit;
  readonly head: string;
  readonly told: number;
  readonly after: string[];
}

export function createExcerpts(): Excerpts {
  let followed: Followed[] = [];
  const untilOf = ({ hit }: Followed) => hit.endSample + AROUND_SAMPLES;
  return {
    begin(hit, head, after) {
      // A phrase that was suspected and is now confirmed is followed once.
      const others = followed.filter(
        (one) => one.hit.phraseId !== hit.phraseId || Math.abs(one.hit.endSample - hit.endSample) > 16_000,
      );
      followed = [...others, { hit, head, told: after.length, after: [...after] }].slice(-FOLLOWED);
    },
    unit(text, sample) {
      for (const one of followed) if (sample <= untilOf(one) && one.after.length < UNITS) one.after.push(text);
    },
    due(position, settle) {
      const over = followed.filter((one) => untilOf(one) + settle <= position);
      if (over.length === 0) return [];
      followed = followed.filter((one) => !over.includes(one));
      return over.flatMap(({ hit, head, told, after }) =>
        after.length > told ? [laterWords(hit, [head, ...after].join(' '), position)] : [],
      );
    },
  };
}

/** The hit's place with what was heard around it in the end. */
export const laterWords = (
  { phraseId, beginSample, endSample }: Pick<Hit, 'phraseId' | 'beginSample' | 'endSample'>,
  heard: string,
  neededSample: number,
): LaterWords => ({ phraseId, beginSample, endSample, neededSample, heard });
