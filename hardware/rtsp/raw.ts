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

/** Buffers that go round, so that the collector has nothing to do for them. */
export interface FramePool {
  take(bytes: number): Uint8Array;
  /** The caller no longer looks at it. */
  give(picture: Uint8Array): void;
}

/** One is filled, one waits, one is looked at; a fourth spares an allocation where these overlap. */
const POOLED = 4;

/** Makes a new buffer when all of that size are out; those of another size than was taken last are let go. */
export function createFramePool(): FramePool {
  let free: Uint8Array[] = [];
  let size = 0;
  return {
    take(bytes) {
      if (bytes !== size) free = [];
      size = bytes;
      return free.pop() ?? new Uint8Array(bytes);
    },
    give(picture) {
      if (picture.length === size && free.length < POOLED) free.push(picture);
    },
  };
}

/** Longest head that is read for one: `P6`, width, height and 255, each on a line or after a space. */
const HEAD_BYTES = 32;
/** Shortest one, so that most of a first head is read at once. */
const SHORTEST_HEAD = 'P6\n1 1\n255\n'.length;
const HEAD = /^P6\s(\d{1,5})\s(\d{1,5})\s255\s$/;

export interface FrameCutter extends PipeSink {
  /** Set when something came that is no picture: nothing more is cut out of this pipe. */
  fault(): string | undefined;
}

/**
 * Receiver of PPM pictures one after another, each with its size before its bytes. `firstFrame` is the number of the
 * first frame, so that numbers go on over restarts.
 */
export function frameCutter(
  pool: FramePool,
  clock: Clock,
  firstFrame: number,
  give: (frame: Frame) => void,
): FrameCutter {
  let frame = firstFrame;
  const head = Buffer.alloc(HEAD_BYTES);
  /** As long as the one before: then it takes one reading. */
  let expected = SHORTEST_HEAD;
  let read = 0;
  let picture: { readonly width: number; readonly height: number; readonly rgb: Uint8Array } | undefined;
  let filled = 0;
  let fault: string | undefined;

  function headRead(): void {
    const size = HEAD.exec(head.toString('latin1', 0, read));
    if (size) {
      const [width, height] = [Number(size[1]), Number(size[2])];
      expected = read;
      read = 0;
      filled = 0;
      picture = { width, height, rgb: pool.take(width * height * 3) };
    } else if (read === HEAD_BYTES) fault = 'ffmpeg sent something that is no picture';
    else expected = read + 1;
  }

  return {
    fault: () => fault,
    room() {
      // Drained all the same: a full pipe would stop the sound too.
      if (fault !== undefined) return head;
      return picture ? picture.rgb.subarray(filled) : head.subarray(read, expected);
    },
    took(bytes) {
      if (fault !== undefined) return;
      if (!picture) {
        read += bytes;
        if (read >= expected) headRead();
        return;
      }
      filled += bytes;
      if (filled < picture.rgb.length) return;
      // The bytes belong to the receiver now, until they come back through the pool.
      give({ ...picture, at: clock.now(), frame: frame++ });
      picture = undefined;
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
