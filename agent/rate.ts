/** Beside the path: counts and averages of the last ten seconds, for the rates and times that a part says of itself. */
import type { Clock, MonoMs } from '../protocol/time.ts';

/** What rates and means are of. */
export const RATE_MS = 10_000;

export interface Rate {
  add(value: number): void;
  /** Of what counts ones: how many in a second. */
  perSecond(): number;
  /** 0 when there was nothing. */
  mean(): number;
}

/** Its memory is bounded by how often `add` is called within ten seconds. */
export function createRate(clock: Clock): Rate {
  let entries: { readonly monoMs: MonoMs; readonly value: number }[] = [];
  const recent = () => {
    const since = clock.monoMs() - RATE_MS;
    entries = entries.filter(({ monoMs }) => monoMs > since);
    return entries;
  };
  let began: MonoMs | undefined;
  return {
    add(value) {
      began ??= clock.monoMs();
      recent().push({ monoMs: clock.monoMs(), value });
    },
    perSecond() {
      if (began === undefined) return 0;
      const spanMs = Math.min(RATE_MS, Math.max(1_000, clock.monoMs() - began));
      return (1_000 * recent().reduce((sum, { value }) => sum + value, 0)) / spanMs;
    },
    mean() {
      const values = recent();
      return values.length === 0 ? 0 : values.reduce((sum, { value }) => sum + value, 0) / values.length;
    },
  };
}
