/** Makes the small still of a camera that the room's page shows: one RGB frame in, one JPEG out, without a process of its own. */
import { checkPicture } from '../models/pose/crop.ts';
import type { Picture } from '../models/pose/detector.ts';
import { Unavailable } from '../protocol/errors.ts';
import type { MonoMs } from '../protocol/time.ts';
import { encodeJpeg } from './jpeg.ts';

/** Largest JPEG that is handed on: the page shows many rooms at once. */
export const SNAPSHOT_BYTES = 40_000;
/** Tried in turn until the JPEG is small enough. */
const ATTEMPTS = [
  { side: 640, quality: 70 },
  { side: 640, quality: 40 },
  { side: 640, quality: 15 },
  { side: 320, quality: 15 },
] as const;

/** JPEG of at most 640 pixels on its longest side and 40 kB, in the picture's own shape. InvalidInput `picture_size` for bytes that are no such picture. */
export function encodeSnapshot(picture: Picture): Uint8Array {
  checkPicture(picture);
  let jpeg = new Uint8Array(0);
  for (const { side, quality } of ATTEMPTS) {
    jpeg = Uint8Array.from(encodeJpeg(fitted(picture, side), quality));
    if (jpeg.length < SNAPSHOT_BYTES) return jpeg;
  }
  throw new Unavailable('snapshot_failed', `a snapshot still has ${jpeg.length} bytes at the lowest quality`);
}

/**
 * Tells whether a camera's still is another than the last one. The cloud shows a picture with the time at which it
 * came: one of a camera that stands still, sent again and again, would look like the room of now.
 */
export function createStillNews(): (cameraId: string, atMonoMs: MonoMs) => boolean {
  const given = new Map<string, MonoMs>();
  return (cameraId, atMonoMs) => {
    if (given.get(cameraId) === atMonoMs) return false;
    given.set(cameraId, atMonoMs);
    return true;
  };
}

/** The picture, made smaller where it has a side that is longer; each pixel is the mean of those it stands for. */
function fitted(picture: Picture, longest: number): Picture {
  const scale = Math.min(1, longest / Math.max(picture.width, picture.height));
  if (scale === 1) return picture;
  const width = Math.max(1, Math.round(picture.width * scale));
  const height = Math.max(1, Math.round(picture.height * scale));
  const rgb = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    const [top, bottom] = span(y, height, picture.height);
    for (let x = 0; x < width; x++) {
      const [left, right] = span(x, width, picture.width);
      let [red, green, blue] = [0, 0, 0];
      for (let j = top; j < bottom; j++)
        for (let p = (j * picture.width + left) * 3, end = (j * picture.width + right) * 3; p < end; p += 3) {
          red += picture.rgb[p]!;
          green += picture.rgb[p + 1]!;
          blue += picture.rgb[p + 2]!;
        }
      const pixels = (bottom - top) * (right - left);
      rgb.set([red / pixels, green / pixels, blue / pixels], (y * width + x) * 3);
    }
  }
  return { width, height, rgb };
}

/** Pixels that pixel i of `count` stands for: at least one. */
function span(i: number, count: number, pixels: number): [number, number] {
  const from = Math.floor((i * pixels) / count);
  return [from, Math.max(from + 1, Math.floor(((i + 1) * pixels) / count))];
}
