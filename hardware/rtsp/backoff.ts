/** Times between two attempts as data: the schedule has no timer and no state inside. */

export interface Backoff {
  /** From the begin of one attempt to the begin of the next; the last one holds for all further attempts. */
  readonly delaysMs: readonly number[];
  /** Share by which a wait is shortened or lengthened at random, so that many boxes do not knock together. */
  readonly jitter: number;
  /** A run of this length counts as healthy: the next failure begins at the first wait again. */
  readonly stableMs: number;
}

/**
 * Quick at first, since most faults are short; never so slow that a camera which is back would be found later than ten
 * seconds after its return. At most 4.8 s pass before an attempt that finds it, or the patience with an attempt that
 * hung at the moment of its return (4 s, or 1.5 times what the camera needs) and a wait of at most a second: what is
 * left of the ten seconds is for connecting, up to 3.4 s.
 */
export const STREAM_BACKOFF: Backoff = {
  delaysMs: [500, 1000, 2000, 4000],
  jitter: 0.2,
  stableMs: 30_000,
};

/**
 * Wait after an attempt that lasted `livedMs`, the `attempt`-th (from 0) that failed; `random` is 0..1. The time that
 * it lasted counts. After one that lasted long the wait is anything up to twice the first: it spreads those whom one
 * switch has cut off together.
 */
export function waitMs(backoff: Backoff, attempt: number, livedMs: number, random: number): number {
  const spreadMs = Math.round(2 * random * (backoff.delaysMs[0] ?? 0));
  return Math.max(delayMs(backoff, attempt, random) - livedMs, spreadMs);
}

/** The schedule's time for attempt `attempt` (from 0), with its jitter. */
export function delayMs({ delaysMs, jitter }: Backoff, attempt: number, random: number): number {
  const base = delaysMs[Math.min(attempt, delaysMs.length - 1)] ?? 0;
  return Math.round(base * (1 + jitter * (2 * random - 1)));
}
