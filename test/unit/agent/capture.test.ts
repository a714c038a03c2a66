import pino from 'pino';
import { describe, expect, it } from 'vitest';
import { createCapture } from '../../../agent/capture.ts';
import { virtualClock } from '../../../agent/clock.ts';
import type { Camera, Role, RoleHealth } from '../../../hardware/camera.ts';

const running: RoleHealth = { state: 'running', lastMonoMs: 0, delivered: 1, dropped: 0, restarts: 0 };

async function* nothing(): AsyncGenerator<never> {}

describe('capture tells of its streams', () => {
  it('at once what changed, and each stream once a second', async () => {
    const clock = virtualClock();
    const roles: Record<Role, RoleHealth> = { decode: running, record: running, audio: running };
    const camera: Camera = {
      cameraId: 'cam',
      start: async () => {},
      frames: nothing,
      samples: nothing,
      segments: nothing,
      health: () => roles,
      close: async () => {},
    };
    const capture = createCapture({
      cameras: [{ cameraId: 'cam', audio: false, open: async () => camera }],
      microphones: [],
      clock,
      log: pino({ level: 'silent' }),
    });
    const found = new Promise((resolve) => capture.onCamera(resolve));
    await capture.start(new AbortController().signal);
    await found;
    const news = () => capture.news().map(({ role, state }) => `${role} ${state}`);
    expect(news()).toEqual(['decode running', 'record running']);
    await clock.advance(250);
    expect(news()).toEqual([]);
    expect(capture.observations()).toHaveLength(2);
    roles.decode = { ...running, state: 'down', reason: 'the camera hangs' };
    await clock.advance(250);
    expect(news()).toEqual(['decode down']);
    await clock.advance(500);
    expect(news()).toEqual(['record running']);
    roles.decode = { ...roles.decode, reason: 'refused' };
    expect(news()).toEqual(['decode down']);
    await clock.advance(1000);
    expect(news()).toEqual(['decode down', 'record running']);
    await capture.close();
  });
});
