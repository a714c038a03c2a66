/** Beside picture.ts: how far a camera's picture is moved against its reference, without what is burnt into the picture. */
import type { Luma } from './picture.ts';

/** A reference picture with what is derived from it once. */
export interface Reference {
  readonly luma: Luma;
  readonly edges: Luma;
  /** 1 for each cell that counts, 0 in plain bands along the borders: they are the same under a covered lens. */
  readonly counted: Uint8Array;
  /** Texture of each block, capped: a caption must not outweigh the room. */
  readonly weights: Float32Array;
}

export interface Shift {
  readonly dx: number;
  readonly dy: number;
  readonly confidence: number;
}

export interface Comparison {
  readonly shift: Shift;
  /** 1 for each cell of the newer picture that shows the room: bands and stuck captions are 0. */
  readonly counted: Uint8Array;
}

/** Size of the rough search for a shift. */
const ROUGH = 2;
/** Largest shift that is searched for, as a share of the width and the height. */
const REACH = 0.35;
/** Above this correlation in place the camera has not moved, and nothing is searched. */
const STILL = 0.8;
/** The rough search hands this many candidates, no two of them neighbours, on to the fine one. */
const CANDIDATES = 4;
/** Blocks across and down that are compared each for itself: most of them decide, however strong a few are. */
const ACROSS = 10;
const DOWN = 6;
/** A block with less texture tells nothing, and one with more than so many times the usual counts no more for it. */
const LEAST_TEXTURE = 0.5;
const CAP = 2;
/** While most of the picture correlates less than the first, blocks above the second are no part of the room. */
const GONE = 0.2;
const STUCK = 0.5;
/** A row or column along the border is a band when so many of its cells are alike (a caption may stand in it), up to so much of the picture. */
const BAND_STEP = 6;
const BAND_CELLS = 0.75;
const BAND_SHARE = 0.35;
/** The edge between a band and the picture belongs to the band. */
const BAND_EDGE = 2;

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

/** Prepares a picture to be compared with. */
export function referenceOf(luma: Luma): Reference {
  const edges = gradient(luma);
  const counted = withoutBands(luma);
  return { luma, edges, counted, weights: weightsOf(edges, counted) };
}

/**
 * How far `now` is moved against the reference, as fractions of width and height (positive: content went right, down),
 * with the correlation 0..1 of the edges at that place. Edges, not light: a lamp that is switched must not look like a
 * knock. Most blocks decide whether the picture is in place; if not, what has stayed in place nevertheless is burnt in
 * (a clock, a name) and left out, then a rough search over all shifts up to a third of the picture and a fine one
 * around the best of them.
 */
export function compare({ edges: a, counted, weights }: Reference, b: Luma): Comparison {
  const likeness = blocksOf(a.width, a.height).map((block) => correlationIn(a, b, block, counted));
  const inPlace = weightedMedian(likeness, weights);
  if (inPlace > STILL) return { shift: { dx: 0, dy: 0, confidence: Math.min(1, inPlace) }, counted };
  const shown = inPlace < GONE ? withoutStuck(counted, likeness, a) : counted;
  const still = correlation(a, b, shown, 0, 0);
  if (still > STILL) return { shift: { dx: 0, dy: 0, confidence: Math.min(1, still) }, counted: shown };
  const best = search(a, b, shown, { x: 0, y: 0, score: Math.max(still, Math.min(inPlace, STILL)) });
  const confidence = Math.min(1, Math.max(0, best.score));
  return { shift: { dx: best.x / a.width, dy: best.y / a.height, confidence }, counted: shown };
}

interface Candidate {
  readonly x: number;
  readonly y: number;
  readonly score: number;
}

function search(a: Luma, b: Luma, shown: Uint8Array, inPlace: Candidate): Candidate {
  const [roughA, roughB] = [shrink(a, ROUGH), shrink(b, ROUGH)];
  const roughShown = Uint8Array.from(shrink({ ...a, values: Float32Array.from(shown) }, ROUGH).values, (v) =>
    v > 0.5 ? 1 : 0,
  );
  const [reachX, reachY] = [Math.round(roughA.width * REACH), Math.round(roughA.height * REACH)];
  const rough: Candidate[] = [];
  for (let y = -reachY; y <= reachY; y++)
    for (let x = -reachX; x <= reachX; x++) rough.push({ x, y, score: correlation(roughA, roughB, roughShown, x, y) });
  rough.sort((p, q) => q.score - p.score);
  let best = inPlace;
  for (const { x: cx, y: cy } of peaks(rough))
    for (let y = cy * ROUGH - 3; y <= cy * ROUGH + 3; y++)
      for (let x = cx * ROUGH - 3; x <= cx * ROUGH + 3; x++) {
        const score = correlation(a, b, shown, x, y);
        if (score > best.score) best = { x, y, score };
      }
  return best;
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

/** Correlation -1..1 of `a` with `b` moved by (dx, dy), over the cells shown in both; 0 where either is flat. */
function correlation(a: Luma, b: Luma, shown: Uint8Array, dx: number, dy: number): number {
  const { width, height } = a;
  const [x0, x1] = [Math.max(0, -dx), Math.min(width, width - dx)];
  const [y0, y1] = [Math.max(0, -dy), Math.min(height, height - dy)];
  let [count, sumA, sumB, sumAA, sumBB, sumAB] = [0, 0, 0, 0, 0, 0];
  for (let y = y0; y < y1; y++) {
    const rowA = y * width;
    const rowB = (y + dy) * width + dx;
    for (let x = x0; x < x1; x++) {
      if (shown[rowA + x] === 0 || shown[rowB + x] === 0) continue;
      const p = a.values[rowA + x]!;
      const q = b.values[rowB + x]!;
      count += 1;
      sumA += p;
      sumB += q;
      sumAA += p * p;
      sumBB += q * q;
      sumAB += p * q;
    }
  }
  return pearson(count, sumA, sumB, sumAA, sumBB, sumAB);
}

interface Block {
  readonly x0: number;
  readonly y0: number;
  readonly x1: number;
  readonly y1: number;
}

function blocksOf(width: number, height: number): Block[] {
  const at = (i: number, of: number, size: number) => Math.floor((i * size) / of);
  return Array.from({ length: ACROSS * DOWN }, (_, i) => {
    const [column, row] = [i % ACROSS, Math.floor(i / ACROSS)];
    return {
      x0: at(column, ACROSS, width),
      x1: at(column + 1, ACROSS, width),
      y0: at(row, DOWN, height),
      y1: at(row + 1, DOWN, height),
    };
  });
}

function correlationIn(a: Luma, b: Luma, { x0, y0, x1, y1 }: Block, shown: Uint8Array): number {
  let [count, sumA, sumB, sumAA, sumBB, sumAB] = [0, 0, 0, 0, 0, 0];
  for (let y = y0; y < y1; y++)
    for (let x = x0, at = y * a.width + x0; x < x1; x++, at++) {
      if (shown[at] === 0) continue;
      const p = a.values[at]!;
      const q = b.values[at]!;
      count += 1;
      sumA += p;
      sumB += q;
      sumAA += p * p;
      sumBB += q * q;
      sumAB += p * q;
    }
  return pearson(count, sumA, sumB, sumAA, sumBB, sumAB);
}

function pearson(n: number, sumA: number, sumB: number, sumAA: number, sumBB: number, sumAB: number): number {
  const count = Math.max(1, n);
  const varianceA = sumAA / count - (sumA / count) ** 2;
  const varianceB = sumBB / count - (sumB / count) ** 2;
  if (varianceA < 1e-3 || varianceB < 1e-3) return 0;
  return (sumAB / count - (sumA / count) * (sumB / count)) / Math.sqrt(varianceA * varianceB);
}

/** Standard deviation of the edges in each block, nothing where there is hardly any, and no more than twice the usual. */
function weightsOf(edges: Luma, counted: Uint8Array): Float32Array {
  const texture = blocksOf(edges.width, edges.height).map(({ x0, y0, x1, y1 }) => {
    let [count, sum, squares] = [0, 0, 0];
    for (let y = y0; y < y1; y++)
      for (let x = x0, at = y * edges.width + x0; x < x1; x++, at++) {
        if (counted[at] === 0) continue;
        count += 1;
        sum += edges.values[at]!;
        squares += edges.values[at]! ** 2;
      }
    const deviation = Math.sqrt(Math.max(0, squares / Math.max(1, count) - (sum / Math.max(1, count)) ** 2));
    return 3 * count < (x1 - x0) * (y1 - y0) || deviation < LEAST_TEXTURE ? 0 : deviation;
  });
  const some = texture.filter((t) => t > 0).sort((p, q) => p - q);
  const cap = CAP * (some[some.length >> 1] ?? 0);
  return Float32Array.from(texture, (t) => Math.min(t, cap));
}

function weightedMedian(values: readonly number[], weights: Float32Array): number {
  const order = [...values.keys()].sort((i, j) => values[i]! - values[j]!);
  const half = weights.reduce((sum, w) => sum + w, 0) / 2;
  let sum = 0;
  for (const i of order) {
    sum += weights[i]!;
    if (sum > half) return values[i]!;
  }
  return 0;
}

function withoutStuck(counted: Uint8Array, likeness: readonly number[], { width, height }: Luma): Uint8Array {
  const shown = Uint8Array.from(counted);
  blocksOf(width, height).forEach(({ x0, y0, x1, y1 }, i) => {
    if (likeness[i]! > STUCK) for (let y = y0; y < y1; y++) shown.fill(0, y * width + x0, y * width + x1);
  });
  return shown;
}

/** Plain rows and columns from each border inwards: a letterbox, or the edge of a picture that was moved in its frame. */
function withoutBands({ width, height, values }: Luma): Uint8Array {
  const row = (y: number) => Array.from({ length: width }, (_, x) => values[y * width + x]!);
  const column = (x: number) => Array.from({ length: height }, (_, y) => values[y * width + x]!);
  const top = plainLines(height, row);
  const bottom = plainLines(height, (i) => row(height - 1 - i));
  // Between bands above and below only the picture itself can tell whether a column is plain.
  const inner = (x: number) => column(x).slice(top, height - bottom);
  const left = plainLines(width, inner);
  const right = plainLines(width, (i) => inner(width - 1 - i));
  const counted = new Uint8Array(values.length);
  for (let y = top; y < height - bottom; y++) counted.fill(1, y * width + left, (y + 1) * width - right);
  return counted;
}

function plainLines(of: number, line: (i: number) => readonly number[]): number {
  const most = Math.floor(of * BAND_SHARE);
  let plain = 0;
  while (plain < most && isPlain(line(plain))) plain += 1;
  return plain === 0 ? 0 : plain + BAND_EDGE;
}

function isPlain(line: readonly number[]): boolean {
  const median = line.toSorted((p, q) => p - q)[line.length >> 1]!;
  return line.filter((v) => Math.abs(v - median) <= BAND_STEP).length >= BAND_CELLS * line.length;
}

function shrink({ width, height, values }: Luma, factor: number): Luma {
  const [w, h] = [Math.floor(width / factor), Math.floor(height / factor)];
  const out = new Float32Array(w * h);
  for (let y = 0; y < h * factor; y++)
    for (let x = 0; x < w * factor; x++)
      out[Math.floor(y / factor) * w + Math.floor(x / factor)]! += values[y * width + x]! / (factor * factor);
  return { width: w, height: h, values: out };
}
