/** Inside perceive.ts: a closer look at seats whose person the detector has lost, by the pose model, which finds people who lean or lie. */
import type { Keypoint, Person } from '../protocol/observation.ts';
import { upperBody } from '../protocol/observation.ts';
import { type Box, contains, iou, type Polygon } from '../protocol/seat.ts';
import type { MonoMs } from '../protocol/time.ts';

export interface CloserLook {
  /** Where to look besides what the detector found in this frame: at most two places, so that two who lean together are seen together. */
  plan(found: readonly Pick<Person, 'box' | 'score'>[], nowMs: MonoMs): readonly Box[];
  /** Who was found there and is nobody of `persons`: with the least score that counts. */
  found(poses: readonly (readonly Keypoint[] | undefined)[], persons: readonly Person[], shape: Shape): Person[];
}

/** The box of somebody with this pose; undefined where the pose shows too little. */
export type Shape = (pose: readonly Keypoint[]) => Box | undefined;

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

/** One camera's. `zones` are those of its seats. */
export function createCloserLook({ zones }: { readonly zones: readonly Polygon[] }): CloserLook {
  const seats = zones.map((zone) => ({
    zone,
    box: undefined as Box | undefined,
    seenMs: Number.NEGATIVE_INFINITY,
    askedMs: Number.NEGATIVE_INFINITY,
    everyMs: EVERY_MS,
  }));
  let asked: typeof seats = [];
  return {
    plan(found, nowMs) {
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
      return poses.flatMap((pose, i): Person[] => {
        // Nobody there: an empty seat is not worth as many looks.
        const seat = asked[i];
        if (seat) seat.everyMs = pose ? EVERY_MS : Math.min(2 * seat.everyMs, SELDOM_MS);
        const box = pose && shape(pose);
        if (!box) return [];
        const body = upperBody({ box, score: SCORE, pose });
        // A weaker detection of the same person gives way to this one.
        const known = persons.some((p) => {
          if (p.score < SCORE) return false;
          const other = upperBody(p);
          const width = Math.min(p.box[2] - p.box[0], box[2] - box[0]);
          return iou(p.box, box) > 0.5 || Math.abs(other[0] - body[0]) + Math.abs(other[1] - body[1]) < SAME * width;
        });
        return known ? [] : [{ box, score: SCORE, pose }];
      });
    },
  };
}

function grown([x0, y0, x1, y1]: Box): Box {
  const [w, h] = [(x1 - x0) * WIDER, (y1 - y0) * LOWER];
  return [Math.max(0, x0 - w), Math.max(0, y0), Math.min(1, x1 + w), Math.min(1, y1 + h)];
}
