/** What a picture itself is like, measured without any model: light, edges, shift of the camera, change, and the look of each seat. */
import { crc32 } from 'node:zlib';
import type { PictureState, SeatPatch } from '../protocol/observation.ts';
import { bounds, type Point, type Polygon } from '../protocol/seat.ts';
import { type Motion, motionBetween } from './motion.ts';
import type { Picture } from './pose/detector.ts';
import { compare, gradient, type Reference, referenceOf } from './shift.ts';

/** A small grey picture: luminance 0..255, row-major. */
export interface Luma {
  readonly width: number;
  readonly height: number;
  readonly values: Float32Array;
}

/** Size at which everything but the seats is measured. */
const SMALL = { width: 160, height: 90 } as const;
const GRID = 6;

/** Mean luminance (Rec. 601) of each cell of a small grid over the picture. */
export function luminance({ width, height, rgb }: Picture, size = SMALL): Luma {
  const values = new Float32Array(size.width * size.height);
  const columns = edges(width, size.width);
  const rows = edges(height, size.height);
  for (let j = 0; j < size.height; j++) {
    for (let i = 0; i < size.width; i++) {
      let sum = 0;
      for (let y = rows[j]!; y < rows[j + 1]!; y++)
        for (let p = (y * width + columns[i]!) * 3, end = (y * width + columns[i + 1]!) * 3; p < end; p += 3)
          sum += 299 * rgb[p]! + 587 * rgb[p + 1]! + 114 * rgb[p + 2]!;
      const pixels = (rows[j + 1]! - rows[j]!) * (columns[i + 1]! - columns[i]!);
      values[j * size.width + i] = sum / (1000 * Math.max(1, pixels));
    }
  }
  return { ...size, values };
}

/** Where cell i of `cells` begins among `pixels`; a cell is never empty as long as there are pixels enough. */
function edges(pixels: number, cells: number): Int32Array {
  return Int32Array.from({ length: cells + 1 }, (_, i) => Math.floor((i * pixels) / cells));
}

/** Mean of the values, 0..255. */
export function brightness({ values }: Luma): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return sum / values.length;
}

/** Mean absolute gradient 0..255: the mean of the steps to the right and below. */
export function edgeEnergy(luma: Luma): number {
  return energyOf(gradient(luma));
}

/** The same of edges that are measured already; `counted` has 1 for each cell that counts. */
function energyOf({ values }: Luma, counted?: Uint8Array): number {
  let [sum, cells] = [0, 0];
  for (let i = 0; i < values.length; i++) {
    if (counted?.[i] === 0) continue;
    sum += values[i]!;
    cells += 1;
  }
  return cells === 0 ? 0 : sum / cells / 2;
}

/** Mean absolute difference of two pictures of one size, 0..255. */
export function difference(a: Luma, b: Luma): number {
  let sum = 0;
  for (let i = 0; i < a.values.length; i++) sum += Math.abs(a.values[i]! - b.values[i]!);
  return sum / a.values.length;
}

/** Mean RGB of 6 × 6 cells over the bounds of `zone`, row-major, 108 values 0..255 with one decimal. */
export function seatGrid({ width, height, rgb }: Picture, zone: Polygon): number[] {
  const [bx0, by0, bx1, by1] = bounds(zone);
  const left = Math.min(width - 1, Math.max(0, Math.floor(bx0 * width)));
  const top = Math.min(height - 1, Math.max(0, Math.floor(by0 * height)));
  const right = Math.min(width, Math.max(left + 1, Math.ceil(bx1 * width)));
  const bottom = Math.min(height, Math.max(top + 1, Math.ceil(by1 * height)));
  const grid: number[] = [];
  for (let j = 0; j < GRID; j++)
    for (let i = 0; i < GRID; i++) {
      const [x0, x1] = span(left, right, i);
      const [y0, y1] = span(top, bottom, j);
      let [red, green, blue] = [0, 0, 0];
      for (let y = y0; y < y1; y++)
        for (let p = (y * width + x0) * 3, end = (y * width + x1) * 3; p < end; p += 3) {
          red += rgb[p]!;
          green += rgb[p + 1]!;
          blue += rgb[p + 2]!;
        }
      const pixels = (x1 - x0) * (y1 - y0);
      const mean = (sum: number) => Math.round((10 * sum) / pixels) / 10;
      grid.push(mean(red), mean(green), mean(blue));
    }
  return grid;
}

/** Pixels of cell i of six between two borders: at least one, even where the zone is smaller than the grid. */
function span(begin: number, end: number, i: number): [number, number] {
  const from = Math.min(end - 1, begin + Math.floor((i * (end - begin)) / GRID));
  return [from, Math.max(from + 1, begin + Math.floor(((i + 1) * (end - begin)) / GRID))];
}

export interface PictureWatchOptions {
  readonly seats: readonly { readonly seatId: string; readonly zone: Polygon }[];
}

/** What one picture of a camera was like, and its seats. */
export interface PictureReading {
  readonly picture: PictureState;
  readonly patches: readonly SeatPatch[];
  /** Where it differs from the picture before it. */
  readonly motion: Motion;
}

/** Measures the pictures of one camera one after another. */
export interface PictureWatch {
  /** `change` of the first picture, which has no predecessor, is 255. */
  look(picture: Picture): PictureReading;
  /** The picture against which shifts are measured, once one was good enough. */
  reference(): Luma | undefined;
  /** Takes a stored reference, or with undefined the next good picture: after the camera was set up anew. */
  setReference(reference: Luma | undefined): void;
}

/** A picture with less light or fewer edges cannot be a reference: the lens is covered, or it is night. */
const REFERENCE = { brightness: 15, edgeEnergy: 1.5 } as const;

/**
 * A small shift that lasts is followed: the camera was nudged, and the zones are moved along. Up to this share of the
 * picture, believed from this correlation on, after so many pictures that all say so.
 */
const NUDGE = { most: 0.035, confidence: 0.4, pictures: 6 } as const;
/** One cell of the small picture, and some. */
const SAME_PLACE = 0.012;

/** A watch without a reference: the first good picture becomes it. */
export function createPictureWatch({ seats }: PictureWatchOptions): PictureWatch {
  let reference: Reference | undefined;
  let last: { readonly luma: Luma; readonly crc: number } | undefined;
  let place = createPlace();
  return {
    look(picture) {
      const luma = luminance(picture);
      const edges = gradient(luma);
      const crc = crc32(picture.rgb);
      const light = brightness(luma);
      if (!reference && light >= REFERENCE.brightness && energyOf(edges) >= REFERENCE.edgeEnergy)
        reference = referenceOf(luma);
      const compared = reference && compare(reference, edges);
      const offset = compared && place.follow(compared.shift);
      const state: PictureState = {
        brightness: light,
        edgeEnergy: energyOf(edges, compared?.counted),
        shift: compared?.shift ?? { dx: 0, dy: 0, confidence: 0 },
        ...(offset ? { offset } : {}),
        change: last ? changeSince(last, luma, crc) : 255,
      };
      const motion = motionBetween(last?.luma, luma);
      last = { luma, crc };
      const patches = seats.map(({ seatId, zone }) => ({ seatId, grid: seatGrid(picture, movedBy(zone, offset)) }));
      return { picture: state, patches, motion };
    },
    reference: () => reference?.luma,
    setReference(given) {
      reference = given && referenceOf(given);
      place = createPlace();
    },
  };
}

/** Where the camera looks now: follows shifts that are small and last, and forgets them when the picture is back. */
function createPlace() {
  let offset = { dx: 0, dy: 0 };
  let candidate = offset;
  let times = 0;
  return {
    /** The offset that zones are to be moved by; undefined in place. */
    follow({ dx, dy, confidence }: PictureState['shift']) {
      const near = (p: { readonly dx: number; readonly dy: number }) =>
        Math.abs(p.dx - dx) <= SAME_PLACE && Math.abs(p.dy - dy) <= SAME_PLACE;
      const small = Math.max(Math.abs(dx), Math.abs(dy)) <= NUDGE.most;
      if (confidence >= NUDGE.confidence && small && !near(offset)) {
        times = near(candidate) ? times + 1 : 1;
        candidate = { dx, dy };
        if (times >= NUDGE.pictures) offset = candidate;
      } else times = 0;
      return offset.dx === 0 && offset.dy === 0 ? undefined : offset;
    },
  };
}

function movedBy(zone: Polygon, offset: { readonly dx: number; readonly dy: number } | undefined): Polygon {
  return offset ? zone.map(([x, y]): Point => [x + offset.dx, y + offset.dy]) : zone;
}

/** Exactly 0 only for the same bytes: a difference too small for the grid still counts as one. */
function changeSince(last: { luma: Luma; crc: number }, luma: Luma, crc: number): number {
  if (crc === last.crc) return 0;
  return Math.max(difference(last.luma, luma), 1e-6);
}
