/** Second step of splicing: where one syllable of a recording ends and the next begins, by how loud its voiced part is. */

const RATE = 16_000;
/** Samples from one loudness to the next (5 ms), and of the stretch that each is taken over (20 ms). */
const HOP = 80;
const SPAN = 320;
/** What voices have: consonants without voice are silent below it, whatever they hiss above. */
const VOICED_HZ = 900;
/**
 * The net is surest of a syllable towards its end, and later the faster one speaks: with peaks a fifth of a second apart the
 * border lies at the peak, and beyond it by so much of what they are further apart, within these seconds.
 */
const EVEN_S = 0.2;
const LATER = 0.8;
const EARLIEST_S = -0.05;
const LATEST_S = 0.2;
/** A border lies at most so far from there; one that is 50 ms off costs 1.5 dB, 80 ms 4 dB. */
const WITHIN_S = 0.08;
const OFF_S = 0.05;
const OFF_DB = 1.5;
/** No syllable is shorter. */
const SHORTEST_S = 0.06;
/** Nobody draws a syllable out to more before its peak: what is longer has a pause in it. */
const LONGEST_S = 0.3;
/** Peaks that are further apart than this beyond it have a pause between them. */
const PAUSE_S = 0.2;
/** A syllable that nothing follows is over when its voice has fallen by so much, in dB. */
const FALLEN_DB = 25;

/** Loudness of the voiced band in dB (int16 scale), every 5 ms; value i is about sample (i + 2) * 80. */
function voicedLoudness(sound: Float32Array): Float64Array {
  const keep = Math.exp((-2 * Math.PI * VOICED_HZ) / RATE);
  let [once, twice] = [0, 0];
  const low = sound.map((sample) => {
    once = keep * once + (1 - keep) * sample;
    twice = keep * twice + (1 - keep) * once;
    return twice;
  });
  return Float64Array.from({ length: Math.max(0, Math.floor((sound.length - SPAN) / HOP) + 1) }, (_, i) => {
    let sum = 0;
    for (let k = i * HOP; k < i * HOP + SPAN; k++) sum += low[k]! ** 2;
    return 10 * Math.log10(sum / SPAN + 1);
  });
}

/** First and one past the last sample of a syllable. */
export interface Cut {
  readonly begin: number;
  readonly end: number;
}

/** `peaks`: a sample of each syllable, in order, as `alignSpoken` finds them. Each cut lies within the sound. */
export function cutSyllables(sound: Float32Array, peaks: readonly number[]): Cut[] {
  const loud = voicedLoudness(sound);
  const sampleOf = (step: number) => Math.max(0, Math.min(sound.length, step * HOP + SPAN / 2));
  const stepOf = (sample: number) => Math.max(0, Math.min(loud.length - 1, Math.round((sample - SPAN / 2) / HOP)));
  const at = (seconds: number) => Math.round(seconds * RATE);

  /** The place in a stretch where the voice begins to dip to its least: of a consonant all belongs to the syllable behind it. */
  const dipIn = (from: number, to: number, wanted: number): number => {
    const [first, last] = [stepOf(from), stepOf(Math.max(from, to))];
    const cost = (step: number) => loud[step]! + OFF_DB * ((sampleOf(step) - wanted) / at(OFF_S)) ** 2;
    let least = first;
    for (let step = first; step <= last; step++) if (cost(step) < cost(least)) least = step;
    let top = least;
    for (let step = first; step <= least; step++) if (loud[step]! > loud[top]!) top = step;
    const half = (loud[top]! + loud[least]!) / 2;
    while (least > first && loud[least - 1]! < half) least--;
    return sampleOf(least);
  };

  const begins = peaks.map((peak, i) => {
    const before = i === 0 ? 0 : peaks[i - 1]!;
    const gap = peak - before;
    // Behind a pause: how the voice rises is all there is.
    if (i === 0 || gap > at(LONGEST_S + PAUSE_S)) {
      const from = Math.max(before, peak - at(LONGEST_S));
      let step = stepOf(peak);
      const top = Math.max(...loud.subarray(stepOf(peak - at(0.1)), step + 1));
      while (step > stepOf(from) && loud[step]! > top - FALLEN_DB) step--;
      // The consonant in front of it has no voice: it may be as long as this.
      return Math.max(from, sampleOf(step) - at(0.06));
    }
    const shift = Math.max(EARLIEST_S, Math.min(LATEST_S, LATER * (gap / RATE - EVEN_S)));
    const wanted = before + at(shift);
    return dipIn(wanted - at(WITHIN_S), Math.min(wanted + at(WITHIN_S), peak), wanted);
  });
  // Never out of order, however the voice dips.
  for (let i = 1; i < begins.length; i++) begins[i] = Math.max(begins[i]!, begins[i - 1]! + at(SHORTEST_S));
  return peaks.map((peak, i) => {
    const next = begins[i + 1] ?? sound.length;
    let step = stepOf(peak);
    const top = Math.max(...loud.subarray(stepOf(peak - at(0.1)), step + 1));
    while (step < stepOf(Math.min(next, peak + at(LONGEST_S))) && loud[step]! > top - FALLEN_DB) step++;
    // With the next one close behind, all up to it.
    const end = next - peak <= at(PAUSE_S) ? next : Math.min(next, sampleOf(step));
    return { begin: Math.min(begins[i]!, sound.length), end: Math.min(sound.length, Math.max(end, begins[i]! + HOP)) };
  });
}
