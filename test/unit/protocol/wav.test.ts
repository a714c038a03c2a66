import { describe, expect, it } from 'vitest';
import { readWav } from '../../../cloud/review/rules-sound.ts';
import { wavOf } from '../../../protocol/wav.ts';

describe('a recording as a file', () => {
  it('names its own length, its rate and one channel, and holds the samples as they were', () => {
    const samples = Int16Array.from({ length: 1600 }, (_, i) => [-32_768, 0, 32_767][i % 3]!);
    const bytes = wavOf(samples);
    const view = new DataView(bytes.buffer);
    expect(view.getUint32(4, true)).toBe(bytes.length - 8);
    expect([view.getUint16(22, true), view.getUint32(24, true), view.getUint32(40, true)]).toEqual([1, 16_000, 3200]);
    expect(readWav(bytes)).toEqual(samples);
  });

  it('has the rate that it is given', () => {
    expect(new DataView(wavOf(new Int16Array(1), 44_100).buffer).getUint32(24, true)).toBe(44_100);
  });
});
