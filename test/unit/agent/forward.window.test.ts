/** Which batch goes next: windows, priorities, resends; with the outbox in memory and a clock that is told. */
import { beforeEach, describe, expect, it } from 'vitest';
import { type VirtualClock, virtualClock } from '../../../agent/clock.ts';
import { memoryOutbox } from '../../../agent/store/memory.ts';
import type { Outbox } from '../../../agent/store/outbox.ts';
import { createWindows, RESEND_WAITS_MS, type Windows } from '../../../agent/window.ts';
import type { DraftEvent } from '../../../protocol/event.ts';
import { type Batch, type Lane, LIMITS } from '../../../protocol/stream.ts';

let clock: VirtualClock;
let outbox: Outbox;
let windows: Windows;
beforeEach(() => {
  clock = virtualClock();
  outbox = memoryOutbox({ roomId: 'room-1', clock, quotaEvents: 1e6 });
  windows = createWindows({ outbox, clock, random: () => 0.5 });
});

const draft = (lane: Lane, size = 1): DraftEvent => ({
  at: clock.now(),
  body:
    lane === 'routine'
      ? { kind: 'gap', sourceId: 'cam-a', role: 'record', fromWallMs: 1, toWallMs: 2, reason: 'x'.repeat(size) }
      : {
          kind: 'episode',
          episodeId: 'ep-1',
          phase: 'update',
          behaviour: 'left_seat',
          level: 'notice',
          seatIds: [],
          beganWallMs: 1,
          from: 'A',
          to: 'B',
          durationMs: 0,
          rule: { pack: 'p', packVersion: '1', ruleId: 'r', citation: '' },
          figures: [],
          sentence: { zh: '', en: '' },
          ...(size > 1
            ? { transcript: { language: 'en', engine: 'x', text: 'x'.repeat(size), hit: [0, 1] as const } }
            : {}),
        },
});
const accept = (lane: Lane, count: number, size = 1) =>
  outbox.accept(Array.from({ length: count }, () => draft(lane, size)));
const current = (lane: Lane) => outbox.streams().find((stream) => stream.lane === lane && stream.current)!.streamId;
/** Everything that may go now, as [streamId, first seq, last seq]. */
const drain = (): [string, number, number][] => {
  const sent: [string, number, number][] = [];
  for (let batch = windows.next(); batch; batch = windows.next()) {
    const { streamId, events } = JSON.parse(batch.payload.json) as Batch;
    sent.push([streamId, events[0]!.seq, events.at(-1)!.seq]);
  }
  return sent;
};
const ack = (streamId: string, through: number) => {
  expect(outbox.ack({ streamId, through })).toBe('progress');
  windows.acked(streamId);
};

describe('windows', () => {
  it('sends batches of 50 up to a window of 200, and goes on where the ack allows', () => {
    accept('alert', 230);
    const id = current('alert');
    expect(drain()).toEqual([
      [id, 1, 50],
      [id, 51, 100],
      [id, 101, 150],
      [id, 151, 200],
    ]);
    ack(id, 50);
    expect(drain()).toEqual([[id, 201, 230]]);
    ack(id, 230);
    expect(drain()).toEqual([]);
    expect(windows.resendInMs()).toBe(Number.POSITIVE_INFINITY);
  });

  it('sends the window again from through + 1 after a wait that grows and is forgotten on progress', async () => {
    accept('alert', 120);
    const id = current('alert');
    expect(drain()).toHaveLength(3);
    for (const waitMs of [...RESEND_WAITS_MS, RESEND_WAITS_MS.at(-1)!]) {
      expect(windows.resendInMs()).toBe(waitMs);
      await clock.advance(waitMs - 1);
      expect(drain()).toEqual([]);
      await clock.advance(1);
      expect(drain()).toEqual([
        [id, 1, 50],
        [id, 51, 100],
        [id, 101, 120],
      ]);
    }
    ack(id, 100);
    await clock.advance(RESEND_WAITS_MS[0]);
    expect(drain()).toEqual([[id, 101, 120]]);
  });

  it('says how much of a batch had gone out before', async () => {
    accept('alert', 10);
    expect(windows.next()).toMatchObject({ resent: 0 });
    accept('alert', 5);
    await clock.advance(RESEND_WAITS_MS[0]);
    expect(windows.next()).toMatchObject({ resent: 10, payload: { events: 15 } });
  });

  it('lets a new alert overtake backlogs, and lets the oldest stream have its turn', () => {
    accept('alert', 400);
    accept('routine', 400);
    const [oldAlert, oldRoutine] = [current('alert'), current('routine')];
    outbox.rollOver('alert');
    outbox.rollOver('routine');
    accept('alert', 1);
    const order = drain().map(([streamId]) => streamId);
    expect(order[0]).toBe(current('alert'));
    expect(order.filter((streamId) => streamId === oldAlert)).toHaveLength(4);
    expect(order.filter((streamId) => streamId === oldRoutine)).toHaveLength(4);
    expect(order.indexOf(oldRoutine)).toBeLessThan(4);
  });

  it('bounds how many streams are under way at once', () => {
    for (let i = 0; i < 20; i++) {
      accept('alert', 300);
      outbox.rollOver('alert');
    }
    accept('alert', 3);
    expect(new Set(drain().map(([streamId]) => streamId)).size).toBeLessThanOrEqual(9);
  });

  it('keeps a batch of large events within its bytes', () => {
    accept('alert', 50, 4000);
    for (let batch = windows.next(); batch; batch = windows.next())
      expect(Buffer.byteLength(batch.payload.json)).toBeLessThanOrEqual(LIMITS.batchBytes);
    expect(outbox.ack({ streamId: current('alert'), through: 50 })).toBe('progress');
  });

  it('drops the window of a stream that is gone', () => {
    accept('alert', 10);
    const old = current('alert');
    expect(drain()).toHaveLength(1);
    outbox.quarantine(old, 'x');
    windows.acked(old);
    const again = drain();
    expect(again.map(([streamId]) => streamId)).toEqual([current('alert'), current('routine')]);
  });
});
