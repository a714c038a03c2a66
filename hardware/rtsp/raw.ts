/** Cuts ffmpeg's raw pipes into frames and blocks: they carry no marks, only a known size. */

import type { Clock } from '../../protocol/time.ts';
import type { Frame, PcmBlock } from '../camera.ts';

/** 0.1 s at 16 kHz. */
export const BLOCK_SAMPLES = 1600;
export const SAMPLE_RATE = 16_000;

/** Where the bytes of a pipe go: into `room()`, as many of it as came, then `took()` is told how many. */
export interface PipeSink {
  room(): Uint8Array;
  took(bytes: number): void;
}

/** Buffers of one size that go round, so that the collector has nothing to do for them. */
export interface FramePool {
  take(): Uint8Array;
  /** The caller no longer looks at it. */
  give(picture: Uint8Array): void;
}

/** One is filled, one waits, one is looked at; a fourth spares an allocation where these overlap. */
const POOLED = 4;

/** A pool of buffers of `size` bytes; makes a new one when all are out. */
export function createFramePool(size: number): FramePool {
  const free: Uint8Array[] = [];
  return {
    take: () => free.pop() ?? new Uint8Array(size),
    give(picture) {
      if (picture.length === size && free.length < POOLED) free.push(picture);
    },
  };
}

/** Receiver of RGB24 bytes; `firstFrame` is the number of the first frame, so that numbers go on over restarts. */
export function frameCutter(
  { width, height, pool }: { readonly width: number; readonly height: number; readonly pool: FramePool },
  clock: Clock,
  firstFrame: number,
  give: (frame: Frame) => void,
): PipeSink {
  const size = width * height * 3;
  let frame = firstFrame;
  let picture = pool.take();
  let filled = 0;
  return {
    room: () => picture.subarray(filled),
    took(bytes) {
      filled += bytes;
      if (filled < size) return;
      give({ width, height, rgb: picture, at: clock.now(), frame: frame++ });
      // The old one belongs to the receiver now, until it comes back through the pool.
      picture = pool.take();
      filled = 0;
    },
  };
}

/** Receiver of s16le bytes, mono, 16 kHz. */
export function blockCutter(clock: Clock, give: (block: PcmBlock) => void) {
  let block = Buffer.alloc(BLOCK_SAMPLES * 2);
  let filled = 0;
  return (chunk: Buffer): void => {
    for (let at = 0; at < chunk.length; ) {
      const part = chunk.copy(block, filled, at);
      filled += part;
      at += part;
      if (filled < block.length) return;
      // s16le is the byte order of every machine this runs on; the buffer is fresh, so its offset is even.
      give({ samples: new Int16Array(block.buffer, block.byteOffset, BLOCK_SAMPLES), at: clock.now() });
      block = Buffer.alloc(BLOCK_SAMPLES * 2);
      filled = 0;
    }
  };
}
