/** The room's state: what each camera and ear says of itself, and whose fault is whose. */
import { describe, expect, it } from 'vitest';
import { virtualClock } from '../../../agent/clock.ts';
import { createStateReport, type LiveParts, type StateParts } from '../../../agent/state.ts';
import { parseRoomState } from '../../../protocol/schema.ts';
import { because } from '../../../protocol/why.ts';
import { EMPTY_ROOM } from '../../fixtures/empty-room.ts';

const ear = { engine: 'fsmn', language: 'zh-CN', rtf: 5.04321, restarts: 2, dropped: 420 };

/** A camera with a microphone in it, and one microphone beside it; parts that only say what the test gives them. */
function stateWith(
  faults: readonly { readonly sourceId: string; readonly fault: string }[],
  reason?: string,
  eyes: object = {},
) {
  const perceive = {
    analysedFps: 2,
    decodedFps: 24.96,
    lagMs: 119.96,
    drops: 7,
    blind: 1,
    inferenceMs: 62.2,
    detectorMs: 44.04,
    poseMs: 18.16,
    detectionsPerSecond: 2,
    regionsPerSecond: 0,
    posesPerSecond: 1,
    strained: false,
    lastMonoMs: 1,
    ...(reason === undefined ? {} : { reason }),
  };
  const parts = {
    config: { cameras: [{ cameraId: 'cam-a', audio: true }] },
    watch: {
      view: () => ({ seats: [], tracks: [], nudged: [], faults: faults.map((one) => ({ ...one, sinceWallMs: 0 })) }),
      health: () => ({ full: false, held: 0, missed: 0 }),
      decideMs: () => 0.42,
    },
    outbox: {
      stats: () => ({ events: 0, oldestMs: 0, full: false }),
      clips: { stats: () => ({ waiting: 0 }) },
    },
    eyes: { modelSet: 'fake', health: () => ({ detector: {}, pose: {}, ...eyes }) },
    clock: virtualClock(),
  } as unknown as StateParts;
  const listen = (microphoneId: string, state: object) => ({
    health: () => ({ microphoneId, rmsDb: -40, dropped: 0, resyncs: 0, ears: [{ ...ear, ...state }] }),
  });
  const live = {
    capture: {
      observations: () => [{ kind: 'stream', sourceId: 'cam-a', role: 'decode', state: 'running', silentMs: 0 }],
    },
    perceives: new Map([['cam-a', { health: () => perceive }]]),
    listens: [
      listen('cam-a', { state: 'deaf', reason: 'too slow', why: [because('too_slow', { percent: 10 })], slow: true }),
      listen('table', { state: 'hearing', reason: 'unconfirmed: …', unconfirmed: true }),
    ],
    recorder: { health: () => ({ planned: 0, freeBytes: 1, low: false }) },
    orders: { current: () => ({}), report: () => ({ revision: 0, refused: [] }) },
    scouts: { proposals: () => [] },
    layout: EMPTY_ROOM,
    pack: { name: 'demo', version: '1' },
  } as unknown as LiveParts;
  const state = createStateReport(parts)(live);
  const read = parseRoomState(new TextEncoder().encode(JSON.stringify(state)), EMPTY_ROOM.roomId);
  if (!read.ok) throw new Error(read.reason);
  return read.state.health;
}

describe('the state of a room', () => {
  it('has the rate, the losses and the time of each stage of a camera', () => {
    expect(stateWith([]).cameras[0]).toMatchObject({
      analysedFps: 2,
      drops: 7,
      stages: { decodedFps: 25, lagMs: 120, detectorMs: 44, poseMs: 18.2, decideMs: 0.4, blind: 1 },
    });
  });

  it('has what each ear costs and loses, and why it does not hear', () => {
    expect(stateWith([]).ears).toEqual([
      {
        microphoneId: 'cam-a',
        language: 'zh-CN',
        state: 'deaf',
        reason: 'too slow',
        why: [{ code: 'too_slow', named: { percent: '10' } }],
        slow: true,
        rmsDb: -40,
        rtf: 5.043,
        dropped: 420,
        restarts: 2,
      },
      expect.objectContaining({ microphoneId: 'table', state: 'hearing', unconfirmed: true }),
    ]);
  });

  it('says why nothing is seen where pictures come all the same', () => {
    const down = [{ sourceId: 'cam-a', fault: 'down' }];
    expect(stateWith(down, 'no model of the eyes').cameras[0]).toMatchObject({ fault: 'no model of the eyes' });
    expect(stateWith(down, 'no model').cameras[0]!.why).toEqual([
      { code: 'eyes_failed', named: { error: 'no model' } },
    ]);
    const crashed = { detector: { reason: 'out of memory' } };
    expect(stateWith([], 'the detector thread is down', crashed).cameras[0]!.why).toEqual([
      { code: 'detector_down', named: { error: 'out of memory' } },
    ]);
    expect(stateWith(down).cameras[0]).toMatchObject({ fault: 'down' });
    expect(stateWith(down).cameras[0]).not.toHaveProperty('why');
  });

  it('does not call a camera blind because the microphone in it has a fault', () => {
    const deaf = stateWith([
      { sourceId: 'cam-a', fault: 'deaf' },
      { sourceId: 'cam-a', fault: 'muted' },
    ]);
    expect(deaf.cameras[0]).not.toHaveProperty('fault');
    expect(deaf.ears[0]).toMatchObject({ fault: 'muted' });
    expect(deaf.ears[1]).not.toHaveProperty('fault');
    const covered = stateWith([
      { sourceId: 'cam-a', fault: 'deaf' },
      { sourceId: 'cam-a', fault: 'covered' },
    ]);
    expect(covered.cameras[0]).toMatchObject({ fault: 'covered' });
  });
});
