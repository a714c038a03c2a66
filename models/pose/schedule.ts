/** Decides which persons of a frame get a pose: those who moved, and those whose last pose is old; CPU falls while all sit still. */
import { type Box, iou } from '../../protocol/seat.ts';
import type { MonoMs } from '../../protocol/time.ts';

export interface PoseScheduleOptions {
  /** A person who does not move gets a new pose after this long: arms move while boxes rest. */
  readonly maxAgeMs?: number;
  /** A box moved when its centre or an edge did so by this share of its height. */
  readonly moved?: number;
  /** At most so many poses for one frame; who waited longest goes first. */
  readonly perFrame?: number;
}

export interface PoseSchedule {
  /** Indexes into `boxes` that get a pose now, most urgent first; remembers them as done at `nowMs`. */
  plan(boxes: readonly Box[], nowMs: MonoMs): number[];
}

interface Seen {
  /** Where the person was when the last pose was made. */
  readonly box: Box;
  readonly posedMs: MonoMs;
}

/** One camera's memory: at most one entry per person of the last frame. */
export function createPoseSchedule({
  maxAgeMs = 2_000,
  moved = 0.12,
  perFrame = 4,
}: PoseScheduleOptions = {}): PoseSchedule {
  let memory: readonly Seen[] = [];
  return {
    plan(boxes, nowMs) {
      const known = boxes.map((box) => nearest(memory, box));
      const due = boxes
        .map((box, index) => ({ index, box, last: known[index] }))
        .filter(({ box, last }) => !last || nowMs - last.posedMs >= maxAgeMs || hasMoved(last.box, box, moved))
        .sort((a, b) => (a.last?.posedMs ?? 0) - (b.last?.posedMs ?? 0))
        .slice(0, perFrame)
        .map(({ index }) => index);
      memory = boxes.flatMap((box, index) => {
        if (due.includes(index)) return [{ box, posedMs: nowMs }];
        const last = known[index];
        // A newcomer who had to wait stays unknown, and so is first in turn next time.
        return last ? [last] : [];
      });
      return due;
    },
  };
}

function nearest(memory: readonly Seen[], box: Box): Seen | undefined {
  let best: Seen | undefined;
  let most = 0.3;
  for (const seen of memory) {
    const overlap = iou(seen.box, box);
    if (overlap > most) [best, most] = [seen, overlap];
  }
  return best;
}

function hasMoved(a: Box, b: Box, share: number): boolean {
  const limit = share * (b[3] - b[1]);
  const top = Math.abs(a[1] - b[1]);
  const centre = Math.abs(a[0] + a[2] - b[0] - b[2]) / 2;
  return top > limit || centre > limit;
}
