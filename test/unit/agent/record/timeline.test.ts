/** Segments laid out in a clip: wall time kept over holes, steps of the clock, the length bound, what is missing. */
import { describe, expect, it } from 'vitest';
import { placeIn, timeline } from '../../../../agent/record/clip.ts';
import { MAX_CLIP_MS } from '../../../../agent/record/plan.ts';
import type { RingSegment } from '../../../../agent/record/ring.ts';

const at = (...spans: [number, number][]): RingSegment[] =>
  spans.map(([beginWallMs, endWallMs], order) => ({
    cameraId: 'cam-a',
    path: '',
    order,
    crc: 0,
    bytes: 1,
    beginWallMs,
    endWallMs,
  }));
const ask = (fromWallMs: number, toWallMs: number) => ({ fromWallMs, toWallMs });

describe('timeline', () => {
  it('joins segments and misses nothing', () => {
    const line = timeline(ask(1500, 5500), at([0, 2000], [2000, 4050], [4050, 6000]));
    expect(line).toMatchObject({ placesMs: [0, 2000, 4050], lengthMs: 6000, missing: [] });
    expect(placeIn(line, 3000)).toBe(3000);
    expect(placeIn(line, 6000)).toBeUndefined();
    expect(placeIn(line, -1)).toBeUndefined();
  });

  it('keeps wall time over a hole and reports it', () => {
    const line = timeline(ask(0, 9000), at([0, 2000], [7000, 9000]));
    expect(line).toMatchObject({ placesMs: [0, 7000], lengthMs: 9000 });
    expect(line.missing).toMatchObject([{ fromWallMs: 2000, toWallMs: 7000 }]);
    expect(placeIn(line, 3000)).toBeUndefined();
    expect(placeIn(line, 7500)).toBe(7500);
  });

  it('reports what is missing at both ends', () => {
    expect(timeline(ask(0, 20_000), at([5000, 7000], [7000, 9000])).missing).toMatchObject([
      { fromWallMs: 0, toWallMs: 5000 },
      { fromWallMs: 9000, toWallMs: 20_000 },
    ]);
    expect(timeline(ask(0, 20_000), []).missing).toMatchObject([{ fromWallMs: 0, toWallMs: 20_000 }]);
  });

  it('goes on at once where the clock stepped back', () => {
    const line = timeline(ask(0, 10_000), at([4000, 6000], [1000, 3000]));
    expect(line).toMatchObject({ placesMs: [0, 2000], lengthMs: 4000 });
    expect(placeIn(line, 1500)).toBe(2500);
  });

  it('never grows beyond the bound', () => {
    const long = timeline(
      ask(0, 200_000),
      at(...Array.from({ length: 50 }, (_, i): [number, number] => [i * 4000, i * 4000 + 4000])),
    );
    expect(long.lengthMs).toBe(MAX_CLIP_MS);
    const far = timeline(ask(0, 200_000), at([0, 2000], [100_000, 102_000]));
    expect(far.lengthMs).toBe(4000);
  });
});
