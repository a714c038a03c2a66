/** How often somebody may ask for something that costs others: so many times within a window, each asker for themselves. */
import type { Clock } from '../../protocol/time.ts';

export interface Often {
  /** Counts one more and gives 0; where it would be one too many it is not counted, and this is how long to wait. */
  take(key: string): number;
}

/** Keys of the last window are held, no others; monotonic time alone, so that no clock that is set lets anybody through. */
export function createOften(deps: { readonly max: number; readonly windowMs: number; readonly clock: Clock }): Often {
  const { max, windowMs, clock } = deps;
  const taken = new Map<string, readonly number[]>();
  return {
    take(key) {
      const now = clock.monoMs();
      for (const [one, times] of taken) if (now - times.at(-1)! >= windowMs) taken.delete(one);
      const recent = (taken.get(key) ?? []).filter((monoMs) => now - monoMs < windowMs);
      if (recent.length >= max) return recent[0]! + windowMs - now;
      taken.set(key, [...recent, now]);
      return 0;
    },
  };
}
