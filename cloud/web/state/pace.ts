/** Between the live line and the page: one line at a time is drawn at once, a flood is drawn in gulps that the page can swallow. */

/** Quiet for so long: the next line is drawn in the turn in which it comes. */
const QUIET_MS = 100;

export interface Pace<T> {
  add(item: T): void;
  /** Hands over what waits, now. */
  flush(): void;
}

export interface PaceClock {
  /** Monotonic ms. */
  now(): number;
  later(run: () => void, ms: number): void;
}

const BROWSER: PaceClock = {
  now: () => performance.now(),
  // Not the next frame: a page in the background has none, and would fall behind.
  later: (run, ms) => void setTimeout(run, ms),
};

/**
 * Drawing a queue of hundreds of rows takes longer than a line takes to come. Under a flood what waits is handed over
 * together, and the pause before the next time is as long as the last one took: the page never spends more than half
 * of its time on it, and nothing is left out.
 */
export function createPace<T>(take: (items: readonly T[]) => void, clock: PaceClock = BROWSER): Pace<T> {
  let waiting: T[] = [];
  let scheduled = false;
  let lastMs = Number.NEGATIVE_INFINITY;
  let tookMs = 0;

  function flush(): void {
    if (waiting.length === 0) return;
    const items = waiting;
    waiting = [];
    const began = clock.now();
    take(items);
    lastMs = began;
    // What is drawn is drawn after this turn: measured when the browser gets round to it.
    clock.later(() => {
      tookMs = clock.now() - began;
    }, 0);
  }

  return {
    add(item) {
      waiting.push(item);
      if (scheduled) return;
      if (clock.now() - lastMs >= QUIET_MS + tookMs) {
        flush();
        return;
      }
      scheduled = true;
      clock.later(
        () => {
          scheduled = false;
          flush();
        },
        Math.min(1_000, Math.max(QUIET_MS / 2, tookMs)),
      );
    },
    flush,
  };
}
