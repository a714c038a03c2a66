/** A clip from a box into OpenStack Swift and back to a browser: the storage may be gone at any moment, the clip is not. */
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../agent/clock.ts';
import { createForward } from '../../../agent/forward.ts';
import { memoryOutbox } from '../../../agent/store/memory.ts';
import { createUploader } from '../../../agent/upload.ts';
import { systemClock as cloudClock } from '../../../cloud/clock.ts';
import { parseCloudConfig } from '../../../cloud/config.ts';
import type { ClipGrantView, LogView } from '../../../cloud/http/api.ts';
import { type Cloud, startCloud } from '../../../cloud/main.ts';
import { Browser, eventually } from './cloud.ts';
import { clipBody } from './events.ts';
import { NEEDS_SWIFT, startSwift, swiftThere, type TestSwift } from './swift.ts';

const log = pino({ level: 'silent' });
const clock = systemClock();
const sha = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

describe('a cloud with its clips in Swift', () => {
  const folder = mkdtempSync(join(tmpdir(), 'evalroom-storage-'));
  const ending: (() => Promise<unknown>)[] = [];
  let swift: TestSwift | undefined;
  let cloud: Cloud;
  let browser: Browser;
  beforeAll(async () => {
    if (!swiftThere()) return;
    swift = await startSwift();
    ending.push(() => swift!.stop());
    const { endpoint, bucket, region, accessKeyId, secretAccessKey } = swift;
    writeFileSync(join(folder, 's3.key'), `${accessKeyId}\n${secretAccessKey}\n`, { mode: 0o600 });
    const clips = `{ endpoint: '${endpoint}', bucket: ${bucket}, region: ${region}, prefix: clips/, keyFile: s3.key }`;
    const config = parseCloudConfig(`{ data: data, http: { port: 0 }, clips: ${clips} }`, folder);
    cloud = await startCloud(config, { log, clock: cloudClock() });
    ending.push(() => cloud.close());
    browser = new Browser(cloud.url);
    await browser.setUp(cloud.setupUrl!);
  }, 60_000);
  beforeEach((ctx) => {
    if (!swift) ctx.skip(NEEDS_SWIFT);
  });
  afterAll(async () => {
    for (const end of ending.reverse()) await end();
    rmSync(folder, { recursive: true, force: true });
  });

  it('takes a clip whose storage was away when it came, plays any part of it, and never calls one damaged that is out of reach', async () => {
    const secret = await cloud.addDevice({ deviceId: 'box-1', roomId: 'room-1' });
    const store = memoryOutbox({ roomId: 'room-1', clock, quotaEvents: 100 });
    const stop = new AbortController();
    const connection = { url: cloud.mqttUrl, clientId: 'box-1', username: 'box-1', password: secret };
    const forward = createForward({ outbox: store, connection, roomId: 'room-1', clock, log });
    const uploader = createUploader({
      store,
      connection: { url: cloud.url, deviceId: 'box-1', secret },
      roomId: 'room-1',
      clock,
      log,
    });
    ending.push(
      () => forward.close(),
      () => uploader.close(),
      async () => stop.abort(),
    );
    const place = join(folder, 'clip');
    mkdirSync(place);
    const film = randomBytes(10_000_000);
    writeFileSync(join(place, 'clip.mp4'), film);
    const body = clipBody('e1', 'clip-1', 'room-1', [{ name: 'clip.mp4', sha256: sha(film), bytes: film.length }]);
    if (body.kind !== 'clip') throw new TypeError('clipBody made no clip');
    await swift!.kill();
    store.clips.add(body.clip, place);
    store.accept([{ at: clock.now(), body }]);
    await Promise.all([forward.start(stop.signal), uploader.start(stop.signal)]);

    // All of it is in the cloud, which does not say so: the box keeps its bytes, and sends none of them a second time.
    await eventually(() => uploader.health().failures).toBeGreaterThan(1);
    expect(waiting(join(folder, 'data', 'uploads'))).toEqual([film.length]);
    expect(existsSync(join(place, 'clip.mp4'))).toBe(true);
    expect((await browser.send('POST', '/api/clips/clip-1/view')).status).toBe(409);

    await swift!.revive();
    await eventually(() => store.clips.list('acked').length).toBe(1);
    expect(waiting(join(folder, 'data', 'uploads'))).toEqual([]);
    const grant = await browser.json<ClipGrantView>('POST', '/api/clips/clip-1/view');
    for (const [range, from, to] of [
      ['bytes=0-9', 0, 10],
      ['bytes=4000000-8999999', 4_000_000, 9_000_000],
      ['bytes=-5', 9_999_995, 10_000_000],
    ] as const) {
      const part = await browser.send('GET', grant.mp4Url, undefined, { range });
      expect([part.status, part.headers.get('content-range')]).toEqual([206, `bytes ${from}-${to - 1}/10000000`]);
      expect(Buffer.from(await part.arrayBuffer())).toEqual(film.subarray(from, to));
    }

    await swift!.kill();
    const unreachable = await browser.send('POST', '/api/clips/clip-1/view');
    expect([unreachable.status, await unreachable.json()]).toMatchObject([503, { code: 'clip_storage' }]);
    const { entries } = await browser.json<LogView>('GET', '/api/log');
    expect(entries.map(({ action }) => action)).toContain('view_clip');
    expect(entries.map(({ action }) => action)).not.toContain('clip_corrupt');
  }, 90_000);
});

/** Sizes of the files of unfinished uploads. */
const waiting = (folder: string): number[] =>
  readdirSync(folder)
    .filter((name) => !name.endsWith('.json'))
    .map((name) => statSync(join(folder, name)).size);
