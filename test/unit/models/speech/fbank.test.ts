/** The filter bank against values of an independent double-precision implementation. */
import { describe, expect, it } from 'vitest';
import { createFbank, MELS } from '../../../../models/speech/fbank.ts';
import { tone } from './small-net.ts';

describe('createFbank', () => {
  it('gives the golden energies', () => {
    const frames = createFbank().push(tone(8000));
    expect(frames).toHaveLength(48);
    const at = (frame: number) => [0, 20, 40, 79].map((band) => frames[frame]![band]!);
    const golden = [
      [0, [16.702716, 13.775338, 15.699957, 18.405709]],
      [47, [16.914819, 13.001763, 15.549584, 18.4933]],
    ] as const;
    for (const [frame, values] of golden)
      values.forEach((value, i) => {
        expect(at(frame)[i]).toBeCloseTo(value, 4);
      });
  });

  it('does not depend on how the sound is cut', () => {
    const sound = tone(5000);
    const whole = createFbank().push(sound);
    const cut = createFbank();
    const parts: Float32Array[] = [];
    for (const [from, to] of [
      [0, 1],
      [1, 399],
      [399, 1003],
      [1003, 1003],
      [1003, 5000],
    ] as const)
      parts.push(...cut.push(sound.subarray(from, to)));
    expect(parts).toEqual(whole);
  });

  it('gives the floor for digital silence', () => {
    const [frame] = createFbank().push(new Int16Array(400));
    expect(frame).toHaveLength(MELS);
    expect(frame![0]).toBeCloseTo(-15.94, 1);
  });
});
