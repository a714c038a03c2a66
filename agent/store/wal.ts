/** Beside the outbox: looks into a write-ahead log before SQLite does, which ends it silently at the first bad frame. */
import { readFileSync } from 'node:fs';

const HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;
const MAGIC = 0x377f0682;

type Sum = readonly [number, number];

/**
 * Number of frames at and behind the first bad one, where a whole committed transaction follows it: then the bad one is
 * no torn end of a power cut but damage, and what was accepted behind it is gone. 0 when the log is whole or absent.
 * The format is SQLite's documented one: sums run on from frame to frame, and each frame carries its own.
 */
export function framesLost(walPath: string): number {
  let wal: Buffer;
  try {
    wal = readFileSync(walPath);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0;
    throw error;
  }
  if (wal.length < HEADER_BYTES || (wal.readUInt32BE(0) & ~1) >>> 0 !== MAGIC) return 0;
  const big = (wal.readUInt32BE(0) & 1) === 1;
  const frameBytes = FRAME_HEADER_BYTES + wal.readUInt32BE(8);
  const salts = wal.subarray(16, 24);
  let sum: Sum = [wal.readUInt32BE(24), wal.readUInt32BE(28)];
  let firstBad: number | undefined;
  let lost = 0;
  for (let at = HEADER_BYTES, frame = 0; at + frameBytes <= wal.length; at += frameBytes, frame++) {
    // Frames of an earlier round of the log: the end.
    if (!wal.subarray(at + 8, at + 16).equals(salts)) break;
    const stored: Sum = [wal.readUInt32BE(at + 16), wal.readUInt32BE(at + 20)];
    const head = add(sum, wal.subarray(at, at + 8), big);
    const found = add(head, wal.subarray(at + FRAME_HEADER_BYTES, at + frameBytes), big);
    const whole = found[0] === stored[0] && found[1] === stored[1];
    if (!whole) firstBad ??= frame;
    const commits = wal.readUInt32BE(at + 4) !== 0;
    if (whole && commits && firstBad !== undefined) lost = frame - firstBad + 1;
    sum = stored;
  }
  return lost;
}

function add([first, second]: Sum, bytes: Buffer, big: boolean): Sum {
  let [a, b] = [first, second];
  for (let at = 0; at + 8 <= bytes.length; at += 8) {
    a = (a + b + (big ? bytes.readUInt32BE(at) : bytes.readUInt32LE(at))) >>> 0;
    b = (b + a + (big ? bytes.readUInt32BE(at + 4) : bytes.readUInt32LE(at + 4))) >>> 0;
  }
  return [a, b];
}
