/** Untrusted bytes against schema.ts: what is right passes unchanged, what is wrong is refused with a code, nothing throws. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EpisodeBody, RoomEvent } from '../../../protocol/event.ts';
import { REFUSALS } from '../../../protocol/refusal.ts';
import { draftJson, parseAck, parseBatch, parseRoomState } from '../../../protocol/schema.ts';
import type { RoomState } from '../../../protocol/stream.ts';

const at = { wallMs: 1_800_000_000_000, monoMs: 5000, bootId: 'boot-a', clock: 'sure' } as const;
const episode: EpisodeBody = {
  kind: 'episode',
  episodeId: 'ep-1',
  phase: 'begin',
  behaviour: 'left_seat',
  level: 'notice',
  seatIds: ['3'],
  sourceId: 'cam-a',
  beganWallMs: at.wallMs - 10_000,
  from: 'SEATED',
  to: 'AWAY',
  durationMs: 10_000,
  rule: { pack: 'demo', packVersion: '1', ruleId: 'left_seat', citation: '…' },
  figures: [{ name: 'away', value: 10, threshold: 10, unit: 's' }],
  sentence: { zh: '3号席离席', en: 'Seat 3 left' },
};
const uuid = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
const event = (seq: number, over: Partial<RoomEvent> = {}): RoomEvent => ({
  eventId: uuid(seq),
  streamId: 's-1',
  seq,
  roomId: 'room-1',
  at,
  body: episode,
  ...over,
});
const batch = (events: unknown[], over: object = {}) => ({ v: 1, streamId: 's-1', lane: 'alert', events, ...over });
const bytes = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

const state: RoomState = {
  v: 1,
  roomId: 'room-1',
  at,
  layout: {
    roomId: 'room-1',
    name: 'r',
    centre: 'c',
    timeZone: 'Asia/Shanghai',
    seats: [
      {
        seatId: '1',
        name: '1号席',
        views: [
          {
            cameraId: 'cam-a',
            zone: [
              [0.1, 0.1],
              [0.2, 0.1],
              [0.2, 0.3],
            ],
          },
        ],
      },
    ],
    zones: [],
    doorLines: [],
    floor: [],
    roster: [],
  },
  seats: [{ seatId: '1', occupancy: 'unknown', sinceWallMs: at.wallMs, state: 'UNKNOWN' }],
  rulePack: { name: 'demo', version: '1' },
  health: {
    cameras: [],
    ears: [],
    outbox: { events: 0, oldestMs: 0, full: false },
    clipsWaiting: 0,
    disk: { freeBytes: 1, low: false },
    modelSet: 'none',
    rssBytes: 1,
  },
};

describe('parseBatch', () => {
  it('gives back what was written', () => {
    const events = [event(7), event(8)];
    expect(parseBatch(bytes(batch(events)), 'room-1', 'alert')).toEqual({ ok: true, batch: batch(events) });
  });

  const wrong: [string, string, unknown][] = [
    ['seq 0', 'bad_seq', batch([event(0)])],
    ['negative seq', 'bad_seq', batch([event(-3)])],
    ['seq 2^53', 'bad_seq', batch([event(2 ** 53)])],
    ['half a seq', 'bad_seq', batch([event(1.5)])],
    ['a hole', 'bad_seq', batch([event(1), event(3)])],
    ['falling', 'bad_seq', batch([event(2), event(1)])],
    ['no events', 'bad_shape', batch([])],
    ['51 events', 'bad_shape', batch(Array.from({ length: 51 }, (_, i) => event(i + 1)))],
    ['another version', 'bad_shape', batch([event(1)], { v: 2 })],
    ['unknown lane', 'bad_shape', batch([event(1)], { lane: 'fast' })],
    ['another room', 'wrong_room', batch([event(1, { roomId: 'room-2' })])],
    ['another stream', 'wrong_stream', batch([event(1, { streamId: 's-2' })])],
    ['a body of another lane', 'wrong_lane', batch([event(1)], { lane: 'routine' })],
    ['the same eventId twice', 'duplicate_event', batch([event(1), event(2, { eventId: uuid(1) })])],
    ['no uuid', 'bad_shape', batch([event(1, { eventId: 'x' })])],
    ['U+0000', 'bad_text', batch([event(1, { body: { ...episode, to: 'A\u0000' } })])],
    ['half a surrogate pair', 'bad_text', batch([event(1, { body: { ...episode, to: '\ud800' } })])],
    ['NaN as null', 'bad_shape', batch([event(1, { at: { ...at, wallMs: Number.NaN } })])],
    ['an object', 'bad_shape', 3],
  ];
  it.each(wrong)('refuses %s', (_name, code, value) => {
    const result = parseBatch(bytes(value), 'room-1');
    expect(result).toMatchObject({ ok: false, code });
  });

  it('refuses the wrong lane of the topic, 1e999, bad UTF-8, bad JSON, deep and large payloads', () => {
    const encode = (value: string) => new TextEncoder().encode(value);
    expect(parseBatch(bytes(batch([event(1)])), 'room-1', 'routine')).toMatchObject({ code: 'wrong_lane' });
    const huge = JSON.stringify(batch([event(1)])).replace('10000', '1e999');
    expect(parseBatch(encode(huge), 'room-1')).toMatchObject({ code: 'bad_shape' });
    expect(parseBatch(new Uint8Array([0xff, 0xfe]), 'room-1')).toMatchObject({ code: 'not_utf8' });
    expect(parseBatch(encode('{"v":'), 'room-1')).toMatchObject({ code: 'not_json' });
    expect(parseBatch(new Uint8Array(1024 * 1024 + 1), 'room-1')).toMatchObject({ code: 'too_large' });
    const deep = JSON.stringify(batch([event(1)])).replace('"SEATED"', `${'['.repeat(300_000)}${']'.repeat(300_000)}`);
    expect(parseBatch(encode(deep), 'room-1')).toMatchObject({ code: 'too_deep' });
  });

  it('saves the good events around a poisoned one, and the poison in a form that a database takes', () => {
    const poison = event(2, { body: { ...episode, to: 'x\u0000\ud800y' } });
    const result = parseBatch(bytes(batch([event(1), poison, event(3)])), 'room-1');
    expect(result).toMatchObject({ ok: false, rescue: { firstSeq: 1, lastSeq: 3 } });
    const rescue = !result.ok && result.rescue ? result.rescue : undefined;
    expect(rescue?.good.map((good) => good.seq)).toEqual([1, 3]);
    expect(rescue?.bad).toMatchObject([{ seq: 2, code: 'bad_text' }]);
    expect(JSON.parse(rescue!.bad[0]!.json)).toMatchObject({ body: { to: 'x\ufffd\ufffdy' } });
  });

  it('drops keys that it does not know, prototypes included', () => {
    const content = JSON.stringify(batch([event(1)])).replace(
      '"seq":1',
      '"seq":1,"extra":1,"__proto__":{"roomId":"x"}',
    );
    expect(parseBatch(new TextEncoder().encode(content), 'room-1')).toEqual({ ok: true, batch: batch([event(1)]) });
  });

  it('never throws, whatever the bytes', () => {
    const mutated = fc
      .tuple(fc.array(fc.tuple(fc.nat(800), fc.nat(255)), { maxLength: 8 }), fc.nat(800))
      .map(([edits, cut]) => {
        const copy = bytes(batch([event(1), event(2)]));
        for (const [index, value] of edits) copy[index % copy.length] = value;
        return copy.subarray(0, copy.length - cut);
      });
    const any = fc.oneof(
      fc.uint8Array({ maxLength: 2000 }),
      fc.json().map((text) => new TextEncoder().encode(text)),
      mutated,
    );
    fc.assert(
      fc.property(any, (payload) => {
        for (const result of [parseBatch(payload, 'room-1'), parseAck(payload), parseRoomState(payload, 'room-1')])
          if (!result.ok) expect(REFUSALS).toContain(result.code);
      }),
      { numRuns: 1500, seed: 7 },
    );
  });
});

describe('parseAck', () => {
  it('reads an ack and a quarantine', () => {
    expect(parseAck(bytes({ v: 1, streamId: 's-1', through: 0 }))).toMatchObject({ ok: true, ack: { through: 0 } });
    const ack = { v: 1, streamId: 's-1', through: 9, quarantined: 'seq 4 came with two eventIds' };
    expect(parseAck(bytes(ack))).toEqual({ ok: true, ack });
  });
  it.each([-1, 1.5, 2 ** 53, '3', null])('refuses through %s', (through) => {
    expect(parseAck(bytes({ v: 1, streamId: 's-1', through }))).toMatchObject({ ok: false });
  });
});

describe('parseRoomState', () => {
  it('gives back what was written', () => {
    expect(parseRoomState(bytes(state), 'room-1')).toEqual({ ok: true, state });
  });
  const camera = (n: number) => ({
    cameraId: `cam-${n}`,
    decode: 'running' as const,
    record: 'running' as const,
    audio: 'none' as const,
    analysedFps: 2,
    drops: 12_345,
    inferenceMs: 62.1,
  });
  const full = (cameras: number): RoomState => ({
    ...state,
    health: {
      ...state.health,
      cameras: Array.from({ length: cameras }, (_, n) => ({
        ...camera(n),
        rates: { detections: 2, regions: 0.4, poses: 1.3, strained: false },
        stages: { decodedFps: 25, lagMs: 120.4, detectorMs: 44.2, poseMs: 17.9, decideMs: 0.4, blind: 0 },
      })),
      ears: Array.from({ length: cameras }, (_, n) => ({
        microphoneId: `cam-${n}`,
        language: 'zh-CN',
        state: 'deaf' as const,
        reason: 'this machine is too slow',
        slow: true as const,
        rmsDb: -42,
        rtf: 4.9,
        dropped: 420,
        restarts: 1,
      })),
    },
  });
  it('reads what each stage takes, and the state of an agent that does not say it', () => {
    expect(parseRoomState(bytes(full(2)), 'room-1')).toEqual({ ok: true, state: full(2) });
    const older = { ...state, health: { ...state.health, cameras: [camera(1)] } };
    expect(parseRoomState(bytes(older), 'room-1')).toEqual({ ok: true, state: older });
  });
  it('stays small with the figures of every stage', () => {
    const bare = bytes({
      ...state,
      health: { ...state.health, cameras: Array.from({ length: 32 }, (_, n) => camera(n)) },
    });
    const more = bytes(full(32)).length - bare.length;
    // Per camera with its own microphone, once a second.
    expect(more / 32).toBeLessThan(400);
  });
  it('refuses the state of another room', () => {
    expect(parseRoomState(bytes(state), 'room-2')).toMatchObject({ ok: false, code: 'wrong_room' });
  });
});

describe('draftJson', () => {
  it('finds in the room what the ingest would refuse', () => {
    expect(draftJson({ at, body: episode })).toEqual({ ok: true, json: JSON.stringify({ at, body: episode }) });
    const figures = [{ name: 'x', value: Number.NaN, unit: 's' }];
    expect(draftJson({ at, body: { ...episode, figures } })).toMatchObject({ code: 'bad_shape' });
    expect(draftJson({ at, body: { ...episode, to: '\u0000' } })).toMatchObject({ code: 'bad_text' });
  });
});
