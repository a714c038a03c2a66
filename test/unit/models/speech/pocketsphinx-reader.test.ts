/** Reading words on machines of any speed, by a decoder that the test plays: what is read, what is given up, and what is said of it. */
import { describe, expect, it } from 'vitest';
import { createReader } from '../../../../models/speech/pocketsphinx-reader.ts';

const SECOND = 16_000;

/** A machine that computes for `load` seconds over a second of sound, and longer over opening the model. */
function machine(load: number, openMs = 250) {
  let spentMs = 0;
  const read: number[] = [];
  const said: string[] = [];
  let begun = 0;
  const wordsOf = (sound: Int16Array) => {
    spentMs += (read.length === 0 ? openMs : 0) + (sound.length / 16) * load;
    read.push(sound.length / SECOND);
    return [];
  };
  const watch = { cpuMs: () => spentMs, onBegin: () => void begun++, onGivenUp: (why: string) => void said.push(why) };
  return { reader: createReader(wordsOf, watch), read, said, begun: () => begun };
}

describe('createReader', () => {
  it('measures a quick machine once, reads all, and gives a sign of life before each reading', () => {
    const { reader, read, said, begun } = machine(0.14);
    expect(reader.read(new Int16Array(6 * SECOND))).toEqual([]);
    expect(reader.read(new Int16Array(10 * SECOND))).toEqual([]);
    expect(read).toEqual([0.1, 1, 6, 10]);
    expect(begun()).toBe(4);
    expect(said).toEqual([]);
    expect(reader.weight()).toBe(1);
  });

  it('reads no piece on a slower machine that would take it more than three seconds, and charges more for others', () => {
    const { reader, read, said } = machine(0.4, 800);
    expect(reader.read(new Int16Array(6 * SECOND))).toEqual([]);
    expect(reader.read(new Int16Array(9 * SECOND))).toBeUndefined();
    expect(reader.read(new Int16Array(6 * SECOND))).toEqual([]);
    expect(read).toEqual([0.1, 1, 6, 6]);
    expect(reader.weight()).toBeCloseTo(2);
    expect(said).toEqual([]);
  });

  it('gives up on a machine that would be taken for hung, says so once, and computes no more', () => {
    const { reader, read, said } = machine(1.5, 2500);
    for (let i = 0; i < 5; i++) expect(reader.read(new Int16Array(6 * SECOND))).toBeUndefined();
    expect(read).toEqual([0.1, 1]);
    expect(said).toEqual(['this machine is too slow to read words in time']);
  });

  it('gives up on a model that the library refuses, in place of dying with each hit', () => {
    const said: string[] = [];
    const watch = { cpuMs: () => 0, onBegin: () => undefined, onGivenUp: (why: string) => void said.push(why) };
    const reader = createReader(() => {
      throw new Error('the library refuses it');
    }, watch);
    expect(reader.read(new Int16Array(6 * SECOND))).toBeUndefined();
    expect(reader.read(new Int16Array(6 * SECOND))).toBeUndefined();
    expect(said).toEqual(['the library refuses it']);
  });
});
