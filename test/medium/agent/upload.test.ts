/** Clips to a real tus server: after their event, resumed after a cut, kept until the hash is answered. */
import { createHash, randomBytes } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server as HttpServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FileStore } from '@tus/file-store';
import { Server } from '@tus/server';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../agent/clock.ts';
import { memoryOutbox } from '../../../agent/store/memory.ts';
import type { Outbox } from '../../../agent/store/outbox.ts';
import { createUploader, type Uploader } from '../../../agent/upload.ts';
import type { ClipCause, ClipManifest } from '../../../protocol/clip.ts';
import type { DraftEvent } from '../../../protocol/event.ts';
import type { Clock } from '../../../protocol/time.ts';
import { freePort, until } from './mosquitto.ts';

const clock = systemClock();
const log = pino({ level: 'silent' });
const sha = (content: Buffer) => createHash('sha256').update(content).digest('hex');
let folder: string;
let store: Outbox;
let uploader: Uploader;
let port: number;
let http: HttpServer | undefined;
/** Names in the order in which their last byte came, and what the requests looked like. */
let finished: string[];
let requests: { method: string; authorization: string | undefined }[];
let answer: (sha256: string) => { status?: number; sha256?: string };
/** Cuts the connection of the first large PATCH after so many bytes. */
let cutAfterBytes: number | undefined;
let refuseCreates: number;
/** So many questions how far an upload is are answered with 503. */
let refuseHeads: number;
/** Answered with an error of the server's own, each time. */
let brokenClip: string | undefined;
let lost: DraftEvent[];

const serve = async () => {
  const received = join(folder, 'received');
  mkdirSync(received, { recursive: true });
  const tus = new Server({
    path: '/api/upload',
    relativeLocation: true,
    datastore: new FileStore({ directory: received }),
    async onUploadCreate(_request, upload) {
      if (upload.metadata?.clipId === brokenClip) throw { status_code: 500, body: 'broken' };
      if (refuseCreates-- > 0) throw { status_code: 404, body: 'clip_unknown' };
      return {};
    },
    async onUploadFinish(_request, upload) {
      const found = sha(readFileSync(join(received, upload.id)));
      const { status, sha256 } = answer(found);
      if (status) throw { status_code: status, body: 'refused' };
      finished.push(`${upload.metadata?.clipId}/${upload.metadata?.name}`);
      return { headers: { 'Evalroom-Sha256': sha256 ?? found } };
    },
  });
  http = createServer((request, response) => {
    requests.push({ method: request.method!, authorization: request.headers.authorization });
    if (request.method === 'HEAD' && refuseHeads-- > 0) return void response.writeHead(503).end();
    if (request.method === 'PATCH' && cutAfterBytes !== undefined && Number(request.headers['content-length']) > 1e6) {
      // Looked at from outside: a reader of our own would take bytes away from the server.
      const most = cutAfterBytes;
      const { socket } = request;
      const before = socket.bytesRead;
      const look = () => {
        if (socket.bytesRead - before >= most) socket.destroy();
        else if (!socket.destroyed) setImmediate(look);
      };
      look();
      cutAfterBytes = undefined;
    }
    void tus.handle(request, response);
  }).listen(port, '127.0.0.1');
  await new Promise((resolve) => http?.once('listening', resolve));
};
const stopServing = async () => {
  http?.closeAllConnections();
  await new Promise((resolve) => (http ? http.close(resolve) : resolve(undefined)));
  http = undefined;
};

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'evalroom-upload-'));
  store = memoryOutbox({ roomId: 'room-1', clock, quotaEvents: 100 });
  port = await freePort();
  finished = [];
  requests = [];
  lost = [];
  answer = () => ({});
  cutAfterBytes = undefined;
  refuseCreates = 0;
  refuseHeads = 0;
  brokenClip = undefined;
});
afterEach(async () => {
  await uploader.close();
  await stopServing();
  rmSync(folder, { recursive: true });
});
/** So many times faster than the clock on the wall: for waits alone, a request would seem to stand still. */
const hurried = (times: number): Clock => {
  const beganMs = clock.monoMs();
  return {
    ...clock,
    monoMs: () => beganMs + (clock.monoMs() - beganMs) * times,
    sleep: (ms, signal) => clock.sleep(ms / times, signal),
  };
};
const start = async (kbps?: number, by: Clock = clock) => {
  const connection = {
    url: `http://127.0.0.1:${port}`,
    deviceId: 'box-1',
    secret: 's3cret',
    ...(kbps ? { kbps } : {}),
  };
  uploader = createUploader({
    store,
    connection,
    roomId: 'room-1',
    clock: by,
    log,
    report: (draft) => void lost.push(draft),
  });
  await uploader.start(new AbortController().signal);
};

/** A clip on disk with a row; with its event acked unless told otherwise. */
const clip = (clipId: string, { bytes = 50_000, acked = true, cause = 'begin' as ClipCause } = {}) => {
  const place = join(folder, clipId);
  mkdirSync(place);
  const files = (['clip.mp4', 'overlay.json'] as const).map((name) => {
    const content = randomBytes(name === 'clip.mp4' ? bytes : 500);
    writeFileSync(join(place, name), content);
    return { name, sha256: sha(content), bytes: content.length };
  });
  const at = clock.now();
  const times = { beginWallMs: at.wallMs, endWallMs: at.wallMs + 1000, durationMs: 1000 };
  const manifest: ClipManifest = {
    clipId,
    episodeId: `ep-${clipId}`,
    roomId: 'room-1',
    cameraId: 'cam-a',
    cause,
    ...times,
    files,
  };
  store.clips.add(manifest, place);
  store.accept([{ at, body: { kind: 'clip', episodeId: manifest.episodeId, clip: manifest } }]);
  if (acked) ackAll();
  return place;
};
const ackAll = () => {
  const stream = store.streams().find(({ lane }) => lane === 'alert')!;
  store.sent(stream.streamId, stream.lastSeq);
  store.ack({ streamId: stream.streamId, through: stream.lastSeq });
};
/** Files below a folder that this process has open. */
const openBelow = (place: string): string[] =>
  readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const path = readlinkSync(`/proc/self/fd/${fd}`);
      return path.startsWith(place) ? [path] : [];
    } catch {
      return [];
    }
  });
const acked = (count: number) => until(`${count} acked`, () => store.clips.list('acked').length === count);

describe('uploader', () => {
  it('sends a clip only after its event, small file first, and deletes it only after the hash', async () => {
    await serve();
    const place = clip('c-1', { acked: false });
    await start();
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(requests).toEqual([]);
    ackAll();
    uploader.poke();
    await acked(1);
    expect(finished).toEqual(['c-1/overlay.json', 'c-1/clip.mp4']);
    expect(new Set(requests.map(({ authorization }) => authorization))).toEqual(new Set(['Device box-1:s3cret']));
    await until('deleted', () => !existsSync(place));
    expect(uploader.health()).toMatchObject({ waiting: 0, acked: 1, failures: 0 });
  });

  it('goes on where a cut left off, also after a restart of the agent', async () => {
    await serve();
    clip('c-1', { bytes: 6_000_000 });
    cutAfterBytes = 2_000_000;
    await start();
    await until('cut', () => uploader.health().failures >= 1);
    await uploader.close();
    const known = store.clips.list('uploading')[0]?.uploads['clip.mp4'];
    expect(known).toMatch(/^http/);
    requests.length = 0;
    await start();
    await acked(1);
    expect(requests.map(({ method }) => method)).toContain('HEAD');
    expect(requests.map(({ method }) => method)).not.toContain('POST');
    expect(finished.at(-1)).toBe('c-1/clip.mp4');
  });

  it('begins no second upload where the cloud is in trouble when it is asked how far the first one is', async () => {
    await serve();
    clip('c-1', { bytes: 6_000_000 });
    cutAfterBytes = 2_000_000;
    refuseHeads = 1;
    await start();
    await acked(1);
    expect(refuseHeads).toBeLessThan(1);
    // One for each file.
    expect(requests.filter(({ method }) => method === 'POST')).toHaveLength(2);
  });

  it('goes on at the new address of a cloud that has moved', async () => {
    await serve();
    clip('c-1', { bytes: 6_000_000 });
    cutAfterBytes = 2_000_000;
    await start();
    await until('cut', () => uploader.health().failures >= 1);
    await uploader.close();
    await stopServing();
    port = await freePort();
    requests.length = 0;
    await serve();
    await start();
    await acked(1);
    expect(requests.map(({ method }) => method)).toContain('HEAD');
    expect(requests.map(({ method }) => method)).not.toContain('POST');
  });

  it('keeps a clip whose hash the cloud does not confirm, and sends it anew', async () => {
    await serve();
    let wrong = 2;
    answer = () => (wrong-- > 0 ? { sha256: 'f'.repeat(64) } : {});
    const place = clip('c-1');
    await start();
    await until('one refusal', () => uploader.health().failures >= 1);
    expect(existsSync(join(place, 'clip.mp4'))).toBe(true);
    await acked(1);
    expect(finished.filter((name) => name === 'c-1/overlay.json')).toHaveLength(3);
  });

  it('waits while the cloud is away, and tries a clip again that is not known there yet', async () => {
    clip('c-1');
    await start();
    await until('a failure', () => uploader.health().failures >= 2);
    expect(uploader.health().reason).toMatch(/ECONNREFUSED/);
    // A week without the cloud is 20,000 attempts: none may leave its file open.
    await until('no file is open', () => openBelow(folder).length === 0);
    refuseCreates = 1;
    await serve();
    await acked(1);
    await until('no reason left', () => uploader.health().reason === undefined);
  });

  it('lets other clips pass one that the cloud cannot take', async () => {
    await serve();
    clip('c-1');
    clip('c-2');
    brokenClip = 'c-2';
    await start();
    await acked(1);
    expect(finished).toEqual(['c-1/overlay.json', 'c-1/clip.mp4']);
    expect(uploader.health()).toMatchObject({ waiting: 1 });
  });

  it('lets alarms go first, then the newest', async () => {
    await serve();
    for (const [clipId, cause] of [
      ['c-1', 'begin'],
      ['c-2', 'escalation'],
      ['c-3', 'begin'],
    ] as const)
      clip(clipId, { cause });
    await start();
    await acked(3);
    expect(finished.filter((name) => name.endsWith('mp4'))).toEqual(['c-2/clip.mp4', 'c-3/clip.mp4', 'c-1/clip.mp4']);
  });

  it('never sends bytes that rotted on the disk: keeps them and reports the gap', async () => {
    await serve();
    const place = clip('c-1');
    const content = readFileSync(join(place, 'clip.mp4'));
    content[1000]! ^= 1;
    writeFileSync(join(place, 'clip.mp4'), content);
    await start();
    await until('reported', () => lost.length === 1);
    expect(lost[0]?.body).toMatchObject({ kind: 'gap', sourceId: 'cam-a', reason: /c-1 was damaged.*sha256/ });
    expect(existsSync(join(place, 'clip.mp4'))).toBe(true);
    expect(finished).not.toContain('c-1/clip.mp4');
    expect(store.clips.stats().waiting).toBe(0);
  });

  it('sends the others when the disk does not give one back, and that one when it does', async () => {
    await serve();
    const place = clip('c-1');
    const content = readFileSync(join(place, 'clip.mp4'));
    rmSync(join(place, 'clip.mp4'));
    mkdirSync(join(place, 'clip.mp4'));
    clip('c-2');
    await start();
    await acked(1);
    await until('tried', () => uploader.health().reason?.includes('clip.mp4 cannot be read (EISDIR)') === true);
    expect(finished).toContain('c-2/clip.mp4');
    expect(lost).toEqual([]);
    rmdirSync(join(place, 'clip.mp4'));
    writeFileSync(join(place, 'clip.mp4'), content);
    await acked(2);
    await until('no reason left', () => uploader.health().reason === undefined);
    expect(lost).toEqual([]);
  });

  it('reports the gap of a clip that the disk does not give back in half an hour', async () => {
    await serve();
    const place = clip('c-1');
    rmSync(join(place, 'clip.mp4'));
    mkdirSync(join(place, 'clip.mp4'));
    store.clips.upload('c-1', 'overlay.json', true);
    await start(undefined, hurried(2000));
    await until('reported', () => lost.length === 1);
    expect(lost[0]?.body).toMatchObject({
      kind: 'gap',
      reason: /c-1 was damaged.*clip\.mp4 cannot be read \(EISDIR\)/,
    });
    expect(uploader.health().failures).toBe(7);
    expect(existsSync(place)).toBe(true);
    expect(store.clips.stats().waiting).toBe(0);
  });

  it('sends in chunks under a ceiling of bandwidth', async () => {
    await serve();
    clip('c-1', { bytes: 100_000 });
    await start(400);
    const begin = clock.monoMs();
    await acked(1);
    expect(requests.filter(({ method }) => method === 'PATCH').length).toBeGreaterThanOrEqual(3);
    // 100 kB at 50 kB/s: the last chunk begins after the others' share of the time at the earliest.
    expect(clock.monoMs() - begin).toBeGreaterThan(900);
  });
});
