/** Inside export.ts: which part of a clip's picture shows a head at a time, as the grey picture that ffmpeg blurs by. Pure. */
import type { OverlayFrame } from '../../protocol/clip.ts';
import { headBox } from '../../protocol/heads.ts';

export interface MaskSize {
  readonly width: number;
  readonly height: number;
}

/** Cells across: fine enough for a head, coarse enough to be written twenty times a second. */
const CELLS = 160;
/** Heads of frames up to so far away count: between two looks people move, and a look may miss somebody. */
export const AROUND_MS = 1500;
/** Room around a head, in cells: the encoder's blocks must not carry an edge of it over. */
const MARGIN = 1;

/**
 * What ffprobe says of a picture (`width,height,sample_aspect_ratio`) as its size in pixels, and as it is shown where
 * pixels are no squares: a head is as high as it is shown. Undefined where it says nothing of the kind.
 */
export function sizesOf(csv: string): { readonly coded: MaskSize; readonly shown: MaskSize } | undefined {
  const [width, height, pixel = ''] = csv.trim().split(',');
  const coded = { width: Number(width), height: Number(height) };
  if (!(coded.width > 0 && coded.height > 0)) return undefined;
  const [wide, high] = pixel.split(':').map(Number);
  const shape = wide && high ? wide / high : 1;
  return { coded, shown: { width: coded.width * shape, height: coded.height } };
}

/** Size of the mask for a picture; even numbers, as codecs want. */
export function maskSize({ width, height }: MaskSize): MaskSize {
  return { width: CELLS, height: Math.max(2, Math.round((CELLS * height) / width / 2) * 2) };
}

/**
 * 255 where a head is or was shortly before or after `tMs`, else 0. Where nobody looked around that time, everything
 * is 255: what is not known is not shown. `frames` rise in `tMs`.
 */
export function maskAt(frames: readonly OverlayFrame[], tMs: number, { width, height }: MaskSize): Uint8Array {
  const mask = new Uint8Array(width * height);
  const near = frames.filter((frame) => Math.abs(frame.tMs - tMs) <= AROUND_MS);
  if (near.length === 0) return mask.fill(255);
  for (const { persons } of near)
    for (const person of persons) {
      const [x0, y0, x1, y1] = headBox(person, width / height);
      const [left, right] = [Math.floor(x0 * width) - MARGIN, Math.ceil(x1 * width) + MARGIN];
      const [top, bottom] = [Math.floor(y0 * height) - MARGIN, Math.ceil(y1 * height) + MARGIN];
      for (let y = Math.max(0, top); y < Math.min(height, bottom); y++)
        mask.fill(255, y * width + Math.max(0, left), y * width + Math.min(width, right));
    }
  return mask;
}
