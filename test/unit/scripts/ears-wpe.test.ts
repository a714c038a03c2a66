/** Echoes taken away: what is predictable from the past goes, the sound itself stays, and nothing ever breaks. */
import { describe, expect, it } from 'vitest';
import { BINS, overSpectra, type SpectrumStep } from '../../../scripts/ears/spectra.ts';
import { createDereverberation } from '../../../scripts/ears/wpe.ts';
import { seeded } from '../models/speech/small-net.ts';

const RATE = 16_000;
const random = seeded(11);

const run = (front: (samples: Int16Array) => Int16Array, sound: Int16Array, block = 1600): Int16Array => {
  const parts: number[] = [];
  for (let at = 0; at < sound.length; at += block) parts.push(...front(sound.slice(at, at + block)));
  return Int16Array.from(parts);
};

const joined = (...parts: readonly Int16Array[]) => Int16Array.from(parts.flatMap((part) => [...part]));

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
const bursts = Int16Array.from(dry, (value) => Math.round(value + 5 * random()));
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
    for (const sound of [noise, bursts]) {
      const after = run(overSpectra(createDereverberation()), sound);
      expect(after).toEqual(sound.slice(0, after.length));
    }
  });

  it('leaves dry sound alone again after a room', () => {
    const before = joined(heard, bursts, bursts);
    const after = run(overSpectra(createDereverberation()), joined(before, bursts)).slice(before.length);
    expect(after).toEqual(bursts.slice(0, after.length));
  });

  /** After 15 s of speech in a room it must have learnt what room this is, whatever it was given before. */
  const expectLearnt = (step: SpectrumStep, ...before: readonly Int16Array[]) => {
    const after = run(overSpectra(step), joined(...before, heard, heard, heard, heard));
    const learnt = after.slice(before.reduce((sum, part) => sum + part.length, 0) + 3 * heard.length);
    expect(powerDb(learnt, inTail)).toBeLessThan(powerDb(heard, inTail) - 2);
    expect(Math.abs(powerDb(learnt, inBurst) - powerDb(heard, inBurst))).toBeLessThan(3);
  };

  it('comes through digital silence, a hum and the end of the scale', () => {
    const silence = new Int16Array(2 * RATE);
    expect(run(overSpectra(createDereverberation()), silence).every((value) => value === 0)).toBe(true);
    const hum = Int16Array.from({ length: 2 * RATE }, (_, i) =>
      Math.round(3000 * Math.sin((2 * Math.PI * 100 * i) / RATE)),
    );
    const end = new Int16Array(RATE).fill(-32_768);
    expectLearnt(createDereverberation(), silence, hum, end, new Int16Array(RATE));
  });

  it('measures speech by speech after a bang 36 dB louder', () => {
    const bang = Int16Array.from({ length: RATE / 2 }, (_, i) =>
      i > 1600 && i <= 3200 ? Math.round(32_000 * random()) : 0,
    );
    const quiet = heard.map((value) => Math.round(value / 10));
    const after = run(overSpectra(createDereverberation()), joined(bang, quiet)).slice(bang.length);
    const late = (i: number) => i > 2 * RATE && inTail(i);
    expect(powerDb(after, late)).toBeLessThan(powerDb(quiet, late) - 2);
  });

  /** 257 bins of one kind of sound for so long, spectrum by spectrum (8 ms); the loudest figure that came out. */
  const give = (step: SpectrumStep, seconds: number, of: (at: number, bin: number) => readonly [number, number]) => {
    let loudest = 0;
    const re = new Float64Array(BINS);
    const im = new Float64Array(BINS);
    for (let at = 0; at < seconds * 125; at++) {
      for (let bin = 0; bin < BINS; bin++) [re[bin], im[bin]] = of(at, bin) as [number, number];
      step(re, im);
      for (const value of re) loudest = Math.max(loudest, Math.abs(value));
    }
    return loudest;
  };

  it('stays sound through tones at the end of the scale and noise between them', () => {
    let resets = 0;
    const step = createDereverberation({ onReset: () => resets++ });
    const tone = (at: number, bin: number) => {
      const phase = (0.05 + 0.2 * (bin % 8)) * at;
      return [4e6 * Math.cos(phase), 4e6 * Math.sin(phase)] as const;
    };
    for (const seconds of [40, 2]) {
      expect(give(step, seconds, tone)).toBeLessThan(2e7);
      expect(give(step, seconds, () => [4e5 * random(), 4e5 * random()])).toBeLessThan(2e7);
    }
    expect(resets).toBe(0);
    expectLearnt(step);
  });

  it('begins anew in bins whose figures have become none, and says so', () => {
    for (const nothing of [Number.NaN, 1e160]) {
      let resets = 0;
      const step = createDereverberation({ onReset: () => resets++ });
      give(step, 0.008, () => [nothing, 0]);
      give(step, 1, () => [1000 * random(), 1000 * random()]);
      expect(resets).toBeGreaterThanOrEqual(BINS);
      expectLearnt(step);
    }
  });
});
