/** What stands between ffmpeg's pipes and a reader that may be slow: bounded, with a stated policy, dropped items counted. */

export interface Lane<T> {
  push(item: T): void;
  /** Items until `end()`; one reader at a time. */
  read(): AsyncGenerator<T, void, undefined>;
  end(): void;
  dropped(): number;
}

/** Keeps at most `limit` items; the oldest is dropped for a new one. With limit 1 the newest item wins. */
export function createLane<T>(limit: number): Lane<T> {
  const items: T[] = [];
  let dropped = 0;
  let ended = false;
  let wake: (() => void) | undefined;

  return {
    push(item) {
      if (ended) return;
      items.push(item);
      if (items.length > limit) {
        items.shift();
        dropped++;
      }
      wake?.();
    },
    async *read() {
      while (true) {
        const item = items.shift();
        if (item !== undefined) yield item;
        else if (ended) return;
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
