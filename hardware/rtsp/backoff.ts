/** Waiting times between two attempts as data: the schedule has no timer and no state inside. */

export interface Backoff {
  /** Wait before attempt 1, 2, 3 …; the last one holds for all further attempts. */
  readonly delaysMs: readonly number[];
  /** Share by which a wait is shortened or lengthened at random, so that many boxes do not knock together. */
  readonly jitter: number;
  /** A run of this length counts as healthy: the next failure begins at the first wait again. */
  readonly stableMs: number;
}

/**
 * Quick at first, since most faults are short; never so slow that a camera which is back would be found later than ten
 * seconds after its return, the time for connecting included.
 */
export const STREAM_BACKOFF: Backoff = {
  delaysMs: [500, 1000, 2000, 4000, 6000],
  jitter: 0.2,
  stableMs: 30_000,
};

/** Wait before attempt `attempt` (from 0); `random` is 0..1. */
export function delayMs({ delaysMs, jitter }: Backoff, attempt: number, random: number): number {
  const base = delaysMs[Math.min(attempt, delaysMs.length - 1)] ?? 0;
  return Math.round(base * (1 + jitter * (2 * random - 1)));
}
