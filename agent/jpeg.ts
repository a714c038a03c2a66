/** Inside snapshot.ts: a baseline JPEG encoder (ITU-T T.81), so that a still costs a few milliseconds and no process. */
import type { Picture } from '../models/pose/detector.ts';

/** Order of the coefficients in the stream: place in the block of the nth. */
const ZIGZAG = [
  0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
  35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47,
  55, 62, 63,
];

/** Annex K of the standard, row by row: steps of luminance and colour at quality 50. */
const LUMA_STEPS = [
  16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51,
  87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92, 49, 64, 78, 87, 103, 121, 120, 101,
  72, 92, 95, 98, 112, 100, 103, 99,
];
const COLOUR_STEPS = [
  17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99, 24, 26, 56, 99, 99, 99, 99, 99, 47, 66, 99, 99, 99,
  99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
  99, 99, 99, 99, 99, 99,
];

/** Annex K again: how many codes of each length, and the symbols in the order of their codes. */
interface HuffmanTable {
  readonly counts: readonly number[];
  readonly symbols: readonly number[];
}
const LUMA_DC: HuffmanTable = {
  counts: [0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0],
  symbols: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
};
const COLOUR_DC: HuffmanTable = {
  counts: [0, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0],
  symbols: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
};
const hex = (text: string): number[] => [...Buffer.from(text, 'hex')];
const LUMA_AC: HuffmanTable = {
  counts: [0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 125],
  symbols: hex(
    '01020300041105122131410613516107227114328191a1082342b1c11552d1f02433627282090a161718191a25262728292a3435363738393a' +
      '434445464748494a535455565758595a636465666768696a737475767778797a838485868788898a92939495969798999aa2a3a4a5a6a7a8' +
      'a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9dae1e2e3e4e5e6e7e8e9eaf1f2f3f4f5f6f7f8f9fa',
  ),
};
const COLOUR_AC: HuffmanTable = {
  counts: [0, 2, 1, 2, 4, 4, 3, 4, 7, 5, 4, 4, 0, 1, 2, 119],
  symbols: hex(
    '000102031104052131061241510761711322328108144291a1b1c109233352f0156272d10a162434e125f11718191a262728292a3536373839' +
      '3a434445464748494a535455565758595a636465666768696a737475767778797a82838485868788898a92939495969798999aa2a3a4a5a6' +
      'a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9dae2e3e4e5e6e7e8e9eaf2f3f4f5f6f7f8f9fa',
  ),
};

/** Code and its length in bits for each symbol. */
function codesOf({ counts, symbols }: HuffmanTable): { readonly code: Uint16Array; readonly bits: Uint8Array } {
  const [code, bits] = [new Uint16Array(256), new Uint8Array(256)];
  let [next, at] = [0, 0];
  counts.forEach((count, length) => {
    for (let i = 0; i < count; i++, next++, at++) {
      code[symbols[at]!] = next;
      bits[symbols[at]!] = length + 1;
    }
    next <<= 1;
  });
  return { code, bits };
}

/**
 * What the fast transform leaves to be done for each frequency, in one direction: its coefficients are larger than
 * those of the orthonormal one by this and by the square root of eight.
 */
const LARGER = Float64Array.from({ length: 8 }, (_, k) => (k === 0 ? 1 : Math.SQRT2 * Math.cos((k * Math.PI) / 16)));

function stepsAt(base: readonly number[], quality: number): Uint8Array {
  const scale = quality < 50 ? 5000 / quality : 200 - 2 * quality;
  return Uint8Array.from(base, (step) => Math.min(255, Math.max(1, Math.floor((step * scale + 50) / 100))));
}

/** JPEG of a picture, colour at half the size in both directions. `quality` 1 to 100 as other encoders count it. */
export function encodeJpeg({ width, height, rgb }: Picture, quality: number): Uint8Array {
  const out = createBits(Math.max(4096, width * height));
  const kinds: [Kind, Kind] = [
    kindOf(stepsAt(LUMA_STEPS, quality), codesOf(LUMA_DC), codesOf(LUMA_AC)),
    kindOf(stepsAt(COLOUR_STEPS, quality), codesOf(COLOUR_DC), codesOf(COLOUR_AC)),
  ];
  /** Mean coefficient of the block before, for each component. */
  const last = [0, 0, 0];
  writeHead(out, { width, height, steps: kinds.map(({ steps }) => steps) });
  const [luma, blue, red] = planesOf({ width, height, rgb });
  const block = new Float32Array(64);
  const put = (plane: Plane, x: number, y: number, component: number) => {
    for (let j = 0; j < 8; j++)
      for (let i = 0; i < 8; i++) block[j * 8 + i] = plane.values[(y + j) * plane.width + x + i]! - 128;
    transform(block);
    last[component] = writeBlock(out, block, component === 0 ? kinds[0] : kinds[1], last[component]!);
  };
  for (let y = 0; y < luma.height; y += 16)
    for (let x = 0; x < luma.width; x += 16) {
      put(luma, x, y, 0);
      put(luma, x + 8, y, 0);
      put(luma, x, y + 8, 0);
      put(luma, x + 8, y + 8, 0);
      put(blue, x / 2, y / 2, 1);
      put(red, x / 2, y / 2, 2);
    }
  return out.end();
}

interface Plane {
  readonly width: number;
  readonly height: number;
  readonly values: Float32Array;
}

const BLUE = 0.25 / 1.772;
const RED = 0.25 / 1.402;

/** Luminance and the two colour differences (JFIF), their sides filled up to whole blocks with the last pixels. */
function planesOf({ width, height, rgb }: Picture): [Plane, Plane, Plane] {
  const [w, h] = [Math.ceil(width / 16) * 16, Math.ceil(height / 16) * 16];
  const luma = new Float32Array(w * h);
  const blue = new Float32Array((w * h) / 4);
  const red = new Float32Array((w * h) / 4);
  for (let y = 0; y < h; y++) {
    const row = Math.min(y, height - 1) * width;
    for (let x = 0; x < w; x++) {
      const p = (row + Math.min(x, width - 1)) * 3;
      const r = rgb[p]!;
      const g = rgb[p + 1]!;
      const b = rgb[p + 2]!;
      const light = 0.299 * r + 0.587 * g + 0.114 * b;
      luma[y * w + x] = light;
      const at = ((y >> 1) * w) / 2 + (x >> 1);
      // A quarter of each of the four pixels that share one colour.
      blue[at]! += 32 + (b - light) * BLUE;
      red[at]! += 32 + (r - light) * RED;
    }
  }
  const half = { width: w / 2, height: h / 2 };
  return [
    { width: w, height: h, values: luma },
    { ...half, values: blue },
    { ...half, values: red },
  ];
}

const C2 = Math.cos(Math.PI / 8);
const C4 = Math.SQRT1_2;
const C6 = Math.sin(Math.PI / 8);

/**
 * Cosine transform of eight samples in place, `step` apart, in five multiplications: sums and differences of opposite
 * samples first, then rotations that share their factors (after Arai, Agui and Nakajima).
 */
function transformLine(block: Float32Array, at: number, step: number): void {
  const last = at + 7 * step;
  const s0 = block[at]! + block[last]!;
  const d0 = block[at]! - block[last]!;
  const s1 = block[at + step]! + block[last - step]!;
  const d1 = block[at + step]! - block[last - step]!;
  const s2 = block[at + 2 * step]! + block[last - 2 * step]!;
  const d2 = block[at + 2 * step]! - block[last - 2 * step]!;
  const s3 = block[at + 3 * step]! + block[last - 3 * step]!;
  const d3 = block[at + 3 * step]! - block[last - 3 * step]!;
  const side = s0 - s3;
  const turned = (s1 - s2 + side) * C4;
  block[at] = s0 + s3 + (s1 + s2);
  block[at + 4 * step] = s0 + s3 - (s1 + s2);
  block[at + 2 * step] = side + turned;
  block[at + 6 * step] = side - turned;
  const shared = (d3 + d2 - (d1 + d0)) * C6;
  const low = (d3 + d2) * (C2 - C6) + shared;
  const high = (d1 + d0) * (C2 + C6) + shared;
  const middle = (d2 + d1) * C4;
  block[at + 5 * step] = d0 - middle + low;
  block[at + 3 * step] = d0 - middle - low;
  block[at + step] = d0 + middle + high;
  block[last] = d0 + middle - high;
}

/** Two-dimensional transform in place: rows, then columns. */
function transform(block: Float32Array): void {
  for (let j = 0; j < 8; j++) transformLine(block, 8 * j, 1);
  for (let u = 0; u < 8; u++) transformLine(block, u, 8);
}

type Codes = ReturnType<typeof codesOf>;
type Bits = ReturnType<typeof createBits>;

interface Kind {
  readonly steps: Uint8Array;
  /** A coefficient of the fast transform times this is what is written, in the order of writing. */
  readonly factors: Float32Array;
  readonly dc: Codes;
  readonly ac: Codes;
}

function kindOf(steps: Uint8Array, dc: Codes, ac: Codes): Kind {
  const factors = Float32Array.from(
    ZIGZAG,
    (place) => 1 / (8 * LARGER[place >> 3]! * LARGER[place & 7]! * steps[place]!),
  );
  return { steps, factors, dc, ac };
}

/** Writes one block; gives its mean coefficient, which the next one is written against. */
function writeBlock(out: Bits, block: Float32Array, { factors, dc, ac }: Kind, last: number): number {
  const mean = Math.round(block[0]! * factors[0]!);
  writeValue(out, dc, 0, mean - last);
  let zeros = 0;
  for (let n = 1; n < 64; n++) {
    const value = Math.round(block[ZIGZAG[n]!]! * factors[n]!);
    if (value === 0) {
      zeros++;
      continue;
    }
    for (; zeros > 15; zeros -= 16) out.put(ac.code[0xf0]!, ac.bits[0xf0]!);
    writeValue(out, ac, zeros, value);
    zeros = 0;
  }
  if (zeros > 0) out.put(ac.code[0]!, ac.bits[0]!);
  return mean;
}

/** A run of zeros and a value: one symbol for both lengths, then the value's own bits. */
function writeValue(out: Bits, { code, bits }: Codes, zeros: number, value: number): void {
  const length = 32 - Math.clz32(Math.abs(value));
  const symbol = (zeros << 4) | length;
  out.put(code[symbol]!, bits[symbol]!);
  if (length > 0) out.put((value < 0 ? value - 1 : value) & ((1 << length) - 1), length);
}

/** Bytes that grow, written in bits; a byte 255 among the bits is followed by a zero. */
function createBits(size: number) {
  let bytes = new Uint8Array(size);
  let length = 0;
  let [held, count] = [0, 0];
  const byte = (value: number) => {
    if (length === bytes.length) {
      const larger = new Uint8Array(2 * length);
      larger.set(bytes);
      bytes = larger;
    }
    bytes[length++] = value;
  };
  const put = (code: number, bits: number) => {
    held = (held << bits) | code;
    count += bits;
    for (; count >= 8; count -= 8) {
      const value = (held >> (count - 8)) & 255;
      byte(value);
      if (value === 255) byte(0);
    }
    held &= (1 << count) - 1;
  };
  return {
    put,
    /** A marker with its content and the length of both. */
    segment(marker: number, content: readonly number[]) {
      for (const value of [255, marker, (content.length + 2) >> 8, (content.length + 2) & 255, ...content]) byte(value);
    },
    marker(marker: number) {
      byte(255);
      byte(marker);
    },
    end() {
      if (count > 0) put((1 << (8 - count)) - 1, 8 - count);
      byte(255);
      byte(0xd9);
      return bytes.slice(0, length);
    },
  };
}

function writeHead(
  out: Bits,
  { width, height, steps }: { width: number; height: number; steps: readonly Uint8Array[] },
): void {
  out.marker(0xd8);
  out.segment(0xe0, hex('4a46494600010100000100010000'));
  steps.forEach((table, i) => {
    out.segment(0xdb, [i, ...ZIGZAG.map((place) => table[place]!)]);
  });
  const size = [height >> 8, height & 255, width >> 8, width & 255];
  // Three components: number, sampling (luminance two by two), table of steps.
  out.segment(0xc0, [8, ...size, 3, ...[1, 0x22, 0], ...[2, 0x11, 1], ...[3, 0x11, 1]]);
  for (const [kind, { counts, symbols }] of [
    [0x00, LUMA_DC],
    [0x10, LUMA_AC],
    [0x01, COLOUR_DC],
    [0x11, COLOUR_AC],
  ] as const)
    out.segment(0xc4, [kind, ...counts, ...symbols]);
  out.segment(0xda, [3, ...[1, 0x00], ...[2, 0x11], ...[3, 0x11], 0, 63, 0]);
}
