/** Gives stream times a place on this machine's clock: the recorder's packets carry only the camera's time. */
import type { MonoMs } from '../../protocol/time.ts';

/**
 * Each packet says: stream time `p` was here at `arrival`. The delay on the way is never negative, so the smallest
 * `arrival - p` of the last while is the best guess of the offset: bursts, stalls and jitter only make it larger.
 * The window lets the offset follow a camera whose clock runs fast or slow.
 */
export interface Anchor {
  /** A packet line left ffmpeg. Times in ms; `ptsMs` on the stream's own line. */
  packet(ptsMs: number, arrivalMonoMs: MonoMs): void;
  /** Monotonic time of a stream time; undefined before the first two packets. */
  monoOf(ptsMs: number): MonoMs | undefined;
  /** True when the stream's time leapt forward, or stands still while packets come: the line is broken. */
  jumped(): boolean;
}

/** The offset is taken from this much of the past, in two halves. */
const WINDOW_MS = 60_000;
/** Stream time may gain this much on the wall between two packets before it counts as a leap. */
const LEAP_MS = 2_000;
/** So long may stream time stand still while so many packets arrive (ffmpeg turns a leap backward into standing still). */
const STILL_MS = 3_000;
const STILL_PACKETS = 10;

/** A fresh line: one for each run of the recorder. */
export function createAnchor(): Anchor {
  let last: { ptsMs: number; arrivalMs: number } | undefined;
  let halves = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  let halfBeganMs = Number.NEGATIVE_INFINITY;
  let movedMs: number | undefined;
  let movedPts = 0;
  let still = 0;
  let broken = false;

  return {
    packet(ptsMs, arrivalMs) {
      if (last) {
        const gained = ptsMs - last.ptsMs - (arrivalMs - last.arrivalMs);
        if (gained > LEAP_MS || ptsMs - last.ptsMs < -LEAP_MS) broken = true;
        // ffmpeg's parser gives a picture out when the next one begins: the line of the last packet came when this one was due.
        if (arrivalMs - halfBeganMs > WINDOW_MS / 2) {
          halves = [halves[1]!, Number.POSITIVE_INFINITY];
          halfBeganMs = arrivalMs;
        }
        if (!broken) halves[1] = Math.min(halves[1]!, last.arrivalMs - ptsMs);
      }
      // One tick per packet is how ffmpeg writes a time that does not move.
      if (movedMs === undefined || ptsMs - movedPts > 100) {
        movedMs = arrivalMs;
        movedPts = ptsMs;
        still = 0;
      } else if (++still >= STILL_PACKETS && arrivalMs - movedMs > STILL_MS) broken = true;
      last = { ptsMs, arrivalMs };
    },
    monoOf(ptsMs) {
      const offset = Math.min(...halves);
      return Number.isFinite(offset) ? ptsMs + offset : undefined;
    },
    jumped: () => broken,
  };
}
