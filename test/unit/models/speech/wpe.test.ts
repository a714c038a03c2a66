/** Echoes taken away: what is predictable from the past goes, the sound itself stays, and nothing ever breaks. */
import { describe, expect, it } from 'vitest';
import { overSpectra } from '../../../../models/speech/spectra.ts';
import { createDereverberation } from '../../../../models/speech/wpe.ts';
import { seeded } from './small-net.ts';

const RATE = 16_000;
const random = seeded(11);

const run = (front: (samples: Int16Array) => Int16Array, sound: Int16Array, block = 1600): Int16Array => {
  const parts: number[] = [];
  for (let at = 0; at < sound.length; at += block) parts.push(...front(sound.slice(at, at + block)));
  return Int16Array.from(parts);
};

/** Power in dB over the samples that `where` chooses, the first second left out. */
const powerDb = (sound: ArrayLike<number>, where: (i: number) => boolean): number => {
  let sum = 0;
  let count = 0;
  for (let i = RATE; i < sound.length; i++)
    if (where(i)) {
      sum += sound[i]! ** 2;
      count++;
    }
  return 10 * Math.log10(sum / count + 1e-9);
};

/** A burst of noise four times a second, and the same in a room: echoes that decay by 60 dB in half a second. */
const PERIOD = 4000;
const BURST = 1200;
const dry = Float64Array.from({ length: 5 * RATE }, (_, i) => (i % PERIOD < BURST ? 5000 * random() : 0));
const echoes = Float64Array.from({ length: 4000 }, (_, i) => random() * Math.exp((-Math.log(1000) * i) / (RATE / 2)));
const scale = Math.sqrt(echoes.reduce((sum, value) => sum + value * value, 0));
const wet = dry.slice();
for (let i = 0; i < dry.length; i++) {
  if (dry[i] === 0) continue;
  for (let k = 0; k < echoes.length && i + 32 + k < wet.length; k++) wet[i + 32 + k]! += (dry[i]! * echoes[k]!) / scale;
}
const heard = Int16Array.from(wet, (value) => Math.round(value + 5 * random()));
const inBurst = (i: number) => i % PERIOD > 100 && i % PERIOD < BURST;
const inTail = (i: number) => i % PERIOD > BURST + 600 && i % PERIOD < PERIOD - 200;

describe('overSpectra', () => {
  it('gives back what it was given, sample for sample, whatever the blocks are like', () => {
    const sound = Int16Array.from({ length: RATE }, () => Math.round(20_000 * random()));
    for (const block of [1, 100, 1600, 5000]) {
      const out = run(
        overSpectra(() => undefined),
        sound,
        block,
      );
      expect(out.length).toBeGreaterThan(RATE - 513);
      expect(out).toEqual(sound.slice(0, out.length));
    }
  });

  it('clips what a step has made too loud', () => {
    const louder = overSpectra((re, im) => {
      for (let k = 0; k < 257; k++) {
        re[k]! *= 4;
        im[k]! *= 4;
      }
    });
    const out = run(
      louder,
      new Int16Array(8000).map((_, i) => Math.round(20_000 * Math.sin(i / 10))),
    );
    expect(Math.max(...out)).toBe(32_767);
    expect(Math.min(...out)).toBe(-32_768);
  });
});

describe('createDereverberation', () => {
  const out = run(overSpectra(createDereverberation()), heard);

  it('lowers the tails of a room and leaves the sound', () => {
    const tailsBefore = powerDb(heard, inTail) - powerDb(heard, inBurst);
    const tailsAfter = powerDb(out, inTail) - powerDb(out, inBurst);
    expect(tailsAfter).toBeLessThan(tailsBefore - 2);
    expect(Math.abs(powerDb(out, inBurst) - powerDb(heard, inBurst))).toBeLessThan(2);
  });

  it('takes away one echo nearly whole', () => {
    // 64 ms later and half as loud. What takes it away leaves a quarter 128 ms later, and so on: these must be within reach.
    const one = dry.map((value, i) => value + 0.5 * (dry[i - 1024] ?? 0));
    const sound = Int16Array.from(one, (value) => Math.round(value + 5 * random()));
    const inEcho = (i: number) => i % PERIOD > BURST + 520 && i % PERIOD < BURST + 960;
    const cleared = run(overSpectra(createDereverberation({ taps: 24 })), sound);
    expect(powerDb(cleared, inEcho)).toBeLessThan(powerDb(sound, inEcho) - 10);
  });

  it('leaves alone what has no echoes: steady noise, and the same bursts without a room', () => {
    const noise = Int16Array.from({ length: 4 * RATE }, () => Math.round(1000 * random()));
    const bursts = Int16Array.from(dry, (value) => Math.round(value + 5 * random()));
    for (const sound of [noise, bursts]) {
      const after = run(overSpectra(createDereverberation()), sound);
      expect(after).toEqual(sound.slice(0, after.length));
    }
  });

  it('comes through digital silence, a hum and the end of the scale', () => {
    let behind = 0;
    const front = overSpectra(createDereverberation());
    const hear = (sound: Int16Array) => {
      const out = run(front, sound);
      behind += sound.length - out.length;
      return out;
    };
    expect(hear(new Int16Array(2 * RATE)).every((value) => value === 0)).toBe(true);
    hear(Int16Array.from({ length: 2 * RATE }, (_, i) => Math.round(3000 * Math.sin((2 * Math.PI * 100 * i) / RATE))));
    hear(new Int16Array(RATE).fill(-32_768));
    hear(new Int16Array(RATE));
    // Clicks without a room have taught it that there are no echoes; until it knows better it leaves the sound alone.
    const late = behind;
    const again = hear(heard).slice(late);
    for (const where of [inBurst, inTail])
      expect(Math.abs(powerDb(again, where) - powerDb(heard, where))).toBeLessThan(3);
  });
});
