/** How much of a syllable a Mandarin net hears where nobody speaks: what a phrase of such syllables gets by chance, which its limit has to make up for. */
import { MELS } from './fbank.ts';
import { createFsmnNet } from './fsmn-net.ts';
import type { Net, Normalisation } from './nnet.ts';
import type { Syllables } from './syllables.ts';

/** Frames of the filter bank, 12 s: the means of another seed differ little from these. */
const FRAMES = 1200;
/** Frames (60 ms) in which one spectrum turns into the next, as quickly as in speech. */
const TURN = 6;
/** Likeness of neighbouring bands: a spectrum is smooth. */
const SMOOTH = 0.9;
/**
 * By so much (natural logarithm) the syllables of talk lie over the mean of all syllables: talk prefers the ones that the net expects.
 * The generated sentences of the room (lexicon/neutral.ts) lie 1.6 over it, the forms of the default pack 1.7.
 */
const USUAL = 1.8;

/** Standard normal numbers, the same ones every time. */
function normal(): () => number {
  let state = 5;
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  return () => Math.sqrt(-2 * Math.log(next() + 1e-9)) * Math.cos(2 * Math.PI * next());
}

/** Spectra as loud and as varied in each band as the speech that the net was trained on, and of nobody's mouth. */
function babble({ shift, scale }: Normalisation): Float32Array[] {
  const random = normal();
  // What a band is shifted and scaled by stands once for each spliced frame: these are of the one in the middle.
  const middle = Math.floor(shift.length / MELS / 2) * MELS;
  const spectrum = () => {
    let level = random();
    return Float32Array.from({ length: MELS }, () => {
      level = SMOOTH * level + Math.sqrt(1 - SMOOTH ** 2) * random();
      return level;
    });
  };
  let [from, to] = [spectrum(), spectrum()];
  return Array.from({ length: FRAMES }, (_, frame) => {
    const part = (frame % TURN) / TURN;
    if (frame > 0 && part === 0) [from, to] = [to, spectrum()];
    return Float32Array.from(from, (level, band) => {
      const value = (1 - part) * level + part * to[band]!;
      return value / scale[middle + band]! - shift[middle + band]!;
    });
  });
}

/**
 * For each class of `syllables` the mean log probability that the net gives it in babble, over that of a usual syllable: what has
 * many characters, or common ones, or syllables that sound like it, stands over 0. A quarter of a second of processor time.
 */
export function chanceOf(deps: { net: Net; mvn: Normalisation; syllables: Syllables }): Float32Array {
  const { net, mvn, syllables } = deps;
  const running = createFsmnNet(net, mvn);
  const sums = new Float64Array(syllables.names.length);
  let frames = 0;
  const bank = babble(mvn);
  // In blocks as sound comes: the net keeps what a whole block needs.
  for (let at = 0; at < bank.length; at += 12)
    for (const posterior of running.push(bank.slice(at, at + 12))) {
      frames++;
      syllables.pool(posterior).forEach((log, c) => {
        sums[c]! += log;
      });
    }
  const means = Float32Array.from(sums, (sum) => sum / Math.max(1, frames));
  // Neither the blank nor what is no syllable.
  const sounds = means.subarray(1, -1);
  const usual = sounds.reduce((sum, mean) => sum + mean, 0) / Math.max(1, sounds.length) + USUAL;
  return means.map((mean) => mean - usual);
}

/** The mean chance of a form's syllables; a character with several readings has that of all of them together. */
export function commonness(spelling: readonly (readonly number[])[], chance: Float32Array): number {
  const logs = spelling.map((classes) => Math.log(classes.reduce((sum, c) => sum + Math.exp(chance[c]!), 0)));
  return logs.reduce((sum, log) => sum + log, 0) / Math.max(1, logs.length);
}
