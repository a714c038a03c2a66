/** Front end: steady noise is taken out of every spectrum, by the quietest that each bin has been of late. */
import { BINS, type SpectrumStep } from './spectra.ts';

/** The quietest of 1.5 s counts as noise, kept as so many minima of a part each (steps of 8 ms). */
const PARTS = 6;
const PART_STEPS = 31;
/** A minimum of smoothed power lies so far under its mean. */
const BIAS = 1.6;
const SMOOTH = 0.8;
/** Memory of the ratio of speech to noise (decision-directed): with less of it what is left of the noise sings. */
const MEMORY = 0.96;
/** No bin is lowered by more than 12 dB. */
const LEAST = 0.25;

/** A step that has heard nothing yet; it knows the noise once there was a pause. */
export function createSubtraction(): SpectrumStep {
  const smooth = new Float64Array(BINS).fill(-1);
  const minima = Array.from({ length: PARTS }, () => new Float64Array(BINS).fill(Number.POSITIVE_INFINITY));
  const clean = new Float64Array(BINS);
  let steps = 0;
  return (re, im) => {
    const part = minima[Math.floor(steps / PART_STEPS) % PARTS]!;
    if (steps % PART_STEPS === 0) part.fill(Number.POSITIVE_INFINITY);
    steps++;
    for (let k = 0; k < BINS; k++) {
      const power = re[k]! ** 2 + im[k]! ** 2;
      const level = smooth[k]! < 0 ? power : SMOOTH * smooth[k]! + (1 - SMOOTH) * power;
      smooth[k] = level;
      part[k] = Math.min(part[k]!, level);
      let least = Number.POSITIVE_INFINITY;
      for (const one of minima) least = Math.min(least, one[k]!);
      const noise = BIAS * least + 1e-3;
      const ratio = MEMORY * (clean[k]! / noise) + (1 - MEMORY) * Math.max(0, power / noise - 1);
      const gain = Math.max(LEAST, ratio / (1 + ratio));
      clean[k] = gain * gain * power;
      re[k]! *= gain;
      im[k]! *= gain;
    }
  };
}
