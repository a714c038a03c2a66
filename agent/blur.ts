/** Between a frame and its still, where a room asks for it: heads become a few large blocks before the picture leaves the box. */
import type { Picture } from '../models/pose/detector.ts';
import { type Bodied, headBox } from '../protocol/heads.ts';
import type { Box } from '../protocol/seat.ts';
import type { MonoMs } from '../protocol/time.ts';

/** A head becomes so many blocks across, and no block is smaller than this. */
const BLOCKS = 3;
const SMALLEST_PX = 8;
/** Where nothing is known of who is there, the whole picture becomes so many blocks across. */
const WHOLE_BLOCKS = 24;
/** A head that was seen so lately may be there still, though the detector missed it. */
const NEAR_MS = 3000;
/** The larger picture is out of a file that was finished some seconds ago. */
const REMEMBERED_MS = 30_000;
/** So many of its own widths a head may be away at the next look: somebody who walks past, one look a second. */
const REACH = 8;

export interface HeadMemory {
  /** Everybody whom the eyes found in a frame. */
  saw(persons: readonly Bodied[], monoMs: MonoMs, aspect: number): void;
  /** The picture with every head of the last three seconds in blocks; all of it where no frame was looked at in that time. */
  blurred(picture: Picture, monoMs: MonoMs): Picture;
  /** Every head within three seconds of then, and the ways between; undefined where no frame was looked at in that time. */
  near(monoMs: MonoMs): readonly Box[] | undefined;
}

/** One camera's. */
export function createHeadMemory(): HeadMemory {
  let seen: { readonly monoMs: MonoMs; readonly heads: readonly Box[] }[] = [];
  const within = (monoMs: MonoMs) => {
    const found = seen.filter((one) => Math.abs(monoMs - one.monoMs) <= NEAR_MS);
    return found.length === 0 ? undefined : found.map(({ heads }) => heads);
  };
  return {
    saw(persons, monoMs, aspect) {
      seen = seen.filter((one) => Math.abs(monoMs - one.monoMs) <= REMEMBERED_MS);
      seen.push({ monoMs, heads: persons.map((person) => headBox(person, aspect)) });
    },
    blurred(picture, monoMs) {
      const known = within(monoMs)?.flat();
      if (!known) return pixelated(picture, [[0, 0, 1, 1]], Math.ceil(picture.width / WHOLE_BLOCKS));
      return pixelated(picture, known);
    },
    // A picture that was not itself looked at: who walks is somewhere between two looks.
    near: (monoMs) =>
      within(monoMs)?.flatMap((heads, i, looks) => [
        ...heads,
        ...ways(heads, looks[i + 1] ?? []),
        ...ways(heads, looks[i - 1] ?? []),
      ]),
  };
}

/** From each head to the nearest one of the neighbouring look, where that can be the same. */
function ways(from: readonly Box[], to: readonly Box[]): Box[] {
  return from.flatMap((head) => {
    const [nearest] = to
      .map((other) => ({
        other,
        far: Math.hypot(head[0] + head[2] - other[0] - other[2], head[1] + head[3] - other[1] - other[3]) / 2,
      }))
      .sort((a, b) => a.far - b.far);
    if (!nearest || nearest.far > REACH * (head[2] - head[0])) return [];
    const { other } = nearest;
    return [
      [
        Math.min(head[0], other[0]),
        Math.min(head[1], other[1]),
        Math.max(head[2], other[2]),
        Math.max(head[3], other[3]),
      ] as const,
    ];
  });
}

/** A copy whose boxes (fractions) are blocks of their mean colour, `blockPx` wide or a share of each box. */
export function pixelated({ width, height, rgb }: Picture, boxes: readonly Box[], blockPx?: number): Picture {
  const out = Uint8Array.from(rgb);
  for (const [bx0, by0, bx1, by1] of boxes) {
    const [x0, y0] = [Math.max(0, Math.floor(bx0 * width)), Math.max(0, Math.floor(by0 * height))];
    const [x1, y1] = [Math.min(width, Math.ceil(bx1 * width)), Math.min(height, Math.ceil(by1 * height))];
    const block = Math.max(SMALLEST_PX, blockPx ?? Math.ceil((x1 - x0) / BLOCKS));
    for (let y = y0; y < y1; y += block)
      for (let x = x0; x < x1; x += block)
        flatten({ rgb, out, width }, x, y, Math.min(x1, x + block), Math.min(y1, y + block));
  }
  return { width, height, rgb: out };
}

function flatten(
  { rgb, out, width }: { rgb: Uint8Array; out: Uint8Array; width: number },
  x0: number,
  y0: number,
  x1: number,
  y1: number,
): void {
  let [red, green, blue] = [0, 0, 0];
  for (let y = y0; y < y1; y++)
    for (let p = (y * width + x0) * 3, end = (y * width + x1) * 3; p < end; p += 3) {
      red += rgb[p]!;
      green += rgb[p + 1]!;
      blue += rgb[p + 2]!;
    }
  const pixels = Math.max(1, (x1 - x0) * (y1 - y0));
  for (let y = y0; y < y1; y++)
    for (let p = (y * width + x0) * 3, end = (y * width + x1) * 3; p < end; p += 3) {
      out[p] = red / pixels;
      out[p + 1] = green / pixels;
      out[p + 2] = blue / pixels;
    }
}
