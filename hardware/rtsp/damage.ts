/** Beside a session's pictures: whether they arrive damaged one after another, so that nothing may be concluded from them. */
import type { MonoMs } from '../../protocol/time.ts';

export interface Damage {
  /** A line of ffmpeg's log. */
  line(line: string, monoMs: MonoMs): void;
  /** Damaged pictures have been coming for a while, and the last was a moment ago. */
  holds(monoMs: MonoMs): boolean;
}

/** One lost packet is a picture or two; what lasts is a fault. */
const LASTING_MS = 2000;
/** A pause of so long ends it: of a stream with one picture a second every one would be damaged. */
const PAUSE_MS = 1500;

/** ffmpeg's word for a picture in which the decoder had to make something up; it is handed on all the same. */
const DAMAGED = /corrupt decoded frame in stream/;

/** One per session. */
export function createDamage(): Damage {
  let sinceMs = 0;
  let lastMs = Number.NEGATIVE_INFINITY;
  return {
    line(line, monoMs) {
      if (!DAMAGED.test(line)) return;
      if (monoMs - lastMs > PAUSE_MS) sinceMs = monoMs;
      lastMs = monoMs;
    },
    holds: (monoMs) => monoMs - lastMs <= PAUSE_MS && lastMs - sinceMs >= LASTING_MS,
  };
}
