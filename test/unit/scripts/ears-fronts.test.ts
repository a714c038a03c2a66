/** What is measured before the ears: noise goes and the sound stays, gates put hits back where they were. */
import { describe, expect, it } from 'vitest';
import type { Hit } from '../../../models/speech/recogniser.ts';
import { gatedBy } from '../../../scripts/ears/gated.ts';
import { overSpectra } from '../../../scripts/ears/spectra.ts';
import { createSubtraction } from '../../../scripts/ears/subtract.ts';
import { seeded } from '../../../scripts/eval-speech-sound.ts';

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
