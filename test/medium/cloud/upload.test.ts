/** Clips by tus into a real cloud: resumed, verified, kept, granted, served in ranges; refused where something is wrong. */
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { Upload } from 'tus-js-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AlertDetailView, ClipGrantView, LogView, OverviewView } from '../../../cloud/http/api.ts';
import { openStore } from '../../../cloud/store/open.ts';
import { Box, Browser, eventually, startTestCloud, type TestCloud } from './cloud.ts';
import { batchBytes, clipBody, episodeBody, roomEvent } from './events.ts';

const sha = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const b64 = (text: string) => Buffer.from(text).toString('base64');

describe('clip upload', () => {
  let test: TestCloud;
  let browser: Browser;
  let box: Box;
  const secrets: Record<string, string> = {};
  let seq = 0;

  beforeAll(async () => {
    test = await startTestCloud();
    for (const [deviceId, roomId] of [
      ['box-1', 'room-1'],
      ['box-2', 'room-2'],
    ] as const)
      secrets[deviceId] = await test.cloud().addDevice({ deviceId, roomId });
    browser = new Browser(test.cloud().url);
    await browser.setUp(test.cloud().setupUrl!);
    box = await Box.enter(test.cloud(), 'box-1', 'room-1', secrets['box-1']!);
    await box.publish(batchBytes([roomEvent('s1', ++seq, episodeBody('e1'))]));
  });
  afterAll(async () => {
    box?.leave();
    await test?.stop();
  });

  const auth = (deviceId = 'box-1') => `Device ${deviceId}:${secrets[deviceId]}`;
  const announce = async (bytes: Uint8Array, overlay?: Uint8Array): Promise<string> => {
    const clipId = randomUUID();
    const files = [
      { name: 'clip.mp4' as const, sha256: sha(bytes), bytes: bytes.length },
      ...(overlay ? [{ name: 'overlay.json' as const, sha256: sha(overlay), bytes: overlay.length }] : []),
    ];
    await box.publish(batchBytes([roomEvent('s1', ++seq, clipBody('e1', clipId, 'room-1', files))]));
    await eventually(() => box.acks.at(-1)?.through).toBe(seq);
    return clipId;
  };
  const metadata = (clipId: string, bytes: Uint8Array, over: Record<string, string> = {}) => ({
    clipId,
    name: 'clip.mp4',
    sha256: sha(bytes),
    roomId: 'room-1',
    ...over,
  });
  const create = (length: number, meta: Record<string, string>, authorization: string | undefined = auth()) =>
    fetch(`${browser.base}/api/upload/`, {
      method: 'POST',
      headers: {
        'tus-resumable': '1.0.0',
        'upload-length': String(length),
        'upload-metadata': Object.entries(meta)
          .map(([key, value]) => `${key} ${b64(value)}`)
          .join(','),
        ...(authorization === '' ? {} : { authorization }),
      },
    });
  const patch = (url: string, offset: number, bytes: Uint8Array, authorization = auth()) =>
    fetch(new URL(url, browser.base), {
      method: 'PATCH',
      headers: {
        'tus-resumable': '1.0.0',
        'upload-offset': String(offset),
        'content-type': 'application/offset+octet-stream',
        authorization,
      },
      body: Buffer.from(bytes),
    });
  const head = (url: string, authorization = auth()) =>
    fetch(new URL(url, browser.base), { method: 'HEAD', headers: { 'tus-resumable': '1.0.0', authorization } });
  const upload = async (clipId: string, bytes: Uint8Array, over: Record<string, string> = {}) => {
    const made = await create(bytes.length, metadata(clipId, bytes, over));
    expect(made.status).toBe(201);
    return patch(made.headers.get('location')!, 0, bytes);
  };
  const place = (hash: string) => join(test.folder, 'clips', hash.slice(0, 2), hash);

  it('lets a box go of an overlay that it sends again, and does not bring back the words that were taken out of it', async () => {
    const overlay = Buffer.from(JSON.stringify({ version: 1, words: [{ tMs: 1, text: '评审费', hit: true }] }));
    const clipId = await announce(randomBytes(10), overlay);
    const over = { name: 'overlay.json', sha256: sha(overlay) };
    await upload(clipId, overlay, over);
    expect(existsSync(place(sha(overlay)))).toBe(true);
    const store = await openStore({ kind: 'sqlite', path: join(test.folder, 'cloud.db') });
    const old = { clipId, sha256: sha(overlay), announcedSha256: sha(overlay), bytes: overlay.length, storedWallMs: 1 };
    await store.overlayEmptied(old, { sha256: 'b'.repeat(64), bytes: 5 });
    rmSync(place(sha(overlay)));
    const again = await upload(clipId, overlay, over);
    expect([again.status, again.headers.get('evalroom-sha256')]).toEqual([204, sha(overlay)]);
    expect(existsSync(place(sha(overlay)))).toBe(false);
    expect(readdirSync(join(test.folder, 'uploads'))).toEqual([]);
    expect((await store.clip(clipId))!.files).toMatchObject([{ sha256: 'b'.repeat(64) }]);
    await store.close();
  });

  it('takes a clip by the usual client, in pieces, and grants it with an entry in the log', async () => {
    const bytes = randomBytes(3_000_000);
    const overlay = Buffer.from('{"version":1}');
    const clipId = await announce(bytes, overlay);
    expect((await browser.send('POST', `/api/clips/${clipId}/view`)).status).toBe(409);
    const feed = await browser.feed((await browser.json<OverviewView>('GET', '/api/overview')).cursor);
    const confirmed = await new Promise<string | undefined>((resolve, reject) => {
      let last: string | undefined;
      new Upload(Readable.from([bytes]), {
        endpoint: `${browser.base}/api/upload/`,
        headers: { Authorization: auth() },
        metadata: metadata(clipId, bytes),
        uploadSize: bytes.length,
        chunkSize: 1_000_000,
        retryDelays: [],
        onAfterResponse: (_request, response) => {
          last = response.getHeader('Evalroom-Sha256') ?? last;
        },
        onError: reject,
        onSuccess: () => resolve(last),
      }).start();
    });
    expect(confirmed).toBe(sha(bytes));
    await eventually(() => feed.stored()).toMatchObject([{ event: 'clip', data: { clipId, episodeId: 'e1' } }]);
    await feed.stop();
    expect(readFileSync(place(sha(bytes)))).toEqual(bytes);
    expect(readdirSync(join(test.folder, 'uploads'))).toEqual([]);

    const grant = await browser.json<ClipGrantView>('POST', `/api/clips/${clipId}/view`);
    expect(grant).toMatchObject({ clip: { clipId }, mp4Url: expect.stringContaining(clipId) });
    expect(grant.overlayUrl).toBeUndefined();
    expect(
      (await upload(clipId, overlay, { name: 'overlay.json', sha256: sha(overlay) })).headers.get('evalroom-sha256'),
    ).toBe(sha(overlay));
    const full = await browser.json<ClipGrantView>('POST', `/api/clips/${clipId}/view`);
    expect(await browser.json('GET', full.overlayUrl!)).toEqual({ version: 1 });

    const whole = await browser.send('GET', full.mp4Url);
    expect(whole.headers.get('content-type')).toBe('video/mp4');
    expect(Buffer.from(await whole.arrayBuffer())).toEqual(bytes);
    for (const [range, from, to] of [
      ['bytes=0-9', 0, 10],
      ['bytes=2999990-', 2_999_990, 3_000_000],
      ['bytes=-5', 2_999_995, 3_000_000],
      ['bytes=10-99999999', 10, 3_000_000],
    ] as const) {
      const part = await browser.send('GET', full.mp4Url, undefined, { range });
      expect(part.status).toBe(206);
      expect(part.headers.get('content-range')).toBe(`bytes ${from}-${to - 1}/3000000`);
      expect(Buffer.from(await part.arrayBuffer())).toEqual(bytes.subarray(from, to));
    }
    expect((await browser.send('GET', full.mp4Url, undefined, { range: 'bytes=3000000-' })).status).toBe(416);

    const log = await browser.json<LogView>('GET', '/api/log');
    expect(log.entries.filter(({ action, object }) => action === 'view_clip' && object === clipId)).toHaveLength(2);
    // Whoever takes a copy has seen it, too; that these bytes are no film is found after the entry in the log.
    expect((await browser.send('POST', `/api/clips/${clipId}/export`)).status).toBe(503);
    const detail = await browser.json<AlertDetailView>('GET', '/api/alerts/e1');
    expect(detail.views).toMatchObject([
      { userName: '王监督', clipId },
      { userName: '王监督', clipId },
      { userName: '王监督', clipId },
    ]);
    expect(detail.alert.clips).toContainEqual({ clipId, ready: true });
  });

  it('goes on after a cut, even one by a restart of the cloud', async () => {
    const bytes = randomBytes(100_000);
    const clipId = await announce(bytes);
    const url = (await create(bytes.length, metadata(clipId, bytes))).headers.get('location')!;
    expect((await patch(url, 0, bytes.subarray(0, 40_000))).status).toBe(204);
    box.leave();
    await test.restart();
    const { cookie } = browser;
    browser = new Browser(test.cloud().url);
    browser.cookie = cookie;
    box = await Box.enter(test.cloud(), 'box-1', 'room-1', secrets['box-1']!);
    expect((await head(url)).headers.get('upload-offset')).toBe('40000');
    expect((await patch(url, 0, bytes)).status).toBe(409);
    const done = await patch(url, 40_000, bytes.subarray(40_000));
    expect([done.status, done.headers.get('evalroom-sha256')]).toEqual([204, sha(bytes)]);
    expect((await head(url)).status).toBe(404);
    expect((await upload(clipId, bytes)).headers.get('evalroom-sha256')).toBe(sha(bytes));
  });

  it('takes a complete file that a killed cloud had not taken yet', async () => {
    const bytes = randomBytes(1000);
    const clipId = await announce(bytes);
    const url = (await create(bytes.length, metadata(clipId, bytes))).headers.get('location')!;
    // What the disk looks like when the last byte is written and the power goes.
    writeFileSync(join(test.folder, 'uploads', url.split('/').at(-1)!), bytes);
    const found = await head(url);
    expect([found.headers.get('upload-offset'), found.headers.get('evalroom-sha256')]).toEqual(['1000', sha(bytes)]);
    expect(existsSync(place(sha(bytes)))).toBe(true);
  });

  it('keeps bytes with another hash aside, says 460, and writes it down', async () => {
    const bytes = randomBytes(1000);
    const clipId = await announce(bytes);
    const wrong = Buffer.from(bytes);
    wrong[500]! ^= 1;
    const made = await create(bytes.length, metadata(clipId, bytes));
    const refused = await patch(made.headers.get('location')!, 0, wrong);
    expect([refused.status, refused.headers.get('evalroom-sha256')]).toEqual([460, null]);
    const aside = readdirSync(join(test.folder, 'clips', 'aside'));
    expect(aside.map((name) => readFileSync(join(test.folder, 'clips', 'aside', name)))).toEqual([wrong]);
    expect((await browser.send('POST', `/api/clips/${clipId}/view`)).status).toBe(409);
    expect((await browser.json<LogView>('GET', '/api/log')).entries[0]).toMatchObject({
      action: 'clip_hash_mismatch',
      actor: 'device:box-1',
    });
    expect((await upload(clipId, bytes)).status).toBe(204);
  });

  it('refuses what was not announced, other sizes, other rooms, other devices, other paths', async () => {
    const bytes = randomBytes(1000);
    const clipId = await announce(bytes);
    const meta = metadata(clipId, bytes);
    expect((await create(1000, meta, '')).status).toBe(401);
    expect((await create(1000, meta, 'Device box-1:wrong')).status).toBe(401);
    expect((await create(1000, meta, auth('box-2'))).status).toBe(404);
    expect((await create(1000, { ...meta, roomId: 'room-2' }, auth('box-2'))).status).toBe(404);
    expect((await create(1000, { ...meta, clipId: randomUUID() })).status).toBe(404);
    expect((await create(1000, { ...meta, name: '../../etc/passwd' })).status).toBe(409);
    expect((await create(1000, { ...meta, sha256: 'a'.repeat(64) })).status).toBe(409);
    expect((await create(999, meta)).status).toBe(409);
    const url = (await create(1000, meta)).headers.get('location')!;
    expect((await head(url, auth('box-2'))).status).toBe(404);
    expect((await patch(url, 0, bytes, auth('box-2'))).status).toBe(404);
    for (const path of ['..%2f..%2fcloud.db', '%2e%2e%2fcloud.db', 'room-1.%2e%2e%2f%2e%2e%2fcloud.db', '../cloud.db'])
      expect([401, 404]).toContain((await head(`/api/upload/${path}`)).status);
    // The tus server would hand uploads out again by GET.
    expect((await fetch(new URL(url, browser.base), { headers: { authorization: auth() } })).status).toBe(401);
  });

  it('does not serve bytes that have changed on disk, nor to another session, nor after the grant', async () => {
    const bytes = randomBytes(5000);
    const clipId = await announce(bytes);
    await upload(clipId, bytes);
    const { mp4Url } = await browser.json<ClipGrantView>('POST', `/api/clips/${clipId}/view`);
    const other = new Browser(browser.base);
    expect((await other.send('GET', mp4Url)).status).toBe(401);
    await other.json('POST', '/api/login', { name: '王监督', password: 'correct horse' });
    expect((await other.send('GET', mp4Url)).status).toBe(403);
    expect((await browser.send('GET', mp4Url.replace(/grant=\d+/, `grant=${Number.MAX_SAFE_INTEGER}`))).status).toBe(
      403,
    );
    expect((await browser.send('GET', mp4Url.replace('clip.mp4', '..%2f..%2fcloud.db'))).status).toBe(404);
    const flipped = Buffer.from(bytes);
    flipped[0]! ^= 1;
    writeFileSync(place(sha(bytes)), flipped);
    const refused = await browser.send('POST', `/api/clips/${clipId}/view`);
    expect([refused.status, ((await refused.json()) as { code: string }).code]).toEqual([500, 'clip_corrupt']);
    expect((await browser.json<LogView>('GET', '/api/log')).entries[0]).toMatchObject({
      action: 'clip_corrupt',
      object: clipId,
    });
    // The same clip again from the room heals it.
    await upload(clipId, bytes);
    expect((await browser.send('POST', `/api/clips/${clipId}/view`)).status).toBe(200);
  });
});
