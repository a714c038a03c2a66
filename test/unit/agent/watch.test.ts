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
