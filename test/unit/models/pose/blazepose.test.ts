import { describe, expect, it } from 'vitest';
import { judged, tilesOf, withoutParts } from '../../../../models/pose/blazepose.ts';

const ASPECT = 16 / 9;
/** In picture heights. */
const SMALL = 0.033;

/** Hips `down` picture heights under the shoulders and `aside` beside them. */
function body(x: number, y: number, down: number, { aside = 0, score = 0.9 } = {}) {
  return { score, shoulders: [x, y] as const, hips: [x + aside / ASPECT, y + down] as const };
}
const one = (given: ReturnType<typeof body>) => judged(given, ASPECT, SMALL)[0]!;

describe('what the points of a body tell', () => {
  it('draws the box by the length of the torso, whatever the size of the tile', () => {
    const { box, score, torso } = one(body(0.5, 0.4, 0.1));
    expect(score).toBe(0.9);
    expect(torso).toBeCloseTo(0.1);
    expect(box[0]).toBeCloseTo(0.5 - 0.065 / ASPECT);
    expect(box[1]).toBeCloseTo(0.4 - 0.067);
    expect(box[2]).toBeCloseTo(0.5 + 0.065 / ASPECT);
    expect(box[3]).toBeCloseTo(0.5 + 0.025);
  });

  it('keeps the box within the picture', () => {
    const { box } = one(body(0.02, 0.03, 0.3));
    expect(box[0]).toBe(0);
    expect(box[1]).toBe(0);
    expect(box[3]).toBeLessThan(1);
  });

  it('takes nobody who is upside down, or whose shoulders lie outside the picture', () => {
    expect(judged(body(0.5, 0.5, -0.1), ASPECT, SMALL)).toEqual([]);
    expect(judged(body(1.02, 0.5, 0.1), ASPECT, SMALL)).toEqual([]);
  });

  it('doubts who lies and who is too small to be told from furniture, and leaves their place', () => {
    const lying = one(body(0.5, 0.5, 0.01, { aside: 0.1 }));
    const tiny = one(body(0.5, 0.5, 0.02));
    expect(lying.score).toBeLessThan(0.5);
    expect(tiny.score).toBeLessThan(0.5);
    expect(tiny.shoulders).toEqual([0.5, 0.5]);
    expect(one(body(0.5, 0.5, 0.02, { score: 0.35 })).score).toBe(0.35);
  });
});

describe('a body in the legs of another', () => {
  const standing = one(body(0.5, 0.2, 0.2));

  it('is a part of that person', () => {
    const knees = one(body(0.51, 0.6, 0.06, { score: 0.7 }));
    expect(withoutParts([standing, knees], ASPECT)).toEqual([standing]);
  });

  it('is somebody else when as large, when surer, or when beside', () => {
    const inFront = one(body(0.51, 0.55, 0.15, { score: 0.7 }));
    const surer = one(body(0.51, 0.6, 0.06, { score: 0.95 }));
    const beside = one(body(0.65, 0.6, 0.06, { score: 0.7 }));
    for (const other of [inFront, surer, beside]) expect(withoutParts([standing, other], ASPECT)).toContain(other);
  });
});

describe('tiles', () => {
  it('cover the whole picture, overlapping, with the picture itself first', () => {
    const tiles = tilesOf({ width: 640, height: 360 }, [0, 0, 1, 1]);
    expect(tiles[0]).toEqual([0, 0, 1, 1]);
    const rest = tiles.slice(1);
    expect(rest).toHaveLength(10);
    expect(Math.max(...rest.map(([, , x1]) => x1))).toBeCloseTo(1);
    expect(Math.max(...rest.map(([, , , y1]) => y1))).toBeCloseTo(1);
  });
});
