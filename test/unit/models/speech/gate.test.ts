/** The gate before the Mandarin net: closed while nobody speaks, open in time, and it knows where everything was. */
import { describe, expect, it } from 'vitest';
import { createGate } from '../../../../models/speech/gate.ts';
import { seeded } from './small-net.ts';

const RATE = 16_000;

/** Steady noise of this amplitude. */
function noise(seconds: number, amplitude: number, seed = 3): Int16Array {
  const random = seeded(seed);
  return Int16Array.from({ length: seconds * RATE }, () => Math.round(amplitude * random()));
}

/** Something like a voice: a buzz that comes and goes four times a second. */
function voice(seconds: number, amplitude: number): Int16Array {
  return Int16Array.from({ length: seconds * RATE }, (_, i) => {
    const swell = Math.sin((Math.PI * 4 * i) / RATE) ** 2;
    const buzz = [1, 2, 3, 5, 8, 13].reduce((sum, k) => sum + Math.sin((2 * Math.PI * 140 * k * i) / RATE), 0);
    return Math.round((amplitude * swell * buzz) / 3);
  });
}

const plus = (a: Int16Array, b: Int16Array, from: number) =>
  a.map((value, i) => value + (i >= from && i < from + b.length ? b[i - from]! : 0));

function through(sound: Int16Array, block = 1600): { out: Int16Array; gate: ReturnType<typeof createGate> } {
  const gate = createGate();
  const parts: Int16Array[] = [];
  for (let at = 0; at < sound.length; at += block) parts.push(gate.push(sound.slice(at, at + block)));
  const out = new Int16Array(parts.reduce((sum, part) => sum + part.length, 0));
  let filled = 0;
  for (const part of parts) {
    out.set(part, filled);
    filled += part.length;
  }
  return { out, gate };
}

describe('createGate', () => {
  it.each([33, 300, 3000])(
    'closes over steady noise of amplitude %i once it knows it, and stays closed',
    (amplitude) => {
      const { out } = through(noise(30, amplitude));
      expect(out.length / RATE).toBeGreaterThanOrEqual(3);
      expect(out.length / RATE).toBeLessThan(5);
    },
  );

  it('opens for a voice, with what led up to it and what follows, unchanged and in its place', () => {
    const sound = plus(noise(20, 100), voice(2, 2000), 10 * RATE);
    const { out, gate } = through(sound);
    const first = gate.placeOf(out.length - 2 * RATE);
    expect(first).toBeGreaterThan(9 * RATE);
    for (const sample of [0, RATE, out.length - 3 * RATE, out.length - 2 * RATE, out.length - 1])
      expect(out[sample]).toBe(sound[gate.placeOf(sample)]);
    const places = Array.from(out, (_, i) => gate.placeOf(i));
    const spoken = places.filter((place) => place >= 10 * RATE - 3200 && place < 12.6 * RATE);
    expect(spoken).toHaveLength(2.6 * RATE + 3200);
  });

  it('gives the same whatever the blocks are like', () => {
    const sound = plus(noise(12, 100), voice(2, 2000), 8 * RATE);
    expect(through(sound, 333).out).toEqual(through(sound, 16_000).out);
  });

  it('lets a voice through that hardly stands over the noise', () => {
    // As strong as the noise in the mean: 0 dB.
    const { out, gate } = through(plus(noise(20, 1000), voice(4, 1500), 10 * RATE));
    const places = Array.from(out, (_, i) => gate.placeOf(i));
    expect(places.filter((place) => place >= 10 * RATE && place < 14 * RATE).length).toBeGreaterThan(3.9 * RATE);
  });

  it('stays open while people talk on and on, and after the noise of the room has risen', () => {
    const talk = plus(noise(60, 100), voice(60, 2000), 0);
    expect(through(talk).out.length).toBeGreaterThan(talk.length - RATE);
    const risen = noise(10, 1000, 5);
    const both = new Int16Array(20 * RATE);
    both.set(noise(10, 100));
    both.set(risen, 10 * RATE);
    const { out, gate } = through(both);
    expect(Array.from(out, (_, i) => gate.placeOf(i)).filter((place) => place >= 10 * RATE).length).toBeGreaterThan(
      9.9 * RATE,
    );
  });

  it('is not deafened by digital silence', () => {
    const sound = new Int16Array(30 * RATE);
    sound.set(plus(noise(5, 100), voice(5, 2000), 0), 20 * RATE);
    const { out, gate } = through(sound);
    expect(Array.from(out, (_, i) => gate.placeOf(i)).filter((place) => place >= 20 * RATE).length).toBeGreaterThan(
      4.9 * RATE,
    );
    expect(out.length).toBeLessThan(10 * RATE);
  });
});
