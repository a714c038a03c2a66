/** One suite over both places for clips: a folder, and S3-compatible storage (a small one that checks what S3 checks). */
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../cloud/clock.ts';
import type { S3Config } from '../../cloud/config.ts';
import { type ClipFiles, localClipFiles } from '../../cloud/review/clip-files.ts';
import { s3ClipFiles } from '../../cloud/review/s3-clip-files.ts';
import { startS3, type TestS3 } from '../medium/cloud/s3-server.ts';

const [KEY, SECRET] = ['key-1', 'secret/of+a=key'];
const clock = systemClock();

describe.each(['folder', 's3'] as const)('clip files in %s', (driver) => {
  const folder = mkdtempSync(join(tmpdir(), 'evalroom-files-'));
  let s3: TestS3 | undefined;
  let files: ClipFiles;
  const config = (over: Partial<S3Config> = {}): S3Config => ({
    endpoint: s3!.endpoint,
    bucket: 'evalroom',
    region: 'eu-test-1',
    prefix: 'clips/',
    accessKeyId: KEY,
    secretAccessKey: SECRET,
    ...over,
  });
  const aside = join(folder, 'kept', 'aside');
  /** Changes the stored bytes behind the driver's back. */
  const damage = (sha256: string, bytes: Buffer | undefined) => {
    const place = join(folder, 'kept', sha256.slice(0, 2), sha256);
    const key = `/evalroom/clips/${sha256.slice(0, 2)}/${sha256}`;
    if (driver === 'folder') bytes ? writeFileSync(place, bytes) : rmSync(place);
    else if (bytes) s3!.objects.get(key)!.bytes = bytes;
    else s3!.objects.delete(key);
  };
  const arrive = (bytes: Buffer) => {
    const path = join(folder, `upload-${randomBytes(6).toString('hex')}`);
    writeFileSync(path, bytes);
    return { path, sha256: createHash('sha256').update(bytes).digest('hex') };
  };
  const all = async (sha256: string, start: number, end: number) => {
    const chunks: Buffer[] = [];
    for await (const chunk of files.read(sha256, { start, end })) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks);
  };

  beforeAll(async () => {
    if (driver === 's3') s3 = await startS3(KEY, SECRET);
    files = s3 ? s3ClipFiles({ config: config(), aside, clock }) : localClipFiles(join(folder, 'kept'));
  });
  afterAll(async () => {
    await s3?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('keeps a file under its hash, gives any part of it, and takes it from where it lay', async () => {
    const bytes = randomBytes(300_000);
    const { path, sha256 } = arrive(bytes);
    expect(await files.measure(path)).toEqual({ sha256, bytes: bytes.length });
    await files.keep(path, sha256);
    expect(existsSync(path)).toBe(false);
    await files.verify(sha256);
    expect((await all(sha256, 0, bytes.length - 1)).equals(bytes)).toBe(true);
    expect((await all(sha256, 1000, 1999)).equals(bytes.subarray(1000, 2000))).toBe(true);
  });

  it('takes the same content again', async () => {
    const bytes = randomBytes(1000);
    const [first, second] = [arrive(bytes), arrive(bytes)];
    await files.keep(first.path, first.sha256);
    await files.keep(second.path, second.sha256);
    await files.verify(first.sha256);
  });

  it('never shows bytes that are not what was stored', async () => {
    const { path, sha256 } = arrive(randomBytes(5000));
    await files.keep(path, sha256);
    damage(sha256, randomBytes(5000));
    await expect(files.verify(sha256)).rejects.toMatchObject({ kind: 'Corrupt', code: 'clip_corrupt' });
    damage(sha256, undefined);
    await expect(files.verify(sha256)).rejects.toMatchObject({ kind: 'Corrupt', code: 'clip_corrupt' });
    await expect(all(sha256, 0, 9)).rejects.toThrow();
  });

  it('keeps bytes with a wrong hash apart', async () => {
    const { path } = arrive(randomBytes(10));
    const name = await files.setAside(path);
    expect(readdirSync(aside)).toContain(name);
    expect(existsSync(path)).toBe(false);
  });

  it('lets go of a file, and of one that is gone already', async () => {
    const { path, sha256 } = arrive(randomBytes(10));
    await files.keep(path, sha256);
    await files.remove(sha256);
    await files.remove(sha256);
    await expect(files.verify(sha256)).rejects.toMatchObject({ code: 'clip_corrupt' });
  });

  it('refuses what is no hash: it would become a path', async () => {
    await expect(files.verify('../../etc/passwd')).rejects.toMatchObject({ code: 'bad_sha256' });
  });

  if (driver === 'folder') return;

  it('is away or refuses, and the upload stays where it is', async () => {
    const { path, sha256 } = arrive(randomBytes(10));
    s3!.failing = 503;
    await expect(files.keep(path, sha256)).rejects.toMatchObject({ kind: 'Unavailable', code: 'clip_storage' });
    s3!.failing = undefined;
    expect(existsSync(path)).toBe(true);
    const stranger = s3ClipFiles({ config: config({ secretAccessKey: 'wrong' }), aside, clock });
    await expect(stranger.keep(path, sha256)).rejects.toMatchObject({
      kind: 'Forbidden',
      code: 'clip_storage_refused',
    });
    await files.keep(path, sha256);
    await expect(stranger.verify(sha256)).rejects.toMatchObject({ kind: 'Forbidden' });
  });

  it('the storage itself refuses bytes with another hash', async () => {
    const { path } = arrive(randomBytes(10));
    await expect(files.keep(path, 'a'.repeat(64))).rejects.toMatchObject({ kind: 'Unavailable' });
    expect(existsSync(path)).toBe(true);
  });

  it('asks for the object lock', async () => {
    const { path, sha256 } = arrive(randomBytes(10));
    const locking = s3ClipFiles({ config: config({ lockMs: 86_400_000 }), aside, clock });
    const before = Date.now();
    await locking.keep(path, sha256);
    const { headers } = s3!.objects.get(`/evalroom/clips/${sha256.slice(0, 2)}/${sha256}`)!;
    expect(headers['x-amz-object-lock-mode']).toBe('COMPLIANCE');
    const until = Date.parse(String(headers['x-amz-object-lock-retain-until-date']));
    expect(until).toBeGreaterThan(before + 86_000_000);
  });
});
