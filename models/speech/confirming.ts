/** Two engines on one microphone: what the fast one hears is suspected until the other one has heard the same. */
import type { Clock } from '../../protocol/time.ts';
import { because, type Why } from '../../protocol/why.ts';
import { told } from './hosted.ts';
import type { Hit, LaterWords, Recogniser, RecogniserHealth, Talk } from './recogniser.ts';

/** The same phrase within this distance is the same utterance. */
const SAME_SAMPLES = 1.5 * 16_000;
/** An engine that gives words only at the end of an utterance may be so much later than the fast one. */
const PATIENCE_SAMPLES = 20 * 16_000;
/** A second engine that cannot hear is nobody to ask. */
const LOOK_MS = 500;

/**
 * Hits of `fast`: at once as suspected, and once more as confirmed when `second` has heard the same. What the second one
 * only suspects itself confirms nothing. While the second one is deaf the fast one is believed alone, and `health` says so:
 * a room is never deaf because the engine that confirms is.
 */
export function createConfirming(deps: { fast: Recogniser; second: Recogniser; clock: Clock }): Recogniser {
  const { fast, second, clock } = deps;
  const listeners: ((hit: Hit) => void)[] = [];
  let suspected: Hit[] = [];
  let confirmed: Hit[] = [];
  let position = 0;
  const counting = fast.onTalk ? fast : second;
  const stop = new AbortController();
  let task: Promise<void> | undefined;

  const tell = (hit: Hit) => {
    for (const listener of listeners) listener(hit);
  };
  /** Told as heard by both. */
  const confirm = ({ level: _doubt, ...hit }: Hit, { neededSample, endSample }: Hit) =>
    tell({ ...hit, neededSample: Math.max(hit.neededSample ?? hit.endSample, neededSample ?? endSample) });
  const same = (a: Hit, b: Hit) =>
    a.phraseId === b.phraseId &&
    a.beginSample <= b.endSample + SAME_SAMPLES &&
    b.beginSample <= a.endSample + SAME_SAMPLES;
  const deaf = () => second.health().state === 'deaf';
  const forget = (list: readonly Hit[]) => list.filter((hit) => position - hit.endSample <= PATIENCE_SAMPLES);

  fast.onHit((hit) => {
    const heard = confirmed.find((one) => same(hit, one));
    if (heard) confirm(hit, heard);
    else if (deaf()) tell(hit);
    else {
      suspected.push(hit);
      tell({ ...hit, level: 'suspected' });
    }
  });
  second.onHit((hit) => {
    if (hit.level) return;
    confirmed.push(hit);
    const waiting = suspected.filter((one) => same(one, hit));
    suspected = suspected.filter((one) => !waiting.includes(one));
    for (const one of waiting) confirm(one, hit);
  });

  /** Whoever waits for an engine that has died meanwhile is told all the same. */
  const release = () => {
    if (suspected.length === 0 || !deaf()) return;
    const waiting = suspected;
    suspected = [];
    // What it doubted itself has been told as that.
    for (const one of waiting) if (!one.level) tell(one);
  };

  return {
    engine: `${fast.engine}+${second.engine}`,
    language: fast.language,
    async start(signal) {
      if (signal.aborted) stop.abort();
      signal.addEventListener('abort', () => stop.abort(), { once: true });
      await Promise.all([fast.start(signal), second.start(signal)]);
      task ??= (async () => {
        while (!stop.signal.aborted) {
          await clock.sleep(LOOK_MS, stop.signal);
          release();
        }
      })();
    },
    accept(samples) {
      position += samples.length;
      fast.accept(samples);
      // An engine may take the block for its own.
      second.accept(samples.slice());
      suspected = forget(suspected);
      confirmed = forget(confirmed);
    },
    onHit: (listener) => void listeners.push(listener),
    // What is told are the fast one's hits, with its words.
    ...(fast.onLater ? { onLater: (listener: (later: LaterWords) => void) => fast.onLater?.(listener) } : {}),
    ...(counting.onTalk ? { onTalk: (listener: (talk: Talk) => void) => counting.onTalk?.(listener) } : {}),
    health(): RecogniserHealth {
      const [a, b] = [fast.health(), second.health()];
      // Nobody waits for an engine that cannot hear.
      const waiting = [a, b].flatMap((one) => (one.state === 'deaf' || one.waiting === undefined ? [] : [one.waiting]));
      const base = {
        rtf: a.rtf + b.rtf,
        restarts: a.restarts + b.restarts,
        dropped: a.dropped + b.dropped,
        ...(waiting.length > 0 ? { waiting: Math.max(...waiting) } : {}),
      };
      if (a.state === 'deaf') {
        const { reason, why, missing, slow } = a;
        return {
          state: 'deaf',
          ...(reason === undefined ? {} : { reason }),
          ...(why === undefined ? {} : { why }),
          ...(missing ? { missing } : {}),
          ...(slow ? { slow } : {}),
          ...base,
        };
      }
      const why =
        b.state === 'deaf' ? [because('unconfirmed', { engine: second.engine, error: b.reason ?? 'no reason' })] : [];
      // A phrase that either of them cannot hear is never confirmed: both are to be named.
      const parts = [a, b].flatMap(({ state, reason, why: own }, i): Why[] => {
        if (state === 'deaf' || reason === undefined) return [];
        const { engine } = i === 0 ? fast : second;
        return (own ?? [because('engine_refused', { error: reason })]).map((one) => ({ ...one, of: engine }));
      });
      return {
        state: 'hearing',
        ...told([...why, ...parts]),
        ...(b.state === 'deaf' ? { unconfirmed: true } : {}),
        ...base,
      };
    },
    async close() {
      stop.abort();
      const ends = await Promise.allSettled([fast.close(), second.close(), task]);
      const failed = ends.find((end) => end.status === 'rejected');
      if (failed) throw failed.reason;
    },
  };
}
