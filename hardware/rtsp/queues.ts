/** What stands between ffmpeg's pipes and a reader that may be slow: bounded, with a stated policy, dropped items counted. */

export interface Lane<T> {
  push(item: T): void;
  /** Items until `end()`; one reader at a time. */
  read(): AsyncGenerator<T, void, undefined>;
  end(): void;
  dropped(): number;
}

/**
 * Keeps at most `limit` items; the oldest is dropped for a new one. With limit 1 the newest item wins. `done` is told of
 * each item that nobody looks at any more: dropped ones, and those after which the reader has asked for the next.
 */
export function createLane<T>(limit: number, done: (item: T) => void = () => {}): Lane<T> {
  const items: T[] = [];
  let dropped = 0;
  let ended = false;
  let wake: (() => void) | undefined;

  return {
    push(item) {
      if (ended) return;
      items.push(item);
      if (items.length > limit) {
        done(items.shift()!);
        dropped++;
      }
      wake?.();
    },
    async *read() {
      while (true) {
        const item = items.shift();
        if (item !== undefined) {
          yield item;
          done(item);
        } else if (ended) return;
        else {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
          wake = undefined;
        }
      }
    },
    end() {
      ended = true;
      wake?.();
    },
    dropped: () => dropped,
  };
}
