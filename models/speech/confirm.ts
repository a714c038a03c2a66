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

/** A syllable under this was not there at all: a phrase of several clear ones must not carry it. */
const WORST_SYLLABLE = -10;
/** Frames (30 ms) that one syllable takes on average: quicker or slower than this nobody speaks. */
const PACE = { least: 2, most: 25 } as const;

/** True when the alignment holds as a spoken phrase of `syllables` syllables. */
export function isConfirmed(found: Alignment, syllables: number, threshold: number): boolean {
  const pace = (found.endFrame - found.beginFrame) / Math.max(1, syllables - 1);
  return found.score >= threshold && found.worst >= WORST_SYLLABLE && pace >= PACE.least && pace <= PACE.most;
}

/**
 * Default threshold of a form: the fewer different syllables it has, the more it resembles everyday speech, so the
 * clearer it must be heard.
 */
export function thresholdOf(spelling: readonly (readonly number[])[]): number {
  const different = new Set(spelling.map((set) => set.join(','))).size;
  return different >= 4 ? -2.5 : different === 3 ? -2 : -1;
}
