/** From the sound of one microphone to observations: feeds every ear of it, measures the level, and says which ear is deaf. */
import type { Logger } from 'pino';
import type { PcmBlock } from '../hardware/camera.ts';
import { createLevelMeter } from '../models/speech/level.ts';
import type { Hit, Recogniser } from '../models/speech/recogniser.ts';
import type { EarObservation, LevelObservation, PhraseObservation } from '../protocol/observation.ts';
import type { Phrase } from '../protocol/rules.ts';
import type { Clock } from '../protocol/time.ts';
import { createTimeline } from './listen-timeline.ts';

export type Heard = PhraseObservation | LevelObservation | EarObservation;

export interface ListenHealth {
  readonly microphoneId: string;
  /** Of the last half second; -120 before the first. */
  readonly rmsDb: number;
  readonly ears: readonly {
    readonly engine: string;
    readonly language: string;
    readonly state: 'hearing' | 'deaf';
    readonly reason?: string;
    readonly rtf: number;
    readonly restarts: number;
    /** Blocks that the engine was too slow for. */
    readonly dropped: number;
  }[];
  /** Observations that nobody fetched in time. */
  readonly dropped: number;
  /** Times that the sound had a hole and its clock was set anew. */
  readonly resyncs: number;
}

export interface Listen {
  /** Starts the ears and the listening; returns at once. */
  start(signal: AbortSignal): void;
  /** One reader. Ends after `close()`. When it is slow, levels go first, then the oldest; both counted. */
  observations(): AsyncIterable<Heard>;
  health(): ListenHealth;
  /** Ends the ears too. */
  close(): Promise<void>;
}

/** Observations that may wait for their reader. */
const QUEUE = 500;
const LOOK_MS = 1000;
/** An unchanged state of an ear is said again this often. */
const REPEAT_MS = 5000;
/** Exact zeros for so long are no quiet room: the source is dead. */
const ZERO_SAMPLES = 5 * 16_000;
/** No block for so long: nothing is heard. */
const NO_BLOCK_MS = 10_000;

/**
 * `recognisers` belong to this listener from now on: it starts and closes them. `phrases` is the rule pack's list; a hit
 * on a phrase that is not in it is a fault of the wiring and is logged once by its id.
 */
export function createListen(deps: {
  microphoneId: string;
  samples: AsyncIterable<PcmBlock>;
  recognisers: readonly Recogniser[];
  phrases: readonly Phrase[];
  clock: Clock;
  log: Logger;
}): Listen {
  const { microphoneId, recognisers, clock } = deps;
  const log = deps.log.child({ microphoneId });
  const categories = new Map(deps.phrases.map((phrase) => [phrase.phraseId, phrase.category]));
  const meter = createLevelMeter();
  const timeline = createTimeline();
  const stop = new AbortController();
  const queue: Heard[] = [];
  const said = new Map<Recogniser, { key: string; monoMs: number }>();
  let wake: (() => void) | undefined;
  let dropped = 0;
  let resyncs = 0;
  let rmsDb = -120;
  let zeros = false;
  let lastBlockMonoMs: number | undefined;
  let startedMonoMs = clock.monoMs();
  let tasks: Promise<unknown>[] = [];

  const put = (heard: Heard) => {
    if (stop.signal.aborted) return;
    queue.push(heard);
    if (queue.length > QUEUE) {
      const level = queue.findIndex((waiting) => waiting.kind === 'level');
      queue.splice(Math.max(0, level), 1);
      dropped++;
    }
    wake?.();
  };

  const onHit = (ear: Recogniser, hit: Hit) => {
    const category = categories.get(hit.phraseId);
    if (!category) {
      log.error(
        { phraseId: hit.phraseId, engine: ear.engine },
        'an ear reported a phrase that is not in the rule pack',
      );
      return;
    }
    const at = timeline.instantOf(hit.neededSample ?? hit.endSample) ?? clock.now();
    const endMonoMs = Math.min(at.monoMs, timeline.monoMs(hit.endSample));
    put({
      kind: 'phrase',
      microphoneId,
      at,
      engine: ear.engine,
      language: ear.language,
      phraseId: hit.phraseId,
      category,
      text: hit.text,
      score: hit.score,
      threshold: hit.threshold,
      beginMonoMs: Math.min(endMonoMs, timeline.monoMs(hit.beginSample)),
      endMonoMs,
      heard: hit.heard,
    });
  };

  const hear = async () => {
    for await (const { samples, at } of deps.samples) {
      if (stop.signal.aborted) return;
      lastBlockMonoMs = clock.monoMs();
      if (timeline.push(samples.length, at)) {
        resyncs++;
        log.info({ position: timeline.position() }, 'a hole in the sound: its clock is set anew');
      }
      for (const level of meter.push(samples)) {
        rmsDb = level.rmsDb;
        zeros = level.zeroSamples >= ZERO_SAMPLES;
        put({ kind: 'level', microphoneId, at, rmsDb, peakDb: level.peakDb, speech: level.speech });
      }
      for (const ear of recognisers) ear.accept(samples);
    }
  };

  /** An engine that works hears nothing all the same when there is no sound. */
  const stateOf = (ear: Recogniser): { state: 'hearing' | 'deaf'; reason?: string } => {
    const { state, reason } = ear.health();
    if (state === 'deaf') return reason === undefined ? { state } : { state, reason };
    if (zeros) return { state: 'deaf', reason: 'no sound: the source sends digital silence' };
    if (clock.monoMs() - (lastBlockMonoMs ?? startedMonoMs) > NO_BLOCK_MS) {
      const what = lastBlockMonoMs === undefined ? 'has sent nothing yet' : 'has stopped sending';
      return { state: 'deaf', reason: `no sound: the source ${what}` };
    }
    return reason === undefined ? { state } : { state, reason };
  };

  const look = () => {
    for (const ear of recognisers) {
      const now = stateOf(ear);
      const key = `${now.state} ${now.reason ?? ''}`;
      const last = said.get(ear);
      const monoMs = clock.monoMs();
      if (last?.key === key && monoMs - last.monoMs < REPEAT_MS) continue;
      said.set(ear, { key, monoMs });
      put({ kind: 'ear', microphoneId, language: ear.language, at: clock.now(), ...now });
    }
  };

  const watch = async () => {
    while (!stop.signal.aborted) {
      await clock.sleep(LOOK_MS, stop.signal);
      if (!stop.signal.aborted) look();
    }
  };

  return {
    start(signal) {
      if (tasks.length > 0) return;
      startedMonoMs = clock.monoMs();
      signal.addEventListener('abort', () => stop.abort(), { once: true });
      if (signal.aborted) stop.abort();
      stop.signal.addEventListener('abort', () => wake?.(), { once: true });
      for (const ear of recognisers) {
        ear.onHit((hit) => onHit(ear, hit));
        void ear
          .start(stop.signal)
          .catch((error: unknown) => log.error({ err: error, engine: ear.engine }, 'an ear failed'));
      }
      void hear().catch((error: unknown) => log.error({ err: error }, 'listening ended'));
      tasks = [watch()];
    },
    async *observations() {
      for (;;) {
        const next = queue.shift();
        if (next) yield next;
        else if (stop.signal.aborted) return;
        else
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
      }
    },
    health: () => ({
      microphoneId,
      rmsDb,
      dropped,
      resyncs,
      ears: recognisers.map((ear) => {
        const { rtf, restarts, dropped: late } = ear.health();
        return { engine: ear.engine, language: ear.language, ...stateOf(ear), rtf, restarts, dropped: late };
      }),
    }),
    async close() {
      stop.abort();
      const ends = await Promise.allSettled([...tasks, ...recognisers.map((ear) => ear.close())]);
      const failed = ends.find((end) => end.status === 'rejected');
      if (failed) throw failed.reason;
    },
  };
}
