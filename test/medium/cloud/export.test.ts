/** A clip for outside eyes: made by the real ffmpeg, looked at pixel by pixel; the evidence keeps its hash. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { PassThrough } from 'node:stream';
import Fastify from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { routeExport } from '../../../cloud/http/export.ts';
import { type ClipFiles, localClipFiles } from '../../../cloud/review/clip-files.ts';
import { createExports } from '../../../cloud/review/export.ts';
import { AROUND_MS, maskAt, maskSize, sizesOf } from '../../../cloud/review/export-mask.ts';
import type { LogEntry, StoredClip } from '../../../cloud/store/store.ts';
import type { OverlayFrame } from '../../../protocol/clip.ts';
import type { Box } from '../../../protocol/seat.ts';
import { stillClock } from '../../unit/cloud/still-clock.ts';

const [WIDTH, HEIGHT] = [320, 180];
const viewer = { user: { userId: 'u', name: '李观察', role: 'viewer' as const }, sessionId: 's' };
const wanted = new AbortController().signal;
let folder: string;
let files: ClipFiles;
let film: Buffer;
const log: Omit<LogEntry, 'wallMs'>[] = [];

const sha = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
/** Somebody who walks from left to right through the clip. */
const boxAt = (tMs: number): Box => [0.1 + 0.15 * (tMs / 1000), 0.3, 0.25 + 0.15 * (tMs / 1000), 0.9];
const frames: OverlayFrame[] = Array.from({ length: 7 }, (_, i) => ({
  tMs: i * 500,
  persons: [{ box: boxAt(i * 500) }],
  seats: {},
}));

async function keep(clipId: string, overlay: readonly OverlayFrame[] | undefined): Promise<StoredClip> {
  const contents = [
    { name: 'clip.mp4' as const, bytes: film },
    ...(overlay
      ? [
          {
            name: 'overlay.json' as const,
            bytes: Buffer.from(
              JSON.stringify({ version: 1, clipId, cameraId: 'cam', seats: [], frames: overlay, words: [] }),
            ),
          },
        ]
      : []),
  ];
  const stored = contents.map(({ name, bytes }) => ({ name, sha256: sha(bytes), bytes: bytes.length }));
  for (const { name, bytes } of contents) {
    const path = join(folder, `${clipId}-${name}`);
    writeFileSync(path, bytes);
    await files.keep(path, sha(bytes));
  }
  const clip = {
    ...{ clipId, episodeId: 'e', roomId: 'r', cameraId: 'cam', cause: 'begin' as const },
    ...{ beginWallMs: 0, endWallMs: 3000, durationMs: 3000, files: stored },
  };
  return { clip, files: stored.map((file) => ({ ...file, storedWallMs: 0 })) };
}

function exportsOf(clips: readonly StoredClip[], ffmpeg = 'ffmpeg') {
  const store = {
    clip: async (clipId: string) => clips.find(({ clip }) => clip.clipId === clipId),
    appendLog: async ({ actor, action, object }: LogEntry) => void log.push({ actor, action, object }),
  };
  return createExports({ store, files, clock: stillClock().clock, ffmpeg });
}

/** In place of ffmpeg: says that it has begun, and with what, then does what the script says. */
function scripted(name: string, then: string) {
  const bin = join(folder, name);
  mkdirSync(bin);
  writeFileSync(join(bin, 'ffprobe'), '#!/bin/sh\necho 320,180\n', { mode: 0o755 });
  const begun = join(bin, 'begun');
  const script = `#!/bin/sh\necho "$$ $7" > ${begun}.part\nmv ${begun}.part ${begun}\n${then}\n`;
  writeFileSync(join(bin, 'ffmpeg'), script, { mode: 0o755 });
  const at = async () => {
    await expect.poll(() => existsSync(begun), { timeout: 20_000 }).toBe(true);
    const [pid, source] = readFileSync(begun, 'utf8').trim().split(' ');
    return { pid: Number(pid), made: dirname(source!) };
  };
  return { ffmpeg: join(bin, 'ffmpeg'), at };
}
function lives(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Luminance of the picture at a time. */
const pictureOf = (path: string, seconds: number) =>
  execFileSync('ffmpeg', [
    ...['-nostdin', '-v', 'error', '-ss', String(seconds), '-i', path],
    ...['-frames:v', '1', '-f', 'rawvideo', '-pix_fmt', 'gray', '-'],
  ]);

function detail(picture: Buffer, [x0, y0, x1, y1]: Box): number {
  let [sum, count] = [0, 0];
  for (let y = Math.ceil(y0 * HEIGHT); y < Math.floor(y1 * HEIGHT); y++)
    for (let x = Math.ceil(x0 * WIDTH); x < Math.floor(x1 * WIDTH) - 1; x++) {
      sum += Math.abs(picture[y * WIDTH + x]! - picture[y * WIDTH + x + 1]!);
      count += 1;
    }
  return sum / count;
}
/** The face of whoever is in the box. */
const faceOf = ([x0, y0, x1]: Box): Box => [x0 + 0.04, y0 + 0.02, x1 - 0.04, y0 + 0.15];

describe('an exported clip', () => {
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'evalroom-export-test-'));
    files = localClipFiles(join(folder, 'clips'));
    const path = join(folder, 'film.mp4');
    // Noise: detail everywhere, so that what is missing was taken away.
    execFileSync('ffmpeg', [
      ...[
        '-nostdin',
        '-v',
        'error',
        '-f',
        'lavfi',
        '-i',
        `nullsrc=s=${WIDTH}x${HEIGHT}:r=10,geq=random(1)*255:128:128`,
      ],
      ...['-f', 'lavfi', '-i', 'sine=440', '-t', '3', '-c:v', 'libx264', '-preset', 'ultrafast', '-crf', '12'],
      ...['-pix_fmt', 'yuv420p', '-c:a', 'aac', path],
    ]);
    film = readFileSync(path);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('has no detail where heads are, all of it elsewhere, the sound as it was, and says that it is a copy', async () => {
    const clip = await keep('c1', frames);
    const { path, name, evidenceSha256, remove } = await exportsOf([clip]).blurred(viewer, 'c1', wanted);
    const original = join(folder, 'film.mp4');
    for (const seconds of [0.5, 1.5, 2.5]) {
      const face = faceOf(boxAt(seconds * 1000));
      const [before, after] = [pictureOf(original, seconds), pictureOf(path, seconds)];
      expect(detail(after, face)).toBeLessThan(detail(before, face) / 5);
      const feet: Box = [0.1, 0.85, 0.9, 0.98];
      expect(detail(after, feet)).toBeGreaterThan(detail(before, feet) / 2);
    }
    const probe = JSON.parse(
      execFileSync('ffprobe', ['-v', 'error', '-show_format', '-show_streams', '-of', 'json', path], {
        encoding: 'utf8',
      }),
    ) as { streams: { codec_type: string }[]; format: { duration: string; tags: { comment: string } } };
    expect(probe.streams.map(({ codec_type }) => codec_type).sort()).toEqual(['audio', 'video']);
    expect(Number(probe.format.duration)).toBeCloseTo(3, 0);
    expect(probe.format.tags.comment).toContain(sha(film));
    expect(probe.format.tags.comment).toContain('Not the evidence');
    expect(name).toContain('copy-heads-blurred');
    expect(evidenceSha256).toBe(sha(film));
    // The evidence is what it was.
    await files.verify(sha(film));
    expect(log).toContainEqual({ actor: '李观察', action: 'export_clip', object: 'c1' });
    await remove();
  }, 60_000);

  it('is blurred all over where nobody knows where heads are', async () => {
    const clip = await keep('c2', undefined);
    const { path, remove } = await exportsOf([clip]).blurred(viewer, 'c2', wanted);
    expect(detail(pictureOf(path, 1), [0.05, 0.05, 0.95, 0.95])).toBeLessThan(12);
    await remove();
  }, 60_000);

  it('is refused without a session, for a clip that is not there, and where there is no ffmpeg', async () => {
    const clip = await keep('c3', frames);
    await expect(exportsOf([clip]).blurred(undefined, 'c3', wanted)).rejects.toMatchObject({ code: 'no_session' });
    await expect(exportsOf([clip]).blurred(viewer, 'c9', wanted)).rejects.toMatchObject({ code: 'not_found' });
    const none = exportsOf([clip], join(folder, 'no-ffmpeg'));
    await expect(none.blurred(viewer, 'c3', wanted)).rejects.toMatchObject({ code: 'ffmpeg_missing' });
  });

  it('leaves no film and no ffmpeg behind when the browser leaves while it is made', async () => {
    const clip = await keep('c4', frames);
    const slow = scripted('slow', 'exec sleep 600');
    const exports = exportsOf([clip], slow.ffmpeg);
    const app = Fastify();
    app.decorateRequest('viewer');
    app.addHook('onRequest', async (asked) => {
      asked.viewer = viewer;
    });
    routeExport(app, { exports });
    await app.listen({ port: 0, host: '127.0.0.1' });
    const { port } = app.server.address() as AddressInfo;
    const browser = request({ port, host: '127.0.0.1', method: 'POST', path: '/api/clips/c4/export' });
    browser.on('error', () => undefined).end();
    const { pid, made } = await slow.at();
    expect(existsSync(made)).toBe(true);
    browser.destroy();
    await expect.poll(() => existsSync(made) || lives(pid), { timeout: 20_000 }).toBe(false);
    await app.close();
  }, 60_000);

  it('ends with the cloud: what is being made, and what was made', async () => {
    const clip = await keep('c5', frames);
    const made = exportsOf([clip]);
    const { path } = await made.blurred(viewer, 'c5', wanted);
    await made.close();
    expect(existsSync(dirname(path))).toBe(false);
    const slow = scripted('slower', 'exec sleep 600');
    const exports = exportsOf([clip], slow.ffmpeg);
    const refused = expect(exports.blurred(viewer, 'c5', wanted)).rejects.toMatchObject({ code: 'export_given_up' });
    const { pid, made: begun } = await slow.at();
    await exports.close();
    await refused;
    expect(existsSync(begun) || lives(pid)).toBe(false);
  }, 60_000);

  it('ends with the cloud while the storage gives the evidence no further', async () => {
    const clip = await keep('c7', frames);
    const store = { clip: async () => clip, appendLog: async () => undefined };
    const read = Promise.withResolvers<void>();
    const stalling = {
      verify: files.verify,
      read() {
        read.resolve();
        return new PassThrough();
      },
    };
    const exports = createExports({ store, files: stalling, clock: stillClock().clock });
    const refused = expect(exports.blurred(viewer, 'c7', wanted)).rejects.toMatchObject({ code: 'export_given_up' });
    await read.promise;
    await exports.close();
    await refused;
  }, 60_000);

  it('that ffmpeg could not make says nothing against the evidence', async () => {
    const clip = await keep('c6', frames);
    const failing = scripted('failing', 'echo "No space left on device" >&2; exit 1');
    const refused = exportsOf([clip], failing.ffmpeg).blurred(viewer, 'c6', wanted);
    await expect(refused).rejects.toMatchObject({ kind: 'Unavailable', code: 'export_failed' });
  }, 60_000);

  it.each([
    ['1280,720,1:1', [160, 90]],
    ['1280,720,N/A', [160, 90]],
    ['704,576,12:11', [160, 120]],
    ['960,1080,2:1', [160, 90]],
  ])('takes heads for as high as they are shown: %s', (said, [width, height]) => {
    expect(maskSize(sizesOf(`${said}\n`)!.shown)).toEqual({ width, height });
  });

  it('masks heads of the looks around a moment, and everything where nobody looked', () => {
    const size = maskSize({ width: 1280, height: 720 });
    expect(size).toEqual({ width: 160, height: 90 });
    const at = (mask: Uint8Array, [x0, y0, x1, y1]: Box) =>
      mask[Math.floor(((y0 + y1) / 2) * 90) * 160 + Math.floor(((x0 + x1) / 2) * 160)];
    expect(at(maskAt(frames, 1200, size), faceOf(boxAt(1200)))).toBe(255);
    expect(maskAt(frames, 0, size)[89 * 160 + 159]).toBe(0);
    expect(maskAt(frames, 3000 + AROUND_MS + 1, size).every((value) => value === 255)).toBe(true);
  });
});
