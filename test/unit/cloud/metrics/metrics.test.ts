/** The figures as Prometheus reads them: the rules of its format, what is in them, and how many series a room costs. */
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import type { RoomCard } from '../../../../cloud/http/api.ts';
import { createExposition } from '../../../../cloud/metrics/exposition.ts';
import { createMetrics, type MetricsParts } from '../../../../cloud/metrics/metrics.ts';
import type { RoomState } from '../../../../protocol/stream.ts';
import { EMPTY_ROOM } from '../../../fixtures/empty-room.ts';
import { stillClock } from '../still-clock.ts';
import { figureOf, readExposition } from './exposition.ts';

const NOW = 1_800_000_000_000;

const camera = (cameraId: string): RoomState['health']['cameras'][number] => ({
  cameraId,
  decode: 'running',
  record: 'down',
  audio: 'running',
  analysedFps: 2,
  drops: 12,
  inferenceMs: 62,
  rates: { detections: 2, regions: 0.5, poses: 1, strained: false },
  stages: { decodedFps: 25, lagMs: 120, detectorMs: 44, poseMs: 18, decideMs: 0.5, blind: 3 },
});
const ear = (microphoneId: string, language = 'zh-CN'): RoomState['health']['ears'][number] => ({
  microphoneId,
  language,
  state: 'hearing',
  rmsDb: -40,
  rtf: 0.02,
  dropped: 0,
  restarts: 1,
});
const state = (health: Partial<RoomState['health']> = {}): RoomState => ({
  v: 1,
  roomId: 'room-1',
  at: { wallMs: NOW, monoMs: 1, bootId: 'b', clock: 'sure' },
  layout: EMPTY_ROOM,
  seats: [],
  rulePack: { name: 'demo', version: '1' },
  health: {
    cameras: [camera('cam-a')],
    ears: [ear('cam-a')],
    outbox: { events: 4, oldestMs: 2500, full: false },
    clipsWaiting: 1,
    disk: { freeBytes: 1e9, low: true },
    modelSet: 'm',
    rssBytes: 5e8,
    ...health,
  },
});
const card = (roomId: string, over: Partial<RoomCard> = {}): RoomCard => ({
  roomId,
  name: roomId,
  centre: '',
  snapshots: [],
  heardWallMs: NOW,
  state: state(),
  ...over,
});

function metricsOf(cards: readonly RoomCard[], over: Partial<MetricsParts> & { readonly perRoom?: boolean } = {}) {
  const { perRoom = true, ...parts } = over;
  return createMetrics({
    store: { toJudge: async () => ({ open: 3, acknowledged: 1 }) },
    health: async () => ({
      ok: true,
      broker: { running: true, restarts: 2 },
      ingest: {},
      feedLines: 1,
      orders: { waiting: 5, turnedAway: 0 },
    }),
    ingest: () => ({
      connected: true,
      queued: 1,
      stored: 10,
      repeated: 2,
      rejected: 1,
      quarantined: 0,
      unreadable: 4,
      unreadableNotKept: 1,
      droppedFull: 0,
      failed: 0,
    }),
    web: {
      rooms: { cards: () => [...cards] },
      feed: () => ({ lines: 2, rows: 40, closed: { slow: 1, failed: 0 } }),
      uploads: () => ({ stored: 6, bytes: 60_000_000, refused: 1, failed: 0 }),
      pictures: () => ({ given: 9, failed: 2, tooOften: 1 }),
      perRoom,
    },
    clock: { ...stillClock().clock, wallMs: () => NOW },
    log: pino({ level: 'silent' }),
    ...parts,
  });
}
const samplesOf = async (...given: Parameters<typeof metricsOf>) => readExposition(await metricsOf(...given).read());

describe('the exposition', () => {
  it('escapes values and help, and writes what is no finite number as the format has it', () => {
    const out = createExposition();
    const sample = out.metric('a', 'gauge', 'one \\ line\nand another');
    sample(1, { room: 'quote " backslash \\ line\nend' });
    sample(Number.POSITIVE_INFINITY, { room: 'x' });
    sample(Number.NaN, { room: 'y' });
    out.metric('never_total', 'counter', 'nothing');
    const text = out.text();
    expect(text).toContain('# HELP a one \\\\ line\\nand another\n# TYPE a gauge\n');
    expect(text).toContain('a{room="quote \\" backslash \\\\ line\\nend"} 1\n');
    expect(text).toContain('a{room="x"} +Inf\n');
    expect(text).not.toContain('never');
    expect(readExposition(text)[0]!.labels).toEqual({ room: 'quote " backslash \\ line\nend' });
  });

  it('has each series once, whatever a box says twice', async () => {
    const twice = state({
      cameras: [camera('cam-a'), camera('cam-a')],
      ears: [ear('m', 'x"\\\n'), ear('m', 'x"\\\n')],
    });
    const samples = await samplesOf([card('room-1', { state: twice })]);
    expect(figureOf(samples, 'evalroom_camera_strained', { camera: 'cam-a' })).toBe(0);
    expect(figureOf(samples, 'evalroom_ear_hearing', { language: 'x"\\\n' })).toBe(1);
  });

  it('refuses a name that is none, one that is there, and a counter that does not say so', () => {
    const out = createExposition();
    out.metric('a_total', 'counter', '');
    expect(() => out.metric('a_total', 'counter', '')).toThrow('a_total');
    expect(() => out.metric('9', 'gauge', '')).toThrow('9');
    expect(() => out.metric('b', 'counter', '')).toThrow('b');
    expect(() => out.metric('c', 'gauge', '')(1, { 'a-b': '' })).toThrow('a-b');
  });
});

describe('the metrics of a cloud', () => {
  it('say of each camera, stage and ear what its box says', async () => {
    const samples = await samplesOf([card('room-1')]);
    const labels = { room: 'room-1', camera: 'cam-a' };
    const value = (name: string, more = {}) => figureOf(samples, name, { ...labels, ...more });
    expect(value('evalroom_camera_stage_seconds', { stage: 'detector' })).toBe(0.044);
    expect(value('evalroom_camera_stage_seconds', { stage: 'pose' })).toBe(0.018);
    expect(value('evalroom_camera_stage_seconds', { stage: 'decode' })).toBe(0.12);
    expect(value('evalroom_camera_stage_seconds', { stage: 'decide' })).toBe(0.0005);
    expect(value('evalroom_camera_stage_per_second', { stage: 'decode' })).toBe(25);
    expect(value('evalroom_camera_stage_per_second', { stage: 'pose' })).toBe(1);
    expect(value('evalroom_camera_frames_dropped_total')).toBe(12);
    expect(value('evalroom_camera_frames_blind_total')).toBe(3);
    expect(value('evalroom_camera_stream_up', { stream: 'record' })).toBe(0);
    const heard = { room: 'room-1', microphone: 'cam-a', language: 'zh-CN' };
    expect(figureOf(samples, 'evalroom_ear_realtime_factor', heard)).toBe(0.02);
    expect(figureOf(samples, 'evalroom_ear_restarts_total', heard)).toBe(1);
    expect(figureOf(samples, 'evalroom_room_outbox_events', { room: 'room-1' })).toBe(4);
    expect(figureOf(samples, 'evalroom_room_outbox_oldest_seconds')).toBe(2.5);
  });

  it("have the cloud's own counters", async () => {
    const samples = await samplesOf([]);
    expect(figureOf(samples, 'evalroom_alerts_to_judge', { state: 'open' })).toBe(3);
    expect(figureOf(samples, 'evalroom_ingest_events_total', { result: 'stored' })).toBe(10);
    expect(figureOf(samples, 'evalroom_ingest_payloads_refused_total', { reason: 'unreadable' })).toBe(4);
    expect(figureOf(samples, 'evalroom_feed_rows_total')).toBe(40);
    expect(figureOf(samples, 'evalroom_uploads_total', { result: 'refused' })).toBe(1);
    expect(figureOf(samples, 'evalroom_pictures_total', { result: 'too_often' })).toBe(1);
    expect(figureOf(samples, 'evalroom_broker_restarts_total')).toBe(2);
    expect(figureOf(samples, 'process_resident_memory_bytes')).toBeGreaterThan(1e6);
  });

  it('sum the rooms up, and show nothing of a silent one as if it were so', async () => {
    const deaf = state({
      ears: [
        { ...ear('a'), state: 'deaf', slow: true },
        { ...ear('b'), unconfirmed: true },
      ],
    });
    const cards = [
      card('room-1'),
      card('room-2', { state: deaf }),
      card('room-3', { heardWallMs: NOW - 11_000 }),
      { roomId: 'never', name: 'never', centre: '', snapshots: [] },
    ];
    const samples = await samplesOf(cards);
    expect(figureOf(samples, 'evalroom_rooms', { state: 'heard' })).toBe(2);
    expect(figureOf(samples, 'evalroom_rooms', { state: 'silent' })).toBe(1);
    expect(figureOf(samples, 'evalroom_ears', { state: 'deaf' })).toBe(1);
    expect(figureOf(samples, 'evalroom_ears', { state: 'unconfirmed' })).toBe(1);
    expect(figureOf(samples, 'evalroom_ears', { state: 'hearing' })).toBe(1);
    expect(figureOf(samples, 'evalroom_outbox_events')).toBe(8);
    expect(figureOf(samples, 'evalroom_boxes_at_fault', { fault: 'disk_low' })).toBe(2);
    expect(figureOf(samples, 'evalroom_ear_too_slow', { room: 'room-2', microphone: 'a' })).toBe(1);
    expect(figureOf(samples, 'evalroom_room_up', { room: 'room-3' })).toBe(0);
    expect(samples.filter(({ labels }) => labels.room === 'room-3').map(({ name }) => name)).toEqual([
      'evalroom_room_up',
      'evalroom_room_heard_timestamp_seconds',
    ]);
    expect(samples.filter(({ labels }) => labels.room === 'never')).toEqual([]);
  });

  it('cost a room 10 series, 16 for each camera and 6 for each language of a microphone, as the documentation says', async () => {
    const series = async (health: Partial<RoomState['health']>) =>
      (await samplesOf([card('r', { state: state(health) })])).filter(({ labels }) => labels.room === 'r').length;
    expect(await series({ cameras: [], ears: [] })).toBe(10);
    expect(await series({ cameras: [camera('a')], ears: [] })).toBe(10 + 16);
    expect(await series({ cameras: [camera('a'), camera('b')], ears: [ear('a'), ear('b')] })).toBe(10 + 2 * 16 + 2 * 6);
  });

  it('are as many whatever the number of rooms is, once single rooms are switched off', async () => {
    const many = Array.from({ length: 300 }, (_, n) => card(`room-${n}`));
    const few = await samplesOf([], { perRoom: false });
    const all = await samplesOf(many, { perRoom: false });
    expect(all.length).toBe(few.length);
    expect(figureOf(all, 'evalroom_cameras', { state: 'seeing' })).toBe(300);
  });

  it('read the state of an agent that says less', async () => {
    const { stages: _s, rates: _r, ...old } = camera('cam-a');
    const { rtf: _f, dropped: _d, restarts: _n, ...oldEar } = ear('cam-a');
    const samples = await samplesOf([card('room-1', { state: state({ cameras: [old], ears: [oldEar] }) })]);
    expect(figureOf(samples, 'evalroom_camera_stage_per_second')).toBe(2);
    expect(samples.some(({ name }) => name === 'evalroom_camera_stage_seconds')).toBe(false);
    expect(figureOf(samples, 'evalroom_ear_hearing')).toBe(1);
  });

  it('come without what the database knows while it does not answer, and say so', async () => {
    const { clock, pass, sleepers } = stillClock();
    const metrics = metricsOf([], {
      store: { toJudge: () => new Promise(() => undefined) },
      clock: { ...clock, wallMs: () => NOW },
    });
    const [read, same] = [metrics.read(), metrics.read()];
    expect(same).toBe(read);
    await expect.poll(sleepers).toBe(1);
    pass();
    const samples = readExposition(await read);
    expect(figureOf(samples, 'evalroom_store_up')).toBe(0);
    expect(samples.some(({ name }) => name === 'evalroom_alerts_to_judge')).toBe(false);
    const failing = metricsOf([], { store: { toJudge: async () => Promise.reject(new Error('away')) } });
    expect(figureOf(readExposition(await failing.read()), 'evalroom_store_up')).toBe(0);
    expect(figureOf(await samplesOf([]), 'evalroom_store_up')).toBe(1);
  });
});
