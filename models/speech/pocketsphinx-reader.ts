/** Beside the English spotter: reads the words of a piece of sound where this machine does so in time, and says when it never will. */
import type { SpokenWord } from './pocketsphinx-library.ts';

/** Computing per sound from which a reading is charged for more sound than it has: a slow machine must not be made late. */
const USUAL_LOAD = 0.2;
/** So much computing one reading may take: sound waits for it, and an engine that is silent for 10 s is taken for hung. */
const READING_MS = 3000;
/** A usual reading: a machine that is too slow for it reads nothing at all. */
const READING_SAMPLES = 6 * 16_000;
/** How fast the machine is, is measured by so much sound, after the model was opened by hardly any. */
const TRIAL_SAMPLES = 16_000;
const OPENING_SAMPLES = 1600;

/** What reading takes of a machine, and whom to tell. */
export interface ReadingWatch {
  /** CPU time so far. */
  cpuMs(): number;
  /** Sound waits from now on for as long as a reading takes. */
  onBegin(): void;
  /** No words will be read any more, and why: phrases are told without, and those that need some are not. Once. */
  onGivenUp(why: string): void;
}

export interface Reader {
  /** Words of the piece; undefined where it cannot be read, or not in time. */
  read(sound: Int16Array): SpokenWord[] | undefined;
  /** By how much more than its length a reading costs of what may be read: 1 on a machine that is quick enough. */
  weight(): number;
}

/** Without `watch` nothing is measured, and all is read. */
export function createReader(
  wordsOf: ((samples: Int16Array) => SpokenWord[]) | undefined,
  watch: ReadingWatch | undefined,
): Reader {
  /** Seconds of computing per second of sound, the least so far; unknown before the first reading. */
  let load: number | undefined;
  let givenUp = wordsOf === undefined;
  const giveUp = (why: string): undefined => {
    givenUp = true;
    watch?.onGivenUp(why);
  };
  const attempt = (sound: Int16Array): SpokenWord[] | undefined => {
    watch?.onBegin();
    const beganMs = watch?.cpuMs() ?? 0;
    try {
      const words = wordsOf?.(sound);
      if (watch && sound.length >= TRIAL_SAMPLES)
        load = Math.min(load ?? Number.POSITIVE_INFINITY, (watch.cpuMs() - beganMs) / (sound.length / 16));
      return words;
    } catch (error) {
      // The phrase must not be lost with its words.
      return giveUp((error as Error).message);
    }
  };
  const costMs = (samples: number) => ((load ?? 0) * samples) / 16;

  return {
    read(sound) {
      if (givenUp) return undefined;
      if (watch && load === undefined && sound.length > TRIAL_SAMPLES) {
        if (!attempt(sound.slice(-OPENING_SAMPLES)) || !attempt(sound.slice(-TRIAL_SAMPLES))) return undefined;
        if (costMs(READING_SAMPLES) > READING_MS) return giveUp('this machine is too slow to read words in time');
      }
      return costMs(sound.length) > READING_MS ? undefined : attempt(sound);
    },
    weight: () => Math.max(1, (load ?? 0) / USUAL_LOAD),
  };
}
