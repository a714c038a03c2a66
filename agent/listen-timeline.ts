/** When a sample was heard: maps the ear's sample count to monotonic time although blocks arrive late, in bursts, or not at all. */
import type { Instant } from '../protocol/time.ts';

const SAMPLES_PER_MS = 16;
/** A block that comes this much later than its count says begins a new count: sound was lost in between. */
const RESYNC_MS = 1000;
/** The sound card's clock may run slow against ours by this much (ms per ms); a burst corrects the other way at once. */
const DRIFT = 0.0002;
/** Blocks and jumps that are remembered: hits come at most seconds late. */
const BLOCKS = 2000;
const ANCHORS = 100;

export interface Timeline {
  /** A block of so many samples whose last one left the pipe at `at`. True when the count was begun anew. */
  push(samples: number, at: Instant): boolean;
  /** Samples so far. */
  position(): number;
  /** Monotonic ms at which a sample was heard at the microphone's end of the pipe. */
  monoMs(sample: number): number;
  /** When the block that holds the sample left the pipe; the newest block where it is beyond. */
  instantOf(sample: number): Instant | undefined;
}

/**
 * No block can come before it was spoken, so the earliest arrival seen is the best guess of the true offset; late ones
 * are jitter. A stall that is followed by its burst ends with the same offset, a stall with lost sound with a later one.
 */
export function createTimeline(): Timeline {
  let position = 0;
  const anchors: { from: number; offsetMs: number }[] = [];
  let blocks: { end: number; at: Instant }[] = [];
  return {
    push(samples, at) {
      const from = position;
      position += samples;
      const offsetMs = at.monoMs - position / SAMPLES_PER_MS;
      blocks.push({ end: position, at });
      if (blocks.length > BLOCKS) blocks = blocks.slice(BLOCKS / 2);
      const anchor = anchors.at(-1);
      if (!anchor || offsetMs - anchor.offsetMs > RESYNC_MS) {
        anchors.push({ from, offsetMs });
        if (anchors.length > ANCHORS) anchors.shift();
        return anchor !== undefined;
      }
      anchor.offsetMs = Math.min(offsetMs, anchor.offsetMs + (samples / SAMPLES_PER_MS) * DRIFT);
      return false;
    },
    position: () => position,
    monoMs(sample) {
      let anchor = anchors[0];
      for (const next of anchors) if (next.from <= sample) anchor = next;
      return (anchor?.offsetMs ?? 0) + sample / SAMPLES_PER_MS;
    },
    instantOf: (sample) => (blocks.find((block) => block.end >= sample) ?? blocks.at(-1))?.at,
  };
}
