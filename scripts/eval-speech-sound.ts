/** Sound for measuring the ears: decoded piece by piece, with noise, rooms and a noise floor around it; all seeded, an hour as easily as a second. */
import { spawn } from 'node:child_process';
import { createFft } from '../models/speech/fft.ts';
import { InvalidInput, Unavailable } from '../protocol/errors.ts';

const RATE = 16_000;
/** Amplitude of the noise floor: 0.001 of full scale. */
const FLOOR = 33;
/** Samples of one piece while nothing else asks for another size. */
const PIECE = 16_000;

/** Numbers in -1..1 from a seed. */
export function seeded(seed: number): () => number {
  let state = (Math.imul(seed, 2654435761) + 1) >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  };
}

/** Pieces of 16 kHz mono sound on the int16 scale, one after another. */
export type Sound = AsyncIterable<Float32Array>;

/**
 * Any sound file, read as it is asked for. Throws InvalidInput `bad_sound` for a file that is not there or holds no sound that
 * ffmpeg can read, Unavailable `ffmpeg_missing`.
 */
export async function* decodePieces(path: string): AsyncGenerator<Float32Array> {
  const bad = (why: string, cause?: unknown) => new InvalidInput('bad_sound', `decoding ${path}: ${why}`, cause);
  // A name that begins with a dash is no option.
  const args = [
    '-nostdin',
    '-v',
    'error',
    '-i',
    `file:${path}`,
    '-vn',
    '-ac',
    '1',
    '-ar',
    String(RATE),
    '-f',
    's16le',
    '-',
  ];
  const child = spawn('ffmpeg', args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(0, 2000);
  });
  const ended = new Promise<number | Error>((resolve) => {
    child.once('error', resolve);
    child.once('close', (code) => resolve(code ?? -1));
  });
  let samples = 0;
  let odd: Uint8Array<ArrayBufferLike> = new Uint8Array(0);
  try {
    for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
      const bytes = Buffer.concat([odd, chunk]);
      const whole = bytes.length >> 1;
      odd = bytes.subarray(whole * 2);
      const piece = new Float32Array(whole);
      for (let i = 0; i < whole; i++) piece[i] = bytes.readInt16LE(i * 2);
      samples += whole;
      if (whole > 0) yield piece;
    }
    const end = await ended;
    if (end instanceof Error)
      throw new Unavailable('ffmpeg_missing', `decoding ${path}: ffmpeg could not be started; is it installed?`, end);
    const reason = said.trim().split('\n').at(-1) ?? '';
    if (end !== 0) throw bad(`ffmpeg cannot read it (${reason}); check the file`);
    if (samples === 0) throw bad('there is no sound in it; check the file');
  } finally {
    child.kill();
  }
}

/** The whole of a sound; for short ones. */
export async function decodeSound(path: string): Promise<Float32Array> {
  const pieces: Float32Array[] = [];
  for await (const piece of decodePieces(path)) pieces.push(piece);
  const whole = new Float32Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

const clipped = (value: number) => Math.max(-32768, Math.min(32767, Math.round(value)));

/** A microphone's own noise on both sides, as a room has it, a second of it behind; clipped to 16 bit. */
export function withFloor(sound: Float32Array, seed: number, beforeS = 1): Int16Array {
  const random = seeded(seed);
  const before = beforeS * RATE;
  return Int16Array.from({ length: before + sound.length + RATE }, (_, i) =>
    clipped(i < before || i >= before + sound.length ? random() * FLOOR : sound[i - before]!),
  );
}

/**
 * The same of a sound in pieces, `beforeS` seconds before it, cut into blocks as a microphone delivers them; the last block is
 * as long as what is left.
 */
export async function* blocksOf(sound: Sound, seed: number, length: number, beforeS = 1): AsyncGenerator<Int16Array> {
  const random = seeded(seed);
  const floor = () => Float32Array.from({ length: RATE }, () => random() * FLOOR);
  let block = new Int16Array(length);
  let filled = 0;
  async function* all() {
    for (let s = 0; s < beforeS; s++) yield floor();
    yield* sound;
    yield floor();
  }
  for await (const piece of all())
    for (let at = 0; at < piece.length; at++) {
      block[filled++] = clipped(piece[at]!);
      if (filled < length) continue;
      yield block;
      // An ear may keep what it was given.
      block = new Int16Array(length);
      filled = 0;
    }
  if (filled > 0) yield block.slice(0, filled);
}

/** Pink noise (Kellet's filter), one sample after another. */
function pinkNoise(seed: number): () => number {
  const random = seeded(seed);
  const poles = [0.99765, 0.963, 0.57];
  const gains = [0.099046, 0.2965164, 1.0526913];
  const state = [0, 0, 0];
  return () => {
    const white = random();
    for (let k = 0; k < 3; k++) state[k] = poles[k]! * state[k]! + gains[k]! * white;
    return Math.fround(state[0]! + state[1]! + state[2]! + 0.1848 * white);
  };
}

/** How loud noise is to be, and how long before the sound it begins. */
export interface Noise {
  readonly gain: number;
  readonly seed: number;
  readonly leadS: number;
}

/** Pink noise whose mean power lies `snrDb` below that of the whole sound; reads all of it. */
export async function noiseFor(sound: Sound, snrDb: number, seed: number, leadS = 0): Promise<Noise> {
  const pink = pinkNoise(seed);
  let [speech, noise, samples] = [0, 0, 0];
  const lead = leadS * RATE;
  for (let i = 0; i < lead; i++) noise += pink() ** 2;
  for await (const piece of sound) {
    samples += piece.length;
    for (const value of piece) {
      speech += value * value;
      noise += pink() ** 2;
    }
  }
  const [ours, theirs] = [speech / Math.max(1, samples), noise / Math.max(1, lead + samples)];
  return { gain: theirs === 0 ? 0 : Math.sqrt(ours / 10 ** (snrDb / 10) / theirs), seed, leadS };
}

/** Noise alone for its lead, then under the sound. */
export async function* addNoise(sound: Sound, { gain, seed, leadS }: Noise): AsyncGenerator<Float32Array> {
  const pink = pinkNoise(seed);
  for (let s = 0; s < leadS; s++) yield Float32Array.from({ length: RATE }, () => gain * pink());
  for await (const piece of sound) yield piece.map((value) => value + gain * pink());
}

/** Echoes begin 2 ms after the direct sound. */
const ECHO = 32;

/**
 * A room as exponentially decaying noise behind the direct sound: T60 in seconds. Without `distanceM` both have the same
 * energy; with it the direct sound falls by 6 dB with each doubling beyond the distance where both are equal (1 m).
 */
export function addRoom(sound: Sound, t60: number, seed: number, distanceM = 1): AsyncGenerator<Float32Array> {
  const random = seeded(seed);
  const length = Math.round(t60 * RATE);
  const decay = Math.log(1000) / (t60 * RATE);
  const tail = Float32Array.from({ length }, (_, i) => random() * Math.exp(-decay * i));
  const energy = tail.reduce((sum, value) => sum + value * value, 0);
  const direct = 1 / distanceM;
  const loudness = 1 / Math.sqrt((1 + direct * direct) / 2);
  const gain = loudness / Math.sqrt(energy);
  const response = new Float32Array(ECHO + length);
  response[0] = direct * loudness;
  for (let i = 0; i < length; i++) response[ECHO + i] = tail[i]! * gain;
  return convolve(sound, response);
}

/** The sound through a filter, as long as the sound: by FFT, one block after another, tails added to what follows. */
async function* convolve(sound: Sound, response: Float32Array): AsyncGenerator<Float32Array> {
  let size = 4 * PIECE;
  while (size & (size - 1)) size &= size - 1;
  while (size < 2 * response.length) size *= 2;
  const step = size - response.length;
  const fft = createFft(size);
  const [filterRe, filterIm] = [new Float64Array(size), new Float64Array(size)];
  filterRe.set(response);
  fft(filterRe, filterIm);
  const [re, im] = [new Float64Array(size), new Float64Array(size)];
  const tail = new Float64Array(size);
  let block = new Float64Array(step);
  let filled = 0;
  const through = (): Float32Array => {
    re.fill(0);
    im.fill(0);
    re.set(block.subarray(0, filled));
    fft(re, im);
    for (let k = 0; k < size; k++) {
      const [a, b] = [re[k]!, im[k]!];
      re[k] = a * filterRe[k]! - b * filterIm[k]!;
      // Conjugated, so that the same transform goes back.
      im[k] = -(a * filterIm[k]! + b * filterRe[k]!);
    }
    fft(re, im);
    for (let i = 0; i < size; i++) tail[i]! += re[i]! / size;
    const out = Float32Array.from(tail.subarray(0, filled));
    tail.copyWithin(0, filled);
    tail.fill(0, size - filled);
    block = new Float64Array(step);
    filled = 0;
    return out;
  };
  for await (const piece of sound)
    for (let at = 0; at < piece.length; ) {
      const more = Math.min(piece.length - at, step - filled);
      block.set(piece.subarray(at, at + more), filled);
      filled += more;
      at += more;
      if (filled === step) yield through();
    }
  if (filled > 0) yield through();
}
