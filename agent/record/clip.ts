/** From segments to a clip: joined without re-encoding, hashed, on disk for good before anyone is told of it. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { ClipFile, ClipManifest, Overlay } from '../../protocol/clip.ts';
import { Corrupt, Full, Unavailable } from '../../protocol/errors.ts';
import type { WallMs } from '../../protocol/time.ts';
import { type ClipRequest, MAX_CLIP_MS } from './plan.ts';
import type { RingSegment } from './ring.ts';

/** A span of the request without pictures. */
export interface Missing {
  readonly fromWallMs: WallMs;
  readonly toWallMs: WallMs;
  readonly reason: string;
}

/** Segments of a clip with their places in it. */
export interface Timeline {
  readonly segments: readonly RingSegment[];
  /** Begin of each segment in the clip, ms. */
  readonly placesMs: readonly number[];
  readonly lengthMs: number;
  readonly missing: readonly Missing[];
}

/** Shorter holes are the jitter of segment times. */
export const HOLE_MS = 1000;
/** Why a span is missing that no segment covers. */
export const NOTHING_RECORDED = 'nothing was recorded';
const FFMPEG_MS = 20_000;

/**
 * Lays segments out in the order they came. Wall time is kept: over a hole the last picture stands still; where the
 * clock stepped back, or a hole is longer than a clip may be, the next segment follows at once.
 */
export function timeline(
  request: Pick<ClipRequest, 'fromWallMs' | 'toWallMs'>,
  found: readonly RingSegment[],
): Timeline {
  const { fromWallMs, toWallMs } = request;
  const segments: RingSegment[] = [];
  const placesMs: number[] = [];
  const missing: Missing[] = [];
  let lengthMs = 0;
  for (const segment of found) {
    const previous = segments.at(-1);
    const holeMs = previous ? segment.beginWallMs - previous.endWallMs : 0;
    const kept = holeMs > 0 && lengthMs + holeMs < MAX_CLIP_MS ? holeMs : 0;
    const ownMs = Math.max(0, segment.endWallMs - segment.beginWallMs);
    if (segments.length > 0 && lengthMs + kept + ownMs > MAX_CLIP_MS) break;
    if (previous && holeMs > HOLE_MS)
      missing.push({ fromWallMs: previous.endWallMs, toWallMs: segment.beginWallMs, reason: NOTHING_RECORDED });
    placesMs.push(lengthMs + kept);
    segments.push(segment);
    lengthMs += kept + ownMs;
  }
  const [first, last] = [segments[0], segments.at(-1)];
  if (!first || !last)
    return { segments, placesMs, lengthMs, missing: [{ fromWallMs, toWallMs, reason: NOTHING_RECORDED }] };
  if (first.beginWallMs - fromWallMs > HOLE_MS)
    missing.unshift({ fromWallMs, toWallMs: first.beginWallMs, reason: NOTHING_RECORDED });
  if (toWallMs - last.endWallMs > HOLE_MS)
    missing.push({ fromWallMs: last.endWallMs, toWallMs, reason: NOTHING_RECORDED });
  return { segments, placesMs, lengthMs, missing };
}

/** Time in the clip of a wall time; undefined where the clip has no picture of it. */
export function placeIn({ segments, placesMs }: Timeline, wallMs: WallMs): number | undefined {
  const index = segments.findIndex((segment) => wallMs >= segment.beginWallMs && wallMs < segment.endWallMs);
  return index < 0 ? undefined : placesMs[index]! + wallMs - segments[index]!.beginWallMs;
}

/**
 * Leaves out what is not as it was recorded, and what another format follows or precedes: the larger part stays, since
 * one file can hold one format only. Says what was left out.
 */
export async function usable(found: readonly RingSegment[]): Promise<{ segments: RingSegment[]; missing: Missing[] }> {
  const missing: Missing[] = [];
  const leave = ({ beginWallMs, endWallMs }: RingSegment, reason: string) =>
    void missing.push({ fromWallMs: beginWallMs, toWallMs: endWallMs, reason });
  const groups = new Map<string, RingSegment[]>();
  for (const segment of found) {
    const content = await readFile(segment.path).catch(() => undefined);
    const format = content && crc32(content) === segment.crc ? formatOf(content) : undefined;
    if (format === undefined) leave(segment, content ? 'the recorded file is damaged' : 'the recorded file is gone');
    else groups.set(format, [...(groups.get(format) ?? []), segment]);
  }
  const [largest, ...others] = [...groups.values()].sort((a, b) => b.length - a.length);
  for (const segment of others.flat()) leave(segment, 'the picture format changed within the clip');
  return { segments: largest ?? [], missing };
}

/** The decoder's configuration inside an mp4 file as a word to compare; undefined when the file has no whole index. */
function formatOf(content: Buffer): string | undefined {
  let moov: Buffer | undefined;
  let at = 0;
  while (at + 8 <= content.length) {
    const declared = content.readUInt32BE(at);
    const size = declared === 1 && at + 16 <= content.length ? Number(content.readBigUInt64BE(at + 8)) : declared;
    if (size < 8 || at + size > content.length) return undefined;
    if (content.toString('latin1', at + 4, at + 8) === 'moov') moov = content.subarray(at, at + size);
    at += size;
  }
  if (!moov) return undefined;
  for (const box of ['avcC', 'hvcC', 'av1C']) {
    const found = moov.indexOf(box, 0, 'latin1');
    if (found >= 4) return `${box}-${crc32(moov.subarray(found, found - 4 + moov.readUInt32BE(found - 4)))}`;
  }
  return 'other';
}

export interface CutParts {
  readonly request: ClipRequest;
  readonly roomId: string;
  readonly line: Timeline;
  readonly overlay: Overlay;
  /** Folder of all clips; the clip's own is made in it, whole or not at all. */
  readonly folder: string;
  readonly ffmpeg?: string;
}

/** Cuts, checks and syncs a clip. Throws Corrupt when the result cannot be played, Full or Unavailable for the disk. */
export async function cutClip({
  request,
  roomId,
  line,
  overlay,
  folder,
  ffmpeg = 'ffmpeg',
}: CutParts): Promise<ClipManifest> {
  const { clipId, episodeId, cameraId, cause } = request;
  const making = join(folder, `.making-${clipId}`);
  const first = line.segments[0]!;
  try {
    await rm(making, { recursive: true, force: true });
    await mkdir(making, { recursive: true });
    const list = join(making, 'list.txt');
    const mp4 = join(making, 'clip.mp4');
    await writeFile(list, concatList(line));
    const input = ['-f', 'concat', '-safe', '0', '-i', list, '-map', '0:v:0', '-map', '0:a:0?', '-c', 'copy'];
    const output = ['-movflags', '+faststart', '-avoid_negative_ts', 'make_zero', '-y', mp4];
    await run(ffmpeg, ['-nostdin', '-hide_banner', '-v', 'error', ...input, ...output], `Cutting clip ${clipId}`);
    const durationMs = await playableMs(mp4, ffmpeg, clipId);
    if (durationMs < Math.min(500, line.lengthMs / 2))
      throw new Corrupt('clip_unplayable', `Cutting clip ${clipId}: ${durationMs} ms came of ${line.lengthMs} ms`);
    await rm(list);
    await writeFile(join(making, 'overlay.json'), JSON.stringify(overlay));
    const manifest: ClipManifest = {
      clipId,
      episodeId,
      roomId,
      cameraId,
      cause,
      beginWallMs: first.beginWallMs,
      endWallMs: first.beginWallMs + durationMs,
      durationMs,
      files: [await described(making, 'clip.mp4'), await described(making, 'overlay.json')],
    };
    // Beside the files: a clip whose row was lost can be taken up again.
    await writeFile(join(making, 'manifest.json'), JSON.stringify(manifest));
    for (const name of ['clip.mp4', 'overlay.json', 'manifest.json', '.']) await sync(join(making, name));
    await rename(making, join(folder, clipId));
    await sync(folder);
    return manifest;
  } catch (error) {
    await rm(making, { recursive: true, force: true }).catch(() => {});
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC')
      throw new Full('disk_full', `Cutting clip ${clipId}: the disk is full`, error);
    throw error;
  }
}

function concatList({ segments, placesMs, lengthMs }: Timeline): string {
  const lines = ['ffconcat version 1.0'];
  for (const [index, segment] of segments.entries()) {
    // The stated duration puts the next segment where wall time has it; the sound of a file is a little longer than
    // its picture and would add up otherwise.
    const seconds = ((placesMs[index + 1] ?? lengthMs) - placesMs[index]!) / 1000;
    lines.push(`file '${segment.path.replaceAll("'", "'\\''")}'`, `duration ${seconds.toFixed(3)}`);
  }
  return `${lines.join('\n')}\n`;
}

/** Duration of the picture as a player sees it, read back from the file. */
async function playableMs(path: string, ffmpeg: string, clipId: string): Promise<number> {
  const ffprobe = join(dirname(ffmpeg), 'ffprobe');
  const args = ['-v', 'error', '-select_streams', 'v:0', '-show_entries', 'stream=duration', '-of', 'csv=p=0', path];
  const text = await run(dirname(ffmpeg) === '.' ? 'ffprobe' : ffprobe, args, `Checking clip ${clipId}`);
  return Math.round(Number.parseFloat(text) * 1000) || 0;
}

/** sha256 and size of a file of a clip. */
export async function described(folder: string, name: ClipFile['name']): Promise<ClipFile> {
  const path = join(folder, name);
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return { name, sha256: hash.digest('hex'), bytes: (await stat(path)).size };
}

async function sync(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function run(program: string, args: readonly string[], doing: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: FFMPEG_MS,
      killSignal: 'SIGKILL',
    });
    let out = '';
    let complaint = '';
    child.stdout.on('data', (chunk: Buffer) => {
      out = (out + chunk).slice(0, 4096);
    });
    child.stderr.on('data', (chunk: Buffer) => {
      complaint = (complaint + chunk).slice(-1000);
    });
    child.once('error', (error) =>
      reject(new Unavailable('ffmpeg_missing', `${doing}: ${program} does not start; install ffmpeg`, error)),
    );
    child.once('close', (code, signal) => {
      if (code === 0) resolve(out);
      else if (/No space left/.test(complaint)) reject(new Full('disk_full', `${doing}: the disk is full`));
      else
        reject(
          new Corrupt('clip_unplayable', `${doing}: ${program} ended with ${code ?? signal}: ${complaint.trim()}`),
        );
    });
  });
}
