/** Second pass of the Mandarin spotter: a candidate of the first pass is aligned again, and every syllable must stand up. */
import { bestOf, emission } from './scorer.ts';

/** Best alignment of a whole phrase with a span of frames. */
export interface Alignment {
  /** Mean log likelihood ratio per syllable. */
  readonly score: number;
  /** The worst syllable's own ratio, with the blanks after it. */
  readonly worst: number;
  readonly beginFrame: number;
  readonly endFrame: number;
}

/** One path through the syllables so far: the sum, where it began, its worst finished syllable and the running one. */
interface Path {
  readonly sum: number;
  readonly begin: number;
  readonly worst: number;
  readonly running: number;
}

/** The running pass keeps no account per syllable; this one does, over a span of a few seconds. Undefined: no path. */
export function align(
  frames: readonly Float32Array[],
  spelling: readonly (readonly number[])[],
): Alignment | undefined {
  const count = spelling.length;
  let onSyllable: (Path | undefined)[] = Array.from({ length: count });
  let onBlank: (Path | undefined)[] = Array.from({ length: count });
  let found: Alignment | undefined;
  const better = (a: Path | undefined, b: Path | undefined) => (!b || (a && a.sum >= b.sum) ? a : b);
  frames.forEach((logs, frame) => {
    const best = bestOf(logs);
    const blank = logs[0]! - best;
    const nextSyllable: (Path | undefined)[] = [];
    const nextBlank: (Path | undefined)[] = [];
    for (let i = 0; i < count; i++) {
      const ratio = emission(logs, spelling[i]!) - best;
      const stay = onSyllable[i];
      const repeat = i > 0 && spelling[i]!.some((c) => spelling[i - 1]!.includes(c));
      const from = i === 0 ? undefined : better(onBlank[i - 1], repeat ? undefined : onSyllable[i - 1]);
      const entered: Path | undefined =
        i === 0
          ? { sum: 0, begin: frame, worst: 0, running: 0 }
          : from && { ...from, worst: Math.min(from.worst, from.running), running: 0 };
      const path = better(stay, entered);
      nextSyllable.push(path && { ...path, sum: path.sum + ratio, running: path.running + ratio });
      const rest = better(stay, onBlank[i]);
      nextBlank.push(rest && { ...rest, sum: rest.sum + blank, running: rest.running + blank });
    }
    onSyllable = nextSyllable;
    onBlank = nextBlank;
    const last = onSyllable[count - 1];
    if (last && (!found || last.sum / count > found.score))
      found = {
        score: last.sum / count,
        worst: Math.min(last.worst, last.running),
        beginFrame: last.begin,
        endFrame: frame,
      };
  });
  return found;
}

/**
 * Limits by the number of different syllables of a form, from 0 on: the mean log likelihood ratio per syllable that it
 * must reach, and what its worst syllable may have (one that was not there at all has about -9 to -15). Set where phrases
 * cut at random from tender talk, 60 of each length, gave 0 to 0.3 false hits per hour and phrase in 8 minutes of neutral
 * speech: the longer a phrase, the less everyday speech resembles it, and the more a recording may blur it.
 */
const MEAN = [-0.5, -0.5, -0.5, -2, -2.3, -2.5, -2.75] as const;
const WORST = [-6, -6, -6, -6, -6, -10, -15] as const;
/** Two syllables said twice are rarer than two said once. */
const REPEATED_MEAN = -1;
/** Frames (30 ms) that one syllable takes on average: quicker or slower than this nobody speaks. */
const PACE = { least: 2, most: 25 } as const;

/** What the second pass asks of a form. */
export interface Limits {
  readonly mean: number;
  readonly worst: number;
}

const at = (limits: readonly number[], count: number) => limits[Math.min(count, limits.length - 1)]!;

/** The limits of a form, from the number of its different syllables. */
export function limitsOf(spelling: readonly (readonly number[])[]): Limits {
  const different = new Set(spelling.map((set) => set.join(','))).size;
  const repeated = different === 2 && spelling.length >= 4;
  return { mean: repeated ? REPEATED_MEAN : at(MEAN, different), worst: at(WORST, different) };
}

/** True when the alignment holds as a spoken phrase of `syllables` syllables. */
export function isConfirmed(found: Alignment, syllables: number, { mean, worst }: Limits): boolean {
  const pace = (found.endFrame - found.beginFrame) / Math.max(1, syllables - 1);
  return found.score >= mean && found.worst >= worst && pace >= PACE.least && pace <= PACE.most;
}
