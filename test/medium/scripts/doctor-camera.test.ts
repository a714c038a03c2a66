/** The doctor looks at a camera that speaks ONVIF and RTSP, and at the ways in which one can be wrong. */
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../../agent/clock.ts';
import type { CameraConfig, RoomConfig } from '../../../agent/config.ts';
import { createFakeCamera, type FakeCamera } from '../../../hardware/fake/camera.ts';
import { lookAtCamera } from '../../../scripts/doctor/camera.ts';
import { look } from '../../../scripts/doctor/finding.ts';
import { lookAtMicrophones } from '../../../scripts/doctor/microphone.ts';

const ROOM = fileURLToPath(new URL('../../fixtures/room/', import.meta.url));
const stop = new AbortController();
let fake: FakeCamera;
let camera: CameraConfig;

beforeAll(async () => {
  fake = createFakeCamera({
    main: `${ROOM}main.mp4`,
    sub: `${ROOM}sub.mp4`,
    user: 'viewer',
    password: 'right-one',
    clock: systemClock(),
    log: pino({ level: 'silent' }),
  });
  const { onvif } = await fake.start(stop.signal);
  camera = {
    cameraId: 'cam-a',
    source: { kind: 'onvif', host: '127.0.0.1', port: onvif },
    user: 'viewer',
    password: 'right-one',
    analyseFps: 2,
    audio: true,
  };
});

afterAll(async () => {
  stop.abort();
  await fake?.close();
});

describe('the doctor at a camera', () => {
  it('says who it is and that pictures and evidence arrive; one without sound is worth a look', async () => {
    const findings = await lookAtCamera(camera);
    expect(findings.map(({ part, state }) => `${part}: ${state}`)).toEqual([
      'cam-a: ok',
      'cam-a picture: ok',
      'cam-a evidence: ok',
      'cam-a sound: attention',
    ]);
    expect(findings[0]?.found).toContain('1280×720');
    expect(findings[3]?.todo).toContain('audio: false');
  });

  it('names a wrong password, and never shows it', async () => {
    const findings = await look('cam-a', () => lookAtCamera({ ...camera, password: 'wrong-one' }));
    expect(findings).toMatchObject([{ state: 'broken', found: expect.stringMatching(/password/) }]);
    expect(JSON.stringify(findings)).not.toContain('wrong-one');
  });

  it('names streams that refuse', async () => {
    const { main, sub } = fake.urls();
    const findings = await lookAtCamera({ ...camera, source: { kind: 'rtsp', main, sub }, password: 'wrong-one' });
    expect(findings.map(({ state }) => state)).toEqual(['broken', 'broken', 'attention']);
    expect(findings[0]?.found).toMatch(/password/);
  });
});

describe('the doctor at microphones of their own', () => {
  const config = (microphones: RoomConfig['microphones']) => ({ microphones }) as RoomConfig;
  const source = (url: string) => ({ kind: 'rtsp' as const, url });

  it('says that nobody answers, that there is no sound, and which password is wrong', async () => {
    const { main } = fake.urls();
    const [absent, mute, locked] = await lookAtMicrophones(
      config([
        { microphoneId: 'mic-1', source: source('rtsp://127.0.0.1:9/') },
        { microphoneId: 'mic-2', source: source(main), user: 'viewer', password: 'right-one' },
        { microphoneId: 'mic-3', source: source(main), user: 'viewer', password: 'wrong-one' },
      ]),
    );
    expect(absent).toMatchObject({ part: 'mic-1 sound', state: 'broken', found: expect.stringContaining('refused') });
    expect(mute).toMatchObject({ state: 'broken', found: expect.stringMatching(/sound|audio/) });
    expect(locked).toMatchObject({ state: 'broken', found: expect.stringContaining('password') });
  }, 60_000);

  it('hears one that gives sound', async () => {
    const heard = createFakeCamera({
      main: `${ROOM}main.mp4`,
      sub: `${ROOM}sub.mp4`,
      sound: `${ROOM}pro0-en-us-140-n15.flac`,
      user: 'viewer',
      password: 'right-one',
      clock: systemClock(),
      log: pino({ level: 'silent' }),
    });
    await heard.start(stop.signal);
    const one = { microphoneId: 'mic-1', source: source(heard.urls().main), user: 'viewer', password: 'right-one' };
    const found = await lookAtMicrophones(config([one]));
    await heard.close();
    expect(found).toEqual([{ part: 'mic-1 sound', state: 'ok', found: 'arrives' }]);
  }, 60_000);
});
