/** What a picture itself is like, measured without any model: light, edges, shift of the camera, change, and the look of each seat. */
import { crc32 } from 'node:zlib';
import type { PictureState, SeatPatch } from '../protocol/observation.ts';
import { bounds, type Polygon } from '../protocol/seat.ts';
import { type Motion, motionBetween } from './motion.ts';
import type { Picture } from './pose/detector.ts';

/** A small grey picture: luminance 0..255, row-major. */
export interface Luma {
  readonly width: number;
  readonly height: number;
  readonly values: Float32Array;
}

/** Size at which everything but the seats is measured. */
const SMALL = { width: 160, height: 90 } as const;
/** Size of the rough search for a shift. */
const ROUGH = 2;
/** Largest shift that is searched for, as a share of the width and the height. */
const REACH = 0.35;
/** Above this correlation in place the camera has not moved, and nothing is searched. */
const STILL = 0.8;
/** The rough search hands this many candidates, no two of them neighbours, on to the fine one. */
const CANDIDATES = 4;
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

/** Absolute gradient (right plus below) of each cell; the last row and column are 0. */
export function gradient({ width, height, values }: Luma): Luma {
  const out = new Float32Array(values.length);
  for (let y = 0; y < height - 1; y++)
    for (let x = 0; x < width - 1; x++) {
      const at = y * width + x;
      out[at] = Math.abs(values[at + 1]! - values[at]!) + Math.abs(values[at + width]! - values[at]!);
    }
  return { width, height, values: out };
}

/** Mean absolute gradient 0..255: the mean of the steps to the right and below. */
export function edgeEnergy(luma: Luma): number {
  return brightness(gradient(luma)) / 2;
}

/** Mean absolute difference of two pictures of one size, 0..255. */
export function difference(a: Luma, b: Luma): number {
  let sum = 0;
  for (let i = 0; i < a.values.length; i++) sum += Math.abs(a.values[i]! - b.values[i]!);
  return sum / a.values.length;
}

export interface Shift {
  readonly dx: number;
  readonly dy: number;
  readonly confidence: number;
}

/**
 * How far `now` is moved against `reference`, as fractions of width and height (positive: content went right, down),
 * with the correlation 0..1 of the edges at that place. Edges, not light: a lamp that is switched must not look like a
 * knock. A rough search over all shifts up to a third of the picture, then a fine one around the best of them.
 */
export function shiftBetween(reference: Luma, now: Luma): Shift {
  const [a, b] = [gradient(reference), gradient(now)];
  const still = correlation(a, b, 0, 0);
  if (still > STILL) return { dx: 0, dy: 0, confidence: Math.min(1, still) };
  const [roughA, roughB] = [shrink(a, ROUGH), shrink(b, ROUGH)];
  const [reachX, reachY] = [Math.round(roughA.width * REACH), Math.round(roughA.height * REACH)];
  const rough: Candidate[] = [];
  for (let y = -reachY; y <= reachY; y++)
    for (let x = -reachX; x <= reachX; x++) rough.push({ x, y, score: correlation(roughA, roughB, x, y) });
  rough.sort((p, q) => q.score - p.score);
  let best = { x: 0, y: 0, score: still };
  for (const { x: cx, y: cy } of peaks(rough))
    for (let y = cy * ROUGH - 3; y <= cy * ROUGH + 3; y++)
      for (let x = cx * ROUGH - 3; x <= cx * ROUGH + 3; x++) {
        const score = correlation(a, b, x, y);
        if (score > best.score) best = { x, y, score };
      }
  return { dx: best.x / a.width, dy: best.y / a.height, confidence: Math.min(1, Math.max(0, best.score)) };
}

interface Candidate {
  readonly x: number;
  readonly y: number;
  readonly score: number;
}

/** The best candidates that are not beside a better one. `sorted` has the best first. */
function peaks(sorted: readonly Candidate[]): Candidate[] {
  const chosen: Candidate[] = [];
  for (const candidate of sorted) {
    if (chosen.length === CANDIDATES) break;
    const beside = ({ x, y }: Candidate) => Math.abs(x - candidate.x) <= 1 && Math.abs(y - candidate.y) <= 1;
    if (!chosen.some(beside)) chosen.push(candidate);
  }
  return chosen;
}

/** Correlation -1..1 of `a` with `b` moved by (dx, dy), over the part where both exist; 0 where either is flat. */
function correlation(a: Luma, b: Luma, dx: number, dy: number): number {
  const { width, height } = a;
  const [x0, x1] = [Math.max(0, -dx), Math.min(width, width - dx)];
  const [y0, y1] = [Math.max(0, -dy), Math.min(height, height - dy)];
  let [sumA, sumB, sumAA, sumBB, sumAB] = [0, 0, 0, 0, 0];
  for (let y = y0; y < y1; y++) {
    const rowA = y * width;
    const rowB = (y + dy) * width + dx;
    for (let x = x0; x < x1; x++) {
      const p = a.values[rowA + x]!;
      const q = b.values[rowB + x]!;
      sumA += p;
      sumB += q;
      sumAA += p * p;
      sumBB += q * q;
      sumAB += p * q;
    }
  }
  const count = Math.max(1, (x1 - x0) * (y1 - y0));
  const varianceA = sumAA / count - (sumA / count) ** 2;
  const varianceB = sumBB / count - (sumB / count) ** 2;
  if (varianceA < 1e-3 || varianceB < 1e-3) return 0;
  return (sumAB / count - (sumA / count) * (sumB / count)) / Math.sqrt(varianceA * varianceB);
}

function shrink({ width, height, values }: Luma, factor: number): Luma {
  const [w, h] = [Math.floor(width / factor), Math.floor(height / factor)];
  const out = new Float32Array(w * h);
  for (let y = 0; y < h * factor; y++)
    for (let x = 0; x < w * factor; x++)
      out[Math.floor(y / factor) * w + Math.floor(x / factor)]! += values[y * width + x]! / (factor * factor);
  return { width: w, height: h, values: out };
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

/** A watch without a reference: the first good picture becomes it. */
export function createPictureWatch({ seats }: PictureWatchOptions): PictureWatch {
  let reference: Luma | undefined;
  let last: { readonly luma: Luma; readonly crc: number } | undefined;
  return {
    look(picture) {
      const luma = luminance(picture);
      const crc = crc32(picture.rgb);
      const light = brightness(luma);
      const energy = edgeEnergy(luma);
      if (!reference && light >= REFERENCE.brightness && energy >= REFERENCE.edgeEnergy) reference = luma;
      const state: PictureState = {
        brightness: light,
        edgeEnergy: energy,
        shift: reference ? shiftBetween(reference, luma) : { dx: 0, dy: 0, confidence: 0 },
        change: last ? changeSince(last, luma, crc) : 255,
      };
      const motion = motionBetween(last?.luma, luma);
      last = { luma, crc };
      const patches = seats.map(({ seatId, zone }) => ({ seatId, grid: seatGrid(picture, zone) }));
      return { picture: state, patches, motion };
    },
    reference: () => reference,
    setReference(given) {
      reference = given;
    },
  };
}

/** Exactly 0 only for the same bytes: a difference too small for the grid still counts as one. */
function changeSince(last: { luma: Luma; crc: number }, luma: Luma, crc: number): number {
  if (crc === last.crc) return 0;
  return Math.max(difference(last.luma, luma), 1e-6);
}
