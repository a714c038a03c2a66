/** Sound for measuring the ears: decoding, the noise floor around a clip, added noise and artificial rooms; all seeded. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { createFft } from '../models/speech/fft.ts';
import { InvalidInput } from '../protocol/errors.ts';

const RATE = 16_000;
/** Amplitude of the noise floor: 0.001 of full scale. */
const FLOOR = 33;
const run = promisify(execFile);

/** Numbers in -1..1 from a seed. */
export function seeded(seed: number): () => number {
  let state = (Math.imul(seed, 2654435761) + 1) >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  };
}

/** Any sound file to 16 kHz mono on the int16 scale. */
export async function decodeSound(path: string): Promise<Float32Array> {
  const args = ['-v', 'error', '-i', path, '-ac', '1', '-ar', String(RATE), '-f', 's16le', '-'];
  try {
    const { stdout } = await run('ffmpeg', args, { encoding: 'buffer', maxBuffer: 2 ** 31 - 1 });
    const bytes = new Uint8Array(stdout);
    return Float32Array.from(new Int16Array(bytes.buffer, 0, bytes.length >> 1));
  } catch (error) {
    throw new InvalidInput('bad_sound', `decoding ${path}: ffmpeg cannot read it; check the file`, error);
  }
}

/** A microphone's own noise on both sides, as a room has it, one second of it behind; clipped to 16 bit. */
export function withFloor(sound: Float32Array, seed: number, beforeS = 1): Int16Array {
  const random = seeded(seed);
  const before = beforeS * RATE;
  return Int16Array.from({ length: before + sound.length + RATE }, (_, i) => {
    const value = i < before || i >= before + sound.length ? random() * FLOOR : sound[i - before]!;
    return Math.max(-32768, Math.min(32767, Math.round(value)));
  });
}

/** Pink noise at so many dB below the sound's own mean power, `leadS` seconds of it before the sound. */
export function addNoise(sound: Float32Array, snrDb: number, seed: number, leadS = 0): Float32Array {
  const random = seeded(seed);
  const lead = leadS * RATE;
  const poles = [0.99765, 0.963, 0.57];
  const gains = [0.099046, 0.2965164, 1.0526913];
  const state = [0, 0, 0];
  const noise = new Float32Array(lead + sound.length).map(() => {
    const white = random();
    for (let k = 0; k < 3; k++) state[k] = poles[k]! * state[k]! + gains[k]! * white;
    return state[0]! + state[1]! + state[2]! + 0.1848 * white;
  });
  const power = (x: Float32Array) => x.reduce((sum, value) => sum + value * value, 0) / Math.max(1, x.length);
  const gain = Math.sqrt(power(sound) / 10 ** (snrDb / 10) / power(noise));
  return noise.map((value, i) => (i < lead ? 0 : sound[i - lead]!) + gain * value);
}

/**
 * A room as exponentially decaying noise behind the direct sound: T60 in seconds. Without `distanceM` both have the same
 * energy; with it the direct sound falls by 6 dB with each doubling beyond the distance where both are equal (1 m).
 */
export function addRoom(sound: Float32Array, t60: number, seed: number, distanceM = 1): Float32Array {
  const random = seeded(seed);
  const length = Math.round(t60 * RATE);
  const decay = Math.log(1000) / (t60 * RATE);
  const tail = Float32Array.from({ length }, (_, i) => random() * Math.exp(-decay * i));
  const energy = tail.reduce((sum, value) => sum + value * value, 0);
  const direct = 1 / distanceM;
  const loudness = 1 / Math.sqrt((1 + direct * direct) / 2);
  const gain = loudness / Math.sqrt(energy);
  // Echoes begin 2 ms after the direct sound.
  const response = new Float32Array(ECHO + length);
  response[0] = direct * loudness;
  for (let i = 0; i < length; i++) response[ECHO + i] = tail[i]! * gain;
  return convolve(sound, response);
}

const ECHO = 32;

/** The sound through a filter, as long as the sound; by FFT. */
function convolve(sound: Float32Array, response: Float32Array): Float32Array {
  let size = 1;
  while (size < sound.length + response.length) size *= 2;
  // Two real signals in one complex transform: their spectra are its even and its odd part.
  const fft = createFft(size);
  const re = new Float64Array(size);
  const im = new Float64Array(size);
  re.set(sound);
  im.set(response);
  fft(re, im);
  const outRe = new Float64Array(size);
  const outIm = new Float64Array(size);
  for (let k = 0; k < size; k++) {
    const j = (size - k) % size;
    const [aRe, aIm] = [(re[k]! + re[j]!) / 2, (im[k]! - im[j]!) / 2];
    const [bRe, bIm] = [(im[k]! + im[j]!) / 2, (re[j]! - re[k]!) / 2];
    outRe[k] = aRe * bRe - aIm * bIm;
    // Conjugated, so that the same transform goes back.
    outIm[k] = -(aRe * bIm + aIm * bRe);
  }
  fft(outRe, outIm);
  return Float32Array.from(sound, (_, i) => outRe[i]! / size);
}
