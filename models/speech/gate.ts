/** First thing before the Mandarin ear: sound that is no louder than the room's own noise is not worth the net's time. */
import { createFbank, MELS, STEP } from './fbank.ts';

/** Steps (10 ms) before the first loud one that pass too, and steps after the last one. */
const LEAD = 30;
const TAIL = 90;
/** At first everything passes, until the noise of the room is known. */
const LEARNING = 300;
/** Share of a new step in the running level of a band. */
const SMOOTH = 0.2;
/** The floor of a band falls to a lower level by this share per step, and rises by so much (natural logarithm). */
const FALL = 0.1;
const RISE = 0.001;
/** Loud: the bands stand so much over their floors, in the mean (natural logarithm; what is under its floor counts 0). */
const LOUD = 0.6;
/** Openings that are remembered: hits come at most seconds late. */
const ANCHORS = 100;

export interface Gate {
  /** Samples that passed with these: none, all, or with those that led up to them. At most 25 ms wait for the next block. */
  push(samples: Int16Array): Int16Array;
  /** Where the nth sample that passed stands among all that came. */
  placeOf(passed: number): number;
}

/**
 * A gate that has learnt nothing yet. A phrase cannot reach over a closed stretch: lead and tail together are longer than
 * the time that may pass between two of its syllables; the tail also covers what the net looks ahead.
 */
export function createGate(): Gate {
  const fbank = createFbank();
  const level = new Float32Array(MELS);
  const floor = new Float32Array(MELS);
  let seen = 0;
  let openUntil = LEARNING;
  /** Samples that are not judged yet, or may yet lead up to a loud one; the first of them is sample `place`. */
  let held = new Int16Array(0);
  let place = 0;
  let passed = 0;
  const anchors: { passed: number; place: number }[] = [{ passed: 0, place: 0 }];

  const isLoud = (mel: Float32Array): boolean => {
    let over = 0;
    for (let band = 0; band < MELS; band++) {
      const value = mel[band]!;
      if (seen === 0) {
        level[band] = value;
        floor[band] = value;
      }
      level[band]! += SMOOTH * (value - level[band]!);
      const above = level[band]! - floor[band]!;
      floor[band]! += above < 0 ? FALL * above : Math.min(RISE, above);
      over += Math.max(0, above);
    }
    return over >= LOUD * MELS;
  };

  return {
    push(samples) {
      const all = new Int16Array(held.length + samples.length);
      all.set(held);
      all.set(samples, held.length);
      const out = new Int16Array(all.length);
      let through = 0;
      /** Samples of `all` that are dealt with: passed, or too old to lead up to anything. */
      let done = 0;
      for (const mel of fbank.push(samples)) {
        if (isLoud(mel)) openUntil = Math.max(openUntil, seen + TAIL);
        seen++;
        const end = seen * STEP - place;
        if (seen <= openUntil) {
          if (anchors.at(-1)!.place + passed - anchors.at(-1)!.passed !== place + done) {
            anchors.push({ passed, place: place + done });
            if (anchors.length > ANCHORS) anchors.shift();
          }
          out.set(all.subarray(done, end), through);
          through += end - done;
          passed += end - done;
          done = end;
        } else done = Math.max(done, end - LEAD * STEP);
      }
      held = all.slice(done);
      place += done;
      return out.slice(0, through);
    },
    placeOf(sample) {
      let anchor = anchors[0]!;
      for (const next of anchors) if (next.passed <= sample) anchor = next;
      return anchor.place + sample - anchor.passed;
    },
  };
}
