/** A clock that stands still until a test moves it: sleepers wake in order as it passes them. */
import type { Clock, Instant } from '../../../../protocol/time.ts';

export interface ManualClock extends Clock {
  /** Moves on in small steps and lets everything that wakes run. */
  advance(ms: number): Promise<void>;
}

/** Lets promises and message callbacks that are ready run. */
export const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

export function manualClock(startMs = 1000): ManualClock {
  let nowMs = startMs;
  const sleepers = new Set<{ atMs: number; wake: () => void }>();
  const now = (): Instant => ({ wallMs: 1.7e12 + nowMs, monoMs: nowMs, bootId: 'boot', clock: 'sure' });
  return {
    now,
    monoMs: () => nowMs,
    wallMs: () => 1.7e12 + nowMs,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted) return resolve();
        const sleeper = {
          atMs: nowMs + ms,
          wake: () => {
            sleepers.delete(sleeper);
            resolve();
          },
        };
        sleepers.add(sleeper);
        signal?.addEventListener('abort', sleeper.wake, { once: true });
      }),
    async advance(ms) {
      const end = nowMs + ms;
      while (nowMs < end) {
        nowMs = Math.min(end, nowMs + 100);
        for (const sleeper of [...sleepers]) if (sleeper.atMs <= nowMs) sleeper.wake();
        await settle();
      }
    },
  };
}
