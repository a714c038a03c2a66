/** Takes sound apart into short spectra and puts it together again, block by block: the frame around what works on spectra. */
import { createFft } from '../../models/speech/fft.ts';

/** Samples of one window (32 ms at 16 kHz) and of one step (8 ms). */
const WINDOW = 512;
const STEP = 128;
/** Bins of one spectrum: 0 Hz to the half of the sampling rate. */
export const BINS = WINDOW / 2 + 1;

/** Changes one spectrum in place, `BINS` real and imaginary parts; called for every step, in order. */
export type SpectrumStep = (re: Float64Array, im: Float64Array) => void;

/**
 * Sound through a step on its spectra. Sample n out is sample n in, the last ones (32 ms at most) come with a later block. Windows of sine
 * before and after: where the step changes nothing, nothing changes.
 */
export function overSpectra(step: SpectrumStep): (samples: Int16Array) => Int16Array {
  const fft = createFft(WINDOW);
  const window = Float64Array.from({ length: WINDOW }, (_, i) => Math.sin((Math.PI * (i + 0.5)) / WINDOW));
  // The squares of the windows that meet a sample add up to this.
  const overlap = WINDOW / STEP / 2;
  const line = new Float64Array(WINDOW);
  const sum = new Float64Array(WINDOW);
  const re = new Float64Array(WINDOW);
  const im = new Float64Array(WINDOW);
  let held = WINDOW - STEP;
  /** What is put together before the first sample. */
  let before = WINDOW - STEP;

  const spectrum = () => {
    for (let i = 0; i < WINDOW; i++) re[i] = line[i]! * window[i]!;
    im.fill(0);
    fft(re, im);
    step(re, im);
    // The upper half mirrors the lower one. Conjugated, the same transform goes back.
    for (let k = 1; k < WINDOW / 2; k++) {
      re[WINDOW - k] = re[k]!;
      im[WINDOW - k] = im[k]!;
      im[k] = -im[k]!;
    }
    im[0] = 0;
    im[WINDOW / 2] = 0;
    fft(re, im);
    for (let i = 0; i < WINDOW; i++) sum[i]! += (re[i]! * window[i]!) / WINDOW / overlap;
  };

  return (samples) => {
    const out = new Int16Array(samples.length + STEP);
    let count = 0;
    for (let at = 0; at < samples.length; ) {
      const take = Math.min(WINDOW - held, samples.length - at);
      for (let i = 0; i < take; i++) line[held + i] = samples[at + i]!;
      held += take;
      at += take;
      if (held < WINDOW) break;
      spectrum();
      if (before > 0) before -= STEP;
      else for (let i = 0; i < STEP; i++) out[count++] = Math.max(-32_768, Math.min(32_767, Math.round(sum[i]!)));
      sum.copyWithin(0, STEP);
      sum.fill(0, WINDOW - STEP);
      line.copyWithin(0, STEP);
      held = WINDOW - STEP;
    }
    return out.slice(0, count);
  };
}
