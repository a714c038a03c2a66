/** A clip for outside eyes: a copy whose heads are blurred, made anew each time and never stored. The evidence itself is not touched. */
import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Overlay, OverlayFrame } from '../../protocol/clip.ts';
import { InvalidInput, Unavailable } from '../../protocol/errors.ts';
import type { Clock } from '../../protocol/time.ts';
import type { Store, StoredClip } from '../store/store.ts';
import { requireViewer, type Viewer } from './access.ts';
import type { ClipFiles } from './clip-files.ts';
import { type MaskSize, maskAt, maskSize, sizesOf } from './export-mask.ts';

export interface Exported {
  /** Says in the name that it is a copy. */
  readonly name: string;
  readonly path: string;
  readonly bytes: number;
  /** SHA-256 of the evidence that it was made from. */
  readonly evidenceSha256: string;
  /** To be called when it has been sent. */
  remove(): Promise<void>;
}

export interface Exports {
  /**
   * Writes the entry in the log, verifies the evidence, and makes the copy: picture in H.264 with heads in blocks, sound
   * as it is. The signal says that nobody wants it any more: ffmpeg ends and nothing stays on the disk. Throws InvalidInput
   * `not_found`, `clip_not_here`; Corrupt `clip_corrupt`; Unavailable `export_busy`, `ffmpeg_missing`, `export_failed`,
   * `export_given_up`.
   */
  blurred(who: Viewer | undefined, clipId: string, signal: AbortSignal): Promise<Exported>;
  /** Ends what is being made, and removes what was made. */
  close(): Promise<void>;
}

/** Encoding takes a core: one at a time, and so many may wait. */
const WAITING_MAX = 3;
const LIMIT_MS = 300_000;
const MASKS_PER_SECOND = 10;
/** The picture becomes so many blocks across where it is blurred: a head is two to four of them. */
const BLOCKS = 32;

export function createExports(parts: {
  readonly store: Pick<Store, 'clip' | 'appendLog'>;
  readonly files: Pick<ClipFiles, 'verify' | 'read'>;
  readonly clock: Clock;
  readonly ffmpeg?: string;
}): Exports {
  const { store, files, clock } = parts;
  const closing = new AbortController();
  const folders = new Set<string>();
  let last: Promise<unknown> = Promise.resolve();
  let waiting = 0;
  return {
    async blurred(who, clipId, wanted) {
      const { user } = requireViewer(who);
      const clip = await store.clip(clipId);
      if (!clip) throw new InvalidInput('not_found', `exporting clip ${clipId}: there is none`);
      const video = fileOf(clip, 'clip.mp4');
      if (!video) throw new InvalidInput('clip_not_here', `exporting clip ${clipId}: it has not arrived yet`);
      if (waiting >= WAITING_MAX)
        throw new Unavailable('export_busy', `exporting clip ${clipId}: ${waiting} others are being made`);
      await store.appendLog({ wallMs: clock.wallMs(), actor: user.name, action: 'export_clip', object: clipId });
      waiting += 1;
      const signal = AbortSignal.any([wanted, closing.signal]);
      const turn = last.then(() => make(clip, video, signal));
      last = turn.catch(() => undefined);
      try {
        return await turn;
      } finally {
        waiting -= 1;
      }
    },
    async close() {
      closing.abort();
      await last;
      for (const folder of folders) await rm(folder, { recursive: true, force: true });
    },
  };

  async function make({ clip, files: stored }: StoredClip, video: StoredFile, signal: AbortSignal): Promise<Exported> {
    const doing = `exporting clip ${clip.clipId}`;
    stillWanted(signal, doing);
    const folder = await mkdtemp(join(tmpdir(), 'evalroom-export-'));
    folders.add(folder);
    const remove = async () => {
      await rm(folder, { recursive: true, force: true });
      folders.delete(folder);
    };
    try {
      for (const { sha256 } of stored) await files.verify(sha256);
      const fetch = async (file: StoredFile) => {
        stillWanted(signal, doing);
        const path = join(folder, file.name);
        // The end of the cloud, or a browser that left, must not wait for a storage that stalls.
        await pipeline(files.read(file.sha256, { start: 0, end: file.bytes - 1 }), createWriteStream(path), { signal });
        return path;
      };
      const source = await fetch(video);
      const drawn = fileOf({ clip, files: stored }, 'overlay.json');
      // Without one nobody knows where heads are, and all of the picture is blurred.
      const frames = drawn ? (JSON.parse(await readFile(await fetch(drawn), 'utf8')) as Overlay).frames : [];
      const path = join(folder, 'copy.mp4');
      await blurCopy(
        { source, path, frames, durationMs: clip.durationMs, evidenceSha256: video.sha256 },
        { ffmpeg: parts.ffmpeg ?? 'ffmpeg', doing, signal },
      );
      stillWanted(signal, doing);
      const { size } = await stat(path);
      const name = `${clip.clipId}-copy-heads-blurred.mp4`;
      return { name, path, bytes: size, evidenceSha256: video.sha256, remove };
    } catch (error) {
      await remove();
      stillWanted(signal, doing);
      throw error;
    }
  }
}

type StoredFile = StoredClip['files'][number];
const fileOf = (clip: StoredClip, name: string) => clip.files.find((file) => file.name === name);

interface Doing {
  readonly ffmpeg: string;
  readonly doing: string;
  readonly signal: AbortSignal;
}

function stillWanted(signal: AbortSignal, doing: string): void {
  if (signal.aborted) throw new Unavailable('export_given_up', `${doing}: nobody waits for it any more`);
}

async function blurCopy(
  job: { source: string; path: string; frames: readonly OverlayFrame[]; durationMs: number; evidenceSha256: string },
  how: Doing,
): Promise<void> {
  const size = await pictureSizes(job.source, how);
  const mask = maskSize(size.shown);
  const { width, height } = size.coded;
  const small = `${BLOCKS}:${Math.max(2, Math.round((BLOCKS * height) / width))}`;
  const filter = [
    '[0:v]split[clear][again]',
    `[again]scale=${small}:flags=area,scale=${width}:${height}:flags=neighbor,format=yuva420p[blocks]`,
    `[1:v]scale=${width}:${height}:flags=neighbor,format=gray[mask]`,
    '[blocks][mask]alphamerge[heads]',
    '[clear][heads]overlay=format=auto:shortest=1[out]',
  ].join(';');
  const note = `Copy with blurred heads. Not the evidence: that is the file with SHA-256 ${job.evidenceSha256}. 头部已模糊的副本，不是证据原件。`;
  const args = [
    ...['-nostdin', '-hide_banner', '-v', 'error', '-y', '-i', job.source],
    ...['-f', 'rawvideo', '-pix_fmt', 'gray', '-s', `${mask.width}x${mask.height}`, '-r', String(MASKS_PER_SECOND)],
    ...['-i', 'pipe:0', '-filter_complex', filter, '-map', '[out]', '-map', '0:a?', '-c:a', 'copy'],
    ...['-c:v', 'libx264', '-preset', 'veryfast', '-crf', '23', '-pix_fmt', 'yuv420p', '-threads', '2'],
    ...['-metadata', `comment=${note}`, '-metadata', 'title=copy, heads blurred', '-movflags', '+faststart', job.path],
  ];
  // Two seconds more than the clip: the last mask must not end before the last picture.
  const count = Math.ceil(((job.durationMs + 2000) / 1000) * MASKS_PER_SECOND);
  await run(how.ffmpeg, args, how, masks(job.frames, count, mask));
}

function* masks(frames: readonly OverlayFrame[], count: number, size: MaskSize): Generator<Uint8Array> {
  for (let i = 0; i < count; i++) yield maskAt(frames, (i * 1000) / MASKS_PER_SECOND, size);
}

async function pictureSizes(source: string, how: Doing) {
  const ffprobe = how.ffmpeg.replace(/ffmpeg$/, 'ffprobe');
  const entries = 'stream=width,height,sample_aspect_ratio';
  const show = ['-v', 'error', '-select_streams', 'v:0', '-show_entries', entries, '-of', 'csv=p=0'];
  const sizes = sizesOf(await run(ffprobe, [...show, source], how));
  if (!sizes) throw new Unavailable('export_failed', `${how.doing}: it holds no picture`);
  return sizes;
}

/** Standard output of a program that is given some bytes, if any. */
async function run(
  program: string,
  args: readonly string[],
  { doing, signal }: Doing,
  input?: Iterable<Uint8Array>,
): Promise<string> {
  stillWanted(signal, doing);
  const child = spawn(program, args, {
    stdio: [input ? 'pipe' : 'ignore', 'pipe', 'pipe'],
    timeout: LIMIT_MS,
    killSignal: 'SIGKILL',
  });
  const end = () => child.kill('SIGKILL');
  signal.addEventListener('abort', end, { once: true });
  let [out, complaint] = ['', ''];
  child.stdout!.on('data', (chunk: Buffer) => {
    out = (out + chunk).slice(0, 4096);
  });
  child.stderr!.on('data', (chunk: Buffer) => {
    complaint = (complaint + chunk).slice(-1000);
  });
  const ended = new Promise<void>((resolve, reject) => {
    child.once('error', (cause) =>
      reject(new Unavailable('ffmpeg_missing', `${doing}: ${program} does not start; install ffmpeg`, cause)),
    );
    child.once('close', (code, killed) => {
      if (code === 0) resolve();
      // The hash of the evidence holds: that ffmpeg could not work (no space, no memory, no time) says nothing against it.
      else
        reject(
          new Unavailable('export_failed', `${doing}: ${program} ended with ${code ?? killed}: ${complaint.trim()}`),
        );
    });
  });
  // Heard of below; until then a program that does not start must not be a rejection that nobody handles.
  ended.catch(() => undefined);
  // It stops reading when it has seen the last picture: what is left of the masks is not wanted.
  if (input && child.stdin) await pipeline(input, child.stdin).catch(() => undefined);
  try {
    await ended;
  } catch (error) {
    stillWanted(signal, doing);
    throw error;
  } finally {
    signal.removeEventListener('abort', end);
  }
  return out;
}
