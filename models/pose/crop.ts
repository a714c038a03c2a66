/** First step of every model: a rectangle of a picture, resized to the size that the model wants, and the way back. */
import { InvalidInput } from '../../protocol/errors.ts';
import type { Box } from '../../protocol/seat.ts';
import type { Picture } from './detector.ts';

/** Whole picture as a region. */
export const WHOLE: Box = [0, 0, 1, 1];

/** A pose is looked for in a crop this many times the person's box: the model needs room around a body to find it. */
export const CROP_FACTOR = 1.6;

/** Throws InvalidInput when the bytes are not width × height × 3. */
export function checkPicture({ width, height, rgb }: Picture): void {
  const expected = width * height * 3;
  if (!(width > 0 && height > 0) || rgb.length !== expected)
    throw new InvalidInput(
      'picture_size',
      `a picture of ${width} × ${height} needs ${expected} bytes of RGB24, got ${rgb.length}`,
    );
}

/** A letterboxed copy of a region: RGB24 `size` × `size`, content at the top left, the rest filled with `pad`. */
export interface Letterbox {
  readonly size: number;
  readonly rgb: Uint8Array;
  /** Maps pixels of the letterbox to fractions of the whole picture. */
  toPicture(x: number, y: number): [number, number];
}

/** Resizes `region` of the picture (fractions) by bilinear sampling so that it fits into `size` × `size` undistorted. */
export function letterbox(picture: Picture, region: Box, size: number, pad: number): Letterbox {
  const { width, height, rgb } = picture;
  const x0 = clamp(region[0]) * width;
  const y0 = clamp(region[1]) * height;
  const w = Math.max(1, clamp(region[2]) * width - x0);
  const h = Math.max(1, clamp(region[3]) * height - y0);
  const scale = Math.min(size / w, size / h);
  const outWidth = Math.max(1, Math.round(w * scale));
  const outHeight = Math.max(1, Math.round(h * scale));
  const stepX = w / outWidth;
  const stepY = h / outHeight;
  const columns = sampleLine(x0, stepX, outWidth, width);
  const rows = sampleLine(y0, stepY, outHeight, height);
  const out = new Uint8Array(size * size * 3).fill(pad);
  for (let j = 0; j < outHeight; j++) {
    const top = rows.from[j]! * width * 3;
    const bottom = rows.to[j]! * width * 3;
    const b = rows.weight[j]!;
    let p = j * size * 3;
    for (let i = 0; i < outWidth; i++) {
      const left = columns.from[i]! * 3;
      const right = columns.to[i]! * 3;
      const a = columns.weight[i]!;
      for (let c = 0; c < 3; c++, p++) {
        const t = rgb[top + left + c]! * (1 - a) + rgb[top + right + c]! * a;
        const d = rgb[bottom + left + c]! * (1 - a) + rgb[bottom + right + c]! * a;
        out[p] = t * (1 - b) + d * b + 0.5;
      }
    }
  }
  return { size, rgb: out, toPicture: (x, y) => [(x0 + x * stepX) / width, (y0 + y * stepY) / height] };
}

/** For each output pixel the two source pixels it lies between, and how near it is to the second. */
function sampleLine(begin: number, step: number, count: number, limit: number) {
  const from = new Int32Array(count);
  const to = new Int32Array(count);
  const weight = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    const at = Math.max(0, begin + (i + 0.5) * step - 0.5);
    from[i] = Math.min(Math.floor(at), limit - 1);
    to[i] = Math.min(from[i]! + 1, limit - 1);
    weight[i] = at - from[i]!;
  }
  return { from, to, weight };
}

/** A box `factor` times as large around the same centre, clipped to the picture. */
export function enlarge([x0, y0, x1, y1]: Box, factor: number): Box {
  const w = ((x1 - x0) * factor) / 2;
  const h = ((y1 - y0) * factor) / 2;
  const cx = (x0 + x1) / 2;
  const cy = (y0 + y1) / 2;
  return [clamp(cx - w), clamp(cy - h), clamp(cx + w), clamp(cy + h)];
}

/** The pixels of `region`, rounded outwards, as a picture of its own, with the region that it really covers. */
export function cut(picture: Picture, region: Box): { readonly picture: Picture; readonly region: Box } {
  const left = Math.floor(clamp(region[0]) * picture.width);
  const top = Math.floor(clamp(region[1]) * picture.height);
  const right = Math.max(left + 1, Math.ceil(clamp(region[2]) * picture.width));
  const bottom = Math.max(top + 1, Math.ceil(clamp(region[3]) * picture.height));
  const width = right - left;
  const height = bottom - top;
  const rgb = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    const begin = ((top + y) * picture.width + left) * 3;
    rgb.set(picture.rgb.subarray(begin, begin + width * 3), y * width * 3);
  }
  return {
    picture: { width, height, rgb },
    region: [left / picture.width, top / picture.height, right / picture.width, bottom / picture.height],
  };
}

function clamp(x: number): number {
  return Math.min(1, Math.max(0, x));
}
