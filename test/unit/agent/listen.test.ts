/** Listening in virtual time: hits get their category and their time, holes are survived, and deafness is said aloud. */
import pino from 'pino';
import { describe, expect, it } from 'vitest';
import { createListen, type Heard } from '../../../agent/listen.ts';
import type { PcmBlock } from '../../../hardware/camera.ts';
import { createDeaf } from '../../../models/speech/ears.ts';
import type { LaterWords } from '../../../models/speech/recogniser.ts';
import { createScripted } from '../../../models/speech/scripted.ts';
import { because } from '../../../protocol/why.ts';
import { manualClock, settle } from '../models/speech/manual-clock.ts';

const log = pino({ level: 'silent' });
const phrases = [
  { phraseId: 'p1', language: 'en', category: 'suggestive' as const, forms: ['a b'], citation: 'c' },
  { phraseId: 'p2', language: 'en', category: 'prohibited' as const, forms: ['c d'], citation: 'c' },
];
const hit = (phraseId: string, beginSample: number, endSample: number, neededSample = endSample) => ({
  phraseId,
  text: 'words',
  score: -1,
  threshold: -2,
  beginSample,
  endSample,
  neededSample,
  heard: 'said words said',
});

/** A microphone that the test speaks into. */
function microphone() {
  const waiting: PcmBlock[] = [];
  let wake: (() => void) | undefined;
  return {
    say: (block: PcmBlock) => {
      waiting.push(block);
      wake?.();
    },
    samples: async function* (): AsyncIterable<PcmBlock> {
      for (;;) {
        const block = waiting.shift();
        if (block) yield block;
        else
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
      }
    },
  };
}

function begin(script: Parameters<typeof createScripted>[0]['script']) {
  const clock = manualClock(0);
  const ear = createScripted({ language: 'en', script });
  const mic = microphone();
  const listen = createListen({
    microphoneId: 'mic-1',
    samples: mic.samples(),
    recognisers: [ear],
    phrases,
    clock,
    log,
  });
  const heard: Heard[] = [];
  const reading = (async () => {
    for await (const observation of listen.observations()) heard.push(observation);
  })();
  listen.start(new AbortController().signal);
  /** Speaks for so many tenths of a second, each block as it is spoken. */
  const speak = async (tenths: number, value = 100) => {
    for (let i = 0; i < tenths; i++) {
      await clock.advance(100);
      mic.say({ samples: Int16Array.from({ length: 1600 }, (_, n) => (n % 2 ? value : -value)), at: clock.now() });
      await settle();
    }
  };
  const end = async () => {
    await listen.close();
    await reading;
  };
  const of = <K extends Heard['kind']>(kind: K) =>
    heard.filter((o): o is Extract<Heard, { kind: K }> => o.kind === kind);
  return { clock, ear, mic, listen, speak, of, end };
}

describe('createListen', () => {
  it('gives a hit its category, its span on the monotonic clock and the block that completed it', async () => {
    const { speak, of, end } = begin([hit('p1', 8000, 16_000, 19_000)]);
    await speak(20);
    await end();
    const [phrase] = of('phrase');
    expect(phrase).toMatchObject({
      microphoneId: 'mic-1',
      phraseId: 'p1',
      category: 'suggestive',
      engine: 'scripted',
      beginMonoMs: 500,
      endMonoMs: 1000,
      heard: 'said words said',
    });
    expect(phrase!.at.monoMs).toBe(1200);
  });

  it('passes on the words that come after a hit, with its place, and none of a phrase that the pack does not have', async () => {
    const clock = manualClock(0);
    const mic = microphone();
    const listeners: ((later: LaterWords) => void)[] = [];
    const ear = createScripted({ language: 'en', script: [hit('p1', 8000, 16_000)] });
    const recognisers = [{ ...ear, onLater: (listener: (later: LaterWords) => void) => void listeners.push(listener) }];
    const listen = createListen({ microphoneId: 'mic-1', samples: mic.samples(), recognisers, phrases, clock, log });
    const heard: Heard[] = [];
    const reading = (async () => {
      for await (const one of listen.observations()) if (one.kind !== 'level') heard.push(one);
    })();
    listen.start(new AbortController().signal);
    for (let i = 0; i < 20; i++) {
      await clock.advance(100);
      mic.say({ samples: new Int16Array(1600).fill(100), at: clock.now() });
      await settle();
    }
    const later = { beginSample: 8000, endSample: 16_000, neededSample: 30_000, heard: 'said words said more' };
    for (const phraseId of ['p9', 'p1']) for (const tell of listeners) tell({ phraseId, ...later });
    await settle();
    await listen.close();
    await reading;
    expect(heard.filter(({ kind }) => kind === 'later_words')).toMatchObject([
      {
        ...{ phraseId: 'p1', microphoneId: 'mic-1', engine: 'scripted', heard: 'said words said more' },
        ...{ beginMonoMs: 500, endMonoMs: 1000 },
      },
    ]);
  });

  it('does not report a phrase that the pack does not have', async () => {
    const { speak, of, end } = begin([hit('p9', 0, 1600)]);
    await speak(5);
    await end();
    expect(of('phrase')).toEqual([]);
  });

  it('measures the level each half second', async () => {
    const { speak, of, end } = begin([]);
    await speak(21, 3277);
    await end();
    expect(of('level')).toHaveLength(4);
    expect(of('level')[0]!.rmsDb).toBeCloseTo(-20, 1);
    expect(of('level')[1]!.at.monoMs).toBe(1000);
  });

  it('sets its clock anew after a hole, so that later hits have the right time', async () => {
    const { speak, of, clock, listen, end } = begin([hit('p1', 8000, 16_000), hit('p2', 24_000, 32_000)]);
    await speak(12);
    await clock.advance(60_000);
    await speak(20);
    const { resyncs } = listen.health();
    await end();
    expect(resyncs).toBe(1);
    expect(of('phrase').map((p) => Math.round(p.endMonoMs))).toEqual([1000, 62_000]);
  });

  it('says when an ear goes deaf and when it hears again', async () => {
    const { speak, of, ear, end } = begin([]);
    await speak(12);
    ear.goDeaf('no model');
    await speak(12);
    ear.hear();
    await speak(12);
    await end();
    expect(of('ear').map(({ state, reason }) => [state, reason])).toEqual([
      ['hearing', undefined],
      ['deaf', 'no model'],
      ['hearing', undefined],
    ]);
  });

  it('passes on that an ear is too slow or unconfirmed, and says the latter as soon as it changes', async () => {
    const { ear, speak, of, listen, end } = begin([]);
    const figures = { rtf: 5, restarts: 2, dropped: 420 };
    ear.health = () => ({ state: 'deaf', reason: 'too slow', slow: true, ...figures });
    await speak(15);
    expect(listen.health().ears[0]).toMatchObject({ state: 'deaf', slow: true, ...figures });
    ear.health = () => ({ state: 'hearing', reason: 'some phrases', ...figures });
    await speak(15);
    expect(listen.health().ears[0]).not.toHaveProperty('slow');
    ear.health = () => ({ state: 'hearing', reason: 'some phrases', unconfirmed: true, ...figures });
    await speak(15);
    expect(listen.health().ears[0]).toMatchObject({ state: 'hearing', unconfirmed: true });
    await end();
    expect(of('ear').map(({ state, unconfirmed }) => [state, unconfirmed])).toEqual([
      ['deaf', undefined],
      ['hearing', undefined],
      ['hearing', true],
    ]);
  });

  it('shortens a reason that names every phrase of a pack: the cloud would refuse the state that has it', async () => {
    const { ear, speak, of, listen, end } = begin([]);
    ear.health = () => ({ state: 'hearing', reason: 'phrase '.repeat(100), rtf: 0, restarts: 0, dropped: 0 });
    await speak(15);
    expect(listen.health().ears[0]!.reason).toMatch(/^phrase .*…$/);
    expect(listen.health().ears[0]!.reason).toHaveLength(400);
    await end();
    expect(of('ear')[0]!.reason).toHaveLength(400);
  });

  it('repeats an unchanged state every few seconds', async () => {
    const { speak, of, end } = begin([]);
    await speak(125);
    await end();
    expect(of('ear').length).toBe(3);
  });

  it('calls digital silence and a source that stops deafness, engine or not', async () => {
    const { speak, of, clock, end, listen } = begin([]);
    await speak(20);
    await speak(70, 0);
    expect(listen.health().ears[0]).toMatchObject({
      state: 'deaf',
      reason: expect.stringContaining('digital silence'),
    });
    await speak(20);
    expect(listen.health().ears[0]!.state).toBe('hearing');
    await clock.advance(12_000);
    await end();
    expect(of('ear').at(-1)).toMatchObject({ state: 'deaf', reason: expect.stringContaining('stopped sending') });
  });

  it('does not claim to hear a source that has never sent anything', async () => {
    const { of, clock, listen, end } = begin([]);
    for (let i = 0; i < 12; i++) {
      await clock.advance(1000);
      await settle();
    }
    expect(of('ear')[0]).toMatchObject({ state: 'hearing' });
    const deaf = { state: 'deaf', reason: expect.stringContaining('has sent nothing yet') };
    expect(of('ear').at(-1)).toMatchObject(deaf);
    expect(listen.health().ears[0]).toMatchObject(deaf);
    await end();
  });

  it('ends its reader and its ears when closed', async () => {
    const { ear, end } = begin([]);
    await end();
    expect(ear.health()).toMatchObject({ state: 'deaf', reason: 'closed' });
  });
});

describe('another rule pack', () => {
  it('is heard by new ears before the old ones go, and what both hear has one place in time', async () => {
    const { listen, ear, speak, of, end } = begin([hit('p1', 24_000, 32_000)]);
    await speak(10);
    const fresh = createScripted({ language: 'en', script: [hit('p1', 8000, 16_000), hit('p3', 17_000, 18_000)] });
    const third = { ...phrases[0]!, phraseId: 'p3' };
    listen.swap({ recognisers: [fresh], phrases: [...phrases, third] });
    expect(ear.health().state).toBe('hearing');
    await speak(15);
    expect(ear.health().state).toBe('hearing');
    await speak(40);
    expect(ear.health()).toMatchObject({ state: 'deaf', reason: 'closed' });
    expect(listen.health().ears).toMatchObject([{ state: 'hearing' }]);
    await end();
    // The new ear counts from its own first sample: one second after the listener's. Both hear the phrase at one place.
    expect(of('phrase').map(({ phraseId, endMonoMs }) => [phraseId, endMonoMs])).toEqual([
      ['p1', 2000],
      ['p1', 2000],
      ['p3', 2125],
    ]);
  });

  it('does not make the room deaf while the new ears come up, and shows what is wrong with them in the end', async () => {
    const { listen, speak, end } = begin([]);
    await speak(10);
    listen.swap({
      recognisers: [createDeaf({ engine: 'fsmn', language: 'zh-CN', why: because('no_model_en', { folder: '/m' }) })],
      phrases,
    });
    await speak(50);
    expect(listen.health().ears).toMatchObject([{ engine: 'scripted', state: 'hearing' }]);
    await speak(60);
    expect(listen.health().ears).toMatchObject([{ engine: 'fsmn', state: 'deaf', why: [{ code: 'no_model_en' }] }]);
    await end();
  });

  it('may change what the same ears mean', async () => {
    const { listen, speak, of, end } = begin([hit('p1', 8000, 16_000), hit('p2', 24_000, 32_000)]);
    listen.swap({ phrases: [{ ...phrases[1]!, category: 'irrelevant' }] });
    await speak(30);
    await end();
    expect(of('phrase').map(({ phraseId, category }) => [phraseId, category])).toEqual([['p2', 'irrelevant']]);
  });
});
