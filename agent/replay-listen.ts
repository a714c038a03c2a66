/** Beside replay.ts: one ear over sound that is there already, up to its end. */
import type { Hit, Recogniser } from '../models/speech/recogniser.ts';
import type { Clock } from '../protocol/time.ts';
import { RATE } from './replay-sound.ts';

/** Sound that may wait in front of an engine: well under the bound beyond which it drops. */
const AHEAD = 4 * RATE;
/** An engine that does not tell how far it is gets this many times the pace of a room. */
const BLIND_PACE = 4;
/** Reading a model on a slow disk takes its time. */
const READY_MS = 60_000;
const POLL_MS = 20;

/** Feeds an ear as fast as it can take it, with nothing dropped; `deaf`: why nothing, or not all of it, was heard. Closes the ear. */
export async function listenThrough(
  ear: Recogniser,
  blocks: () => AsyncIterable<Int16Array>,
  clock: Clock,
): Promise<{ hits: readonly Hit[]; deaf?: string }> {
  const stop = new AbortController();
  const hits: Hit[] = [];
  ear.onHit((hit) => hits.push(hit));
  const nap = () => clock.sleep(POLL_MS, stop.signal);
  try {
    await ear.start(stop.signal);
    const beganMonoMs = clock.monoMs();
    const isDeaf = () => ear.health().state === 'deaf';
    while (isDeaf()) {
      const { missing, reason } = ear.health();
      if (missing || clock.monoMs() - beganMonoMs > READY_MS)
        return { hits, deaf: reason ?? 'the engine did not come up' };
      await nap();
    }
    for await (const block of blocks()) {
      while (!isDeaf() && (ear.health().waiting ?? 0) > AHEAD) await nap();
      if (ear.health().waiting === undefined) await clock.sleep((block.length / RATE / BLIND_PACE) * 1000, stop.signal);
      ear.accept(block);
      if (isDeaf()) return { hits, deaf: ear.health().reason ?? 'the engine stopped' };
    }
    const endMonoMs = clock.monoMs();
    while (!isDeaf() && (ear.health().waiting ?? 0) > 0 && clock.monoMs() - endMonoMs < READY_MS) await nap();
    const { dropped, reason, waiting = 0 } = ear.health();
    if (isDeaf()) return { hits, deaf: reason ?? 'the engine stopped' };
    if (dropped > 0) return { hits, deaf: `the engine was too slow for ${dropped} blocks` };
    if (waiting > 0)
      return { hits, deaf: `the engine did not come to the end: ${Math.ceil(waiting / RATE)} s were not heard` };
    return { hits, ...(reason === undefined ? {} : { deaf: reason }) };
  } finally {
    stop.abort();
    await ear.close();
  }
}
