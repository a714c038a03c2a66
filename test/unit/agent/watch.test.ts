/** What watch keeps while the outbox takes nothing, and that nothing is stored twice, whoever fails after the commit. */
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { virtualClock } from '../../../agent/clock.ts';
import { memoryOutbox } from '../../../agent/store/memory.ts';
import { createWatch } from '../../../agent/watch.ts';
import { loadRulePack } from '../../../models/rules/load.ts';
import { Full } from '../../../protocol/errors.ts';
import type { DraftEvent, RoomEvent } from '../../../protocol/event.ts';
import { EMPTY_ROOM } from '../../fixtures/empty-room.ts';

function room(quotaEvents: number) {
  const clock = virtualClock();
  const outbox = memoryOutbox({ roomId: 'room-1', clock, quotaEvents });
  const context = { layout: EMPTY_ROOM, pack: loadRulePack('demo'), runId: 'run' };
  const watch = createWatch({ context, outbox, clock, log: pino({ level: 'silent' }) });
  const heard: RoomEvent[] = [];
  watch.onEvent((event) => void heard.push(event));
  const gap = (reason: string): DraftEvent => ({
    at: clock.now(),
    body: { kind: 'gap', sourceId: 'cam-a', role: 'record', fromWallMs: 0, toWallMs: 1, reason },
  });
  const stored = () => outbox.streams().flatMap(({ streamId }) => outbox.events(streamId, 0, 10_000));
  const reasons = () => stored().map(({ body }) => (body.kind === 'gap' ? body.reason : ''));
  const ackAll = () => {
    for (const { streamId, lastSeq } of outbox.streams()) {
      outbox.sent(streamId, lastSeq);
      outbox.ack({ streamId, through: lastSeq });
    }
  };
  return { watch, outbox, heard, gap, reasons, ackAll };
}

describe('watch', () => {
  it('does not store an event again because a listener met a full disk', () => {
    const { watch, heard, gap, reasons } = room(10);
    let failing = true;
    watch.onEvent(() => {
      if (failing) throw new Full('disk_full', 'dropping a plan');
    });
    expect(() => watch.record([gap('one')])).toThrow('dropping a plan');
    failing = false;
    watch.record([gap('two')]);
    expect(reasons()).toEqual(['one', 'two']);
    expect(heard).toHaveLength(2);
    expect(watch.health()).toEqual({ full: false, held: 0, missed: 0 });
  });

  it('counts on over another layout: a second phrase of the session is the second one, and a suspicion stays one', async () => {
    const clock = virtualClock();
    const outbox = memoryOutbox({ roomId: 'room-1', clock, quotaEvents: 1000 });
    const demo = loadRulePack('demo');
    const rule = { citation: 'w', level: 'notice', alarmAfter: 2, mergeMs: 5000, suspected: 'notice' } as const;
    const pack = { ...demo, rules: { ...demo.rules, speech_suggestive: rule } };
    const watch = createWatch({
      context: { layout: EMPTY_ROOM, pack, runId: 'run' },
      outbox,
      clock,
      log: pino({ level: 'silent' }),
    });
    const told: string[] = [];
    watch.onEvent(({ body }) => {
      if (body.kind === 'episode') told.push(`${body.phase} ${body.level} ${body.to}`);
    });
    const say = (phraseId: string, level?: 'suspected') => {
      const at = clock.now();
      const said = { phraseId, category: 'suggestive', text: 'words', language: 'en', engine: 'fsmn' } as const;
      const where = { microphoneId: 'mic-1', at, beginMonoMs: at.monoMs - 500, endMonoMs: at.monoMs };
      watch.observe({
        kind: 'phrase',
        ...said,
        ...where,
        ...(level ? { level } : {}),
        score: 1,
        threshold: 0,
        heard: '',
      });
    };
    const pass = async (seconds: number) => {
      for (let i = 0; i < seconds; i++) {
        await clock.advance(1000);
        watch.observe({ kind: 'tick', at: clock.now() });
      }
    };
    say('p1');
    await pass(10);
    watch.relay({ ...EMPTY_ROOM, name: 'another' });
    say('p2', 'suspected');
    watch.relay(EMPTY_ROOM);
    await pass(10);
    say('p3');
    await pass(10);
    expect(told).toEqual([
      'begin notice SPOKEN',
      'end notice SILENT',
      'begin notice SUSPECTED',
      'end notice SILENT',
      'begin alarm SPOKEN',
      'end alarm SILENT',
    ]);
  });

  it('says what deciding on a frame of each camera takes', () => {
    let monoMs = 0;
    const real = virtualClock();
    const clock = { ...real, monoMs: () => (monoMs += 3) };
    const outbox = memoryOutbox({ roomId: 'room-1', clock: real, quotaEvents: 10 });
    const context = { layout: EMPTY_ROOM, pack: loadRulePack('demo'), runId: 'run' };
    const watch = createWatch({ context, outbox, clock, log: pino({ level: 'silent' }) });
    const picture = { brightness: 90, edgeEnergy: 9, shift: { dx: 0, dy: 0, confidence: 1 }, change: 1 };
    watch.observe({
      kind: 'frame',
      cameraId: 'cam-a',
      at: real.now(),
      frame: 0,
      persons: [],
      picture,
      patches: [],
      modelSet: 'fake',
      inferenceMs: 20,
    });
    expect(watch.decideMs('cam-a')).toBe(3);
    expect(watch.decideMs('cam-b')).toBe(0);
  });

  it('holds what a full outbox refuses, and brings it in as room comes, in order and whole', () => {
    const { watch, outbox, heard, gap, reasons, ackAll } = room(100);
    for (let i = 0; i < 100; i += 1) watch.record([gap(`early ${i}`)]);
    // More than the quota: all of it at once would never fit.
    for (let i = 0; i < 120; i += 1) watch.record([gap(`late ${i}a`), gap(`late ${i}b`)]);
    expect(watch.health()).toMatchObject({ full: true, held: 240 });
    expect(outbox.stats().events).toBe(100);
    const late: string[] = [];
    for (let round = 0; round < 4 && watch.health().full; round += 1) {
      ackAll();
      watch.record([]);
      late.push(...reasons());
    }
    expect(late).toEqual(Array.from({ length: 120 }, (_, i) => [`late ${i}a`, `late ${i}b`]).flat());
    expect(watch.health()).toEqual({ full: false, held: 0, missed: 0 });
    expect(heard).toHaveLength(340);
    expect(new Set(heard.map(({ eventId }) => eventId)).size).toBe(340);
  });
});
