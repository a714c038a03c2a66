/** How long a session is given for its first picture or sound: a camera that hangs and one that is slow say the same, nothing. */

export interface Patience {
  /** For a session that begins now. */
  limitMs(): number;
  /** The first picture, packet or block came so long after the session's begin. */
  came(afterMs: number): void;
  /** A session was ended for its silence before anything came. */
  missed(): void;
}

export interface PatienceLimits {
  /** Enough for a camera that was seen to be quick. */
  readonly leastMs: number;
  /** For one that nobody knows yet, or that is known to be slow. */
  readonly mostMs: number;
}

/** A session is given this many times what the quickest of the last ones has needed. */
const MARGIN = 1.5;
const REMEMBERED = 5;
/** Of one that was never seen, every so many sessions wait for long: it may be slow, or it may hang. */
const LONG_EVERY = 4;

/**
 * Short for a camera that is known to be quick: an attempt that hangs at the moment of its return is what delays its
 * being found. Of the last sessions the quickest counts, since one that began during a fault took as long as that.
 */
export function createPatience({ leastMs, mostMs }: PatienceLimits): Patience {
  let needed: readonly number[] = [];
  let misses = 0;
  return {
    limitMs() {
      const usual = needed.length === 0 ? leastMs : MARGIN * Math.min(...needed);
      if (needed.length === 0 && misses % LONG_EVERY === 0) return mostMs;
      return Math.min(mostMs, Math.max(leastMs, usual));
    },
    came(afterMs) {
      needed = [...needed, afterMs].slice(-REMEMBERED);
    },
    missed() {
      misses++;
    },
  };
}
