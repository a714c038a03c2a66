/** Keeps an engine that runs elsewhere (worker or child process) alive: feeds it, bounds its queue, restarts it, says when it is deaf. */
import type { Logger } from 'pino';
import type { Clock } from '../../protocol/time.ts';
import { because, reasonOf, type Why } from '../../protocol/why.ts';
import { createFeed } from './feed.ts';
import { createPace, SLOW } from './pace.ts';
import type { Hit, LaterWords, Recogniser, RecogniserHealth, Talk } from './recogniser.ts';

/** What an engine tells its host. Sample positions count from the first sample that this run was given. */
export type EngineReport =
  /** Ready to hear; `partly` names phrases that it cannot. */
  | { readonly kind: 'ready'; readonly partly?: readonly Why[] }
  /** Cannot hear and says why; it is asked again after a while. */
  | { readonly kind: 'refused'; readonly why: Why }
  /** A block is done: its length, what it cost, and what was heard in it. The sign of life, too. */
  | {
      readonly kind: 'done';
      readonly samples: number;
      readonly busyMs: number;
      readonly hits: readonly Hit[];
      readonly talk?: Talk | undefined;
      /** What it cannot hear has become more than it said when it was ready. */
      readonly partly?: readonly Why[];
      /** Of hits that were told in earlier blocks. */
      readonly later?: readonly LaterWords[];
    };

/** One run of an engine. `post` copies nothing: the samples belong to the engine then. */
export interface EnginePort {
  post(samples: Int16Array): void;
  /** Ends it at once; `onExit` follows. */
  kill(): void;
}

export interface EngineEvents {
  onReport(report: EngineReport): void;
  onExit(reason: string): void;
}

export interface HostedEngine {
  readonly engine: string;
  readonly language: string;
  /** True when it reports how much it understood of all that is said. */
  readonly countsTalk?: boolean;
  /** Why it cannot hear before it is even tried (no model, no phrases); undefined when it may be started. */
  missing(): Why | undefined;
  /** Starts one run. May throw: counted as a run that died. */
  spawn(events: EngineEvents): EnginePort;
}

/** Waits between restarts; the last one is repeated. A run that lived for `STABLE_MS` begins anew. */
export const RESTART_MS = [500, 1000, 2000, 5000, 10_000, 30_000] as const;
const STABLE_MS = 60_000;
/** A missing model is looked for this often, so that a download in the background is found. */
const RECHECK_MS = 3000;
/** An engine that has said nothing for this long while it owes an answer hangs. */
const SILENT_MS = 10_000;
/** Reading a model on a slow disk takes longer than a block of sound. */
const STARTUP_MS = 30_000;
const CHECK_MS = 1000;
/** What a person reads where this machine does not keep up. */
const TOO_SLOW = because('too_slow', { percent: SLOW * 100 });

/** What the health of an ear says of these: nothing where there are none. */
export function told(why: readonly Why[]): Pick<RecogniserHealth, 'reason' | 'why'> {
  const reason = reasonOf(why);
  return reason === undefined ? {} : { reason, why };
}

/** Wraps an engine into a Recogniser. `start` returns at once; the engine comes up in the background. */
export function hostEngine(deps: { hosted: HostedEngine; clock: Clock; log: Logger }): Recogniser {
  const { hosted, clock } = deps;
  const log = deps.log.child({ engine: hosted.engine, language: hosted.language });
  const listeners: ((hit: Hit) => void)[] = [];
  const talkListeners: ((talk: Talk) => void)[] = [];
  const laterListeners: ((later: LaterWords) => void)[] = [];
  const feed = createFeed();
  const pace = createPace();
  const stop = new AbortController();
  let reason: Why | undefined = because('not_started');
  /** What it lacks, or what it refused for: nothing that a restart cures. */
  let lacking = false;
  let partly: readonly Why[] = [];
  let restarts = 0;
  let running: Promise<void> | undefined;
  let costs: { monoMs: number; busyMs: number; samples: number }[] = [];

  const deaf = (why: Why) => {
    const words = reasonOf([why]);
    const same = reason !== undefined && reasonOf([reason]) === words;
    if (!same && !stop.signal.aborted) log.warn({ reason: words }, 'the ear is deaf');
    reason = why;
  };

  const accept = (samples: Int16Array) => {
    // An engine may take the block for its own.
    const { length } = samples;
    const before = feed.droppedSamples();
    feed.accept(samples, reason === undefined || running !== undefined);
    // What is lost while there is no engine says nothing of how fast it is.
    if (reason !== undefined) return;
    const was = pace.tooSlow();
    pace.count(length, feed.droppedSamples() - before);
    if (pace.tooSlow() === was) return;
    if (was) log.info('the ear keeps up again');
    else log.warn({ reason: reasonOf([TOO_SLOW]) }, 'the ear is deaf');
  };

  const report = (event: Extract<EngineReport, { kind: 'done' }>) => {
    const monoMs = clock.monoMs();
    costs.push({ monoMs, busyMs: event.busyMs, samples: event.samples });
    while (costs.length > 0 && costs[0]!.monoMs < monoMs - 60_000) costs.shift();
    for (const hit of event.hits) {
      const placed = feed.place(hit);
      for (const listener of listeners) listener(placed);
    }
    for (const later of event.later ?? []) {
      const placed = feed.place(later);
      for (const listener of laterListeners) listener(placed);
    }
    if (event.talk) for (const listener of talkListeners) listener(event.talk);
    if (event.partly !== undefined && reasonOf(event.partly) !== reasonOf(partly)) {
      partly = event.partly;
      log.warn({ partly: reasonOf(partly) }, 'the ear hears less');
    }
    feed.done(event.samples);
  };

  /** One life of the engine; resolves with the reason of its end and whether it refused by itself. */
  const run = async (): Promise<{ why: string; refused?: Why }> => {
    let end: { why: string; refused?: Why } | undefined;
    const over = new AbortController();
    const finish = (why: string, refused?: Why) => {
      end ??= { why, ...(refused ? { refused } : {}) };
      over.abort();
    };
    const aborted = () => finish('closed');
    stop.signal.addEventListener('abort', aborted);
    let lastMonoMs = clock.monoMs();
    let port: EnginePort | undefined;
    try {
      port = hosted.spawn({
        onExit: (why) => finish(why),
        onReport: (event) => {
          if (over.signal.aborted) return;
          lastMonoMs = clock.monoMs();
          if (event.kind === 'refused') return finish('refused', event.why);
          if (event.kind === 'ready') {
            if (reason !== undefined) log.info({ partly: reasonOf(event.partly ?? []) }, 'the ear hears');
            reason = undefined;
            lacking = false;
            partly = event.partly ?? [];
            pace.clear();
            feed.open((samples) => port?.post(samples));
          } else report(event);
        },
      });
      if (stop.signal.aborted) aborted();
      while (!over.signal.aborted) {
        await clock.sleep(CHECK_MS, over.signal);
        const owes = reason !== undefined || feed.outstanding() > 0;
        if (owes && clock.monoMs() - lastMonoMs > (reason === undefined ? SILENT_MS : STARTUP_MS))
          finish('the engine hangs');
        else if (!owes) lastMonoMs = clock.monoMs();
      }
    } catch (error) {
      finish(error instanceof Error ? error.message : String(error));
    } finally {
      stop.signal.removeEventListener('abort', aborted);
      feed.shut();
      port?.kill();
    }
    return end!;
  };

  const supervise = async () => {
    let failures = 0;
    while (!stop.signal.aborted) {
      const missing = hosted.missing();
      lacking = missing !== undefined;
      if (missing) {
        deaf(missing);
        feed.clear();
        await clock.sleep(RECHECK_MS, stop.signal);
        continue;
      }
      if (reason?.code === 'not_started') reason = because('starting');
      const beganMs = clock.monoMs();
      const { why, refused } = await run();
      if (stop.signal.aborted) break;
      deaf(refused ?? because('engine_restarting', { error: why }));
      lacking = refused !== undefined;
      if (refused) {
        feed.clear();
        await clock.sleep(RECHECK_MS, stop.signal);
        continue;
      }
      restarts++;
      if (clock.monoMs() - beganMs > STABLE_MS) failures = 0;
      await clock.sleep(RESTART_MS[Math.min(failures++, RESTART_MS.length - 1)]!, stop.signal);
    }
  };

  return {
    engine: hosted.engine,
    language: hosted.language,
    start: async (signal) => {
      if (running) return;
      if (signal.aborted) stop.abort();
      signal.addEventListener('abort', () => stop.abort(), { once: true });
      const missing = hosted.missing();
      lacking = missing !== undefined;
      reason = missing ?? because('starting');
      if (missing) log.warn({ reason: reasonOf([missing]) }, 'the ear is deaf');
      running = supervise();
    },
    accept,
    onHit: (listener) => void listeners.push(listener),
    onLater: (listener) => void laterListeners.push(listener),
    ...(hosted.countsTalk ? { onTalk: (listener: (talk: Talk) => void) => void talkListeners.push(listener) } : {}),
    health: (): RecogniserHealth => {
      const seconds = costs.reduce((sum, cost) => sum + cost.samples, 0) / 16_000;
      const busy = costs.reduce((sum, cost) => sum + cost.busyMs, 0) / 1000;
      const base = {
        rtf: seconds > 0 ? busy / seconds : 0,
        restarts,
        dropped: feed.dropped(),
        waiting: feed.waiting(),
      };
      if (reason !== undefined)
        return { state: 'deaf', ...told([reason]), ...(lacking ? { missing: true } : {}), ...base };
      // What it finds in the rest is told all the same.
      if (pace.tooSlow()) return { state: 'deaf', ...told([TOO_SLOW]), slow: true, ...base };
      return { state: 'hearing', ...told(partly), ...base };
    },
    close: async () => {
      stop.abort();
      await running;
      reason = because('closed');
      costs = [];
    },
  };
}
