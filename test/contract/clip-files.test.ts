/** One suite over the places for clips: a folder, S3-compatible storage as a small server of ours, and OpenStack Swift over TLS. */
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../cloud/clock.ts';
import type { S3Config } from '../../cloud/config-clips.ts';
import { openAuthority } from '../../cloud/identity/authority.ts';
import { type ClipFiles, localClipFiles } from '../../cloud/review/clip-files.ts';
import { s3ClipFiles } from '../../cloud/review/s3-clip-files.ts';
import { startS3, type TestS3 } from '../medium/cloud/s3-server.ts';
import { NEEDS_SWIFT, startSwift, swiftThere, type TestSwift } from '../medium/cloud/swift.ts';

const clock = systemClock();
const PREFIX = 'clips/';
const keyOf = (sha256: string) => `${PREFIX}${sha256.slice(0, 2)}/${sha256}`;
const refused = { kind: 'Unavailable', code: 'clip_storage_refused' };
const away = { kind: 'Unavailable', code: 'clip_storage' };

interface Place {
  readonly folder: string;
  arrive(bytes: Buffer): { readonly path: string; readonly sha256: string };
  all(files: ClipFiles, sha256: string, start: number, end: number): Promise<Buffer>;
}

function place(): Place {
  const folder = mkdtempSync(join(tmpdir(), 'evalroom-files-'));
  return {
    folder,
    arrive(bytes) {
      const path = join(folder, `upload-${randomBytes(6).toString('hex')}`);
      writeFileSync(path, bytes);
      return { path, sha256: createHash('sha256').update(bytes).digest('hex') };
    },
    async all(files, sha256, start, end) {
      const chunks: Buffer[] = [];
      for await (const chunk of files.read(sha256, { start, end })) chunks.push(chunk as Buffer);
      return Buffer.concat(chunks);
    },
  };
}

/** What holds in every place. `damage` changes the stored bytes behind the driver's back. */
function promises(
  { folder, arrive, all }: Place,
  stand: () => { readonly files: ClipFiles; damage(sha256: string, bytes: Buffer | undefined): void },
): void {
  const aside = join(folder, 'kept', 'aside');

  it('keeps a file under its hash, gives any part of it, and takes it from where it lay', async () => {
    const { files } = stand();
    const bytes = randomBytes(9_000_000);
    const { path, sha256 } = arrive(bytes);
    expect(await files.measure(path)).toEqual({ sha256, bytes: bytes.length });
    await files.keep(path, sha256);
    expect(existsSync(path)).toBe(false);
    await files.verify(sha256);
    expect((await all(files, sha256, 0, bytes.length - 1)).equals(bytes)).toBe(true);
    expect((await all(files, sha256, 1000, 1999)).equals(bytes.subarray(1000, 2000))).toBe(true);
    const last = bytes.length - 1;
    expect((await all(files, sha256, last, last)).equals(bytes.subarray(last))).toBe(true);
  });

  it('takes the same content again', async () => {
    const { files } = stand();
    const bytes = randomBytes(1000);
    const [first, second] = [arrive(bytes), arrive(bytes)];
    await files.keep(first.path, first.sha256);
    await files.keep(second.path, second.sha256);
    await files.verify(first.sha256);
  });

  it('never shows bytes that are not what was stored', async () => {
    const { files, damage } = stand();
    const { path, sha256 } = arrive(randomBytes(5000));
    await files.keep(path, sha256);
    damage(sha256, randomBytes(5000));
    await expect(files.verify(sha256)).rejects.toMatchObject({ kind: 'Corrupt', code: 'clip_corrupt' });
    damage(sha256, undefined);
    await expect(files.verify(sha256)).rejects.toMatchObject({ kind: 'Corrupt', code: 'clip_corrupt' });
    await expect(all(files, sha256, 0, 9)).rejects.toThrow();
  });

  it('keeps bytes with a wrong hash apart', async () => {
    const { path } = arrive(randomBytes(10));
    const name = await stand().files.setAside(path);
    expect(readdirSync(aside)).toContain(name);
    expect(existsSync(path)).toBe(false);
  });

  it('lets go of a file, and of one that is gone already', async () => {
    const { files } = stand();
    const { path, sha256 } = arrive(randomBytes(10));
    await files.keep(path, sha256);
    await files.remove(sha256);
    await files.remove(sha256);
    await expect(files.verify(sha256)).rejects.toMatchObject({ code: 'clip_corrupt' });
  });

  it('refuses what is no hash: it would become a path', async () => {
    await expect(stand().files.verify('../../etc/passwd')).rejects.toMatchObject({ code: 'bad_sha256' });
  });
}

/** What holds of storage that somebody else runs. */
function storagePromises(
  { folder, arrive }: Place,
  stand: () => { readonly files: ClipFiles; other(over: Partial<S3Config>, patienceMs?: number): ClipFiles },
): void {
  it('says what is set up wrong, and that it is no fault of the clip; the upload stays where it is', async () => {
    const { files, other } = stand();
    const { path, sha256 } = arrive(randomBytes(10));
    const strangers = [other({ secretAccessKey: 'wrong' }), other({ accessKeyId: 'nobody' })];
    for (const stranger of strangers) await expect(stranger.keep(path, sha256)).rejects.toMatchObject(refused);
    expect(existsSync(path)).toBe(true);
    await files.keep(path, sha256);
    for (const stranger of strangers) {
      await expect(stranger.verify(sha256)).rejects.toMatchObject(refused);
      await expect(stranger.remove(sha256)).rejects.toMatchObject(refused);
    }
    await files.verify(sha256);
  });

  it('is itself given the hash and refuses other bytes', async () => {
    const { files } = stand();
    const { path } = arrive(randomBytes(10));
    const claimed = 'a'.repeat(64);
    await expect(files.keep(path, claimed)).rejects.toMatchObject(away);
    expect(existsSync(path)).toBe(true);
    await expect(files.verify(claimed)).rejects.toMatchObject({ code: 'clip_corrupt' });
  });

  it('is not there at all: away, and no file is left open', async () => {
    const { path, sha256 } = arrive(randomBytes(3_000_000));
    const nowhere = stand().other({ endpoint: 'http://127.0.0.1:1' });
    await expect(nowhere.keep(path, sha256)).rejects.toMatchObject(away);
    await expect(nowhere.verify(sha256)).rejects.toMatchObject(away);
    expect(existsSync(path)).toBe(true);
    await expect.poll(() => openIn(folder)).toEqual([]);
  });
}

/** Files of this process below `folder`. */
const openIn = (folder: string): string[] =>
  readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/self/fd/${fd}`)].filter((file) => file.startsWith(folder));
    } catch {
      return [];
    }
  });

describe('clip files in a folder', () => {
  const here = place();
  const files = localClipFiles(join(here.folder, 'kept'));
  afterAll(() => rmSync(here.folder, { recursive: true, force: true }));
  promises(here, () => ({
    files,
    damage(sha256, bytes) {
      const file = join(here.folder, 'kept', sha256.slice(0, 2), sha256);
      bytes ? writeFileSync(file, bytes) : rmSync(file);
    },
  }));
});

describe('clip files in S3-compatible storage, a small server', () => {
  const here = place();
  const [accessKeyId, secretAccessKey] = ['key-1', 'secret/of+a=key'];
  let s3: TestS3;
  let files: ClipFiles;
  const other = (over: Partial<S3Config>, patienceMs = 20_000) =>
    s3ClipFiles({
      config: {
        endpoint: s3.endpoint,
        bucket: 'evalroom',
        region: 'eu-test-1',
        prefix: PREFIX,
        accessKeyId,
        secretAccessKey,
        ...over,
      },
      aside: join(here.folder, 'kept', 'aside'),
      clock,
      patienceMs,
    });
  const objectOf = (sha256: string) => s3.objects.get(`/evalroom/${keyOf(sha256)}`)!;

  beforeAll(async () => {
    s3 = await startS3(accessKeyId, secretAccessKey);
    files = other({});
  });
  afterAll(async () => {
    await s3.stop();
    rmSync(here.folder, { recursive: true, force: true });
  });

  promises(here, () => ({
    files,
    damage(sha256, bytes) {
      if (bytes) objectOf(sha256).bytes = bytes;
      else s3.objects.delete(`/evalroom/${keyOf(sha256)}`);
    },
  }));
  storagePromises(here, () => ({ files, other }));

  it('answers with faults of its own: away or full, and the upload stays where it is', async () => {
    const { path, sha256 } = here.arrive(randomBytes(10));
    s3.failing = 503;
    await expect(files.keep(path, sha256)).rejects.toMatchObject(away);
    s3.failing = 507;
    await expect(files.keep(path, sha256)).rejects.toMatchObject({ kind: 'Full', code: 'clip_storage_full' });
    s3.failing = undefined;
    expect(existsSync(path)).toBe(true);
    await files.keep(path, sha256);
  });

  it('stops in the middle of a file: away, not damaged', async () => {
    const { path, sha256 } = here.arrive(randomBytes(500_000));
    await files.keep(path, sha256);
    s3.stalling = true;
    await expect(other({}, 100).verify(sha256)).rejects.toMatchObject(away);
    s3.stalling = false;
    await files.verify(sha256);
  });

  it('is asked for the object lock, and for its word that it has one', async () => {
    const { path, sha256 } = here.arrive(randomBytes(10));
    const locking = other({ lockMs: 86_400_000 });
    s3.locks = false;
    await expect(locking.keep(path, sha256)).rejects.toMatchObject(refused);
    expect(objectOf(sha256)).toBeUndefined();
    s3.locks = true;
    const before = Date.now();
    await locking.keep(path, sha256);
    const { headers } = objectOf(sha256);
    expect(headers['x-amz-object-lock-mode']).toBe('COMPLIANCE');
    const until = Date.parse(String(headers['x-amz-object-lock-retain-until-date']));
    expect(until).toBeGreaterThan(before + 86_000_000);
  });
});

describe('clip files in S3-compatible storage, OpenStack Swift', () => {
  const here = place();
  const caFile = join(here.folder, 'ca.pem');
  let swift: TestSwift | undefined;
  let files: ClipFiles;
  const other = (over: Partial<S3Config>, patienceMs = 20_000) => {
    const { endpoint, region, bucket, accessKeyId, secretAccessKey } = swift!;
    return s3ClipFiles({
      config: { endpoint, region, bucket, accessKeyId, secretAccessKey, caFile, prefix: PREFIX, ...over },
      aside: join(here.folder, 'kept', 'aside'),
      clock,
      patienceMs,
    });
  };

  beforeAll(async () => {
    if (!swiftThere()) return;
    const wallMs = Date.now();
    const authority = await openAuthority({ folder: join(here.folder, 'identity'), wallMs });
    writeFileSync(caFile, authority.caPem);
    const server = await authority.issueServer({ names: ['127.0.0.1'], wallMs, lifetimeMs: 1e8 });
    swift = await startSwift({ tls: { ...server, ca: authority.caPem } });
    files = other({});
  }, 60_000);
  beforeEach((ctx) => {
    if (!swift) ctx.skip(NEEDS_SWIFT);
  });
  afterAll(async () => {
    await swift?.stop();
    rmSync(here.folder, { recursive: true, force: true });
  });

  promises(here, () => ({ files, damage: (sha256, bytes) => swift!.damage(keyOf(sha256), bytes) }));
  storagePromises(here, () => ({ files, other }));

  it('is another region or has no such bucket: set up wrong, and no clip is called damaged for it', async () => {
    const { path, sha256 } = here.arrive(randomBytes(10));
    for (const wrong of [other({ region: 'eu-other-1' }), other({ bucket: 'not-there' })]) {
      await expect(wrong.keep(path, sha256)).rejects.toMatchObject(refused);
      await expect(wrong.verify(sha256)).rejects.toMatchObject(refused);
    }
    expect(existsSync(path)).toBe(true);
  });

  it('has a certificate that nobody here trusts: nothing is sent', async () => {
    const { path, sha256 } = here.arrive(randomBytes(10));
    const { caFile: _, ...untrusting } = { ...swift!, prefix: PREFIX, caFile };
    const stranger = s3ClipFiles({ config: untrusting, aside: here.folder, clock });
    await expect(stranger.keep(path, sha256)).rejects.toMatchObject(away);
    await expect(files.verify(sha256)).rejects.toMatchObject({ code: 'clip_corrupt' });
  });

  it('has no object lock and would take the clip without a word: nothing is kept that was to be locked', async () => {
    const { path, sha256 } = here.arrive(randomBytes(10));
    await expect(other({ lockMs: 86_400_000 }).keep(path, sha256)).rejects.toMatchObject(refused);
    expect(existsSync(path)).toBe(true);
  });

  it('is killed in the middle of an upload, comes back, and takes the same file', async () => {
    const bytes = randomBytes(20_000_000);
    const { path, sha256 } = here.arrive(bytes);
    const keeping = files.keep(path, sha256).catch((error: unknown) => error);
    await expect.poll(() => openIn(here.folder), { interval: 1, timeout: 20_000 }).toEqual([path]);
    // Where bytes are to lie stands still, so that the upload is not over whenever the kill comes.
    swift!.signal('SIGSTOP', 'object');
    await new Promise((resolve) => setTimeout(resolve, 300));
    await swift!.kill();
    expect(await keeping).toMatchObject(away);
    await expect(files.verify(sha256)).rejects.toMatchObject(away);
    await swift!.revive();
    await expect(files.verify(sha256)).rejects.toMatchObject({ code: 'clip_corrupt' });
    await files.keep(path, sha256);
    await files.verify(sha256);
    expect((await here.all(files, sha256, 19_000_000, 19_999_999)).equals(bytes.subarray(19_000_000))).toBe(true);
  });

  it('takes connections and says nothing: away after a while, and not before it is asked again', async () => {
    const [stored, waiting] = [here.arrive(randomBytes(10)), here.arrive(randomBytes(10))];
    await files.keep(stored.path, stored.sha256);
    swift!.signal('SIGSTOP');
    const impatient = other({}, 200);
    try {
      await expect(impatient.keep(waiting.path, waiting.sha256)).rejects.toMatchObject(away);
      await expect(impatient.verify(stored.sha256)).rejects.toMatchObject(away);
      await expect(impatient.remove(stored.sha256)).rejects.toMatchObject(away);
    } finally {
      swift!.signal('SIGCONT');
    }
    await files.keep(waiting.path, waiting.sha256);
    await files.verify(stored.sha256);
  });
});
