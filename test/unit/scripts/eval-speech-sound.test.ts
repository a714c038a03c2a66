/** The sound that ears are measured with: noise, rooms and floor as they were asked for, in pieces as in one. */
import { describe, expect, it } from 'vitest';
import {
  addNoise,
  addRoom,
  blocksOf,
  noiseFor,
  type Sound,
  seeded,
  withFloor,
} from '../../../scripts/eval-speech-sound.ts';

const RATE = 16_000;
const random = seeded(9);
const speech = Float32Array.from({ length: RATE }, () => 3000 * random());

async function* inPieces(sound: Float32Array, length: number): Sound & AsyncGenerator<Float32Array> {
  for (let at = 0; at < sound.length; at += length) yield sound.slice(at, at + length);
}
async function whole(sound: AsyncIterable<Float32Array | Int16Array>): Promise<number[]> {
  const all: number[] = [];
  for await (const piece of sound) for (const value of piece) all.push(value);
  return all;
}
const powerDb = (sound: readonly number[]) =>
  10 * Math.log10(sound.reduce((sum, value) => sum + value * value, 0) / sound.length);

describe('addNoise', () => {
  it('adds as much as was asked for, before the sound too', async () => {
    const noise = await noiseFor(inPieces(speech, 700), 10, 3, 2);
    const noisy = await whole(addNoise(inPieces(speech, 700), noise));
    expect(noisy).toHaveLength(3 * RATE);
    const added = noisy.slice(2 * RATE).map((value, i) => value - speech[i]!);
    expect(powerDb([...speech]) - powerDb(added)).toBeCloseTo(10, 0);
    expect(Math.abs(powerDb(noisy.slice(0, 2 * RATE)) - powerDb(added))).toBeLessThan(1.5);
  });

  it('does not depend on the pieces', async () => {
    const noise = await noiseFor(inPieces(speech, 16_000), 10, 3);
    expect(await noiseFor(inPieces(speech, 123), 10, 3)).toEqual(noise);
    expect(await whole(addNoise(inPieces(speech, 123), noise))).toEqual(
      await whole(addNoise(inPieces(speech, 16_000), noise)),
    );
  });
});

describe('addRoom', () => {
  it('is the filter over the whole, block after block', async () => {
    // Five seconds: more than one block of the transform. A click late in the first block rings into the second.
    const clicks = new Float32Array(5 * RATE);
    clicks[0] = 10_000;
    const first = await whole(addRoom(inPieces(clicks, 1000), 0.5, 1));
    const late = new Float32Array(5 * RATE);
    late[50_000] = 10_000;
    const second = await whole(addRoom(inPieces(late, 333), 0.5, 1));
    expect(second).toHaveLength(5 * RATE);
    for (let i = 0; i < 20_000; i += 7) expect(second[50_000 + i]).toBeCloseTo(first[i]!, 2);
    expect(Math.max(...second.slice(0, 50_000).map(Math.abs))).toBeLessThan(0.01);
  });

  it('has more echo and less of the voice itself the farther away it is', async () => {
    const click = new Float32Array(RATE);
    click[0] = 10_000;
    const share = async (distance: number) => {
      const heard = await whole(addRoom(inPieces(click, 4000), 0.5, 1, distance));
      return heard[0]! ** 2 / heard.reduce((sum, value) => sum + value * value, 0);
    };
    expect(await share(1)).toBeCloseTo(1 / 2, 2);
    expect(await share(2)).toBeCloseTo(1 / 5, 2);
    expect(await share(4)).toBeCloseTo(1 / 17, 2);
  });
});

describe('blocksOf', () => {
  it('is the sound between floors, in blocks of one length, as in one piece', async () => {
    const lengths: number[] = [];
    const all: number[] = [];
    for await (const block of blocksOf(inPieces(speech, 999), 1, 1601)) {
      lengths.push(block.length);
      all.push(...block);
    }
    expect(all).toEqual([...withFloor(speech, 1)]);
    expect(new Set(lengths.slice(0, -1))).toEqual(new Set([1601]));
    expect(await whole(blocksOf(inPieces(speech, 999), 1, 1600, 5))).toHaveLength(7 * RATE);
  });
});
