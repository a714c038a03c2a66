/** The loop around one ffmpeg session: run, judge the end, wait as the schedule says, run again until told to stop. */
import type { Clock } from '../../protocol/time.ts';
import { type Backoff, waitMs } from './backoff.ts';
import type { Failure } from './failure.ts';

/** How often and how long silence is suffered before a session is ended and begun anew. */
export interface Watchdog {
  /** From the start of a session to its first frame, block or packet: of a camera that is not known yet, or is slow. */
  readonly firstMs: number;
  /** The same of a camera that was seen to be quick: an attempt that hangs while it comes back costs as much. */
  readonly againMs: number;
  /** Silence of the picture. */
  readonly frameMs: number;
  /** Silence of the sound's packets (not of the room). */
  readonly soundMs: number;
  /** Silence of the recorder's packets. */
  readonly packetMs: number;
  /** Longest time without a finished segment although packets come. */
  readonly segmentMs: number;
  /** How often this is looked at. */
  readonly checkMs: number;
  /** Waits before a session is restarted for its sound alone, since that interrupts a good picture; the last one repeats. */
  readonly soundRestartMs: readonly number[];
}

export const WATCHDOG: Watchdog = {
  firstMs: 10_000,
  againMs: 4_000,
  frameMs: 5_000,
  soundMs: 5_000,
  packetMs: 5_000,
  segmentMs: 30_000,
  checkMs: 250,
  soundRestartMs: [10_000, 60_000, 300_000],
};

/** How a session ended. */
export interface SessionEnd {
  readonly failure: Failure;
  /** `now`: begin again at once, this is an adjustment and no outage. */
  readonly again: 'after_wait' | 'now';
}

/** What of an end is known already. */
export interface Seen {
  /** How many since the last stable run were of the same kind. */
  readonly repeats: number;
  /** Whether it is worth a line: a camera that is off for a night is some dozens of them, not ten thousand. */
  readonly isNews: boolean;
}

export interface SuperviseParts {
  /** One session; `attempt` counts failures since the last stable run. Ends early when the signal aborts. */
  run(attempt: number, signal: AbortSignal): Promise<SessionEnd>;
  /** Told of each end that was not asked for, with the wait that follows. */
  onEnd(end: SessionEnd, waitMs: number, seen: Seen): void;
  readonly backoff: Backoff;
  readonly clock: Clock;
  /** 0..1, for the jitter. */
  random(): number;
  readonly signal: AbortSignal;
}

/** An adjustment that does not hold is an outage after all: no more than this many in a row without a wait. */
const MAX_AT_ONCE = 3;

/** Of one kind every so many ends are worth a line, and so many different reasons: some of them count seconds. */
const NEWS_EVERY = 100;
const MAX_REASONS = 5;

/** Counts ends by kind, since one kind may follow another all night, and remembers the reasons that were told. */
function createRecall() {
  const kinds = new Map<string, { ends: number; readonly reasons: Set<string> }>();
  return {
    forget: () => kinds.clear(),
    see({ kind, reason }: Failure): Seen {
      const known = kinds.get(kind) ?? { ends: 0, reasons: new Set() };
      kinds.set(kind, known);
      const repeats = known.ends++;
      const isNew = !known.reasons.has(reason) && known.reasons.size < MAX_REASONS;
      if (isNew) known.reasons.add(reason);
      return { repeats, isNews: isNew || repeats % NEWS_EVERY === 0 };
    },
  };
}

/** Runs sessions until the signal aborts; resolves when the last one is gone. */
export async function supervise({ run, onEnd, backoff, clock, random, signal }: SuperviseParts): Promise<void> {
  let attempt = 0;
  let atOnce = 0;
  const recall = createRecall();
  while (!signal.aborted) {
    const beganMs = clock.monoMs();
    const end = await run(attempt, signal);
    if (signal.aborted) return;
    const livedMs = clock.monoMs() - beganMs;
    if (livedMs >= backoff.stableMs) {
      attempt = 0;
      atOnce = 0;
      recall.forget();
    }
    const wait = end.again === 'now' && atOnce < MAX_AT_ONCE ? 0 : waitMs(backoff, attempt, livedMs, random());
    if (wait === 0) atOnce++;
    else attempt++;
    onEnd(end, wait, recall.see(end.failure));
    await clock.sleep(wait, signal);
  }
}

/** Calls `look` every `everyMs` until the returned function is called. */
export function watch(clock: Clock, everyMs: number, look: () => void): () => void {
  const stop = new AbortController();
  void (async () => {
    while (!stop.signal.aborted) {
      await clock.sleep(everyMs, stop.signal);
      if (!stop.signal.aborted) look();
    }
  })();
  return () => stop.abort();
}
