/** Before the Mandarin net: where there are late echoes they are predicted from what was heard before, and taken away (weighted prediction error, running). */
import { BINS, type SpectrumStep } from './spectra.ts';

/** Past spectra (8 ms each) that the prediction uses: 80 ms. */
const TAPS = 10;
/** How far back the newest of them lies, 24 ms: the speech itself is not to be predicted. */
const DELAY = 3;
/** What is left of a spectrum's weight with each later one: half of it after a second. */
const FORGET = 0.9945;
/** The expected power is never taken for less than this share of the mean of the last 2 s: silence teaches nothing. */
const FLOOR = 1e-3;
const LONG = 250;
/**
 * Nor for less than this share of what it is predicted from: a hum is predicted so well that its expected power would vanish, and
 * the inverse, minute in the hum's direction and large in every other, would be wrong in all its digits once something else is heard.
 */
const PAST = 1e-4;
/** What a hum teaches would pile up for hours while nothing is forgotten: the inverse goes back to that of the first spectrum by this share. */
const LEAK = 1e-6;
/** Share of the newest spectrum in the power that is expected. */
const NEWEST = 0.5;
/**
 * Whether there are echoes is told by what the prediction takes away from speech (dB in the mean over bins of 190 Hz to 4 kHz): of
 * dry speech and of noise nothing, it adds 0 to 0.8; in rooms of 0.3 to 0.8 s it takes 0.6 to 1.2. Only where it takes so much
 * is it used, until it takes less than the second.
 */
const TAKES = -0.45;
const TOOK = -0.25;
const FROM = 6;
const TO = 128;
/** Spectra of half a second of speech make up the mean; what is 25 dB under the loudest is none. */
const MEAN_OF = 64;
const SPEECH = 10 ** -2.5;
/**
 * The loudest fades by 2.7 dB/s and rises by at most 0.3 dB with each spectrum: a bang is over before speech is measured by it. It
 * is never taken for less than the power of noise at -75 dB of full scale, so that the rise to speech takes two seconds at most.
 */
const FADES = 0.995;
const RISES = 10 ** 0.03;
const LEAST = 1e6;

/**
 * Recursive least squares in every bin by itself: each spectrum weighs one over the power that is expected without echoes,
 * so that the quiet ends of sounds, where the room is heard, teach most. `taps`: more of them reach back further. `onReset` is
 * told of every bin whose figures had become none, and that began anew: it must not come to that, but if it does it must be seen.
 */
export function createDereverberation({
  taps = TAPS,
  onReset,
}: {
  taps?: number;
  onReset?: () => void;
} = {}): SpectrumStep {
  const depth = taps + DELAY;
  const square = taps * taps;
  // Per bin: a ring of past spectra, the prediction's coefficients, the inverse of the weighted correlation.
  const pastRe = new Float64Array(BINS * depth);
  const pastIm = new Float64Array(BINS * depth);
  const gRe = new Float64Array(BINS * taps);
  const gIm = new Float64Array(BINS * taps);
  const pRe = new Float64Array(BINS * square);
  const pIm = new Float64Array(BINS * square);
  const expected = new Float64Array(BINS);
  const mean = new Float64Array(BINS);
  // Of the bin at hand: what it is predicted from, and the inverse times that.
  const xRe = new Float64Array(taps);
  const xIm = new Float64Array(taps);
  const uRe = new Float64Array(taps);
  const uIm = new Float64Array(taps);
  // What would be left of the spectrum.
  const leftRe = new Float64Array(BINS);
  const leftIm = new Float64Array(BINS);
  let newest = 0;
  let steps = 0;
  let loudest = LEAST;
  let takes = 0;
  let used = false;

  /** A bin that has learnt nothing. */
  const clear = (bin: number) => {
    gRe.fill(0, bin * taps, (bin + 1) * taps);
    gIm.fill(0, bin * taps, (bin + 1) * taps);
    pRe.fill(0, bin * square, (bin + 1) * square);
    pIm.fill(0, bin * square, (bin + 1) * square);
    for (let i = 0; i < taps; i++) pRe[bin * square + i * taps + i] = 1;
    expected[bin] = 0;
    mean[bin] = 0;
  };
  for (let bin = 0; bin < BINS; bin++) clear(bin);
  const reset = (bin: number) => {
    clear(bin);
    onReset?.();
  };

  const recall = (bin: number) => {
    for (let i = 0; i < taps; i++) {
      const at = bin * depth + ((newest - DELAY - i + 2 * depth) % depth);
      xRe[i] = pastRe[at]!;
      xIm[i] = pastIm[at]!;
    }
  };

  /** The power that weighs this spectrum, after one with so much left of it. */
  const weightOf = (bin: number, left: number, past: number): number => {
    expected[bin] = steps === 0 ? left : (1 - NEWEST) * expected[bin]! + NEWEST * left;
    mean[bin] = mean[bin]! + (left - mean[bin]!) / Math.min(steps + 1, LONG);
    return Math.max(expected[bin]!, FLOOR * mean[bin]!, PAST * past, 1);
  };

  const learn = (bin: number, dRe: number, dIm: number) => {
    const p = bin * square;
    const g = bin * taps;
    let past = 0;
    let energy = 0;
    let trace = 0;
    let least = Number.POSITIVE_INFINITY;
    for (let i = 0; i < taps; i++) {
      let re = 0;
      let im = 0;
      for (let j = 0, at = p + i * taps; j < taps; j++, at++) {
        re += pRe[at]! * xRe[j]! - pIm[at]! * xIm[j]!;
        im += pRe[at]! * xIm[j]! + pIm[at]! * xRe[j]!;
      }
      uRe[i] = re;
      uIm[i] = im;
      energy += xRe[i]! * re + xIm[i]! * im;
      past += xRe[i]! ** 2 + xIm[i]! ** 2;
      trace += pRe[p + i * taps + i]!;
      least = Math.min(least, pRe[p + i * taps + i]!);
    }
    const weight = weightOf(bin, dRe * dRe + dIm * dIm, past / taps);
    // Else it is no inverse of a correlation any more, and what is learnt from it grows without bound.
    if (!(least > 0 && energy >= 0 && weight + energy < Number.POSITIVE_INFINITY)) return reset(bin);
    // What is not heard for long is not forgotten without end: in silence or in a hum the inverse would grow for ever.
    const leak = trace > taps ? LEAK : 0;
    const keep = trace > taps ? 1 + LEAK : FORGET;
    const gain = 1 / (keep * weight + energy);
    for (let i = 0; i < taps; i++) {
      const re = uRe[i]! * gain;
      const im = uIm[i]! * gain;
      gRe[g + i]! += re * dRe + im * dIm;
      gIm[g + i]! += im * dRe - re * dIm;
      // One half is reckoned and the other mirrored, so that it stays Hermitian.
      for (let j = 0; j <= i; j++) {
        const at = p + i * taps + j;
        const mirrored = p + j * taps + i;
        const newRe = (pRe[at]! - (re * uRe[j]! + im * uIm[j]!)) / keep + (i === j ? leak : 0);
        const newIm = i === j ? 0 : (pIm[at]! - (im * uRe[j]! - re * uIm[j]!)) / keep;
        pRe[at] = newRe;
        pIm[at] = newIm;
        pRe[mirrored] = newRe;
        pIm[mirrored] = -newIm;
      }
    }
  };

  /** Whether there are echoes here, after this spectrum and what would be left of it. */
  const judge = (re: Float64Array, im: Float64Array): boolean => {
    let power = 0;
    let change = 0;
    for (let bin = FROM; bin < TO; bin++) {
      const before = re[bin]! ** 2 + im[bin]! ** 2;
      power += before;
      change += Math.log10(Math.max(1e-3, (leftRe[bin]! ** 2 + leftIm[bin]! ** 2) / (before + 1)));
    }
    // What is no figure must not become the mean for ever.
    if (!Number.isFinite(power) || !Number.isFinite(change)) return used;
    loudest = Math.max(FADES * loudest, Math.min(power, RISES * loudest), LEAST);
    if (steps > depth && power > SPEECH * loudest) takes += ((10 * change) / (TO - FROM) - takes) / MEAN_OF;
    return takes < (used ? TOOK : TAKES);
  };

  return (re, im) => {
    for (let bin = 0; bin < BINS; bin++) {
      const at = bin * depth + newest;
      pastRe[at] = re[bin]!;
      pastIm[at] = im[bin]!;
      recall(bin);
      let dRe = re[bin]!;
      let dIm = im[bin]!;
      for (let i = 0, g = bin * taps; i < taps; i++, g++) {
        dRe -= gRe[g]! * xRe[i]! + gIm[g]! * xIm[i]!;
        dIm -= gRe[g]! * xIm[i]! - gIm[g]! * xRe[i]!;
      }
      const sound = Number.isFinite(dRe) && Number.isFinite(dIm);
      leftRe[bin] = sound ? dRe : re[bin]!;
      leftIm[bin] = sound ? dIm : im[bin]!;
      if (sound) learn(bin, dRe, dIm);
      else reset(bin);
    }
    used = judge(re, im);
    if (used) {
      re.set(leftRe);
      im.set(leftIm);
    }
    newest = (newest + 1) % depth;
    steps++;
  };
}
