/** Beside replay.ts: the sound of the segments that the ring still holds, decoded while it is asked for. */
import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Unavailable } from '../protocol/errors.ts';
import { SEGMENT_NAME } from './record/ring.ts';

/** Samples a second, as ears want them. */
export const RATE = 16_000;
const BLOCK = RATE / 10;
/** A longer time between two segments is a hole: the ears hear a second of silence there. */
const HOLE_MS = 1000;
/** Segments of about two seconds that are decoded at once. */
const TOGETHER = 300;
/** Sound is whole when no more than this share of its expected length lacks, and less than a segment. */
const SHORT_SHARE = 0.05;
const SHORT_MS = 1000;
/** The names of segments tell their length no better than this. */
const JITTER_MS = 300;

const run = promisify(execFile);

/** A segment of the ring. */
export interface Kept {
  readonly path: string;
  readonly fromWallMs: number;
  readonly toWallMs: number;
}

/** Segments that overlap the span, in order of arrival. */
export function segmentsOf(folder: string, span: { readonly fromWallMs: number; readonly toWallMs: number }): Kept[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .sort()
    .flatMap((name) => {
      const match = SEGMENT_NAME.exec(name);
      if (!match) return [];
      const [fromWallMs, toWallMs] = [Number(match[2]), Number(match[3])];
      const inside = fromWallMs < span.toWallMs && toWallMs > span.fromWallMs;
      return inside ? [{ path: join(folder, name), fromWallMs, toWallMs }] : [];
    });
}

/** The sound of segments as one, with a second of silence for each hole. */
export interface Sound {
  readonly seconds: number;
  /** Decoded while they are asked for: hours of sound do not lie in memory. */
  blocks(): AsyncIterable<Int16Array>;
  /** When a sample was heard. */
  wallMs(sample: number): number;
  /** How much of what was asked for so far could not be decoded, and is silence. */
  lostMs(): number;
}

/** `segments` in order of arrival. */
export function soundOf(segments: readonly Kept[]): Sound {
  const anchors: { readonly sample: number; readonly wallMs: number }[] = [];
  const lengthMs = segments.reduce((sum, one) => sum + lengthOf(one), 0);
  let lostMs = 0;
  return {
    seconds: lengthMs / 1000,
    async *blocks() {
      anchors.length = 0;
      lostMs = 0;
      let position = 0;
      for (const [index, group] of groupsOf(segments).entries()) {
        const { samples, begins, lostMs: lost } = await decoded(group);
        lostMs += lost;
        const silence = index === 0 ? 0 : RATE;
        const all = new Int16Array(silence + samples.length);
        all.set(samples, silence);
        group.forEach(({ fromWallMs }, i) => {
          anchors.push({ sample: position + silence + begins[i]!, wallMs: fromWallMs });
        });
        position += all.length;
        for (let at = 0; at < all.length; at += BLOCK) yield all.slice(at, at + BLOCK);
      }
      // What was said last is settled by the silence after it.
      for (let at = 0; at < RATE; at += BLOCK) yield new Int16Array(BLOCK);
    },
    wallMs(sample) {
      const anchor = anchors.findLast((one) => one.sample <= sample) ?? anchors[0];
      return anchor ? anchor.wallMs + ((sample - anchor.sample) / RATE) * 1000 : 0;
    },
    lostMs: () => lostMs,
  };
}

/** Segments without a hole between them, a few minutes at once: decoded as one, no word is cut where two files meet. */
function groupsOf(segments: readonly Kept[]): Kept[][] {
  const groups: Kept[][] = [];
  for (const segment of segments) {
    const group = groups.at(-1);
    const last = group?.at(-1);
    if (group && last && segment.fromWallMs - last.toWallMs <= HOLE_MS && group.length < TOGETHER) group.push(segment);
    else groups.push([segment]);
  }
  return groups;
}

interface Decoded {
  readonly samples: Int16Array;
  /** Where each file's sound begins in it. */
  readonly begins: readonly number[];
  readonly lostMs: number;
}

const lengthOf = ({ fromWallMs, toWallMs }: Kept) => Math.max(0, toWallMs - fromWallMs);
const samplesIn = (ms: number) => Math.round((ms * RATE) / 1000);

/**
 * The sound of files that follow each other. What cannot be read is silence of its length, and counted: the oldest file
 * may have left the ring meanwhile, one may be broken. Throws Unavailable `ffmpeg_missing`.
 */
async function decoded(group: readonly Kept[]): Promise<Decoded> {
  const lengthMs = group.reduce((sum, one) => sum + lengthOf(one), 0);
  const whole = await samplesOf(group);
  const shortMs = lengthMs - (1000 * whole.length) / RATE;
  // One broken file ends the whole line, and ffmpeg may call that a success.
  if (shortMs <= Math.min(SHORT_MS, Math.max(JITTER_MS, SHORT_SHARE * lengthMs))) {
    let beforeMs = 0;
    const begins = group.map((one) => {
      const begin = Math.round((whole.length * beforeMs) / Math.max(1, lengthMs));
      beforeMs += lengthOf(one);
      return begin;
    });
    return { samples: whole, begins, lostMs: 0 };
  }
  if (group.length === 1) {
    const filled = new Int16Array(samplesIn(lengthMs));
    filled.set(whole);
    return { samples: filled, begins: [0], lostMs: shortMs };
  }
  const parts: Decoded[] = [];
  for (const one of group) parts.push(await decoded([one]));
  const samples = new Int16Array(parts.reduce((sum, part) => sum + part.samples.length, 0));
  let at = 0;
  const begins = parts.map((part) => {
    const begin = at;
    samples.set(part.samples, begin);
    at += part.samples.length;
    return begin;
  });
  return { samples, begins, lostMs: parts.reduce((sum, part) => sum + part.lostMs, 0) };
}

/** What ffmpeg makes of them in one go, nothing where it refuses. */
async function samplesOf(group: readonly Kept[]): Promise<Int16Array> {
  const quoted = (path: string) => `file 'file:${path.replaceAll("'", "'\\''")}'\n`;
  const input = ['-protocol_whitelist', 'file,pipe', '-f', 'concat', '-safe', '0', '-i', 'pipe:0'];
  const args = ['-v', 'error', ...input, '-vn', '-ac', '1', '-ar', String(RATE), '-f', 's16le', 'pipe:1'];
  try {
    const running = run('ffmpeg', args, { encoding: 'buffer', maxBuffer: 2 ** 29 });
    // One that ends before it has read the list tells why by its exit.
    running.child.stdin?.on('error', () => {});
    running.child.stdin?.end(group.map(({ path }) => quoted(path)).join(''));
    const bytes = new Uint8Array((await running).stdout);
    return new Int16Array(bytes.buffer, 0, bytes.length >> 1);
  } catch (error) {
    // An exit code is a refusal of the files; a word is a fault of the machine.
    if (typeof (error as NodeJS.ErrnoException).code === 'string')
      throw new Unavailable('ffmpeg_missing', 'decoding kept sound: ffmpeg could not be run; is it installed?', error);
    return new Int16Array();
  }
}
