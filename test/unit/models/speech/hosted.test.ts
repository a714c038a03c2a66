/** The host of an engine in virtual time: hangs, deaths, refusals and missing models end in a restart and a spoken reason. */
import pino from 'pino';
import { describe, expect, it } from 'vitest';
import { type EngineEvents, type EnginePort, type HostedEngine, hostEngine } from '../../../../models/speech/hosted.ts';
import { because, type Why } from '../../../../protocol/why.ts';
import { manualClock } from './manual-clock.ts';

const log = pino({ level: 'silent' });

/** An engine that does what the test tells it. */
const deafTo = (phrases: string) => because('deaf_to', { phrases });

function puppet() {
  const runs: { events: EngineEvents; given: number; killed: boolean }[] = [];
  const state = { missing: undefined as Why | undefined };
  const hosted: HostedEngine = {
    engine: 'puppet',
    language: 'en',
    missing: () => state.missing,
    spawn: (events): EnginePort => {
      const run = { events, given: 0, killed: false };
      runs.push(run);
      return {
        post: (samples) => {
          run.given += samples.length;
        },
        kill: () => {
          run.killed = true;
        },
      };
    },
  };
  return { hosted, runs, state };
}

async function begin(prepare?: (p: ReturnType<typeof puppet>) => void) {
  const clock = manualClock();
  const engine = puppet();
  prepare?.(engine);
  const ear = hostEngine({ hosted: engine.hosted, clock, log });
  await ear.start(new AbortController().signal);
  await clock.advance(100);
  return { clock, ear, ...engine };
}

describe('hostEngine', () => {
  it('is deaf until the engine is ready, then hears and passes hits on', async () => {
    const { ear, runs } = await begin();
    expect(ear.health()).toMatchObject({ state: 'deaf', reason: 'starting' });
    runs[0]!.events.onReport({ kind: 'ready' });
    expect(ear.health().state).toBe('hearing');
    const heard: string[] = [];
    ear.onHit((hit) => heard.push(hit.phraseId));
    ear.accept(new Int16Array(1600));
    const hit = { phraseId: 'p', text: '', score: 0, threshold: 0, beginSample: 0, endSample: 9, heard: '' };
    runs[0]!.events.onReport({ kind: 'done', samples: 1600, busyMs: 10, hits: [hit] });
    expect(heard).toEqual(['p']);
    expect(ear.health().rtf).toBeCloseTo(0.1, 5);
    await ear.close();
    expect(runs[0]!.killed).toBe(true);
    expect(ear.health()).toMatchObject({ state: 'deaf', reason: 'closed' });
  });

  it('restarts a dead engine with growing waits and keeps the sound for it', async () => {
    const { ear, runs, clock } = await begin();
    runs[0]!.events.onReport({ kind: 'ready' });
    runs[0]!.events.onExit('exit 255');
    await clock.advance(100);
    expect(ear.health()).toMatchObject({ state: 'deaf', reason: expect.stringContaining('exit 255') });
    ear.accept(new Int16Array(1600));
    await clock.advance(600);
    expect(runs).toHaveLength(2);
    runs[1]!.events.onReport({ kind: 'ready' });
    expect(runs[1]!.given).toBe(1600);
    expect(ear.health()).toMatchObject({ state: 'hearing', restarts: 1 });
    runs[1]!.events.onExit('exit 255');
    await clock.advance(700);
    expect(runs).toHaveLength(2);
    await clock.advance(600);
    expect(runs).toHaveLength(3);
    await ear.close();
  });

  it('kills an engine that owes an answer for ten seconds, and leaves an idle one alone', async () => {
    const { ear, runs, clock } = await begin();
    runs[0]!.events.onReport({ kind: 'ready' });
    await clock.advance(30_000);
    expect(runs[0]!.killed).toBe(false);
    ear.accept(new Int16Array(1600));
    await clock.advance(12_000);
    expect(runs[0]!.killed).toBe(true);
    expect(ear.health().restarts).toBe(1);
    await ear.close();
  });

  /** So many seconds of sound in tenths, each of which costs the engine `rtf` times as long. */
  function speaking({ ear, runs }: Awaited<ReturnType<typeof begin>>) {
    let sound = 0;
    let done = 0;
    const states: string[] = [];
    return (seconds: number, rtf: number) => {
      for (let i = 0; i < seconds * 10; i++) {
        ear.accept(new Int16Array(1600));
        for (sound += 1600 / rtf; sound >= 1600; sound -= 1600) {
          if (done + 1600 > runs.at(-1)!.given) {
            sound = 0;
            break;
          }
          done += 1600;
          runs.at(-1)!.events.onReport({ kind: 'done', samples: 1600, busyMs: 100 * rtf, hits: [] });
        }
        states.push(ear.health().state);
      }
      return states.splice(0);
    };
  }

  it('is deaf while the machine is too slow for the engine, says what to do, and hears again once it keeps up', async () => {
    const stand = await begin();
    const { ear, runs } = stand;
    runs[0]!.events.onReport({ kind: 'ready' });
    const speak = speaking(stand);
    const slow = speak(60, 5);
    // Eleven seconds fit into the queue and the engine; then four fifths are lost, three seconds of a minute in under four more.
    expect(slow.indexOf('deaf') / 10).toBeGreaterThan(13);
    expect(slow.indexOf('deaf') / 10).toBeLessThan(20);
    expect(slow.at(-1)).toBe('deaf');
    expect(ear.health()).toMatchObject({ slow: true, reason: expect.stringMatching(/too slow.*5 %.*faster machine/) });
    expect(ear.health().dropped).toBeGreaterThan(300);
    expect(ear.health().rtf).toBeCloseTo(5, 5);
    // Not at once: a machine that has a moment is still too slow.
    const calm = speak(60, 0.1);
    expect(calm.indexOf('hearing') / 10).toBeGreaterThan(15);
    expect(calm.indexOf('hearing') / 10).toBeLessThan(25);
    expect(calm.at(-1)).toBe('hearing');
    expect(ear.health()).not.toHaveProperty('slow');
    await ear.close();
  });

  it('is not called too slow for a short stall, nor for what was lost while it was restarted', async () => {
    const stand = await begin();
    const { ear, runs, clock } = stand;
    runs[0]!.events.onReport({ kind: 'ready' });
    const speak = speaking(stand);
    speak(20, 0.1);
    expect(speak(13, 1000)).not.toContain('deaf');
    expect(speak(60, 0.1)).not.toContain('deaf');
    expect(ear.health().dropped).toBeGreaterThan(5);
    runs[0]!.events.onExit('exit 255');
    await clock.advance(200);
    ear.accept(new Int16Array(16_000));
    for (let i = 0; i < 300; i++) ear.accept(new Int16Array(1600));
    await clock.advance(600);
    runs[1]!.events.onReport({ kind: 'ready' });
    expect(ear.health()).toMatchObject({ state: 'hearing', restarts: 1 });
    await ear.close();
  });

  it('offers a count of talk only where its engine counts', async () => {
    const { ear, hosted, clock } = await begin();
    expect(ear.onTalk).toBeUndefined();
    expect(hostEngine({ hosted: { ...hosted, countsTalk: true }, clock, log }).onTalk).toBeDefined();
    await ear.close();
  });

  it('says what is missing, and hears by itself once it is there', async () => {
    const { ear, runs, clock, state } = await begin((p) => {
      p.state.missing = because('no_model_en', { folder: '/m' });
    });
    expect(ear.health()).toMatchObject({ state: 'deaf', why: [{ code: 'no_model_en' }], missing: true });
    ear.accept(new Int16Array(16_000 * 60));
    expect(ear.health().restarts).toBe(0);
    state.missing = undefined;
    await clock.advance(4000);
    expect(ear.health()).not.toHaveProperty('missing');
    runs[0]!.events.onReport({ kind: 'ready' });
    expect(ear.health().state).toBe('hearing');
    await ear.close();
  });

  it('asks an engine that refuses again, without counting a restart', async () => {
    const { ear, runs, clock } = await begin();
    runs[0]!.events.onReport({ kind: 'refused', why: because('engine_refused', { error: 'the file is truncated' }) });
    await clock.advance(100);
    expect(ear.health()).toMatchObject({
      state: 'deaf',
      reason: 'the file is truncated',
      why: [{ code: 'engine_refused', named: { error: 'the file is truncated' } }],
      restarts: 0,
    });
    await clock.advance(4000);
    expect(runs).toHaveLength(2);
    await ear.close();
  });

  it('hears and names the phrases that it cannot', async () => {
    const { ear, runs } = await begin();
    runs[0]!.events.onReport({ kind: 'ready', partly: [deafTo('p7')] });
    expect(ear.health()).toMatchObject({ state: 'hearing', reason: 'deaf to p7' });
    await ear.close();
  });

  it('names what it cannot hear any more, as soon as the engine says so', async () => {
    const { ear, runs } = await begin();
    runs[0]!.events.onReport({ kind: 'ready', partly: [deafTo('p7')] });
    runs[0]!.events.onReport({
      kind: 'done',
      samples: 0,
      busyMs: 0,
      hits: [],
      partly: [deafTo('p7'), because('phrases_refused')],
    });
    runs[0]!.events.onReport({ kind: 'done', samples: 0, busyMs: 0, hits: [] });
    expect(ear.health()).toMatchObject({
      state: 'hearing',
      reason: 'deaf to p7; the library refuses the list of phrases',
      rtf: 0,
    });
    await ear.close();
  });

  it('loses nothing over a block that takes nine seconds twice, with a sign of life between', async () => {
    const { ear, runs, clock } = await begin();
    runs[0]!.events.onReport({ kind: 'ready' });
    const speak = async (seconds: number) => {
      for (let i = 0; i < seconds * 10; i++) {
        ear.accept(new Int16Array(1600));
        await clock.advance(100);
      }
    };
    await speak(9);
    runs[0]!.events.onReport({ kind: 'done', samples: 0, busyMs: 0, hits: [] });
    await clock.advance(9000);
    expect(runs[0]!.killed).toBe(false);
    expect(ear.health()).toMatchObject({ state: 'hearing', dropped: 0, restarts: 0 });
    await ear.close();
  });

  it('drops the oldest sound beyond ten seconds and counts it', async () => {
    const { ear, runs } = await begin();
    runs[0]!.events.onReport({ kind: 'ready' });
    for (let i = 0; i < 130; i++) ear.accept(new Int16Array(1600));
    expect(ear.health().dropped).toBe(20);
    expect(runs[0]!.given).toBe(16_000);
    await ear.close();
  });
});
