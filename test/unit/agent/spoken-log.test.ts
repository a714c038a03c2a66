/** What was said stands in no line of the agent's log: not at a hit, a refusal, a fault, a restart of the engine, or with a full outbox. */
import { expect, it } from 'vitest';
import { createListen } from '../../../agent/listen.ts';
import { createWatch } from '../../../agent/watch.ts';
import type { PcmBlock } from '../../../hardware/camera.ts';
import { createConfirming } from '../../../models/speech/confirming.ts';
import { type EngineEvents, hostEngine } from '../../../models/speech/hosted.ts';
import { Full } from '../../../protocol/errors.ts';
import type { DraftEvent, RoomEvent } from '../../../protocol/event.ts';
import { because } from '../../../protocol/why.ts';
import { keptLog } from '../../fixtures/kept-log.ts';
import { manualClock, settle } from '../models/speech/manual-clock.ts';
import { context } from './decide/world.ts';

const FORM = '老地方拿信封';
const HEARD = `wan shang ${FORM} bie gao su ta`;
const WORDS = [FORM, '信封', 'gao su ta', 'wan shang'];

it('is kept out of the log, whatever becomes of it', async () => {
  const { log, lines } = keptLog();
  const clock = manualClock(0);
  const runs: EngineEvents[] = [];
  const engine = () =>
    hostEngine({
      hosted: {
        engine: 'puppet',
        language: 'zh',
        missing: () => undefined,
        spawn(events) {
          runs.push(events);
          return { post: () => undefined, kill: () => events.onExit('killed') };
        },
      },
      clock,
      log,
    });
  const phrases = [{ phraseId: 'p', language: 'zh-CN', category: 'prohibited' as const, forms: [FORM], citation: 'c' }];
  let broken = false;
  let next: ((block: PcmBlock) => void) | undefined;
  const samples = async function* (): AsyncIterable<PcmBlock> {
    for (;;) {
      yield await new Promise<PcmBlock>((resolve) => {
        next = resolve;
      });
      if (broken) throw new Error('the microphone is gone');
    }
  };
  const recognisers = [createConfirming({ fast: engine(), second: engine(), clock })];
  const listen = createListen({ microphoneId: 'mic', samples: samples(), recognisers, phrases, clock, log });
  const told: DraftEvent[] = [];
  let full = false;
  const accept = (drafts: readonly DraftEvent[]): RoomEvent[] => {
    if (full) throw new Full('outbox_full', 'storing an event');
    told.push(...drafts);
    return drafts.map((draft, seq) => ({ ...draft, eventId: 'e', streamId: 's', seq, roomId: 'r' }));
  };
  const pack = { ...context.pack, phrases };
  const watch = createWatch({ context: { ...context, pack }, outbox: { accept, openEpisodes: () => [] }, clock, log });
  const reading = (async () => {
    for await (const heard of listen.observations()) watch.observe(heard);
  })();
  listen.start(new AbortController().signal);
  await settle();
  const speak = async (tenths: number) => {
    for (let i = 0; i < tenths; i++) {
      await clock.advance(100);
      next?.({ samples: new Int16Array(1600).fill(100), at: clock.now() });
      await settle();
    }
  };
  const hit = (phraseId: string, endSample: number) => ({
    ...{ phraseId, text: FORM, score: -1, threshold: -2, heard: HEARD },
    ...{ beginSample: endSample - 8000, endSample },
  });
  const hears = (endSample: number) => {
    const hits = [hit('p', endSample), hit('unknown', endSample)];
    const later = [{ ...hit('p', endSample), neededSample: endSample + 160_000 }];
    for (const run of runs.slice(-2)) run.onReport({ kind: 'done', samples: 1600, busyMs: 1, hits, later });
  };
  for (const run of runs) run.onReport({ kind: 'ready', partly: [because('deaf_to', { phrases: 'q' })] });
  await speak(10);
  // A hit of the pack, and one of a phrase that it does not have: that one is a fault of the wiring.
  hears(12_000);
  await speak(10);
  expect(told.some(({ body }) => body.kind === 'episode' && body.transcript?.text.includes(FORM))).toBe(true);
  // An outbox that takes nothing, an engine that dies and comes back, one that refuses.
  full = true;
  await clock.advance(30_000);
  for (const run of runs.slice(0, 2)) run.onExit('exit 1');
  await clock.advance(2000);
  await speak(10);
  for (const run of runs.slice(-2)) run.onReport({ kind: 'ready' });
  hears(14_000);
  await speak(10);
  full = false;
  await speak(10);
  for (const run of runs.slice(-2))
    run.onReport({ kind: 'refused', why: because('none_spotted', { count: 1, error: 'q' }) });
  await clock.advance(4000);
  // The microphone fails, and the listener ends.
  broken = true;
  await speak(2);
  await listen.close();
  await reading;

  const text = lines.join('');
  expect(text).toContain('not in the rule pack');
  expect(text).toContain('restarted');
  expect(text).toContain('can be spotted');
  expect(lines.filter((line) => WORDS.some((word) => line.includes(word)))).toEqual([]);
}, 30_000);
