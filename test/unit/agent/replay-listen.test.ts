/** An ear over kept sound: no end may be taken for the end of the sound but that one. */
import { describe, expect, it } from 'vitest';
import { virtualClock } from '../../../agent/clock.ts';
import { listenThrough } from '../../../agent/replay-listen.ts';
import type { Hit, Recogniser, RecogniserHealth } from '../../../models/speech/recogniser.ts';

const BLOCK = 16_000;
const hit: Hit = { phraseId: 'p', text: 'p', score: 0, threshold: -1, beginSample: 0, endSample: 1, heard: 'p' };

/** An ear that deals with a second of sound when it is told to. */
function slow(health: Partial<RecogniserHealth> = {}) {
  let waiting = 0;
  let now = health;
  let tell: (hit: Hit) => void = () => {};
  const ear: Recogniser = {
    engine: 'slow',
    language: 'en',
    start: async () => {},
    accept: (samples) => {
      waiting += samples.length;
    },
    onHit: (listener) => {
      tell = listener;
    },
    health: () => ({ state: 'hearing', rtf: 0, restarts: 0, dropped: 0, waiting, ...now }),
    close: async () => {},
  };
  return {
    ear,
    hear(...hits: Hit[]) {
      for (const one of hits) tell(one);
      waiting = Math.max(0, waiting - BLOCK);
    },
    be(next: Partial<RecogniserHealth>) {
      now = next;
    },
  };
}
async function* seconds(count: number) {
  for (let n = 0; n < count; n++) yield new Int16Array(BLOCK);
}

/** Steps virtual time until the listening is over; each step may change the ear. */
async function run(engine: ReturnType<typeof slow>, count: number, each: (step: number) => void) {
  const clock = virtualClock();
  let result: Awaited<ReturnType<typeof listenThrough>> | undefined;
  void listenThrough(engine.ear, () => seconds(count), clock).then((heard) => {
    result = heard;
  });
  for (let step = 0; step < 5000 && !result; step++) {
    each(step);
    await clock.advance(20);
  }
  return result;
}

describe('listening to kept sound', () => {
  it('waits for the last hit of an engine that is behind', async () => {
    const engine = slow();
    const result = await run(engine, 6, (step) => {
      if (step > 100) engine.hear(...(step === 106 ? [hit] : []));
    });
    expect(result).toEqual({ hits: [hit] });
  });

  it('says so when the engine dies while sound waits for it', async () => {
    const engine = slow();
    const result = await run(engine, 60, (step) => {
      if (step === 50) engine.be({ state: 'deaf', reason: 'it died' });
    });
    expect(result).toEqual({ hits: [], deaf: 'it died' });
    const late = slow();
    const end = await run(late, 3, (step) => {
      if (step === 50) late.be({ state: 'deaf', reason: 'it died' });
    });
    expect(end).toEqual({ hits: [], deaf: 'it died' });
  });

  it('says how much an engine that does not come to the end has not heard', async () => {
    expect((await run(slow(), 3, () => {}))?.deaf).toContain('3 s');
  });

  it('does not wait for what is missing, and waits for what comes up', async () => {
    const clock = virtualClock();
    const missing = slow({ state: 'deaf', reason: 'there is no model', missing: true });
    expect(await listenThrough(missing.ear, () => seconds(3), clock)).toEqual({
      hits: [],
      deaf: 'there is no model',
    });
    const engine = slow({ state: 'deaf', reason: 'no rush, it is starting' });
    const result = await run(engine, 2, (step) => {
      if (step === 100) engine.be({});
      if (step > 110) engine.hear();
    });
    expect(result).toEqual({ hits: [] });
  });
});
