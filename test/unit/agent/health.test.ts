/** The room's health is always something that the wire can carry. */
import { describe, expect, it } from 'vitest';
import { roomHealth } from '../../../agent/health.ts';

describe('roomHealth', () => {
  it('gathers the parts, and has no number that JSON would lose', () => {
    const health = roomHealth({
      cameras: () => [
        {
          cameraId: 'cam-a',
          decode: 'running',
          record: 'down',
          audio: 'none',
          analysedFps: Number.NaN,
          drops: 3,
          inferenceMs: Number.POSITIVE_INFINITY,
          rates: { detections: 1.9999, regions: 0, poses: 0.34, strained: true },
          stages: { decodedFps: Number.NaN, detectorMs: 41.2345, poseMs: 3.16, decideMs: 0.049, blind: 2 },
        },
      ],
      ears: () => [
        {
          microphoneId: 'cam-a',
          language: 'en',
          state: 'deaf',
          reason: 'no model',
          rmsDb: Number.NEGATIVE_INFINITY,
          rtf: 0.01234,
          dropped: 3,
          restarts: 1,
        },
      ],
      outbox: () => ({ events: 2, oldestMs: 100, full: false }),
      clipsWaiting: () => 4,
      disk: () => ({ freeBytes: Number.POSITIVE_INFINITY, low: true }),
      modelSet: () => 'none',
    });
    expect(JSON.parse(JSON.stringify(health))).toEqual(health);
    expect(health).toMatchObject({
      cameras: [
        {
          analysedFps: 0,
          inferenceMs: 0,
          record: 'down',
          rates: { detections: 2, regions: 0, poses: 0.3, strained: true },
          stages: { decodedFps: 0, detectorMs: 41.2, poseMs: 3.2, decideMs: 0, blind: 2 },
        },
      ],
      ears: [{ rmsDb: -120, rtf: 0.012, dropped: 3, restarts: 1 }],
      outbox: { events: 2, oldestMs: 100 },
      clipsWaiting: 4,
      disk: { freeBytes: 0, low: true },
    });
    expect(health.rssBytes).toBeGreaterThan(1e6);
  });
});
