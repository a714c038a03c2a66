/** The two clocks as types: wall time steps and drifts, monotonic time only measures durations within one boot. */

/** Milliseconds since the Unix epoch, UTC. May step; never subtract two of these to get a duration. */
export type WallMs = number;

/** Milliseconds of the machine's monotonic clock since its boot. Comparable between processes of one boot only. */
export type MonoMs = number;

/** `sure`: disciplined by a time source; `doubtful`: after boot, after a step, or without a source. */
export type ClockState = 'sure' | 'doubtful';

/** One moment on both clocks. `bootId` tells which boot `monoMs` belongs to. */
export interface Instant {
  readonly wallMs: WallMs;
  readonly monoMs: MonoMs;
  readonly bootId: string;
  readonly clock: ClockState;
  /** Last measured offset to the time source in ms, where there is one. */
  readonly offsetMs?: number;
}

/** What any part that needs the time is given; only clock.ts files read the machine's clocks. */
export interface Clock {
  now(): Instant;
  monoMs(): MonoMs;
  wallMs(): WallMs;
  /** Resolves after `ms` of monotonic time, or at once when `signal` aborts (never rejects). */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}
