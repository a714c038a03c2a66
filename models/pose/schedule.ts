/** Decides which persons of a frame get a pose: who is new, who moved, whose last one is old; everybody else keeps theirs. */
import type { Keypoint, Person } from '../../protocol/observation.ts';
import { type Box, iou } from '../../protocol/seat.ts';
import type { MonoMs } from '../../protocol/time.ts';

export interface PoseScheduleOptions {
  /** A person in whose box something stirred gets a new pose after this long: arms move while boxes rest. */
  readonly maxAgeMs?: number;
  /** A person in whose box nothing stirs gets a new pose after this long, and no pose is older. */
  readonly restMs?: number;
  /** A person who has a hand at the head or above it gets a new pose after this long, whether anything stirs or not. */
  readonly raisedMs?: number;
  /** A box moved when its centre or an edge did so by this share of its height. */
  readonly moved?: number;
  /** At most so many poses for one frame; who waited longest goes first. */
  readonly perFrame?: number;
}

/** What is known of a person before there is a pose. */
export type Found = Pick<Person, 'box' | 'score'>;

export interface PlanOptions {
  readonly nowMs: MonoMs;
  /** Whether the picture changed inside a box since the frame before; default: it did. */
  readonly stirs?: (box: Box) => boolean;
  /** In place of the schedule's own bound, for a frame that must be cheap. */
  readonly perFrame?: number;
}

export interface PoseSchedule {
  /** Indexes of those who get a pose now, most urgent first; remembers them as done at `nowMs`. */
  plan(found: readonly Found[], options: PlanOptions): number[];
  /**
   * After the models ran on what plan() was asked about: the same persons, those without a pose of this frame with
   * their last one, moved as their box has moved, and its age. A pose that comes with an age keeps it.
   */
  carry(persons: readonly Person[], nowMs: MonoMs): Person[];
}

interface Seen {
  /** Where the person was in the last frame, and when the last pose was asked for. */
  readonly box: Box;
  readonly posedBox: Box;
  readonly posedMs: MonoMs;
  readonly stirred: boolean;
  readonly last?: { readonly pose: readonly Keypoint[]; readonly box: Box; readonly monoMs: MonoMs };
}

/** A weaker detection may be a chair or an arm: it gets a pose only where somebody had one before. */
const SURE_SCORE = 0.3;

/** A key point below this is guessed by the model. */
const SEEN = 0.3;

/** One camera's memory: at most one entry per person of the last frame. */
export function createPoseSchedule({
  maxAgeMs = 2_000,
  restMs = 8_000,
  raisedMs = 1_000,
  moved = 0.12,
  perFrame = 4,
}: PoseScheduleOptions = {}): PoseSchedule {
  let memory: readonly Seen[] = [];
  return {
    plan(found, { nowMs, stirs = () => true, perFrame: most = perFrame }) {
      const known = match(
        memory,
        found.map(({ box }) => box),
      ).map((seen, index) => seen && { ...seen, stirred: seen.stirred || stirs(found[index]!.box) });
      const isDue = ({ box, score }: Found, last: Seen | undefined) => {
        if (!last) return score >= SURE_SCORE;
        const ageMs = nowMs - last.posedMs;
        return (
          ageMs >= (last.last && handUp(last.last.pose) ? raisedMs : restMs) ||
          (ageMs >= maxAgeMs && last.stirred) ||
          hasMoved(last.posedBox, box, moved)
        );
      };
      const due = found
        .map((one, index) => ({ index, one, last: known[index] }))
        .filter(({ one, last }) => isDue(one, last))
        .sort((a, b) => (a.last?.posedMs ?? 0) - (b.last?.posedMs ?? 0))
        .slice(0, most)
        .map(({ index }) => index);
      memory = found.flatMap(({ box }, index): Seen[] => {
        const before = known[index];
        const last = before?.last ? { last: before.last } : {};
        if (due.includes(index)) return [{ box, posedBox: box, posedMs: nowMs, stirred: false, ...last }];
        // A newcomer who had to wait stays unknown, and so is first in turn next time.
        return before ? [{ ...before, box }] : [];
      });
      return due;
    },
    carry(persons, nowMs) {
      const known = match(
        memory,
        persons.map(({ box }) => box),
      );
      const carried = new Map<Seen, Seen>();
      const result = persons.map((person, index) => {
        const seen = known[index];
        if (!seen) return person;
        const { box, pose } = person;
        if (pose) {
          carried.set(seen, { ...seen, last: { pose, box, monoMs: nowMs - (person.poseAgeMs ?? 0) } });
          return person;
        }
        const { last } = seen;
        const poseAgeMs = last ? nowMs - last.monoMs : Number.POSITIVE_INFINITY;
        return last && poseAgeMs <= restMs ? { ...person, pose: shift(last.pose, last.box, box), poseAgeMs } : person;
      });
      memory = memory.map((seen) => carried.get(seen) ?? seen);
      return result;
    },
  };
}

/** A wrist that is not below the shoulders: what it does there is told by its rest or its movement. */
function handUp(pose: readonly Keypoint[]): boolean {
  const [left, right] = [pose[5]!, pose[6]!];
  const slack = 0.15 * Math.abs(left[0] - right[0]);
  return [9, 10].some((w) => pose[w]![2] > SEEN && pose[w]![1] <= Math.max(left[1], right[1]) + slack);
}

/** For each box the entry that it continues: best overlaps first, each entry once. */
function match(memory: readonly Seen[], boxes: readonly Box[]): (Seen | undefined)[] {
  const pairs = boxes.flatMap((box, index) =>
    memory.map((seen) => ({ index, seen, overlap: iou(seen.box, box) })).filter(({ overlap }) => overlap > 0.3),
  );
  const known = new Array<Seen | undefined>(boxes.length).fill(undefined);
  const taken = new Set<Seen>();
  for (const { index, seen } of pairs.sort((a, b) => b.overlap - a.overlap)) {
    if (known[index] || taken.has(seen)) continue;
    known[index] = seen;
    taken.add(seen);
  }
  return known;
}

/** Heads are steadier than lower edges, which desks cut: a pose goes with the middle of the upper edge. */
function shift(pose: readonly Keypoint[], from: Box, to: Box): Keypoint[] {
  const dx = (to[0] + to[2] - from[0] - from[2]) / 2;
  const dy = to[1] - from[1];
  return pose.map(([x, y, score]) => [x + dx, y + dy, score]);
}

function hasMoved(a: Box, b: Box, share: number): boolean {
  const limit = share * (b[3] - b[1]);
  const top = Math.abs(a[1] - b[1]);
  const centre = Math.abs(a[0] + a[2] - b[0] - b[2]) / 2;
  return top > limit || centre > limit;
}
