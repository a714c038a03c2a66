import pino from 'pino';
import { describe, expect, it } from 'vitest';
import { createCapture } from '../../../agent/capture.ts';
import { virtualClock } from '../../../agent/clock.ts';
import type { Camera, Role, RoleHealth } from '../../../hardware/camera.ts';
import { Unavailable } from '../../../protocol/errors.ts';

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

  it('asks a camera of which nothing has come for half a minute where its streams are, and goes there', async () => {
    const clock = virtualClock();
    const silent: RoleHealth = { ...running, state: 'down', reason: 'the camera has no stream at this address (404)' };
    let roles: Record<Role, RoleHealth> = { decode: silent, record: silent, audio: silent };
    const gone: string[] = [];
    let asked = 0;
    const camera: Camera = {
      cameraId: 'cam',
      start: async () => {},
      frames: nothing,
      samples: nothing,
      segments: nothing,
      health: () => roles,
      redirect: ({ main }) => void gone.push(main),
      close: async () => {},
    };
    const capture = createCapture({
      cameras: [
        {
          cameraId: 'cam',
          audio: false,
          open: async () => camera,
          streams: async () => {
            asked += 1;
            if (asked === 1) throw new Unavailable('onvif_unreachable', 'it is off');
            return { main: `rtsp://10.0.0.5/new-${asked}` };
          },
        },
      ],
      microphones: [],
      clock,
      log: pino({ level: 'silent' }),
    });
    const found = new Promise((resolve) => capture.onCamera(resolve));
    await capture.start(new AbortController().signal);
    await found;
    await clock.advance(25_000);
    expect(asked).toBe(0);
    await clock.advance(10_000);
    expect([asked, gone]).toEqual([1, []]);
    await clock.advance(35_000);
    expect([asked, gone]).toEqual([2, ['rtsp://10.0.0.5/new-2']]);
    roles = { ...roles, decode: { ...running, lastMonoMs: clock.monoMs() } };
    await clock.advance(25_000);
    expect(asked).toBe(2);
    await capture.close();
  });

  it('says once what it finds out of a camera that is silent for a night, and again at its next silence', async () => {
    const clock = virtualClock();
    let lastMonoMs = 0;
    const state = () => ({ ...running, state: 'down' as const, lastMonoMs });
    const lines: string[] = [];
    let streams: () => Promise<{ main: string }> = async () => {
      throw new Unavailable('onvif_unreachable', 'it is off');
    };
    const camera: Camera = {
      cameraId: 'cam',
      start: async () => {},
      frames: nothing,
      samples: nothing,
      segments: nothing,
      health: () => ({ decode: state(), record: state(), audio: state() }),
      redirect: () => {},
      close: async () => {},
    };
    const capture = createCapture({
      cameras: [{ cameraId: 'cam', audio: false, open: async () => camera, streams: () => streams() }],
      microphones: [],
      clock,
      log: pino({ level: 'warn' }, { write: (line: string) => void lines.push(JSON.parse(line).msg) }),
    });
    const found = new Promise((resolve) => capture.onCamera(resolve));
    await capture.start(new AbortController().signal);
    await found;
    await clock.advance(600_000);
    expect(lines).toEqual([expect.stringContaining('does not say where')]);
    streams = async () => ({ main: 'rtsp://10.0.0.5/main' });
    await clock.advance(600_000);
    expect(lines.slice(1)).toEqual([expect.stringContaining('looked up anew')]);
    lastMonoMs = clock.monoMs();
    await clock.advance(600_000);
    expect(lines.slice(2)).toEqual([expect.stringContaining('looked up anew')]);
    await capture.close();
  });

  it('closes a camera that could not be started before it tries the next', async () => {
    const clock = virtualClock();
    const made: string[] = [];
    const camera = (name: string): Camera => ({
      cameraId: 'cam',
      start: async () => {
        if (name === 'first') throw new Unavailable('segment_folder', 'no folder');
      },
      frames: nothing,
      samples: nothing,
      segments: nothing,
      health: () => ({ decode: running, record: running, audio: running }),
      close: async () => void made.push(`${name} closed`),
    });
    const capture = createCapture({
      cameras: [
        {
          cameraId: 'cam',
          audio: false,
          open: async () => {
            const name = made.length === 0 ? 'first' : 'second';
            made.push(name);
            return camera(name);
          },
        },
      ],
      microphones: [],
      clock,
      log: pino({ level: 'silent' }),
    });
    const found = new Promise((resolve) => capture.onCamera(resolve));
    await capture.start(new AbortController().signal);
    await clock.advance(500);
    await found;
    expect(made).toEqual(['first', 'first closed', 'second']);
    await capture.close();
  });
});
