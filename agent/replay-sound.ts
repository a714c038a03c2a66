/** Beside replay.ts: the sound of the segments that the ring still holds, decoded while it is asked for. */
import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** Samples a second, as ears want them. */
export const RATE = 16_000;
const BLOCK = RATE / 10;
/** As the ring names its files. */
const SEGMENT = /^(\d{12})_(\d{1,16})_(\d{1,16})_[0-9a-f]{8}\.\w{2,4}$/;
/** A longer time between two segments is a hole: the ears hear a second of silence there. */
const HOLE_MS = 1000;
/** Segments of about two seconds that are decoded at once. */
const TOGETHER = 300;
/** Share of the expected length from which on a decoded group is whole. */
const WHOLE = 0.95;

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
      const match = SEGMENT.exec(name);
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
}

/** `segments` in order of arrival. */
export function soundOf(segments: readonly Kept[]): Sound {
  const anchors: { readonly sample: number; readonly wallMs: number }[] = [];
  const lengthMs = segments.reduce((sum, { fromWallMs, toWallMs }) => sum + toWallMs - fromWallMs, 0);
  return {
    seconds: lengthMs / 1000,
    async *blocks() {
      anchors.length = 0;
      let position = 0;
      for (const [index, group] of groupsOf(segments).entries()) {
        const samples = await decoded(group);
        const silence = index === 0 ? 0 : RATE;
        const all = new Int16Array(silence + samples.length);
        all.set(samples, silence);
        anchors.push({ sample: position + silence, wallMs: group[0]!.fromWallMs });
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

/**
 * The sound of files that follow each other. What cannot be read is passed over: the newest one is still being written,
 * the oldest one may have left the ring meanwhile.
 */
async function decoded(group: readonly Kept[]): Promise<Int16Array> {
  const lengthMs = group.reduce((sum, { fromWallMs, toWallMs }) => sum + toWallMs - fromWallMs, 0);
  const quoted = (path: string) => `file 'file:${path.replaceAll("'", "'\\''")}'\n`;
  const input = ['-protocol_whitelist', 'file,pipe', '-f', 'concat', '-safe', '0', '-i', 'pipe:0'];
  const args = ['-v', 'error', ...input, '-vn', '-ac', '1', '-ar', String(RATE), '-f', 's16le', 'pipe:1'];
  try {
    const running = run('ffmpeg', args, { encoding: 'buffer', maxBuffer: 2 ** 29 });
    running.child.stdin?.end(group.map(({ path }) => quoted(path)).join(''));
    const { stdout } = await running;
    const bytes = new Uint8Array(stdout);
    const samples = new Int16Array(bytes.buffer, 0, bytes.length >> 1);
    // One broken file ends the whole line, and ffmpeg may call that a success.
    if (group.length === 1 || samples.length / RATE > (lengthMs / 1000) * WHOLE) return samples;
  } catch {
    if (group.length === 1) return new Int16Array();
  }
  const parts: Int16Array[] = [];
  for (const one of group) parts.push(await decoded([one]));
  const all = new Int16Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
