/** Sound for measuring the ears: decoding, the noise floor around a clip, added noise and artificial rooms; all seeded. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
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

/** One second of a microphone's own noise on both sides, as a room has it; clipped to 16 bit. */
export function withFloor(sound: Float32Array, seed: number): Int16Array {
  const random = seeded(seed);
  return Int16Array.from({ length: sound.length + 2 * RATE }, (_, i) => {
    const value = i < RATE || i >= RATE + sound.length ? random() * FLOOR : sound[i - RATE]!;
    return Math.max(-32768, Math.min(32767, Math.round(value)));
  });
}

/** Pink noise at so many dB below the sound's own mean power. */
export function addNoise(sound: Float32Array, snrDb: number, seed: number): Float32Array {
  const random = seeded(seed);
  const poles = [0.99765, 0.963, 0.57];
  const gains = [0.099046, 0.2965164, 1.0526913];
  const state = [0, 0, 0];
  const noise = sound.map(() => {
    const white = random();
    for (let k = 0; k < 3; k++) state[k] = poles[k]! * state[k]! + gains[k]! * white;
    return state[0]! + state[1]! + state[2]! + 0.1848 * white;
  });
  const power = (x: Float32Array) => x.reduce((sum, value) => sum + value * value, 0) / Math.max(1, x.length);
  const gain = Math.sqrt(power(sound) / 10 ** (snrDb / 10) / power(noise));
  return sound.map((value, i) => value + gain * noise[i]!);
}

/** A room as exponentially decaying noise after the direct sound (direct to reverberant about 0 dB): T60 in seconds. */
export function addRoom(sound: Float32Array, t60: number, seed: number): Float32Array {
  const random = seeded(seed);
  const length = Math.round(t60 * RATE);
  const decay = Math.log(1000) / (t60 * RATE);
  const tail = Float32Array.from({ length }, (_, i) => random() * Math.exp(-decay * i));
  const energy = tail.reduce((sum, value) => sum + value * value, 0);
  const gain = 1 / Math.sqrt(energy);
  const out = new Float32Array(sound.length);
  out.set(sound);
  // Echoes begin 2 ms after the direct sound.
  for (let i = 0; i < sound.length; i++) {
    const value = sound[i]! * gain;
    if (value === 0) continue;
    const from = i + 32;
    const count = Math.min(length, sound.length - from);
    for (let k = 0; k < count; k++) out[from + k]! += value * tail[k]!;
  }
  return out;
}
