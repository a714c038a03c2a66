/** A clock of virtual time: sleeps end when the test says so. */
import type { Clock } from '../../../protocol/time.ts';

/** `pass` ends every sleep; `sleepers` counts them. */
export function stillClock() {
  const sleeping = new Set<() => void>();
  const clock: Clock = {
    wallMs: () => 0,
    monoMs: () => 0,
    now: () => ({ wallMs: 0, monoMs: 0, bootId: 'b', clock: 'sure' }),
    sleep: (_ms, signal) =>
      new Promise((resolve) => {
        const end = () => {
          sleeping.delete(end);
          resolve();
        };
        if (signal?.aborted) return end();
        sleeping.add(end);
        signal?.addEventListener('abort', end, { once: true });
      }),
  };
  return {
    clock,
    sleepers: () => sleeping.size,
    pass: () => {
      for (const end of [...sleeping]) end();
    },
  };
}
