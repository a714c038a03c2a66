/** The weights of the Mandarin ear: reads a Kaldi nnet1 binary and its normalisation, and averages two sister nets. */
import { Corrupt } from '../../protocol/errors.ts';

/** y = W x + b; `weights` is row-major, `rows` × `columns`; no bias for a linear transform. */
export interface Affine {
  readonly kind: 'affine';
  readonly rows: number;
  readonly columns: number;
  readonly weights: Float32Array;
  readonly bias?: Float32Array;
}

/** Memory block: each channel is filtered over `left` past frames (the present one first) and `right` future ones. */
export interface Memory {
  readonly kind: 'memory';
  readonly channels: number;
  readonly left: number;
  readonly right: number;
  /** `left` × channels, then `right` × channels. */
  readonly past: Float32Array;
  readonly future: Float32Array;
}

export interface Relu {
  readonly kind: 'relu';
}

export type Layer = Affine | Memory | Relu;

export interface Net {
  readonly inputs: number;
  readonly outputs: number;
  /** The closing softmax is not in the list: whoever runs the net normalises. */
  readonly layers: readonly Layer[];
}

const bad = (name: string, offset: number, what: string) =>
  new Corrupt(
    'model_unreadable',
    `reading the net ${name}: ${what} at byte ${offset}; the file is truncated or of another kind: fetch it again`,
  );

/** Parses the bytes of a `.net` file. `name` is for error texts. Throws Corrupt. */
export function parseNet(bytes: Uint8Array, name: string): Net {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 2;
  if (bytes[0] !== 0 || bytes[1] !== 0x42) throw bad(name, 0, 'not a Kaldi binary');

  const need = (count: number) => {
    if (at + count > bytes.length) throw bad(name, at, `${count} more bytes expected`);
  };
  const token = (): string => {
    while (bytes[at] === 0x20 || bytes[at] === 0x0a) at++;
    const begin = at;
    while (at < bytes.length && bytes[at] !== 0x20) at++;
    need(1);
    return String.fromCharCode(...bytes.subarray(begin, Math.min(at++, begin + 40)));
  };
  const integer = (): number => {
    need(5);
    if (bytes[at] !== 4) throw bad(name, at, 'a four byte number expected');
    const value = view.getInt32(at + 1, true);
    at += 5;
    return value;
  };
  const floats = (count: number): Float32Array => {
    if (count < 0 || count > 1e8) throw bad(name, at, 'an impossible size');
    need(count * 4);
    const out = new Float32Array(count);
    for (let i = 0; i < count; i++) out[i] = view.getFloat32(at + i * 4, true);
    at += count * 4;
    return out;
  };
  const matrix = (): { rows: number; columns: number; values: Float32Array } => {
    if (token() !== 'FM') throw bad(name, at, 'a matrix expected');
    const rows = integer();
    const columns = integer();
    return { rows, columns, values: floats(rows * columns) };
  };
  const vector = (): Float32Array => {
    if (token() !== 'FV') throw bad(name, at, 'a vector expected');
    return floats(integer());
  };
  /** Training leftovers such as `<LearnRateCoef> 1.0` stand before the matrices; the ones asked for are returned. */
  const parameters = (): Map<string, number> => {
    const found = new Map<string, number>();
    while (bytes[at] === 0x20 || bytes[at] === 0x0a) at++;
    while (bytes[at] === 0x3c) {
      const key = token();
      found.set(key, integer());
      while (bytes[at] === 0x20 || bytes[at] === 0x0a) at++;
    }
    return found;
  };

  if (token() !== '<Nnet>') throw bad(name, at, '<Nnet> expected');
  const layers: Layer[] = [];
  let inputs = 0;
  let width = 0;
  for (;;) {
    const type = token();
    if (type === '</Nnet>') break;
    if (type === '<!EndOfComponent>') continue;
    const out = integer();
    const into = integer();
    if (inputs === 0) inputs = into;
    else if (into !== width) throw bad(name, at, `${type} takes ${into} values after a layer of ${width}`);
    width = out;
    if (type === '<AffineTransform>' || type === '<LinearTransform>') {
      parameters();
      const { rows, columns, values } = matrix();
      if (rows !== out || columns !== into) throw bad(name, at, `${type} has a matrix of ${rows} x ${columns}`);
      const affine = { kind: 'affine' as const, rows, columns, weights: values };
      layers.push(type === '<AffineTransform>' ? { ...affine, bias: vector() } : affine);
    } else if (type === '<Fsmn>') {
      const given = parameters();
      if ((given.get('<LStride>') ?? 1) !== 1 || (given.get('<RStride>') ?? 1) !== 1)
        throw bad(name, at, 'a memory stride other than 1');
      const past = matrix();
      const future = matrix();
      layers.push({
        kind: 'memory',
        channels: out,
        left: past.rows,
        right: future.rows,
        past: past.values,
        future: future.values,
      });
    } else if (type === '<RectifiedLinear>') layers.push({ kind: 'relu' });
    else if (type !== '<Softmax>') throw bad(name, at, `unknown layer ${type}`);
  }
  if (layers.length === 0) throw bad(name, at, 'no layers');
  return { inputs, outputs: width, layers };
}

/** Weight-wise `share` × a + (1 - share) × b of two nets of one shape. Throws Corrupt when the shapes differ. */
export function averageNets(a: Net, b: Net, share: number): Net {
  const differ = () =>
    new Corrupt('model_mismatch', 'averaging two nets: their layers differ; fetch both again from one source');
  const mix = (x: Float32Array, y: Float32Array | undefined): Float32Array => {
    if (x.length !== y?.length) throw differ();
    return x.map((value, i) => share * value + (1 - share) * y[i]!);
  };
  if (a.layers.length !== b.layers.length) throw differ();
  const layers = a.layers.map((layer, i): Layer => {
    const other = b.layers[i]!;
    if (layer.kind === 'affine' && other.kind === 'affine') {
      const weights = mix(layer.weights, other.weights);
      return layer.bias ? { ...layer, weights, bias: mix(layer.bias, other.bias) } : { ...layer, weights };
    }
    if (layer.kind === 'memory' && other.kind === 'memory')
      return { ...layer, past: mix(layer.past, other.past), future: mix(layer.future, other.future) };
    if (layer.kind !== other.kind) throw differ();
    return layer;
  });
  return { ...a, layers };
}

/** Shift and scale per input value: x' = (x + shift) × scale. */
export interface Normalisation {
  readonly shift: Float32Array;
  readonly scale: Float32Array;
}

/** Parses the text of a `.mvn` file for a net with `inputs` values. Throws Corrupt. */
export function parseMvn(text: string, inputs: number): Normalisation {
  const rows = [...text.matchAll(/\[([^\]]*)\]/g)]
    .map((match) => match[1]!.trim().split(/\s+/).map(Number))
    .filter((row) => row.length === inputs);
  const [shift, scale] = rows;
  if (!shift || !scale || [...shift, ...scale].some((value) => !Number.isFinite(value)))
    throw new Corrupt(
      'model_unreadable',
      `reading the normalisation: two rows of ${inputs} numbers expected, ${rows.length} found; fetch the file again`,
    );
  return { shift: Float32Array.from(shift), scale: Float32Array.from(scale) };
}
