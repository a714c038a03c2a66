/** First step of the Mandarin ear: 16 kHz samples become log mel energies exactly as Kaldi computes them, frame by frame. */
import { createFft } from './fft.ts';

export const SAMPLE_RATE = 16000;
/** Mel bands per frame. */
export const MELS = 80;
/** Samples of one analysis window (25 ms) and of one step (10 ms). */
export const WINDOW = 400;
export const STEP = 160;

const FFT = 512;
const LOW_HZ = 20;
const HIGH_HZ = 8000;
const PRE_EMPHASIS = 0.97;
/** Kaldi's floor: the machine epsilon of a 32 bit float. */
const ENERGY_FLOOR = 1.1920928955078125e-7;

interface Band {
  readonly from: number;
  readonly weights: Float64Array;
}

/** Triangles that are equally wide on the mel scale, evaluated at the bins of the FFT (the Nyquist bin is left out). */
function melBands(): Band[] {
  const mel = (hz: number) => 1127 * Math.log(1 + hz / 700);
  const low = mel(LOW_HZ);
  const width = (mel(HIGH_HZ) - low) / (MELS + 1);
  return Array.from({ length: MELS }, (_, band) => {
    const left = low + band * width;
    const weights: number[] = [];
    let from = 0;
    for (let bin = 0; bin < FFT / 2; bin++) {
      const m = mel((bin * SAMPLE_RATE) / FFT);
      const weight = Math.min((m - left) / width, (left + 2 * width - m) / width);
      if (weight <= 0) continue;
      if (weights.length === 0) from = bin;
      weights.push(weight);
    }
    return { from, weights: Float64Array.from(weights) };
  });
}

/** Streaming filter bank. `push` takes samples on the int16 scale and returns the frames that became complete. */
export interface Fbank {
  push(samples: ArrayLike<number>): Float32Array[];
}

/** Hamming window, DC removed per frame, no dither, natural logarithm; no frame reaches beyond the samples given so far. */
export function createFbank(): Fbank {
  const bands = melBands();
  const fft = createFft(FFT);
  const hamming = Float64Array.from(
    { length: WINDOW },
    (_, i) => 0.54 - 0.46 * Math.cos((2 * Math.PI * i) / (WINDOW - 1)),
  );
  const re = new Float64Array(FFT);
  const im = new Float64Array(FFT);
  const power = new Float64Array(FFT / 2);
  const ring = new Float64Array(WINDOW);
  let held = 0;

  const frame = (): Float32Array => {
    let mean = 0;
    for (let i = 0; i < WINDOW; i++) mean += ring[i]!;
    mean /= WINDOW;
    re.fill(0);
    im.fill(0);
    for (let i = WINDOW - 1; i > 0; i--) re[i] = (ring[i]! - mean - PRE_EMPHASIS * (ring[i - 1]! - mean)) * hamming[i]!;
    re[0] = (ring[0]! - mean) * (1 - PRE_EMPHASIS) * hamming[0]!;
    fft(re, im);
    for (let bin = 0; bin < power.length; bin++) power[bin] = re[bin]! * re[bin]! + im[bin]! * im[bin]!;
    const out = new Float32Array(MELS);
    for (let b = 0; b < MELS; b++) {
      const { from, weights } = bands[b]!;
      let sum = 0;
      for (let i = 0; i < weights.length; i++) sum += weights[i]! * power[from + i]!;
      out[b] = Math.log(Math.max(sum, ENERGY_FLOOR));
    }
    return out;
  };

  return {
    push(samples) {
      const frames: Float32Array[] = [];
      for (let at = 0; at < samples.length; ) {
        const take = Math.min(WINDOW - held, samples.length - at);
        for (let i = 0; i < take; i++) ring[held + i] = samples[at + i]!;
        held += take;
        at += take;
        if (held < WINDOW) break;
        frames.push(frame());
        ring.copyWithin(0, STEP);
        held = WINDOW - STEP;
      }
      return frames;
    },
  };
}
