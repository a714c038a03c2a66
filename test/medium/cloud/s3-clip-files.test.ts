/** Clips in S3-compatible storage that is slow, loses its answers or stalls: kept once, given up in time, no process ended by it. */
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { s3ClipFiles } from '../../../cloud/review/s3-clip-files.ts';
import { stillClock } from '../../unit/cloud/still-clock.ts';
import { startS3, type TestS3 } from './s3-server.ts';

const away = { kind: 'Unavailable', code: 'clip_storage' };
const DAY = 86_400_000;
const WALL_MS = 1_800_000_000_000;
const keys = { accessKeyId: 'key-1', secretAccessKey: 'secret' };
let folder: string;
let s3: TestS3;

const filesOf = (over: { patienceMs?: number; lockMs?: number; wallMs?: number; closing?: AbortSignal }) => {
  const { patienceMs = 20_000, lockMs, wallMs = WALL_MS, closing } = over;
  return s3ClipFiles({
    config: {
      ...{ endpoint: s3.endpoint, bucket: 'evalroom', region: 'eu-test-1', prefix: '', ...keys },
      ...(lockMs === undefined ? {} : { lockMs }),
    },
    aside: join(folder, 'aside'),
    clock: { ...stillClock().clock, wallMs: () => wallMs },
    patienceMs,
    ...(closing ? { closing } : {}),
  });
};
const arrive = (bytes: Buffer) => {
  const path = join(folder, `upload-${randomBytes(6).toString('hex')}`);
  writeFileSync(path, bytes);
  return { path, sha256: createHash('sha256').update(bytes).digest('hex') };
};

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'evalroom-s3-'));
  s3 = await startS3(keys.accessKeyId, keys.secretAccessKey);
});
afterEach(async () => {
  await s3.stop();
  rmSync(folder, { recursive: true, force: true });
});

describe('a clip on its way to the storage', () => {
  it('is waited for long after its last byte has left: the storage may take its time to commit', async () => {
    const { path, sha256 } = arrive(randomBytes(100_000));
    s3.commitMs = 1500;
    await filesOf({ patienceMs: 500 }).keep(path, sha256);
    expect([s3.puts, existsSync(path)]).toEqual([1, false]);
  });

  it('is sent once, although the answer was lost', async () => {
    const { path, sha256 } = arrive(randomBytes(1000));
    const files = filesOf({});
    s3.losing = true;
    await expect(files.keep(path, sha256)).rejects.toMatchObject(away);
    expect(existsSync(path)).toBe(true);
    s3.losing = false;
    await files.keep(path, sha256);
    expect([s3.puts, existsSync(path)]).toEqual([1, false]);
    await files.verify(sha256);
  });

  it('is sent again where other bytes lie in its place', async () => {
    const bytes = randomBytes(1000);
    const [first, second] = [arrive(bytes), arrive(bytes)];
    const files = filesOf({});
    await files.keep(first.path, first.sha256);
    for (const object of s3.objects.values()) object.bytes = randomBytes(1000);
    await files.keep(second.path, second.sha256);
    expect(s3.puts).toBe(2);
    await files.verify(first.sha256);
  });

  it('is sent again for a longer lock alone', async () => {
    const bytes = randomBytes(1000);
    const keep = async (files: ReturnType<typeof filesOf>) => {
      const { path, sha256 } = arrive(bytes);
      await files.keep(path, sha256);
      return s3.puts;
    };
    expect(await keep(filesOf({}))).toBe(1);
    expect(await keep(filesOf({ lockMs: 30 * DAY }))).toBe(2);
    expect(await keep(filesOf({ lockMs: 30 * DAY, wallMs: WALL_MS + DAY / 2 }))).toBe(2);
    expect(await keep(filesOf({ lockMs: 30 * DAY, wallMs: WALL_MS + 2 * DAY }))).toBe(3);
  });

  it('can not be read here: said so, and the process lives', async () => {
    const { sha256 } = arrive(randomBytes(10));
    const refused = { kind: 'Unavailable', code: 'clip_not_kept' };
    await expect(filesOf({}).keep(join(folder, 'gone'), sha256)).rejects.toMatchObject(refused);
    await expect(filesOf({}).keep(folder, sha256)).rejects.toMatchObject(refused);
  });

  it('is given up when the cloud ends, and lies here still', async () => {
    const { path, sha256 } = arrive(randomBytes(10));
    const closing = new AbortController();
    s3.commitMs = 60_000;
    const keeping = filesOf({ closing: closing.signal }).keep(path, sha256);
    const refused = expect(keeping).rejects.toMatchObject(away);
    await expect.poll(() => s3.puts).toBe(1);
    closing.abort();
    await refused;
    expect(existsSync(path)).toBe(true);
  });
});

describe('a clip that is read', () => {
  const bytes = randomBytes(8_000_000);
  const all = { start: 0, end: bytes.length - 1 };

  it('ends as away where the storage stops in the middle', async () => {
    const { path, sha256 } = arrive(bytes);
    await filesOf({}).keep(path, sha256);
    s3.stalling = true;
    await expect(filesOf({ patienceMs: 100 }).read(sha256, all).toArray()).rejects.toMatchObject(away);
  });

  it('goes on for a reader who was slower than the storage may be', async () => {
    const { path, sha256 } = arrive(bytes);
    await filesOf({}).keep(path, sha256);
    const chunks: Buffer[] = [];
    for await (const chunk of filesOf({ patienceMs: 200 }).read(sha256, all)) {
      if (chunks.length % 60 === 0) await new Promise((resolve) => setTimeout(resolve, 700));
      chunks.push(chunk as Buffer);
    }
    expect(Buffer.concat(chunks).equals(bytes)).toBe(true);
  });
});
