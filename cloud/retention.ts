/** Beside the cloud's parts: lets go of what is older than the retention, but never on the word of a clock that has leapt. */
import type { Logger } from 'pino';
import type { Clock } from '../protocol/time.ts';
import type { ClipFiles } from './review/clip-files.ts';
import type { Store } from './store/store.ts';

/** Wall time and monotonic time may differ by so much between two looks; more is a leap. */
const LEAP_MS = 3_600_000;
/** When it starts, the clock may stand so far beyond the newest thing stored; more is a long silence, or a wrong clock. */
const SILENCE_MS = 86_400_000;
/** Looks in a row at which the clock has to run evenly before it is believed again: hourly, so that a day passes. */
const EVEN_LOOKS = 24;

export interface Retention {
  /** One round: removes what is old, or says why it does not. To be called hourly. */
  look(): Promise<void>;
}

/**
 * Age is the only reason for evidence to leave, and a clock says how old it is. One that leaps, while this process runs or
 * over its start, is reported and not acted on until it has run evenly for a day: time for somebody to set it right.
 */
export function createRetention({
  store,
  files,
  clock,
  log,
  retentionMs,
}: {
  readonly store: Pick<Store, 'retire' | 'newestWallMs'>;
  readonly files: Pick<ClipFiles, 'remove'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly retentionMs: number;
}): Retention {
  let last: { readonly wallMs: number; readonly monoMs: number } | undefined;
  let wanted = 0;

  /** By how much the clock has leapt since the last look; at the first one, how far it is beyond what is stored. */
  const leapMs = async (wallMs: number, monoMs: number): Promise<number> => {
    if (last) return wallMs - last.wallMs - (monoMs - last.monoMs);
    const newest = await store.newestWallMs();
    if (newest === undefined) return 0;
    return wallMs - newest > SILENCE_MS || wallMs < newest - LEAP_MS ? wallMs - newest : 0;
  };

  return {
    async look() {
      const { wallMs, monoMs } = { wallMs: clock.wallMs(), monoMs: clock.monoMs() };
      const leap = await leapMs(wallMs, monoMs);
      const first = last === undefined;
      last = { wallMs, monoMs };
      if (Math.abs(leap) > LEAP_MS) {
        wanted = EVEN_LOOKS;
        const at = new Date(wallMs).toISOString();
        const words = first
          ? `the clock says ${at}, far from the newest thing stored: nothing is removed for age until it has run evenly for a day`
          : `the clock has leapt to ${at}: nothing is removed for age until it has run evenly for a day`;
        log.error({ leapMs: Math.round(leap) }, words);
        return;
      }
      if (wanted > 0) {
        wanted--;
        log.warn({ looks: wanted }, 'after a leap of the clock nothing is removed for age yet');
        return;
      }
      const { files: gone, ...retired } = await store.retire({ beforeWallMs: wallMs - retentionMs, wallMs });
      for (const sha256 of gone) await files.remove(sha256);
      if (retired.events > 0) log.info({ ...retired, files: gone.length }, 'what is older than the retention has left');
    },
  };
}
