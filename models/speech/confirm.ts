/** Second pass of the Mandarin spotter: a candidate of the first pass is aligned again, and every syllable must stand up. */
import { commonness } from './chance.ts';
import { bestOf, emission, SYLLABLE_FRAMES } from './scorer.ts';

/** Best alignment of a whole phrase with a span of frames. */
export interface Alignment {
  /** Mean log likelihood ratio per syllable, a single one taken for no worse than the cap. */
  readonly score: number;
  /** The worst syllable's own ratio, with the blanks after it. */
  readonly worst: number;
  /** Syllables that were heard outright: the net held nothing else for much likelier. */
  readonly clear: number;
  /** The worst ratio among the syllables that name a bidder; 0 where none does. */
  readonly named: number;
  readonly beginFrame: number;
  readonly endFrame: number;
}

/** One path through the syllables so far: the sum, where it began, its worst finished syllable and the running one. */
interface Path {
  readonly sum: number;
  readonly begin: number;
  /** Frame at which the running syllable was entered. */
  readonly entered: number;
  readonly worst: number;
  readonly running: number;
  /** What finished syllables lost beyond the cap. */
  readonly spared: number;
  readonly clear: number;
  readonly named: number;
}

/** A syllable with this ratio was heard outright. */
const CLEAR = -1;
const isClear = (ratio: number) => Number(ratio > CLEAR);

/** The running pass keeps no account per syllable; this one does, over a span of a few seconds. Undefined: no path. */
export function align(
  frames: readonly Float32Array[],
  spelling: readonly (readonly number[])[],
  cap = Number.NEGATIVE_INFINITY,
  isName: (syllable: number) => boolean = () => false,
): Alignment | undefined {
  const count = spelling.length;
  let onSyllable: (Path | undefined)[] = Array.from({ length: count });
  let onBlank: (Path | undefined)[] = Array.from({ length: count });
  let found: Alignment | undefined;
  const beyond = (ratio: number) => Math.max(0, cap - ratio);
  const better = (a: Path | undefined, b: Path | undefined) => (!b || (a && a.sum >= b.sum) ? a : b);
  frames.forEach((logs, frame) => {
    const best = bestOf(logs);
    const blank = logs[0]! - best;
    // As in the running pass: who has waited too long makes room.
    const inTime = (path: Path | undefined) => (path && frame - path.entered < SYLLABLE_FRAMES ? path : undefined);
    const nextSyllable: (Path | undefined)[] = [];
    const nextBlank: (Path | undefined)[] = [];
    for (let i = 0; i < count; i++) {
      const ratio = emission(logs, spelling[i]!) - best;
      const stay = inTime(onSyllable[i]);
      const repeat = i > 0 && spelling[i]!.some((c) => spelling[i - 1]!.includes(c));
      const from = i === 0 ? undefined : better(onBlank[i - 1], repeat ? undefined : onSyllable[i - 1]);
      const entered: Path | undefined =
        i === 0
          ? { sum: 0, begin: frame, entered: frame, worst: 0, running: 0, spared: 0, clear: 0, named: 0 }
          : from && {
              ...from,
              entered: frame,
              worst: Math.min(from.worst, from.running),
              spared: from.spared + beyond(from.running),
              clear: from.clear + isClear(from.running),
              named: isName(i - 1) ? Math.min(from.named, from.running) : from.named,
              running: 0,
            };
      const path = better(stay, entered);
      nextSyllable.push(path && { ...path, sum: path.sum + ratio, running: path.running + ratio });
      const rest = better(stay, inTime(onBlank[i]));
      nextBlank.push(rest && { ...rest, sum: rest.sum + blank, running: rest.running + blank });
    }
    onSyllable = nextSyllable;
    onBlank = nextBlank;
    const last = onSyllable[count - 1];
    const score = last ? (last.sum + last.spared + beyond(last.running)) / count : Number.NEGATIVE_INFINITY;
    if (last && (!found || score > found.score))
      found = {
        score,
        worst: Math.min(last.worst, last.running),
        clear: last.clear + isClear(last.running),
        named: isName(count - 1) ? Math.min(last.named, last.running) : last.named,
        beginFrame: last.begin,
        endFrame: frame,
      };
  });
  return found;
}

/**
 * Limits by the length of a form, from 0 on: the mean log likelihood ratio per syllable that it must reach (a syllable that
 * comes again counts half for this), and what its worst syllable may have: one that was not there at all has about -9 to
 * -15. From six syllables on one may be missing: it counts as `CAP`. Set where phrases drawn from transcripts, and others cut
 * from tender talk that nobody said, gave 0.1 to 0.4 false hits per hour and phrase with three to five syllables and none
 * with more: the longer a phrase, the less everyday speech resembles it.
 */
const MEAN = [-0.5, -0.5, -0.5, -1.5, -2, -2.4, -2.75] as const;
const WORST = [-6, -6, -6, -6, -7, -10, Number.NEGATIVE_INFINITY] as const;
const CAP = -12;
const SPARED_FROM = 6;
/** A syllable that is not there at all costs so much in the running pass, at most. */
const MISSING = -20;
/**
 * Of what a form's syllables get by chance so much is asked of its mean beyond its length, and at most so much. Who says them is
 * heard alike whether they are common or not, and by chance a common one gets all of its chance more: one half lies between. Forms of
 * one or two different syllables have strict limits of their own.
 */
const CHANCE_SHARE = 0.5;
const CHANCE_MOST = 1;
/** Two syllables said twice are rarer than two said once. */
const REPEATED_MEAN = -1;
/**
 * Share of a form's syllables that must have been heard outright. In noise the net is sure of nothing, and any phrase can be
 * put together out of what it half believes; who says a phrase says some of it clearly.
 */
const CLEAR_SHARE = 0.3;
/** Who is meant must have been said: a syllable of a bidder's name or number may not be missing, however long the phrase. */
const NAMED_WORST = -4.5;
/** Frames (30 ms) that one syllable takes on average: quicker or slower than this nobody speaks. */
const PACE = { least: 2, most: 25 } as const;

/**
 * What is told as suspected without the second pass must have so much more in the running one than the second asks for in the
 * mean, whatever its length: on neutral speech the default pack lies below it, and of drawn phrases that nobody said far fewer
 * reach it than stand the second pass (docs/ears.md).
 */
const STRICT = 0.25;

/** What is asked of a form: in the running pass, where no account is kept of single syllables, to be suspected by that alone, and in the second. */
export interface Limits {
  readonly running: number;
  readonly suspected: number;
  readonly mean: number;
  readonly worst: number;
  readonly cap: number;
}

const at = (limits: readonly number[], n: number) => limits[Math.min(n, limits.length - 1)]!;

/**
 * The limits of a form, from its syllables, how many of them are different, and how easily each is heard by chance (by class, as
 * chance.ts has it; without it all are alike). `ease` lowers what is asked of the mean, for measuring what another strictness would give.
 */
export function limitsOf(spelling: readonly (readonly number[])[], ease = 0, chance?: Float32Array): Limits {
  const count = spelling.length;
  const different = new Set(spelling.map((set) => set.join(','))).size;
  const capped = count >= SPARED_FROM && different > 2;
  const length = different <= 2 ? different : (different + count) / 2;
  const whole = Math.floor(length);
  const between = at(MEAN, whole) + (length - whole) * (at(MEAN, whole + 1) - at(MEAN, whole));
  const common = chance && different > 2 ? CHANCE_SHARE * commonness(spelling, chance) : 0;
  const bounded = Math.max(-CHANCE_MOST, Math.min(CHANCE_MOST, common));
  const mean = (different <= 2 && count >= 4 ? REPEATED_MEAN : between + bounded) - ease;
  return {
    running: capped ? mean - (CAP - MISSING) / count : mean,
    suspected: mean + STRICT,
    mean,
    worst: at(WORST, different <= 2 ? different : count),
    cap: capped ? CAP : Number.NEGATIVE_INFINITY,
  };
}

/** True when the alignment holds as a spoken phrase of `syllables` syllables. */
export function isConfirmed(
  found: Alignment,
  syllables: number,
  { mean, worst }: Pick<Limits, 'mean' | 'worst'>,
): boolean {
  const pace = (found.endFrame - found.beginFrame) / Math.max(1, syllables - 1);
  const named = found.named >= NAMED_WORST;
  const heard = named && found.score >= mean && found.worst >= worst && found.clear >= CLEAR_SHARE * syllables;
  return heard && pace >= PACE.least && pace <= PACE.most;
}
