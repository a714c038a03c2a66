/** Beside the cloud's parts: lets go of what is older than the retention, but never on the word of a clock that has leapt. */
import type { Logger } from 'pino';
import type { Clock } from '../protocol/time.ts';
import { shortestDays, type WordDays } from '../protocol/words.ts';
import type { ClipFiles } from './review/clip-files.ts';
import type { OverlayWords } from './review/overlay-words.ts';
import type { Store } from './store/store.ts';

const DAY_MS = 86_400_000;
/** Wall time and monotonic time may differ by so much between two looks; more is a leap. */
const LEAP_MS = 3_600_000;
/** When it starts, the clock may stand so far beyond the newest thing stored; more is a long silence, or a wrong clock. */
const SILENCE_MS = 86_400_000;
/** A clock that has leapt is believed again when it has run evenly for so long while a process looked on. */
const EVEN_MS = 86_400_000;
/** Of files that could not be removed so many are named. */
const FAULTS_TOLD = 100;

/** How long what is stored is kept. */
export interface Kept {
  /** Events that are judged, and all that belongs to them; for ever where absent. */
  readonly retentionMs?: number;
  /** Spoken words by their class. */
  readonly wordDays?: WordDays;
}

export interface Retention {
  /** One round: removes what is old, or says why it does not. To be called hourly. Throws an AggregateError when files stayed. */
  look(): Promise<void>;
}

/**
 * Age is the only reason for evidence to leave, and a clock says how old it is. One that leaps, while this process runs or
 * over its start, is reported and not acted on until it has run evenly for a day: time for somebody to set it right. What is
 * left of that day is kept in the store: a restart neither ends the wait nor shortens it, and what a wrong clock has
 * stored meanwhile does not vouch for it.
 */
export function createRetention({
  store,
  files,
  overlays,
  clock,
  log,
  kept: { retentionMs, wordDays = {} },
}: {
  readonly store: Pick<
    Store,
    'retire' | 'removeWords' | 'newestWallMs' | 'retentionClock' | 'keepRetentionClock' | 'appendLog'
  >;
  readonly files: Pick<ClipFiles, 'remove'>;
  readonly overlays: OverlayWords;
  readonly clock: Clock;
  readonly log: Logger;
  readonly kept: Kept;
}): Retention {
  let last: { readonly wallMs: number; readonly monoMs: number; readonly doubtMs: number } | undefined;

  /** How far the clock is, at the first look, from what the store knows of the time. */
  const firstLeapMs = async (wallMs: number, keptWallMs: number | undefined): Promise<number> => {
    const newest = await store.newestWallMs();
    // What is stored may have been stored by this very clock; what was kept at the last look was judged then.
    const known = keptWallMs ?? newest;
    if (known !== undefined && (wallMs - known > SILENCE_MS || wallMs < known - LEAP_MS)) return wallMs - known;
    return newest !== undefined && wallMs < newest - LEAP_MS ? wallMs - newest : 0;
  };

  const removeEvents = async (wallMs: number, keptMs: number): Promise<void> => {
    const { files: gone, ...retired } = await store.retire({ beforeWallMs: wallMs - keptMs, wallMs });
    // Their rows are gone: what is not tried now is never tried again.
    const faults: unknown[] = [];
    for (const sha256 of gone) await files.remove(sha256).catch((error: unknown) => faults.push(error));
    if (retired.events > 0) log.info({ ...retired, files: gone.length }, 'what is older than the retention has left');
    if (faults.length > 0)
      throw new AggregateError(
        faults.slice(0, FAULTS_TOLD),
        `${faults.length} of ${gone.length} clip files that no clip names any more could not be removed and stay where they lie`,
      );
  };

  const removeWords = async (wallMs: number, afterDays: number): Promise<void> => {
    const { events, alerts, refused } = await store.removeWords({ days: wordDays, wallMs });
    const looked = overlays.look(wallMs - afterDays * DAY_MS, { afterDays, wallMs, by: 'cloud' });
    // What has left by now has its line in the log, whatever the overlays meet.
    const { emptied, faults } = await looked.catch((error: unknown) => ({ emptied: 0, faults: [error] }));
    const classes = Object.entries(events).filter(([, count]) => count > 0);
    if (classes.length + alerts + refused + emptied > 0) {
      const all = classes.reduce((sum, [, count]) => sum + count, 0);
      const named = classes.map(([wordClass, count]) => `${wordClass} ${count}`).join(', ');
      const object = `${all} events${named && ` (${named})`}, ${alerts} alerts, ${refused} refused payloads, ${emptied} captions of clips`;
      await store.appendLog({ wallMs, actor: 'cloud', action: 'retire_words', object });
      log.info({ events, alerts, refused, captions: emptied }, 'words whose time is over have left');
    }
    if (faults.length > 0)
      throw new AggregateError(
        faults.slice(0, FAULTS_TOLD),
        `${faults.length} overlays could not be looked into for words whose time is over; they are tried again in an hour`,
      );
  };

  return {
    async look() {
      const { wallMs, monoMs } = { wallMs: clock.wallMs(), monoMs: clock.monoMs() };
      const before = last;
      const known = before ? undefined : await store.retentionClock();
      const ranMs = before ? monoMs - before.monoMs : 0;
      const leapMs = before ? wallMs - before.wallMs - ranMs : await firstLeapMs(wallMs, known?.wallMs);
      const leapt = Math.abs(leapMs) > LEAP_MS;
      const doubtMs = leapt ? EVEN_MS : Math.max(0, (before?.doubtMs ?? known?.doubtMs ?? 0) - ranMs);
      // First of all: a process that dies over what follows must not have forgotten it.
      await store.keepRetentionClock({ wallMs, doubtMs });
      last = { wallMs, monoMs, doubtMs };
      if (leapt) {
        const at = new Date(wallMs).toISOString();
        const words = before
          ? `the clock has leapt to ${at}: nothing is removed for age until it has run evenly for a day`
          : `the clock says ${at}, far from what is stored: nothing is removed for age until it has run evenly for a day`;
        log.error({ leapMs: Math.round(leapMs) }, words);
        return;
      }
      if (doubtMs > 0) {
        log.warn({ doubtMs: Math.round(doubtMs) }, 'after a leap of the clock nothing is removed for age yet');
        return;
      }
      // Files that stay of the one must not keep the other from its round.
      const failed: unknown[] = [];
      const wordsMs = shortestDays(wordDays);
      if (retentionMs !== undefined) await removeEvents(wallMs, retentionMs).catch((error) => failed.push(error));
      if (wordsMs !== undefined) await removeWords(wallMs, wordsMs).catch((error) => failed.push(error));
      if (failed.length > 1)
        throw new AggregateError(failed, failed.map((error) => (error as Error).message).join('; '));
      if (failed.length === 1) throw failed[0];
    },
  };
}
