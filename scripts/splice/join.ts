/** Fifth step of splicing: stretches of recordings become one sound, equally loud, with short crossfades between them. */
import { seeded } from '../eval-speech-sound.ts';
import { follows } from './choose.ts';
import type { Recording, Unit } from './units.ts';

const RATE = 16_000;
/** Samples over which one stretch fades into the next (8 ms). */
const FADE = 128;
/** No stretch is made louder or quieter by more than this. */
const MOST_GAIN = 4;
/** A quiet microphone: 0.001 of full scale. */
const FLOOR = 33;

interface Stretch {
  readonly recording: Recording;
  readonly begin: number;
  readonly end: number;
}

const rmsOf = ({ recording, begin, end }: Stretch) => {
  let sum = 0;
  for (let i = begin; i < end; i++) sum += recording.sound[i]! ** 2;
  return Math.sqrt(sum / Math.max(1, end - begin));
};

/** Neighbours of one recording in one piece. */
export function runsOf(units: readonly Unit[]): readonly (readonly Unit[])[] {
  const runs: Unit[][] = [];
  for (const unit of units) {
    const last = runs.at(-1);
    if (last && follows(last.at(-1)!, unit)) last.push(unit);
    else runs.push([unit]);
  }
  return runs;
}

/** The units as one sound; all of its runs as loud as `rms` in the mean. */
export function joinUnits(units: readonly Unit[], rms: number): Float32Array {
  const stretches = runsOf(units).map((run): Stretch => {
    const { recording, begin } = run[0]!;
    return { recording, begin, end: run.at(-1)!.end };
  });
  const pieces = stretches.map((stretch) => {
    const gain = Math.max(1 / MOST_GAIN, Math.min(MOST_GAIN, rms / Math.max(1, rmsOf(stretch))));
    // What lies on both sides goes into the fades, where there is something.
    const from = Math.max(0, stretch.begin - FADE / 2);
    const to = Math.min(stretch.recording.sound.length, stretch.end + FADE / 2);
    return stretch.recording.sound.subarray(from, to).map((sample) => sample * gain);
  });
  return crossfade(pieces);
}

/** One piece after another, the end of each over the begin of the next; faded in at the begin and out at the end. */
export function crossfade(pieces: readonly Float32Array[]): Float32Array {
  const overlap = (a: Float32Array, b: Float32Array) => Math.min(FADE, a.length >> 1, b.length >> 1);
  const length = pieces.reduce((sum, piece, i) => sum + piece.length - (i > 0 ? overlap(pieces[i - 1]!, piece) : 0), 0);
  const joined = new Float32Array(length);
  let at = 0;
  pieces.forEach((piece, i) => {
    const before = i > 0 ? overlap(pieces[i - 1]!, piece) : Math.min(FADE, piece.length >> 1);
    const behind = i + 1 < pieces.length ? overlap(piece, pieces[i + 1]!) : Math.min(FADE, piece.length >> 1);
    if (i > 0) at -= before;
    piece.forEach((sample, k) => {
      const rise = k < before ? (k + 0.5) / before : 1;
      const fall = k >= piece.length - behind ? (piece.length - k - 0.5) / behind : 1;
      joined[at + k]! += sample * Math.min(rise, fall);
    });
    at += piece.length;
  });
  return joined;
}

/** How loud speech is: the root mean square of its louder half, in stretches of 20 ms. */
export function speechLevel(sound: Float32Array): number {
  const span = 320;
  const powers = Array.from({ length: Math.floor(sound.length / span) }, (_, i) =>
    sound.subarray(i * span, (i + 1) * span).reduce((sum, sample) => sum + sample * sample, 0),
  ).sort((a, b) => b - a);
  const loud = powers.slice(0, Math.ceil(powers.length / 2));
  return Math.sqrt(loud.reduce((sum, power) => sum + power, 0) / Math.max(1, loud.length * span));
}

/** Parts with pauses between them, over a microphone's own noise; `ends`: where each part ends, in samples. */
export function inTurn(
  parts: readonly Float32Array[],
  pauseS: number,
  seed: number,
): { samples: Int16Array; ends: readonly number[] } {
  const random = seeded(seed);
  const pause = Math.round(pauseS * RATE);
  const length = parts.reduce((sum, part) => sum + part.length + pause, pause);
  const sound = Float32Array.from({ length }, () => random() * FLOOR);
  let at = pause;
  const ends = parts.map((part) => {
    part.forEach((sample, i) => {
      sound[at + i]! += sample;
    });
    at += part.length + pause;
    return at - pause;
  });
  const samples = Int16Array.from(sound, (value) => Math.max(-32768, Math.min(32767, Math.round(value))));
  return { samples, ends };
}
