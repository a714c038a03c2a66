/** What is measured before the ears: noise goes and the sound stays, gates put hits back where they were, sound is made as asked. */
import { describe, expect, it } from 'vitest';
import type { Hit } from '../../../models/speech/recogniser.ts';
import { overSpectra } from '../../../models/speech/spectra.ts';
import { gatedBy } from '../../../scripts/ears/gated.ts';
import { createSubtraction } from '../../../scripts/ears/subtract.ts';
import { addNoise, addRoom, seeded, withFloor } from '../../../scripts/eval-speech-sound.ts';

const RATE = 16_000;
const powerDb = (sound: ArrayLike<number>, from: number, to: number): number => {
  let sum = 0;
  for (let i = from; i < to; i++) sum += sound[i]! ** 2;
  return 10 * Math.log10(sum / (to - from));
};

describe('createSubtraction', () => {
  it('lowers steady noise by its 12 dB where nothing else is, and leaves a tone', () => {
    const random = seeded(4);
    const tone = (i: number) => (i % 16_000 < 8000 ? 4000 * Math.sin(0.3 * i) : 0);
    const sound = Int16Array.from({ length: 4 * RATE }, (_, i) => Math.round(400 * random() + tone(i)));
    const front = overSpectra(createSubtraction());
    const out: number[] = [];
    for (let at = 0; at < sound.length; at += 1600) out.push(...front(sound.slice(at, at + 1600)));
    const quiet = [2 * RATE + 10_000, 2 * RATE + 15_000] as const;
    const loud = [2 * RATE + 2000, 2 * RATE + 7000] as const;
    expect(powerDb(out, ...quiet)).toBeLessThan(powerDb(sound, ...quiet) - 8);
    expect(Math.abs(powerDb(out, ...loud) - powerDb(sound, ...loud))).toBeLessThan(1);
  });
});

describe('gatedBy', () => {
  it('gives the ear only speech with its lead and tail', async () => {
    const sound = Int16Array.from({ length: 10 * RATE }, (_, i) => (i >= 5 * RATE && i < 6 * RATE ? 1000 : 1));
    let given = 0;
    const ear = gatedBy({
      judge: { piece: 160, speech: async (piece) => (piece[0]! > 500 ? 0.9 : 0) },
      least: 0.5,
      ear: (samples) => {
        given += samples.length;
        return [];
      },
    });
    for (let at = 0; at < sound.length; at += 1000) await ear(sound.slice(at, at + 1000));
    expect(given / RATE).toBeGreaterThan(1 + 0.29 + 0.89);
    expect(given / RATE).toBeLessThan(1 + 0.31 + 0.91);
  });

  it('tells places behind a closed stretch in the time of the room', async () => {
    const sound = Int16Array.from({ length: 4 * RATE }, (_, i) => (i >= 2 * RATE && i < 3 * RATE ? 1000 : 1));
    let given = 0;
    const ear = gatedBy({
      judge: { piece: 160, speech: (piece) => (piece[0]! > 500 ? 1 : 0) },
      least: 0.5,
      ear: (samples): Hit[] => {
        const beginSample = given;
        given += samples.length;
        return [{ phraseId: 'p', text: 'p', score: 0, threshold: 0, beginSample, endSample: given, heard: '' }];
      },
    });
    const hits: Hit[] = [];
    for (let at = 0; at < sound.length; at += 800) hits.push(...(await ear(sound.slice(at, at + 800))));
    expect(hits[0]!.beginSample).toBe(2 * RATE + 160 - 31 * 160);
    expect(hits.at(-1)!.endSample).toBe(3 * RATE + 0.9 * RATE);
  });
});

describe('the sound that ears are measured with', () => {
  const random = seeded(9);
  const speech = Float32Array.from({ length: RATE }, () => 3000 * random());

  it('has the noise that was asked for, before it too, at the same level', () => {
    const noisy = addNoise(speech, 10, 3, 2);
    expect(noisy).toHaveLength(3 * RATE);
    const noise = noisy.slice(2 * RATE).map((value, i) => value - speech[i]!);
    expect(powerDb(speech, 0, RATE) - powerDb(noise, 0, RATE)).toBeCloseTo(10, 0);
    expect(Math.abs(powerDb(noisy, 0, 2 * RATE) - powerDb(noise, 0, RATE))).toBeLessThan(1.5);
  });

  it('has more echo and less of the voice itself the farther away it is', () => {
    const click = new Float32Array(RATE);
    click[0] = 10_000;
    const share = (distance: number) => {
      const heard = addRoom(click, 0.5, 1, distance);
      return heard[0]! ** 2 / heard.reduce((sum, value) => sum + value * value, 0);
    };
    expect(share(1)).toBeCloseTo(1 / 2, 2);
    expect(share(2)).toBeCloseTo(1 / 5, 2);
    expect(share(4)).toBeCloseTo(1 / 17, 2);
  });

  it('stands between a second of floor on either side, or more before it', () => {
    expect(withFloor(speech, 1)).toHaveLength(3 * RATE);
    const late = withFloor(speech, 1, 5);
    expect(late).toHaveLength(7 * RATE);
    expect(late[5 * RATE]).toBe(Math.round(speech[0]!));
  });
});
