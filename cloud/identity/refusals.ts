/** Refusals go into the append-only log at once, but a flood of the same one becomes one further entry a minute with its count. */
import type { Logger } from 'pino';
import type { Clock } from '../../protocol/time.ts';
import type { LogEntry, Store } from '../store/store.ts';

/** A refusal of the same kind, actor and object is written again after this long at the earliest. */
const WINDOW_MS = 60_000;
/** Different refusals that are told apart within a window; those beyond share one entry. */
const KEYS = 500;

export type Refusal = Omit<LogEntry, 'wallMs'>;

export interface Refusals {
  /** Never throws: who is refused must not notice that the log is away. */
  add(refusal: Refusal): void;
  /** Writes what is still counted. */
  close(): Promise<void>;
}

export function createRefusals(parts: {
  readonly store: Pick<Store, 'appendLog'>;
  readonly clock: Clock;
  readonly log: Logger;
}): Refusals {
  const { store, clock, log } = parts;
  const counted = new Map<string, { readonly refusal: Refusal; readonly beganMonoMs: number; more: number }>();
  const closing = new AbortController();
  const writing = new Set<Promise<void>>();
  let sweeping: Promise<void> | undefined;

  const write = (refusal: Refusal) => {
    const work = store.appendLog({ ...refusal, wallMs: clock.wallMs() }).catch((error: unknown) => {
      log.warn({ err: error, action: refusal.action, object: refusal.object }, 'a refusal could not be logged');
    });
    writing.add(work);
    void work.finally(() => writing.delete(work));
  };
  const sweep = (all: boolean) => {
    for (const [key, { refusal, beganMonoMs, more }] of counted) {
      if (!all && clock.monoMs() - beganMonoMs < WINDOW_MS) continue;
      counted.delete(key);
      if (more > 0) write({ ...refusal, object: `${refusal.object} (${more} more times)` });
    }
  };
  const sweepOn = async () => {
    while (counted.size > 0 && !closing.signal.aborted) {
      await clock.sleep(WINDOW_MS / 6, closing.signal);
      sweep(false);
    }
    sweeping = undefined;
  };

  return {
    add(refusal) {
      if (closing.signal.aborted) return;
      const key = JSON.stringify([refusal.action, refusal.actor, refusal.object]);
      const known = counted.get(key) ?? counted.get(refusal.action);
      if (known) {
        known.more++;
        return;
      }
      const full = counted.size >= KEYS;
      const told = full ? { ...refusal, actor: 'many', object: 'many others' } : refusal;
      counted.set(full ? refusal.action : key, { refusal: told, beganMonoMs: clock.monoMs(), more: 0 });
      write(told);
      sweeping ??= sweepOn();
    },
    async close() {
      closing.abort();
      await sweeping;
      sweep(true);
      await Promise.all(writing);
    },
  };
}
