/** Cuts ffmpeg's raw pipes into frames and blocks: they carry no marks, only a known size. */

import type { Clock } from '../../protocol/time.ts';
import type { Frame, PcmBlock } from '../camera.ts';

/** 0.1 s at 16 kHz. */
export const BLOCK_SAMPLES = 1600;
export const SAMPLE_RATE = 16_000;

/** Receiver of RGB24 bytes; `firstFrame` is the number of the first frame, so that numbers go on over restarts. */
export function frameCutter(
  width: number,
  height: number,
  clock: Clock,
  firstFrame: number,
  give: (frame: Frame) => void,
) {
  const size = width * height * 3;
  let frame = firstFrame;
  let picture = new Uint8Array(size);
  let filled = 0;
  return (chunk: Buffer): void => {
    for (let at = 0; at < chunk.length; ) {
      const part = chunk.subarray(at, at + size - filled);
      picture.set(part, filled);
      filled += part.length;
      at += part.length;
      if (filled < size) return;
      give({ width, height, rgb: picture, at: clock.now(), frame: frame++ });
      // A new buffer for each frame: the old one belongs to the receiver now.
      picture = new Uint8Array(size);
      filled = 0;
    }
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
