/** Inside perceive.ts: a closer look at seats whose person the detector has lost, by the pose model, which finds people who lean or lie. */
import type { Keypoint, Person } from '../protocol/observation.ts';
import { upperBody } from '../protocol/observation.ts';
import { type Box, contains, iou, type Polygon } from '../protocol/seat.ts';
import type { MonoMs } from '../protocol/time.ts';

export interface CloserLook {
  /** Where to look besides what the detector found in this frame: at most two places, so that two who lean together are seen together. */
  plan(found: readonly Pick<Person, 'box' | 'score'>[], nowMs: MonoMs): readonly Box[];
  found(poses: readonly (readonly Keypoint[] | undefined)[], persons: readonly Person[], shape: Shape): CloserFound;
}

export interface CloserFound {
  /** Who is nobody of the persons: with the least score that counts. */
  readonly besides: readonly Person[];
  /** Indexes of persons whom the detector saw too weakly to count, with the pose that says that they are there, and its age. */
  readonly confirmed: ReadonlyMap<number, { readonly pose: readonly Keypoint[]; readonly ageMs: number }>;
}

/** The same persons, those confirmed with their pose and the least score that counts, and in the box that was detected. */
export function confirm(persons: readonly Person[], confirmed: CloserFound['confirmed']): readonly Person[] {
  return persons.map((person, i) => {
    const known = confirmed.get(i);
    if (!known) return person;
    const { pose, ageMs } = known;
    return { box: person.box, score: SCORE, pose, ...(ageMs > 0 ? { poseAgeMs: ageMs } : {}) };
  });
}

/**
 * The box of somebody with this pose; undefined where the pose shows too little, or something far too small to be the
 * person whose last box at that seat is `last`.
 */
export type Shape = (pose: readonly Keypoint[], last: Box | undefined) => Box | undefined;

/** A detection from this score on shows who sits there. */
const SURE = 0.3;
/** Who sat there is looked for so long, and so often. */
const MISSED_MS = 120_000;
const EVERY_MS = 1_000;
/** A detector misses one frame now and then; and where nobody was found, it is looked less and less often. */
const BLINK_MS = 900;
const SELDOM_MS = 8_000;
/** Leaning people are beside where they sat, and lower: the box grows by these shares of its width and height. */
const WIDER = 0.35;
const LOWER = 0.25;
const PER_FRAME = 2;
/** As sure as a detection that just counts: the model was told where to look. */
const SCORE = 0.3;
/** A pose this near to somebody who was found is theirs. */
const SAME = 0.3;

/** A weak detection overlaps the pose that confirms it by so much at least, whatever of the body either shows; … */
const OVERLAPS = 0.25;
/** … and itself a moment later by so much. */
const STAYS = 0.6;

/** One camera's. `zones` are those of its seats. */
export function createCloserLook({ zones }: { readonly zones: readonly Polygon[] }): CloserLook {
  const seats = zones.map((zone) => ({
    zone,
    box: undefined as Box | undefined,
    seenMs: Number.NEGATIVE_INFINITY,
    askedMs: Number.NEGATIVE_INFINITY,
    everyMs: EVERY_MS,
    /** The detection that a pose confirmed last. */
    sure: undefined as { readonly box: Box; readonly pose: readonly Keypoint[]; readonly atMs: number } | undefined,
  }));
  let asked: typeof seats = [];
  let nowMs = 0;
  return {
    plan(found, atMs) {
      nowMs = atMs;
      const missed = seats.filter((seat) => {
        const there = found.find((p) => p.score >= SURE && contains(seat.zone, upperBody(p)));
        if (there) {
          seat.box = there.box;
          seat.seenMs = nowMs;
          seat.everyMs = EVERY_MS;
        }
        const missedMs = nowMs - seat.seenMs;
        return seat.box && missedMs >= BLINK_MS && missedMs <= MISSED_MS;
      });
      const waited = (share: number) => (seat: (typeof seats)[number]) => nowMs - seat.askedMs >= share * seat.everyMs;
      // Whose turn is near is looked at together with whose turn it is: two who lean together must be seen together.
      const due = missed.some(waited(1)) ? missed.filter(waited(0.5)) : [];
      asked = due.sort((a, b) => a.askedMs - b.askedMs).slice(0, PER_FRAME);
      for (const seat of asked) seat.askedMs = nowMs;
      return asked.map(({ box }) => grown(box!));
    },
    found(poses, persons, shape) {
      const besides: Person[] = [];
      const confirmed = new Map<number, { readonly pose: readonly Keypoint[]; readonly ageMs: number }>();
      for (const [i, pose] of poses.entries()) {
        const seat = asked[i];
        const box = pose && shape(pose, seat?.box);
        // Nobody there: an empty seat is not worth as many looks.
        if (seat) seat.everyMs = box ? EVERY_MS : Math.min(2 * seat.everyMs, SELDOM_MS);
        if (seat && !box) seat.sure = undefined;
        if (!box) continue;
        const one = { box, score: SCORE, pose };
        if (persons.some((person) => person.score >= SCORE && isSame(person, one))) continue;
        // The detector's own box is what the habit at this seat was learnt from: two kinds of box of one person would
        // become two tracks.
        const weak = nearest(persons, one, confirmed);
        if (weak === undefined) besides.push(one);
        else {
          confirmed.set(weak, { pose, ageMs: 0 });
          if (seat) seat.sure = { box: persons[weak]!.box, pose, atMs: nowMs };
        }
      }
      // Until it is their turn again, a detection that stays where it was stays confirmed.
      for (const { sure } of seats) {
        const ageMs = nowMs - (sure?.atMs ?? nowMs);
        if (!sure || ageMs === 0 || ageMs > EVERY_MS) continue;
        const still = persons.findIndex(
          (p, index) => p.score < SCORE && !confirmed.has(index) && iou(p.box, sure.box) > STAYS,
        );
        if (still >= 0) confirmed.set(still, { pose: sure.pose, ageMs });
      }
      return { besides, confirmed };
    },
  };
}

function isSame(one: Person, other: Person): boolean {
  const [a, b] = [upperBody(one), upperBody(other)];
  const width = Math.min(one.box[2] - one.box[0], other.box[2] - other.box[0]);
  return iou(one.box, other.box) > 0.5 || Math.abs(a[0] - b[0]) + Math.abs(a[1] - b[1]) < SAME * width;
}

/** The weak detection that shows whom this pose shows: its box holds the chest, and overlaps most. */
function nearest(persons: readonly Person[], one: Person, but: ReadonlyMap<number, unknown>): number | undefined {
  const [x, y] = upperBody(one);
  return persons
    .map(({ box, score }, index) => ({ index, score, box, over: iou(box, one.box) }))
    .filter(({ index, score, box: [x0, y0, x1, y1], over }) => {
      if (score >= SCORE || but.has(index) || over < OVERLAPS) return false;
      return x >= x0 && x <= x1 && y >= y0 && y <= y1;
    })
    .sort((a, b) => b.over - a.over)[0]?.index;
}

function grown([x0, y0, x1, y1]: Box): Box {
  const [w, h] = [(x1 - x0) * WIDER, (y1 - y0) * LOWER];
  return [Math.max(0, x0 - w), Math.max(0, y0), Math.min(1, x1 + w), Math.min(1, y1 + h)];
}
