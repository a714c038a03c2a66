/** A made-up Mandarin model with seeded weights, written in the formats of the real one: for machines without the real one. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Numbers in -1..1 from a seed, the same everywhere. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  };
}

const text = (value: string) => Buffer.from(value, 'latin1');
function integer(value: number): Buffer {
  const bytes = Buffer.alloc(5);
  bytes[0] = 4;
  bytes.writeInt32LE(value, 1);
  return bytes;
}
function floats(count: number, next: () => number): Buffer {
  const bytes = Buffer.alloc(count * 4);
  for (let i = 0; i < count; i++) bytes.writeFloatLE(next(), i * 4);
  return bytes;
}

export interface SmallShape {
  readonly inputs: number;
  readonly hidden: number;
  readonly memory: number;
  readonly outputs: number;
}

/** A Kaldi nnet1 binary: two memory blocks between small layers, softmax at the end. */
export function smallNet(shape: SmallShape, seed: number): Buffer {
  const random = seeded(seed);
  const scaled = (factor: number) => () => random() * factor;
  const { inputs, hidden, memory, outputs } = shape;
  const one = Buffer.from([4, 0, 0, 0x80, 0x3f]);
  const rate = Buffer.concat([text('<LearnRateCoef> '), one]);
  const matrix = (rows: number, columns: number, factor: number) =>
    Buffer.concat([text('FM '), integer(rows), integer(columns), floats(rows * columns, scaled(factor))]);
  const head = (type: string, out: number, into: number) => [text(`<${type}> `), integer(out), integer(into)];
  const affine = (out: number, into: number) => [
    ...head('AffineTransform', out, into),
    rate,
    text('<BiasLearnRateCoef> '),
    one,
    matrix(out, into, 2 / Math.sqrt(into)),
    text('FV '),
    integer(out),
    floats(out, scaled(0.1)),
  ];
  const block = (into: number) => [
    ...affine(hidden, into),
    ...head('RectifiedLinear', hidden, hidden),
    ...head('LinearTransform', memory, hidden),
    rate,
    matrix(memory, hidden, 1 / Math.sqrt(hidden)),
    ...head('Fsmn', memory, memory),
    rate,
    text('<LOrder> '),
    integer(4),
    text('<ROrder> '),
    integer(2),
    text('<LStride> '),
    integer(1),
    text('<RStride> '),
    integer(1),
    matrix(4, memory, 0.3),
    matrix(2, memory, 0.3),
  ];
  return Buffer.concat([
    Buffer.from([0, 0x42]),
    text('<Nnet> '),
    ...block(inputs),
    ...block(memory),
    ...affine(outputs, memory),
    ...head('Softmax', outputs, outputs),
    text('</Nnet> '),
  ]);
}

/** Normalisation that maps filter bank values of about 0 to 20 to about -1 to 1. */
export function smallMvn(inputs: number): string {
  const row = (value: number) => Array.from({ length: inputs }, () => value).join(' ');
  return `<Nnet>\n<AddShift> ${inputs} ${inputs}\n<LearnRateCoef> 0 [ ${row(-10)} ]\n<Rescale> ${inputs} ${inputs}\n<LearnRateCoef> 0 [ ${row(0.1)} ]\n</Nnet>\n`;
}

export const SMALL_TOKENS = ['<blank>', '<unk>', ...'这个项目已经内定了回扣百分之五领导打过招呼'];

/** Writes a folder that looks like a fetched models folder. */
export function writeSmallModel(modelsFolder: string, seed = 1): void {
  const folder = join(modelsFolder, 'fsmn-zh');
  mkdirSync(folder, { recursive: true });
  const outputs = SMALL_TOKENS.length;
  writeFileSync(join(folder, 'kwsr.mvn'), smallMvn(400));
  writeFileSync(join(folder, 'tokens_2599.txt'), `${SMALL_TOKENS.join('\n')}\n`);
  writeFileSync(join(folder, 'kwsr.net'), smallNet({ inputs: 400, hidden: 24, memory: 12, outputs }, seed));
}

/** Two sines and noise on the int16 scale. */
export function tone(samples: number, seed = 3): Int16Array {
  const random = seeded(seed);
  return Int16Array.from({ length: samples }, (_, i) =>
    Math.round(4000 * Math.sin(i * 0.13) + 2500 * Math.sin(i * 0.031) + 300 * random()),
  );
}
