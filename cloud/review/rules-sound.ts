/** From an uploaded WAV file to what an ear takes: 16 kHz, one channel, 16 bit. Runs in the worker of the rule page. */
import { InvalidInput } from '../../protocol/errors.ts';
import { SOUND_SECONDS } from '../http/rules-api.ts';

export const EAR_RATE = 16_000;
const PCM = 1;
const FLOAT = 3;
const EXTENSIBLE = 0xfffe;
/** Half the width of the low-pass filter, in periods of the slower rate. */
const TAPS = 16;

const bad = (why: string) =>
  new InvalidInput('sound_bad', `reading a recording: ${why}; give a WAV file (PCM, 8 to 48 kHz)`);

/** Samples of the ear. Throws InvalidInput `sound_bad`, `sound_long`. */
export function readWav(bytes: Uint8Array): Int16Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const tag = (at: number) => String.fromCharCode(...bytes.subarray(at, at + 4));
  if (bytes.length < 44 || tag(0) !== 'RIFF' || tag(8) !== 'WAVE') throw bad('it is no WAV file');
  let format: { kind: number; channels: number; rate: number; bits: number } | undefined;
  let data: readonly [from: number, to: number] | undefined;
  for (let at = 12; at + 8 <= bytes.length && !data; ) {
    const length = view.getUint32(at + 4, true);
    const from = at + 8;
    if (tag(at) === 'fmt ' && length >= 16 && from + length <= bytes.length) {
      const kind = view.getUint16(from, true);
      format = {
        kind: kind === EXTENSIBLE && length >= 26 ? view.getUint16(from + 24, true) : kind,
        channels: view.getUint16(from + 2, true),
        rate: view.getUint32(from + 4, true),
        bits: view.getUint16(from + 14, true),
      };
      // A recorder that was interrupted, or streams, leaves a length that is too long: what is there counts.
    } else if (tag(at) === 'data') data = [from, Math.min(bytes.length, from + length)];
    at = from + length + (length % 2);
  }
  if (!format || !data) throw bad('its format or its sound is missing');
  const { kind, channels, rate, bits } = format;
  const read = readerOf(kind, bits);
  if (!read || channels < 1 || channels > 8)
    throw bad(`${bits} bit in ${channels} channels (format ${kind}) is not read`);
  if (rate < 8000 || rate > 192_000) throw bad(`${rate} samples a second are not read`);
  const size = (bits / 8) * channels;
  const frames = Math.floor((data[1] - data[0]) / size);
  if (frames < rate / 10) throw bad('it is shorter than a tenth of a second');
  // A recorder stops a moment after it was told to.
  if (frames / rate > SOUND_SECONDS + 1)
    throw new InvalidInput(
      'sound_long',
      `reading a recording: ${Math.round(frames / rate)} s; at most ${SOUND_SECONDS} s`,
    );
  const mono = new Float32Array(frames);
  for (let i = 0; i < frames; i++) {
    let sum = 0;
    for (let c = 0; c < channels; c++) sum += read(view, data[0] + i * size + (c * bits) / 8);
    mono[i] = sum / channels;
  }
  const heard = rate === EAR_RATE ? mono : resample(mono, rate);
  return Int16Array.from(heard, (value) => Math.max(-32_768, Math.min(32_767, Math.round(value * 32_768))));
}

/** One sample as -1..1. */
function readerOf(kind: number, bits: number): ((view: DataView, at: number) => number) | undefined {
  if (kind === FLOAT && bits === 32) return (view, at) => view.getFloat32(at, true) || 0;
  if (kind !== PCM) return undefined;
  if (bits === 8) return (view, at) => (view.getUint8(at) - 128) / 128;
  if (bits === 16) return (view, at) => view.getInt16(at, true) / 32_768;
  if (bits === 24) return (view, at) => ((view.getInt8(at + 2) << 16) | view.getUint16(at, true)) / 8_388_608;
  if (bits === 32) return (view, at) => view.getInt32(at, true) / 2_147_483_648;
  return undefined;
}

/** Windowed sinc, cut off below half of the lower rate, so that nothing folds back into speech. */
function resample(input: Float32Array, rate: number): Float32Array {
  const ratio = rate / EAR_RATE;
  const cutoff = 0.47 * Math.min(1, 1 / ratio);
  const half = Math.ceil(TAPS * Math.max(1, ratio));
  return Float32Array.from({ length: Math.floor(input.length / ratio) }, (_, index) => {
    const centre = index * ratio;
    const first = Math.max(0, Math.ceil(centre - half));
    const last = Math.min(input.length - 1, Math.floor(centre + half));
    let sum = 0;
    let weights = 0;
    for (let i = first; i <= last; i++) {
      const x = i - centre;
      const sinc = x === 0 ? 2 * cutoff : Math.sin(2 * Math.PI * cutoff * x) / (Math.PI * x);
      const weight = sinc * (0.5 + 0.5 * Math.cos((Math.PI * x) / half));
      sum += input[i]! * weight;
      weights += weight;
    }
    return weights === 0 ? 0 : sum / weights;
  });
}

/** The loudest sample in dBFS. */
export function peakDb(samples: Int16Array): number {
  let peak = 0;
  for (const value of samples) peak = Math.max(peak, Math.abs(value));
  return peak === 0 ? -120 : Math.round(200 * Math.log10(peak / 32_768)) / 10;
}
