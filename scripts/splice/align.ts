/** First step of splicing: where in a recording each syllable of its transcript was said, by the net's own posteriors. */
import { createFbank } from '../../models/speech/fbank.ts';
import { createFsmnNet, NET_SKIP } from '../../models/speech/fsmn-net.ts';
import type { SpotterModel } from '../../models/speech/fsmn-spotter.ts';
import type { Syllables } from '../../models/speech/syllables.ts';

/** Samples from one frame of the net to the next. */
export const FRAME_SAMPLES = 160 * NET_SKIP;

/** Log probabilities per syllable class of a whole recording (16 kHz, int16 scale), frame by frame. */
export function posteriorsOf(model: SpotterModel, syllables: Syllables, sound: Float32Array): Float32Array[] {
  const net = createFsmnNet(model.net, model.mvn);
  const fbank = createFbank();
  // What the net looks ahead is given as silence with a microphone's noise; the same every time.
  const behind = net.lookAhead * FRAME_SAMPLES + FRAME_SAMPLES;
  const samples = Int16Array.from({ length: sound.length + behind }, (_, i) =>
    i < sound.length ? Math.max(-32768, Math.min(32767, Math.round(sound[i]!))) : ((i * 7919) % 67) - 33,
  );
  const mels = fbank.push(samples);
  return net.push(mels).map((row) => syllables.pool(row));
}

/** Where the syllables of a transcript were heard. */
export interface SpokenAlignment {
  /** Frame in which each syllable was heard most clearly. */
  readonly peaks: readonly number[];
  /** Mean log likelihood ratio per syllable against the best path: 0 where the net would have written the same. */
  readonly score: number;
}

/**
 * Viterbi over CTC with the whole transcript on the whole recording: blanks may stand anywhere between syllables, and must
 * where one may be the same as the next. Undefined: more syllables than frames.
 */
export function alignSpoken(
  frames: readonly Float32Array[],
  spelling: readonly (readonly number[])[],
): SpokenAlignment | undefined {
  const states = 2 * spelling.length + 1;
  const best = frames.map((logs) => logs.reduce((top, value) => Math.max(top, value), Number.NEGATIVE_INFINITY));
  const emissionOf = (frame: number, state: number) => {
    const logs = frames[frame]!;
    const ratio =
      state % 2 === 0 ? logs[0]! : Math.max(...spelling[(state - 1) / 2]!.map((classIndex) => logs[classIndex]!));
    return ratio - best[frame]!;
  };
  const mayFollow = (state: number) => {
    const set = spelling[(state - 1) / 2]!;
    return !set.some((c) => spelling[(state - 3) / 2]!.includes(c));
  };
  let sums = new Float64Array(states).fill(Number.NEGATIVE_INFINITY);
  const from: Int32Array[] = [];
  frames.forEach((_, frame) => {
    const next = new Float64Array(states);
    const came = new Int32Array(states);
    for (let state = 0; state < states; state++) {
      let [origin, sum] = [state, frame === 0 && state < 2 ? 0 : sums[state]!];
      const consider = (other: number) => {
        if (sums[other]! > sum) [origin, sum] = [other, sums[other]!];
      };
      if (frame > 0 && state > 0) consider(state - 1);
      if (frame > 0 && state > 2 && state % 2 === 1 && mayFollow(state)) consider(state - 2);
      came[state] = origin;
      next[state] = sum + emissionOf(frame, state);
    }
    from.push(came);
    sums = next;
  });
  let state = sums[states - 1]! >= sums[states - 2]! ? states - 1 : states - 2;
  if (spelling.length === 0 || !(sums[state]! > Number.NEGATIVE_INFINITY)) return undefined;
  const score = sums[state]! / spelling.length;
  const peaks: number[] = Array.from({ length: spelling.length });
  const heights = new Float64Array(spelling.length).fill(Number.NEGATIVE_INFINITY);
  for (let frame = frames.length - 1; frame >= 0; frame--) {
    if (state % 2 === 1) {
      const syllable = (state - 1) / 2;
      const height = emissionOf(frame, state);
      if (height >= heights[syllable]!) {
        heights[syllable] = height;
        peaks[syllable] = frame;
      }
    }
    state = from[frame]![state]!;
  }
  return { peaks, score };
}
