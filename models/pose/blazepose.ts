/** Person detector of the default model set: BlazePose's own detector on overlapping tiles of the picture, by LiteRT, one thread. */
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { runInThisContext } from 'node:vm';
import { Corrupt, Unavailable } from '../../protocol/errors.ts';
import { type Box, iou } from '../../protocol/seat.ts';
import { checkPicture, letterbox, WHOLE } from './crop.ts';
import type { Detection, PersonDetector, Picture } from './detector.ts';

const SIZE = 224;
/** Stride and anchors per cell of the model's levels, in the order of its rows. */
const LEVELS = [
  { stride: 8, anchors: 2 },
  { stride: 16, anchors: 2 },
  { stride: 32, anchors: 6 },
] as const;
/** Per row: middle and size of the face, then hip, whole body, shoulder and upper body points. */
const VALUES = 12;
/**
 * The model was made for people who fill a good part of its picture: in a whole room it finds nearly nobody. Tiles of
 * this share of the picture's height, which overlap by nearly half, show each person of a room large in one of them.
 */
const TILE = 0.55;
const OVERLAP = 0.45;
/** Below this the model's own scores say nothing; at the second one it is as sure as other detectors are at 0.3. */
const LEAST = 0.3;
const SURE = 0.5;
/** A doubtful body is never sure: it may continue somebody, and begins nobody. */
const DOUBTFUL = 0.49;
/**
 * How far the hips are below the shoulders, in lengths of the torso between them. Whoever sits or stands is upright in the
 * picture of a room; who lies or leans towards the camera is doubtful; a body on its head is furniture.
 */
const UPRIGHT = 0.3;
const UPSIDE_DOWN = -0.3;
/** A torso of 13 pixels of the model's picture, as a share of the tile: of anybody smaller it sees hardly anything. */
const SMALL = 0.06;
/** In lengths of the torso: from the shoulders to the hair, from the middle to an elbow, from the hips to what is sat on. */
const HEAD = 0.67;
const ELBOW = 0.65;
const SEAT = 0.25;
/** In lengths of the torso: from the hips to the feet, from the middle to a knee, and how small a body is a part of another. */
const LEGS = 2;
const KNEE = 0.8;
const PART = 0.5;

export interface BlazePoseOptions {
  /** Path of the detector's .tflite, its hash already verified. */
  readonly file: string;
}

/** The few things that are used of the runtime. */
interface LiteRt {
  loadLiteRt(folder: string): Promise<unknown>;
  loadAndCompile(
    model: Uint8Array,
    options: { accelerator: 'wasm'; cpuOptions: { numThreads: number } },
  ): Promise<Model>;
  readonly Tensor: new (values: Float32Array, shape: readonly number[]) => Tensor;
}
interface Model {
  run(inputs: readonly Tensor[]): Promise<readonly Tensor[]>;
  delete(): void;
}
interface Tensor {
  toTypedArray(): Float32Array;
  delete(): void;
}

const RUNTIME = '@litertjs/core';

/** Where the runtime lies; undefined where it is not installed. */
export function findLiteRt(): string | undefined {
  try {
    return createRequire(import.meta.url).resolve(RUNTIME);
  } catch {
    return undefined;
  }
}

/**
 * Loads the runtime and the model. Sets globals that the runtime expects of a browser's worker, so it belongs into a
 * thread of its own. Unavailable `runtime_missing`; Corrupt `model_unreadable` when the runtime refuses the file.
 */
export async function createBlazePose({ file }: BlazePoseOptions): Promise<PersonDetector> {
  const liteRt = await startLiteRt();
  const model = await load(liteRt, file);
  const anchors = anchorsOf();

  async function infer(picture: Picture, tile: Box): Promise<Candidate[]> {
    const boxed = letterbox(picture, tile, SIZE, 0);
    const input = new Float32Array(boxed.rgb.length);
    for (let i = 0; i < input.length; i++) input[i] = boxed.rgb[i]! / 127.5 - 1;
    const tensor = new liteRt.Tensor(input, [1, SIZE, SIZE, 3]);
    const outputs = await model.run([tensor]);
    tensor.delete();
    // Copies: the runtime's own memory may move.
    const [a, b] = outputs.map((output) => Float32Array.from(output.toTypedArray()));
    for (const output of outputs) output.delete();
    if (!a || !b || Math.max(a.length, b.length) !== anchors.length * VALUES)
      throw new Corrupt('model_output', `${file} is not the detector of BlazePose: run npm ci`);
    const [rows, scores] = a.length > b.length ? [a, b] : [b, a];
    const small = SMALL * Math.max(tile[3] - tile[1], ((tile[2] - tile[0]) * picture.width) / picture.height);
    return decode(rows, scores, anchors, (x, y) => boxed.toPicture(x * SIZE, y * SIZE)).flatMap((body) =>
      judged(body, picture.width / picture.height, small),
    );
  }

  return {
    name: 'blazepose',
    async detect(picture, region = WHOLE) {
      checkPicture(picture);
      const found: Candidate[] = [];
      for (const tile of tilesOf(picture, region)) found.push(...(await infer(picture, tile)));
      const aspect = picture.width / picture.height;
      return withoutParts(distinct(found, aspect), aspect).map(({ box, score }): Detection => {
        return { box, score: score < SURE ? score * 0.6 : 0.3 + 1.4 * (score - SURE), label: 'person' };
      });
    },
    async close() {
      model.delete();
    },
  };
}

/** The region itself, and the tiles that cover it where it is larger than one. */
export function tilesOf({ width, height }: { readonly width: number; readonly height: number }, region: Box): Box[] {
  const side = TILE * Math.min(height, width);
  const [w, h] = [Math.min(1, side / width), Math.min(1, side / height)];
  const columns = starts(region[0], region[2], w);
  const rows = starts(region[1], region[3], h);
  if (columns.length * rows.length === 1) return [region];
  return [region, ...rows.flatMap((y) => columns.map((x): Box => [x, y, Math.min(1, x + w), Math.min(1, y + h)]))];
}

/** Where tiles of `size` begin that cover from..to, evenly, overlapping by about OVERLAP. */
function starts(from: number, to: number, size: number): number[] {
  const free = to - from - size;
  // A region a little larger than a tile is seen well enough as a whole.
  if (free < 0.2 * size) return [from];
  const steps = Math.max(1, Math.round(free / (size * (1 - OVERLAP))));
  return Array.from({ length: steps + 1 }, (_, i) => from + (free * i) / steps);
}

/** What the model says of somebody; in fractions of the picture. */
interface Body {
  readonly score: number;
  readonly shoulders: readonly [number, number];
  readonly hips: readonly [number, number];
}

interface Candidate extends Body {
  readonly box: Box;
  /** Shoulders to hips, in picture heights. */
  readonly torso: number;
}

function decode(
  rows: Float32Array,
  scores: Float32Array,
  anchors: readonly (readonly [number, number])[],
  toPicture: (x: number, y: number) => [number, number],
): Body[] {
  const found: Body[] = [];
  for (let i = 0; i < anchors.length; i++) {
    const score = 1 / (1 + Math.exp(-scores[i]!));
    if (score < LEAST) continue;
    const [ax, ay] = anchors[i]!;
    // The box of the face has the same size whatever is in the picture: only the points tell how large a body is.
    const point = (k: number) => toPicture(ax + rows[i * VALUES + k]! / SIZE, ay + rows[i * VALUES + k + 1]! / SIZE);
    found.push({ score, hips: point(4), shoulders: point(8) });
  }
  return found;
}

/**
 * The body with the box that other detectors draw around a sitting or standing upper body, from the hair to below the
 * hips; none where it can be nobody. `small` is the torso in picture heights below which the model guesses.
 */
export function judged({ score, shoulders, hips }: Body, aspect: number, small: number): Candidate[] {
  const [x, y] = shoulders;
  const torso = Math.hypot((hips[0] - x) * aspect, hips[1] - y);
  const upright = (hips[1] - y) / Math.max(1e-6, torso);
  if (x < 0 || x > 1 || y < 0 || y > 1 || upright < UPSIDE_DOWN) return [];
  const isDoubtful = upright < UPRIGHT || torso < small;
  const half = (ELBOW * torso) / aspect;
  const middle = (x + hips[0]) / 2;
  const lower = Math.max(y, hips[1]) + SEAT * torso;
  const box: Box = [
    Math.max(0, middle - half),
    Math.max(0, y - HEAD * torso),
    Math.min(1, middle + half),
    Math.min(1, lower),
  ];
  return [{ score: isDoubtful ? Math.min(score, DOUBTFUL) : score, shoulders, hips, box, torso }];
}

/** One person is found by many anchors and in several tiles: bodies that overlap or share their shoulders are one. */
function distinct(found: readonly Candidate[], aspect: number): Candidate[] {
  const kept: Candidate[] = [];
  for (const one of found.toSorted((a, b) => b.score - a.score)) {
    const same = (other: Candidate) => {
      const apart = Math.hypot((one.shoulders[0] - other.shoulders[0]) * aspect, one.shoulders[1] - other.shoulders[1]);
      return iou(one.box, other.box) > 0.4 || apart < 0.5 * Math.max(one.torso, other.torso);
    };
    if (!kept.some(same)) kept.push(one);
  }
  return kept;
}

/**
 * Without what the model takes for somebody in the legs of a surer person. Who sits in front of a standing person is nearer
 * to the camera than they are, and so not half as large.
 */
export function withoutParts(found: readonly Candidate[], aspect: number): Candidate[] {
  return found.filter((part) => {
    const [x, y] = part.shoulders;
    const isPartOf = ({ score, torso, shoulders, hips }: Candidate) =>
      score >= part.score &&
      part.torso < PART * torso &&
      y > (shoulders[1] + hips[1]) / 2 &&
      y < hips[1] + LEGS * torso &&
      Math.abs(x - (shoulders[0] + hips[0]) / 2) * aspect < KNEE * torso;
    return !found.some((other) => other !== part && isPartOf(other));
  });
}

function anchorsOf(): (readonly [number, number])[] {
  return LEVELS.flatMap(({ stride, anchors }) => {
    const side = SIZE / stride;
    return Array.from({ length: side * side * anchors }, (_, i) => {
      const cell = Math.floor(i / anchors);
      return [((cell % side) + 0.5) / side, (Math.floor(cell / side) + 0.5) / side] as const;
    });
  });
}

async function load(liteRt: LiteRt, file: string): Promise<Model> {
  const bytes = new Uint8Array(await readFile(file));
  try {
    return await liteRt.loadAndCompile(bytes, { accelerator: 'wasm', cpuOptions: { numThreads: 1 } });
  } catch (cause) {
    throw new Corrupt('model_unreadable', `LiteRT cannot read ${file}: run npm ci`, cause);
  }
}

/** Loads the runtime, whose loader takes itself for a script of a browser's worker. */
async function startLiteRt(): Promise<LiteRt> {
  const entry = findLiteRt();
  if (!entry) throw new Unavailable('runtime_missing', `${RUNTIME} is not installed: run npm ci`);
  const scope = globalThis as Record<string, unknown>;
  scope.self ??= globalThis;
  scope.require ??= createRequire(import.meta.url);
  scope.importScripts = (file: string) => {
    scope.__filename = file;
    scope.__dirname = dirname(file);
    runInThisContext(readFileSync(file, 'utf8'), { filename: file });
  };
  const liteRt = createRequire(import.meta.url)(entry) as LiteRt;
  const folder = entry.slice(0, entry.lastIndexOf(RUNTIME) + RUNTIME.length);
  await liteRt.loadLiteRt(`${join(folder, 'wasm')}/`);
  return liteRt;
}
