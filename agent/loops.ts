/** Beside main.ts: the loops that carry observations, events and clips from part to part, and what happens when one of them fails. */
import type { Clock } from '../protocol/time.ts';

export interface Loops {
  add(...loops: readonly Promise<void>[]): void;
  /** Resolves when every loop has ended, well or not. */
  ended(): Promise<void>;
}

/** `onFailure` hears of the first loop that rejects, whenever that loop was added: cameras are found while others run. */
export function createLoops(onFailure: (error: unknown) => void): Loops {
  const all: Promise<void>[] = [];
  let failed = false;
  const fail = (error: unknown) => {
    if (failed) return;
    failed = true;
    onFailure(error);
  };
  return {
    add(...loops) {
      all.push(...loops);
      for (const loop of loops) loop.catch(fail);
    },
    async ended() {
      await Promise.allSettled(all);
    },
  };
}

/** Hands over one after another until the source ends. */
export async function each<T>(source: AsyncIterable<T>, take: (one: T) => void): Promise<void> {
  for await (const one of source) take(one);
}

/** Works each so many ms until the signal. */
export async function every(ms: number, clock: Clock, signal: AbortSignal, work: () => void): Promise<void> {
  while (!signal.aborted) {
    await clock.sleep(ms, signal);
    if (!signal.aborted) work();
  }
}
