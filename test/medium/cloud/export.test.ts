/** A clip for outside eyes: made by the real ffmpeg, looked at pixel by pixel; the evidence keeps its hash. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ClipFiles, localClipFiles } from '../../../cloud/review/clip-files.ts';
import { createExports } from '../../../cloud/review/export.ts';
import { AROUND_MS, maskAt, maskSize } from '../../../cloud/review/export-mask.ts';
import type { LogEntry, StoredClip } from '../../../cloud/store/store.ts';
import type { OverlayFrame } from '../../../protocol/clip.ts';
import type { Box } from '../../../protocol/seat.ts';
import { stillClock } from '../../unit/cloud/still-clock.ts';

const [WIDTH, HEIGHT] = [320, 180];
const viewer = { user: { userId: 'u', name: '李观察', role: 'viewer' as const }, sessionId: 's' };
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
    const { path, name, evidenceSha256, remove } = await exportsOf([clip]).blurred(viewer, 'c1');
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
    const { path, remove } = await exportsOf([clip]).blurred(viewer, 'c2');
    expect(detail(pictureOf(path, 1), [0.05, 0.05, 0.95, 0.95])).toBeLessThan(12);
    await remove();
  }, 60_000);

  it('is refused without a session, for a clip that is not there, and where there is no ffmpeg', async () => {
    const clip = await keep('c3', frames);
    await expect(exportsOf([clip]).blurred(undefined, 'c3')).rejects.toMatchObject({ code: 'no_session' });
    await expect(exportsOf([clip]).blurred(viewer, 'c9')).rejects.toMatchObject({ code: 'not_found' });
    const none = exportsOf([clip], join(folder, 'no-ffmpeg'));
    await expect(none.blurred(viewer, 'c3')).rejects.toMatchObject({ code: 'ffmpeg_missing' });
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
