/** Runs the Mandarin net over a stream: spliced filter bank frames in, posteriors of its characters out, 240 ms later. */
import { MELS } from './fbank.ts';
import type { Affine, Layer, Memory, Net, Normalisation } from './nnet.ts';

/** Neighbours on each side that are spliced to a frame, and the step between frames that the net sees. */
const SPLICE = 2;
const SKIP = 3;

/** Frames of the filter bank per frame of the net. */
export const NET_SKIP = SKIP;

/**
 * y[frame] = W x[frame] + b for `count` frames in one pass over the weights. Four frames at a time: each weight is
 * loaded once for four sums, which more than halves the time in plain JavaScript.
 */
function affine(layer: Affine, x: Float32Array, count: number, y: Float32Array): void {
  const { rows, columns, weights, bias } = layer;
  let frame = 0;
  for (; frame + 4 <= count; frame += 4) {
    const x0 = frame * columns;
    const x1 = x0 + columns;
    const x2 = x1 + columns;
    const x3 = x2 + columns;
    for (let row = 0, w = 0; row < rows; row++) {
      const b = bias ? bias[row]! : 0;
      let a0 = b;
      let a1 = b;
      let a2 = b;
      let a3 = b;
      for (let i = 0; i < columns; i++, w++) {
        const weight = weights[w]!;
        a0 += weight * x[x0 + i]!;
        a1 += weight * x[x1 + i]!;
        a2 += weight * x[x2 + i]!;
        a3 += weight * x[x3 + i]!;
      }
      const out = frame * rows + row;
      y[out] = a0;
      y[out + rows] = a1;
      y[out + 2 * rows] = a2;
      y[out + 3 * rows] = a3;
    }
  }
  for (; frame < count; frame++) {
    const from = frame * columns;
    for (let row = 0, w = 0; row < rows; row++) {
      let a = bias ? bias[row]! : 0;
      for (let i = 0; i < columns; i++, w++) a += weights[w]! * x[from + i]!;
      y[frame * rows + row] = a;
    }
  }
}

/** Three frames are filled up to four: one pass for four takes less than three for one. */
const filledUp = (count: number) => (count % 4 === 3 ? count + 1 : count);

/** Takes and gives `count` frames in arrays with room for as many as `filledUp` says. */
type Step = (x: Float32Array, count: number) => Float32Array;

/** The memory block as a delay line: output lags by `right` frames, and time before the first frame counts as zeros. */
function memoryStep(layer: Memory): Step {
  const { channels, left, right, past, future } = layer;
  const span = left + right - 1;
  // taps[k] is the weight of the frame k steps after the oldest one; the present frame also passes straight through.
  const taps = new Float32Array((span + 1) * channels);
  for (let k = 0; k < left; k++) taps.set(past.subarray(k * channels, (k + 1) * channels), (left - 1 - k) * channels);
  for (let k = 0; k < right; k++) taps.set(future.subarray(k * channels, (k + 1) * channels), (left + k) * channels);
  for (let c = 0; c < channels; c++) taps[(left - 1) * channels + c]! += 1;
  let line = new Float32Array(span * channels);
  return (x, count) => {
    const all = new Float32Array((span + count) * channels);
    all.set(line);
    all.set(x.subarray(0, count * channels), span * channels);
    const y = new Float32Array(filledUp(count) * channels);
    for (let frame = 0; frame < count; frame++) {
      const out = frame * channels;
      for (let k = 0; k <= span; k++) {
        const from = (frame + k) * channels;
        for (let c = 0; c < channels; c++) y[out + c]! += taps[k * channels + c]! * all[from + c]!;
      }
    }
    line = all.slice(count * channels);
    return y;
  };
}

function stepOf(layer: Layer): Step {
  if (layer.kind === 'memory') return memoryStep(layer);
  if (layer.kind === 'affine')
    return (x, count) => {
      const y = new Float32Array(filledUp(count) * layer.rows);
      affine(layer, x, filledUp(count), y);
      return y;
    };
  return (x) => {
    for (let i = 0; i < x.length; i++) if (x[i]! < 0) x[i] = 0;
    return x;
  };
}

/** Streaming net. Each call returns the posteriors (softmax, `outputs` values) of the frames that became complete. */
export interface FsmnNet {
  /** Output frames that the net looks ahead: frame n is out once frame n + lookAhead is in. */
  readonly lookAhead: number;
  push(mels: readonly Float32Array[]): Float32Array[];
}

/** Splices 2 + 2 frames (the first one repeated at the beginning), keeps every third, normalises and runs the layers. */
export function createFsmnNet(net: Net, mvn: Normalisation): FsmnNet {
  const steps = net.layers.map(stepOf);
  const lookAhead = net.layers.reduce((sum, layer) => sum + (layer.kind === 'memory' ? layer.right : 0), 0);
  let recent: Float32Array[] = [];
  /** Index, in frames of the filter bank, of recent[0] and of the next centre to splice. */
  let first = 0;
  let centre = 0;
  let skipped = 0;

  const splice = (mels: readonly Float32Array[]): Float32Array[] => {
    recent.push(...mels);
    const rows: Float32Array[] = [];
    for (; centre + SPLICE < first + recent.length; centre += SKIP) {
      const row = new Float32Array(MELS * (2 * SPLICE + 1));
      for (let k = -SPLICE; k <= SPLICE; k++) row.set(recent[Math.max(0, centre + k - first)]!, (k + SPLICE) * MELS);
      for (let i = 0; i < row.length; i++) row[i] = (row[i]! + mvn.shift[i]!) * mvn.scale[i]!;
      rows.push(row);
    }
    const drop = Math.max(0, centre - SPLICE - first);
    recent = recent.slice(drop);
    first += Math.min(drop, recent.length + drop);
    return rows;
  };

  const softmax = (row: Float32Array): Float32Array => {
    let top = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < row.length; i++) if (row[i]! > top) top = row[i]!;
    let sum = 0;
    for (let i = 0; i < row.length; i++) {
      const e = Math.exp(row[i]! - top);
      row[i] = e;
      sum += e;
    }
    for (let i = 0; i < row.length; i++) row[i] = row[i]! / sum;
    return row;
  };

  return {
    lookAhead,
    push(mels) {
      const rows = splice(mels);
      if (rows.length === 0) return [];
      let x = new Float32Array(filledUp(rows.length) * net.inputs);
      for (let i = 0; i < rows.length; i++) x.set(rows[i]!, i * net.inputs);
      for (const step of steps) x = step(x, rows.length) as Float32Array<ArrayBuffer>;
      const out: Float32Array[] = [];
      for (let frame = 0; frame < rows.length; frame++) {
        if (skipped < lookAhead) skipped++;
        else out.push(softmax(x.subarray(frame * net.outputs, (frame + 1) * net.outputs)));
      }
      return out;
    },
  };
}
