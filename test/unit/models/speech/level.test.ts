/** The level meter: dBFS, digital silence, and speech by energy over a learnt floor. */
import { describe, expect, it } from 'vitest';
import { createLevelMeter, LEVEL_BLOCK, SILENCE_DB } from '../../../../models/speech/level.ts';
import { seeded } from './small-net.ts';

const noise = (samples: number, amplitude: number, seed = 1) => {
  const random = seeded(seed);
  return Int16Array.from({ length: samples }, () => Math.round(random() * amplitude));
};

describe('createLevelMeter', () => {
  it('gives one level per half second, whatever the cut', () => {
    const meter = createLevelMeter();
    const sound = noise(LEVEL_BLOCK * 2, 1000);
    const levels = [
      ...meter.push(sound.subarray(0, 7999)),
      ...meter.push(sound.subarray(7999, 8001)),
      ...meter.push(sound.subarray(8001)),
    ];
    expect(levels.map((level) => level.endSample)).toEqual([8000, 16_000]);
  });

  it('knows full scale, and -6 dB for half of it', () => {
    const square = (value: number) => Int16Array.from({ length: LEVEL_BLOCK }, (_, i) => (i % 2 ? value : -value));
    const [full] = createLevelMeter().push(square(32767));
    expect(full!.rmsDb).toBeCloseTo(0, 2);
    expect(full!.peakDb).toBeCloseTo(0, 2);
    const [half] = createLevelMeter().push(square(16384));
    expect(half!.rmsDb).toBeCloseTo(-6.02, 2);
  });

  it('tells digital silence from a quiet room, and counts how long it lasts', () => {
    const meter = createLevelMeter();
    const [quiet] = meter.push(noise(LEVEL_BLOCK, 33));
    expect(quiet!.rmsDb).toBeGreaterThan(-70);
    const levels = meter.push(new Int16Array(LEVEL_BLOCK * 3));
    expect(levels.map((level) => level.rmsDb)).toEqual([SILENCE_DB, SILENCE_DB, SILENCE_DB]);
    expect(levels[2]!.zeroSamples).toBeGreaterThanOrEqual(LEVEL_BLOCK * 3);
    expect(meter.push(noise(LEVEL_BLOCK, 33))[0]!.zeroSamples).toBeLessThan(10);
  });

  it('calls loud stretches over the floor speech, and does not learn minutes of talk as floor', () => {
    const meter = createLevelMeter();
    for (let i = 0; i < 10; i++) expect(meter.push(noise(LEVEL_BLOCK, 40, i + 1))[0]!.speech).toBeLessThan(0.1);
    let last = 0;
    for (let i = 0; i < 60; i++) {
      last = meter.push(noise(LEVEL_BLOCK, i % 2 ? 3000 : 40, i + 1))[0]!.speech;
    }
    expect(last).toBeGreaterThan(0.9);
  });
});
