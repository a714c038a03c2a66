/** Each fault that a camera can show: what the roles say meanwhile, and that they recover when it is over. */
import { createHash } from 'node:crypto';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Frame, Role, SegmentFile } from '../../hardware/camera.ts';
import { createFakeCamera, type Fault } from '../../hardware/fake/camera.ts';
import { createRtspCamera } from '../../hardware/rtsp/camera.ts';
import {
  clock,
  PASSWORD,
  QUICK_BACKOFF,
  QUICK_WATCHDOG,
  readableLog,
  type ShortFilm,
  shortFilm,
  USER,
  until,
} from '../contract/camera-world.ts';

let film: ShortFilm;
beforeAll(async () => {
  film = await shortFilm();
});
afterAll(() => film.remove());

async function world() {
  const { log, text } = readableLog();
  const { main, sub, sound } = film;
  const fake = createFakeCamera({ main, sub, sound, user: USER, password: PASSWORD, clock, log });
  await fake.start(new AbortController().signal);
  const urls = fake.urls();
  const camera = createRtspCamera({
    cameraId: 'cam-a',
    source: { main: urls.main, sub: urls.sub, user: USER, password: PASSWORD },
    options: { analyseFps: 5, audio: true, watchdog: QUICK_WATCHDOG, backoff: QUICK_BACKOFF },
    segmentFolder: await mkdtemp(join(film.folder, 'segments-')),
    clock,
    log,
  });
  const frames: Frame[] = [];
  const segments: SegmentFile[] = [];
  let blocks = 0;
  void (async () => {
    // The buffer is ours only until the next frame.
    for await (const frame of camera.frames()) frames.push({ ...frame, rgb: frame.rgb.slice() });
  })();
  void (async () => {
    for await (const segment of camera.segments()) segments.push(segment);
  })();
  void (async () => {
    for await (const _ of camera.samples()) blocks++;
  })();
  await camera.start(new AbortController().signal);
  const states = () => Object.fromEntries(Object.entries(camera.health()).map(([role, { state }]) => [role, state]));
  const running = () => Object.values(camera.health()).every(({ state }) => state === 'running');
  await until(() => running() && frames.length > 0, 'everything runs', camera.health);
  return {
    fake,
    camera,
    frames,
    segments,
    blocks: () => blocks,
    states,
    running,
    text,
    async close() {
      await camera.close();
      await fake.close();
      expect(text()).not.toContain(PASSWORD);
      expect(text()).not.toContain(encodeURIComponent(PASSWORD));
    },
  };
}

/** Fault, and for each role what its reason must say once it is down; roles that are not named must go on. */
const DOWN: readonly (readonly [Fault, Partial<Record<Role, RegExp>>])[] = [
  ['refuse', { decode: /connection refused/, audio: /connection refused/, record: /connection refused/ }],
  ['unauthorized', { decode: /wrong user or password/, audio: /wrong user/, record: /wrong user or password/ }],
  [
    'hang',
    { decode: /hangs|does not answer/, audio: /hangs|no sound|not answer/, record: /connection stands|not answer/ },
  ],
  ['audioOnly', { decode: /no picture for .* while the sound goes on/, record: /no picture for .* connection stands/ }],
  ['videoOnly', { audio: /no sound for .* while the picture goes on/ }],
];

describe.concurrent('faults of a camera', () => {
  it.for(DOWN)('%s: says which role is down and why, and recovers', async ([fault, reasons]) => {
    const w = await world();
    try {
      await w.fake.setFault(fault);
      for (const [role, reason] of Object.entries(reasons) as [Role, RegExp][])
        await until(
          () => w.camera.health()[role].state === 'down' && reason.test(w.camera.health()[role].reason ?? ''),
          `${role} down with ${reason}`,
          w.camera.health,
        );
      const before = { frames: w.frames.length, blocks: w.blocks(), segments: w.segments.length };
      if (!('decode' in reasons))
        await until(() => w.frames.length > before.frames + 5, 'frames go on', w.camera.health);
      if (!('audio' in reasons)) await until(() => w.blocks() > before.blocks + 10, 'sound goes on', w.camera.health);
      if (!('record' in reasons))
        await until(() => w.segments.length > before.segments, 'segments go on', w.camera.health);
      await w.fake.setFault(null);
      await until(w.running, 'everything runs again', w.camera.health);
      const after = w.frames.length;
      await until(() => w.frames.length > after + 3, 'frames come again', w.camera.health);
    } finally {
      await w.close();
    }
  });

  it('drop: both sessions are begun anew although ffmpeg ended with 0', async () => {
    const w = await world();
    try {
      await w.fake.setFault('drop');
      await until(
        () => w.camera.health().decode.restarts > 0 && w.camera.health().record.restarts > 0,
        'restarts',
        w.camera.health,
      );
      await until(w.running, 'everything runs again', w.camera.health);
      expect(w.text()).toContain('the camera ended the stream');
      const begun = () => w.segments.filter(({ anew }) => anew === 'the camera ended the stream').length === 1;
      await until(begun, 'the first segment says why recording began anew', w.camera.health);
    } finally {
      await w.close();
    }
  });

  it('freeze: the roles run on, and the frames are the same to the byte', async () => {
    const w = await world();
    try {
      await w.fake.setFault('freeze');
      const hashOf = ({ rgb }: { rgb: Uint8Array }) => createHash('sha256').update(rgb).digest('hex');
      // On a busy machine frames from before the fault are still on their way.
      const frozen = () => w.frames.length > 4 && new Set(w.frames.slice(-4).map(hashOf)).size === 1;
      await until(frozen, 'frozen frames', w.camera.health);
      const from = w.frames.length;
      await until(() => w.frames.length > from + 4, 'more of them', w.camera.health);
      expect(new Set(w.frames.slice(from - 1).map(hashOf)).size).toBe(1);
      expect(w.states()).toEqual({ decode: 'running', audio: 'running', record: 'running' });
    } finally {
      await w.close();
    }
  });

  it('corrupt: damaged pictures are a fault and are not looked at, are recorded as they come, and end no session', async () => {
    const w = await world();
    try {
      await w.fake.setFault('corrupt');
      const said = () => w.camera.health().decode.reason === 'the pictures arrive damaged';
      await until(said, 'decode says so', w.camera.health);
      const before = { frames: w.frames.length, segments: w.segments.length, blocks: w.blocks() };
      await until(() => w.segments.length > before.segments + 1, 'segments go on', w.camera.health);
      expect(w.blocks()).toBeGreaterThan(before.blocks);
      expect(w.frames.length - before.frames).toBeLessThanOrEqual(1);
      expect(w.states()).toEqual({ decode: 'down', audio: 'running', record: 'running' });
      await w.fake.setFault(null);
      const from = w.frames.length;
      await until(() => w.running() && w.frames.length > from + 5, 'frames after the damage', w.camera.health);
      expect(w.camera.health().decode.restarts, w.text()).toBe(0);
      expect(w.camera.health().record.restarts, w.text()).toBe(0);
      expect(w.segments.filter(({ anew }) => anew !== undefined)).toEqual([]);
    } finally {
      await w.close();
    }
  });

  it('clockJump: recording begins anew with right times, and no frame is made up', async () => {
    const w = await world();
    try {
      for (const fault of ['clockJump', null] as const) {
        const { restarts } = w.camera.health().record;
        const [frames, beganMs] = [w.frames.length, performance.now()];
        await w.fake.setFault(fault);
        await until(
          () => w.camera.health().record.restarts > restarts,
          `a new recording for ${fault}`,
          w.camera.health,
        );
        await until(() => w.camera.health().record.state === 'running', 'recording', w.camera.health);
        // Five a second come from the camera, and at most ten at once when a session begins; an hour has 18,000.
        const atMost = ((performance.now() - beganMs) / 1000) * 5 + 25;
        expect(w.frames.length - frames).toBeLessThan(atMost);
        const { beginWallMs, endWallMs } = w.segments.at(-1)!;
        expect(endWallMs).toBeLessThanOrEqual(Date.now() + 100);
        expect(endWallMs).toBeGreaterThan(Date.now() - 5000);
        expect(endWallMs - beginWallMs).toBeLessThan(6000);
      }
      expect(w.text()).toContain("the camera's clock jumped");
      expect(w.segments.filter(({ anew }) => anew?.includes('clock jumped'))).toHaveLength(2);
    } finally {
      await w.close();
    }
  });

  it('resize: frames keep their size, recording begins anew', async () => {
    const w = await world();
    try {
      const { restarts } = w.camera.health().record;
      await w.fake.setFault('resize');
      await until(() => w.camera.health().record.restarts > restarts, 'a new recording', w.camera.health);
      expect(w.text()).toContain('the picture size or another setting of the main stream changed');
      const from = w.frames.length;
      await until(() => w.frames.length > from + 3, 'frames', w.camera.health);
      expect(w.frames.at(-1)).toMatchObject({ width: 640, height: 360 });
      const begun = () => w.segments.some(({ anew }) => anew?.includes('picture size'));
      await until(begun, 'a first segment that says why', w.camera.health);
    } finally {
      await w.close();
    }
  });

  it('a fault of one stream leaves the other alone', async () => {
    const w = await world();
    try {
      await w.fake.setFault('hang', 'sub');
      await until(() => w.camera.health().decode.state === 'down', 'decode down', w.camera.health);
      const from = w.segments.length;
      await until(() => w.segments.length > from + 1, 'segments go on', w.camera.health);
      expect(w.camera.health().record.restarts).toBe(0);
    } finally {
      await w.close();
    }
  });
});

describe('a slow reader', () => {
  it('gets the newest frame; the others are counted, and nothing else waits for it', async () => {
    const { log } = readableLog();
    const fake = createFakeCamera({
      main: film.main,
      sub: film.sub,
      sound: film.sound,
      user: USER,
      password: PASSWORD,
      clock,
      log,
    });
    await fake.start(new AbortController().signal);
    const camera = createRtspCamera({
      cameraId: 'cam-a',
      source: { main: fake.urls().main, sub: fake.urls().sub, user: USER, password: PASSWORD },
      options: { analyseFps: 5, audio: true },
      segmentFolder: await mkdtemp(join(film.folder, 'segments-')),
      clock,
      log,
    });
    await camera.start(new AbortController().signal);
    await until(
      () => camera.health().decode.delivered >= 15 && camera.health().record.delivered >= 2,
      'a while',
      camera.health,
    );
    const { value } = await camera.frames()[Symbol.asyncIterator]().next();
    const { decode } = camera.health();
    expect((value as Frame).frame).toBe(decode.delivered - 1);
    expect(decode.dropped).toBe(decode.delivered - 1);
    expect(camera.health().audio.dropped).toBe(0);
    const kept: SegmentFile[] = [];
    await camera.close();
    for await (const segment of camera.segments()) kept.push(segment);
    expect(kept.length).toBeGreaterThanOrEqual(2);
    await fake.close();
  });
});
