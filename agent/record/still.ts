/** From the newest segment of a camera to one large JPEG of its main stream, heads in blocks where that is asked for: one short ffmpeg, nothing on the disk. */
import { spawn } from 'node:child_process';
import { Full, Unavailable } from '../../protocol/errors.ts';
import type { Box } from '../../protocol/seat.ts';
import type { WallMs } from '../../protocol/time.ts';
import type { RingSegment } from './ring.ts';

export interface Still {
  readonly jpeg: Uint8Array;
  readonly shownWallMs: WallMs;
}

export interface StillParts {
  readonly segment: Pick<RingSegment, 'path' | 'cameraId' | 'beginWallMs' | 'endWallMs'>;
  /** Longest side in pixels, and bytes that the JPEG must stay under. */
  readonly side: number;
  readonly bytes: number;
  /** Heads at that time, as fractions of the picture; undefined: shown as it is. All of it: `[[0, 0, 1, 1]]`. */
  readonly hidden?: (shownWallMs: WallMs) => readonly Box[];
  readonly signal: AbortSignal;
  readonly ffmpeg?: string;
  /** For all attempts together; nine seconds where absent: the desk waits twelve. */
  readonly limitMs?: number;
}

/** So far before its end a segment still has a picture, at five pictures a second and with sound that goes on a little longer. */
const TAIL_MS = 600;
const LIMIT_MS = 9000;
/** Tried in turn until the JPEG is small enough: share of the side, and ffmpeg's scale of quality (2 is best). */
const ATTEMPTS = [
  [1, 3],
  [1, 6],
  [1, 11],
  [0.75, 11],
  [0.5, 20],
] as const;
/** The mask of what is hidden, and how many blocks across the picture becomes there: a head is two or three of them. */
const MASK = { width: 480, height: 270 } as const;
const BLOCKS = 24;

/** Near its end where there is a picture, else its first one. Throws Unavailable `picture_unmade`, `ffmpeg_missing`; Full `picture_large`. */
export async function grabStill({ limitMs = LIMIT_MS, ...asked }: StillParts): Promise<Still> {
  // Ten attempts of a slow machine must not add up: who asked has gone by then.
  const parts = { ...asked, signal: AbortSignal.any([asked.signal, AbortSignal.timeout(limitMs)]) };
  const { segment } = parts;
  const lateWallMs = Math.max(segment.beginWallMs, segment.endWallMs - TAIL_MS);
  const late = await fitting(parts, ['-sseof', String(-TAIL_MS / 1000)], lateWallMs);
  const jpeg = late ?? (await fitting(parts, [], segment.beginWallMs));
  if (!jpeg)
    throw new Unavailable('picture_unmade', `taking a picture of ${segment.cameraId}: its newest segment shows none`);
  return { jpeg, shownWallMs: late ? lateWallMs : segment.beginWallMs };
}

async function fitting(parts: StillParts, from: readonly string[], shownWallMs: WallMs) {
  const mask = parts.hidden && maskOf(parts.hidden(shownWallMs));
  // Bytes go down with the surface and at most with the scale of quality: what cannot fit by that is not tried.
  let perShare = 0;
  for (const [share, quality] of ATTEMPTS) {
    if ((perShare * share ** 2) / quality > parts.bytes) continue;
    const jpeg = await take(parts, { from, mask, side: Math.round(parts.side * share), quality });
    if (jpeg.length === 0) return undefined;
    if (jpeg.length <= parts.bytes) return jpeg;
    perShare = (jpeg.length * quality) / share ** 2;
  }
  throw new Full(
    'picture_large',
    `taking a picture of ${parts.segment.cameraId}: too many bytes at the lowest quality`,
  );
}

interface Taking {
  readonly from: readonly string[];
  readonly mask: Uint8Array | undefined;
  readonly side: number;
  readonly quality: number;
}

function take({ segment, signal, ffmpeg = 'ffmpeg' }: StillParts, { from, mask, side, quality }: Taking) {
  const doing = `taking a picture of ${segment.cameraId}`;
  const fitted = `scale=w='trunc(iw*max(1,sar)/2)*2':h='trunc(ih/min(1,sar)/2)*2',setsar=1,scale=w='min(${side},iw)':h='min(${side},ih)':force_original_aspect_ratio=decrease:force_divisible_by=2`;
  const hidden = [
    `[0:v:0]${fitted},format=yuva444p,split=3[clear][again][size]`,
    // Both at once take the size of the picture, which only it knows.
    `[again]scale=${BLOCKS}:-1:flags=area[few]`,
    '[few][size]scale2ref=w=iw:h=ih:flags=neighbor[blocks][size1]',
    '[1:v][size1]scale2ref=w=iw:h=ih:flags=neighbor[mask0][size2]',
    '[mask0]format=gray[mask]',
    '[size2]nullsink',
    '[blocks][mask]alphamerge[heads]',
    '[clear][heads]overlay=format=auto,format=yuvj420p[out]',
  ].join(';');
  const args = [
    ...['-hide_banner', '-v', 'error', '-threads', '1', ...from, '-i', segment.path],
    ...(mask ? ['-f', 'rawvideo', '-pix_fmt', 'gray', '-s', `${MASK.width}x${MASK.height}`, '-i', 'pipe:0'] : []),
    ...['-filter_complex', mask ? hidden : `[0:v:0]${fitted},format=yuvj420p[out]`, '-map', '[out]'],
    ...['-frames:v', '1', '-c:v', 'mjpeg', '-q:v', String(quality), '-f', 'image2pipe', 'pipe:1'],
  ];
  return new Promise<Buffer>((resolve, reject) => {
    const child = spawn(ffmpeg, args, { stdio: ['pipe', 'pipe', 'pipe'], killSignal: 'SIGKILL', signal });
    const chunks: Buffer[] = [];
    let complaint = '';
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => {
      complaint = (complaint + chunk).slice(-1000);
    });
    // It may end before it has read the mask; why is said by how it ends.
    child.stdin.on('error', () => undefined);
    child.stdin.end(mask ?? '');
    child.once('error', (cause) =>
      reject(
        signal.aborted
          ? new Unavailable('picture_unmade', `${doing}: not done in time; the machine has too much to do`, cause)
          : new Unavailable('ffmpeg_missing', `${doing}: ${ffmpeg} does not start; install ffmpeg`, cause),
      ),
    );
    child.once('close', (code, killed) => {
      if (code === 0) resolve(Buffer.concat(chunks));
      else
        reject(new Unavailable('picture_unmade', `${doing}: ffmpeg ended with ${code ?? killed}: ${complaint.trim()}`));
    });
  });
}

function maskOf(boxes: readonly Box[]): Uint8Array {
  const { width, height } = MASK;
  const mask = new Uint8Array(width * height);
  for (const [x0, y0, x1, y1] of boxes) {
    const [left, right] = [Math.max(0, Math.floor(x0 * width)), Math.min(width, Math.ceil(x1 * width))];
    const bottom = Math.min(height, Math.ceil(y1 * height));
    for (let y = Math.max(0, Math.floor(y0 * height)); y < bottom; y++)
      mask.fill(255, y * width + left, Math.max(y * width + left, y * width + right));
  }
  return mask;
}
