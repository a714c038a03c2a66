/** From the sound of one microphone to observations: feeds every ear of it, measures the level, and says which ear is deaf. */
import type { Logger } from 'pino';
import type { PcmBlock } from '../hardware/camera.ts';
import { told } from '../models/speech/hosted.ts';
import { createLevelMeter } from '../models/speech/level.ts';
import type { Hit, LaterWords, Recogniser } from '../models/speech/recogniser.ts';
import type {
  EarObservation,
  LaterWordsObservation,
  LevelObservation,
  PhraseObservation,
  TalkObservation,
} from '../protocol/observation.ts';
import type { Phrase } from '../protocol/rules.ts';
import type { Clock } from '../protocol/time.ts';
import { because, shortWhys, type Why } from '../protocol/why.ts';
import { createTimeline } from './listen-timeline.ts';

export type Heard = PhraseObservation | LaterWordsObservation | LevelObservation | TalkObservation | EarObservation;

export interface ListenHealth {
  readonly microphoneId: string;
  /** Of the last half second; -120 before the first. */
  readonly rmsDb: number;
  readonly ears: readonly {
    readonly engine: string;
    readonly language: string;
    readonly state: 'hearing' | 'deaf';
    readonly reason?: string;
    readonly why?: readonly Why[];
    readonly slow?: true;
    readonly unconfirmed?: true;
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
  /**
   * Another rule pack: the ears so far go on until these have heard for 5 s (or 10 s have passed), so that no phrase
   * falls between them. What both hear is told twice, with the same place in time.
   * Without `recognisers` the same ears go on, and only what their hits mean is changed.
   */
  swap(next: { readonly recognisers?: readonly Recogniser[]; readonly phrases: readonly Phrase[] }): void;
  health(): ListenHealth;
  /** Ends the ears too. */
  close(): Promise<void>;
}

/** Observations that may wait for their reader. */
const QUEUE = 500;
const LOOK_MS = 1000;
/** Of a reason so much is told: it may name every phrase of a pack, and a state or an event that is too long is refused whole. */
const REASON_LENGTH = 400;
/** An unchanged state of an ear is said again this often. */
const REPEAT_MS = 5000;
/** Exact zeros for so long are no quiet room: the source is dead. */
const ZERO_SAMPLES = 5 * 16_000;
/** No block for so long: nothing is heard. */
const NO_BLOCK_MS = 10_000;
/** New ears that do not hear by then take over all the same: what is wrong with them must be seen. */
const SWAP_MS = 10_000;
/** Both hear so much: what began before the new ears came has then been said, and the old ones have told it. */
const OVERLAP_SAMPLES = 5 * 16_000;

const short = (reason: string) => (reason.length > REASON_LENGTH ? `${reason.slice(0, REASON_LENGTH - 1)}…` : reason);

/** A recogniser, and how many samples this listener had heard when it came. */
interface Ear {
  readonly recogniser: Recogniser;
  readonly from: number;
}

/**
 * `recognisers` belong to this listener from now on: it starts and closes them. `phrases` is the rule pack's list; a hit
 * on a phrase that is not in it is a fault of the wiring and is logged by its id.
 */
export function createListen(deps: {
  microphoneId: string;
  samples: AsyncIterable<PcmBlock>;
  recognisers: readonly Recogniser[];
  phrases: readonly Phrase[];
  clock: Clock;
  log: Logger;
}): Listen {
  const { microphoneId, clock } = deps;
  const log = deps.log.child({ microphoneId });
  const categoriesOf = (phrases: readonly Phrase[]) =>
    new Map(phrases.map((phrase) => [phrase.phraseId, phrase.category]));
  let categories = categoriesOf(deps.phrases);
  let ears: readonly Ear[] = deps.recognisers.map((recogniser) => ({ recogniser, from: 0 }));
  /** Ears of another pack that are coming up. */
  let coming: { readonly ears: readonly Ear[]; readonly sinceMonoMs: number } | undefined;
  /** Ears that were replaced. */
  const going = new Set<Promise<void>>();
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

  const onHit = ({ recogniser: ear, from }: Ear, own: Hit) => {
    const category = categories.get(own.phraseId);
    if (!category) {
      // Ears of the pack before may still say what the new one has not.
      if (!coming)
        log.error(
          { phraseId: own.phraseId, engine: ear.engine },
          'an ear reported a phrase that is not in the rule pack',
        );
      return;
    }
    const { neededSample } = own;
    const hit: Hit = {
      ...own,
      beginSample: own.beginSample + from,
      endSample: own.endSample + from,
      ...(neededSample === undefined ? {} : { neededSample: neededSample + from }),
    };
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
      ...(hit.level ? { level: hit.level } : {}),
      score: hit.score,
      threshold: hit.threshold,
      beginMonoMs: Math.min(endMonoMs, timeline.monoMs(hit.beginSample)),
      endMonoMs,
      heard: hit.heard,
    });
  };

  const onLater = ({ recogniser: ear, from }: Ear, later: LaterWords) => {
    const { phraseId, heard } = later;
    if (!categories.has(phraseId)) return;
    const at = timeline.instantOf(later.neededSample + from) ?? clock.now();
    const endMonoMs = Math.min(at.monoMs, timeline.monoMs(later.endSample + from));
    put({
      kind: 'later_words',
      microphoneId,
      at,
      engine: ear.engine,
      language: ear.language,
      phraseId,
      beginMonoMs: Math.min(endMonoMs, timeline.monoMs(later.beginSample + from)),
      endMonoMs,
      heard,
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
        put({
          kind: 'level',
          microphoneId,
          at,
          rmsDb,
          peakDb: level.peakDb,
          speech: level.speech,
          clipped: level.clipped,
        });
      }
      for (const { recogniser } of [...ears, ...(coming?.ears ?? [])]) recogniser.accept(samples);
      if (coming) takeOver();
    }
  };

  const begin = (ear: Ear) => {
    const { recogniser } = ear;
    recogniser.onHit((hit) => onHit(ear, hit));
    recogniser.onLater?.((later) => onLater(ear, later));
    recogniser.onTalk?.(({ samples, units, covered }) => {
      // Ears that are on their way hear the same as those that they replace.
      if (!ears.includes(ear)) return;
      const spanMs = samples / 16;
      put({ kind: 'talk', microphoneId, language: recogniser.language, at: clock.now(), spanMs, units, covered });
    });
    void recogniser
      .start(stop.signal)
      .catch((error: unknown) => log.error({ err: error, engine: recogniser.engine }, 'an ear failed'));
  };
  const end = (gone: readonly Ear[]) => {
    for (const { recogniser } of gone) {
      const closing = recogniser
        .close()
        .catch((error: unknown) => log.error({ err: error, engine: recogniser.engine }, 'an ear did not end well'))
        .finally(() => going.delete(closing));
      going.add(closing);
    }
  };
  /** The ears that are coming become the room's, once they hear. */
  const takeOver = () => {
    if (!coming) return;
    const hears = coming.ears.every(
      ({ recogniser, from }) =>
        recogniser.health().state === 'hearing' && timeline.position() - from >= OVERLAP_SAMPLES,
    );
    if (!hears && clock.monoMs() - coming.sinceMonoMs < SWAP_MS) return;
    end(ears);
    ears = coming.ears;
    coming = undefined;
    said.clear();
  };

  /** An engine that works hears nothing all the same when there is no sound. */
  const stateOf = (
    ear: Recogniser,
  ): Pick<ListenHealth['ears'][number], 'state' | 'reason' | 'why' | 'slow' | 'unconfirmed'> => {
    const { state, reason, why: whys, slow, unconfirmed } = ear.health();
    const why = {
      ...(reason === undefined ? {} : { reason: short(reason) }),
      ...(whys === undefined ? {} : { why: shortWhys(whys) }),
    };
    if (state === 'deaf') return { state, ...why, ...(slow ? { slow } : {}) };
    if (zeros) return { state: 'deaf', ...told([because('no_sound_zeros')]) };
    if (clock.monoMs() - (lastBlockMonoMs ?? startedMonoMs) > NO_BLOCK_MS) {
      const what = lastBlockMonoMs === undefined ? 'no_sound_yet' : 'no_sound_more';
      return { state: 'deaf', ...told([because(what)]) };
    }
    return { state, ...why, ...(unconfirmed ? { unconfirmed } : {}) };
  };

  const look = () => {
    takeOver();
    for (const { recogniser: ear } of ears) {
      const now = stateOf(ear);
      const key = `${now.state} ${now.reason ?? ''} ${now.unconfirmed ?? ''}`;
      const last = said.get(ear);
      const monoMs = clock.monoMs();
      if (last?.key === key && monoMs - last.monoMs < REPEAT_MS) continue;
      said.set(ear, { key, monoMs });
      const { slow: _slow, why: _why, ...rest } = now;
      put({ kind: 'ear', microphoneId, language: ear.language, at: clock.now(), ...rest });
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
      for (const ear of ears) begin(ear);
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
    swap({ recognisers, phrases }) {
      categories = categoriesOf(phrases);
      if (!recognisers) return;
      const fresh = recognisers.map((recogniser) => ({ recogniser, from: timeline.position() }));
      // Those of a pack that never came to hear are passed over.
      if (coming) end(coming.ears);
      coming = { ears: fresh, sinceMonoMs: clock.monoMs() };
      if (tasks.length > 0) for (const ear of fresh) begin(ear);
      else {
        ears = fresh;
        coming = undefined;
      }
    },
    health: () => ({
      microphoneId,
      rmsDb,
      dropped,
      resyncs,
      ears: ears.map(({ recogniser: ear }) => {
        const { rtf, restarts, dropped: late } = ear.health();
        return {
          engine: ear.engine,
          language: ear.language,
          ...stateOf(ear),
          rtf,
          restarts,
          dropped: late,
        };
      }),
    }),
    async close() {
      stop.abort();
      const all = [...ears, ...(coming?.ears ?? [])];
      const ends = await Promise.allSettled([...tasks, ...going, ...all.map(({ recogniser }) => recogniser.close())]);
      const failed = ends.find((end) => end.status === 'rejected');
      if (failed) throw failed.reason;
    },
  };
}
