import { describe, expect, it } from 'vitest';
import { brightness, createPictureWatch, edgeEnergy, type Luma, luminance, seatGrid } from '../../../models/picture.ts';
import type { Picture } from '../../../models/pose/detector.ts';
import { compare, gradient, referenceOf } from '../../../models/shift.ts';
import type { Polygon } from '../../../protocol/seat.ts';

const WIDTH = 640;
const HEIGHT = 360;

/** A repeatable number 0..1 for a cell. */
function noise(x: number, y: number): number {
  let h = (x * 374761393 + y * 668265263) | 0;
  h = Math.imul(h ^ (h >>> 13), 1274126177);
  return ((h ^ (h >>> 16)) >>> 0) / 2 ** 32;
}

/** A scene of patches, seen with an offset in pixels and a gain of the light. */
function scene({ dx = 0, dy = 0, gain = 1 } = {}): Picture {
  const rgb = new Uint8Array(WIDTH * HEIGHT * 3);
  for (let y = 0, p = 0; y < HEIGHT; y++)
    for (let x = 0; x < WIDTH; x++, p += 3) {
      const value = 200 * noise(Math.floor((x - dx + 4000) / 40), Math.floor((y - dy + 4000) / 30));
      rgb[p] = rgb[p + 1] = rgb[p + 2] = value * gain;
    }
  return { width: WIDTH, height: HEIGHT, rgb };
}

function plain(value: number): Picture {
  return { width: WIDTH, height: HEIGHT, rgb: new Uint8Array(WIDTH * HEIGHT * 3).fill(value) };
}

describe('light and edges', () => {
  it('measure what is there', () => {
    expect(brightness(luminance(plain(80)))).toBeCloseTo(80);
    expect(edgeEnergy(luminance(plain(80)))).toBe(0);
    expect(edgeEnergy(luminance(scene()))).toBeGreaterThan(5);
  });

  it('weigh the colours as eyes do', () => {
    const green = plain(0);
    for (let p = 1; p < green.rgb.length; p += 3) green.rgb[p] = 100;
    expect(brightness(luminance(green))).toBeCloseTo(58.7);
  });

  it('work on pictures of other sizes', () => {
    const odd = { width: 333, height: 187, rgb: new Uint8Array(333 * 187 * 3).fill(50) };
    expect(brightness(luminance(odd))).toBeCloseTo(50);
  });
});

const shiftBetween = (reference: Luma, now: Luma) => compare(referenceOf(reference), gradient(now)).shift;

describe('the shift against a reference', () => {
  const reference = luminance(scene());

  it.each([
    [0, 0],
    [64, 0],
    [-96, 20],
    [180, -60],
  ])('finds a shift of (%i, %i) pixels', (dx, dy) => {
    const shift = shiftBetween(reference, luminance(scene({ dx, dy })));
    expect(shift.dx * WIDTH).toBeCloseTo(dx, -1);
    expect(shift.dy * HEIGHT).toBeCloseTo(dy, -1);
    expect(shift.confidence).toBeGreaterThan(0.6);
  });

  it('takes dimmed light for what it is', () => {
    const shift = shiftBetween(reference, luminance(scene({ gain: 0.4 })));
    expect(shift).toMatchObject({ dx: 0, dy: 0 });
    expect(shift.confidence).toBeGreaterThan(0.9);
  });

  it('has no confidence in a covered lens', () => {
    expect(shiftBetween(reference, luminance(plain(12))).confidence).toBe(0);
  });
});

describe('seatGrid', () => {
  const zone: Polygon = [
    [0.25, 0.25],
    [0.75, 0.25],
    [0.75, 0.75],
    [0.25, 0.75],
  ];

  it('gives 6 × 6 mean colours, row by row', () => {
    const picture = plain(0);
    for (let i = 0; i < WIDTH * HEIGHT; i++) picture.rgb[i * 3] = i % WIDTH < WIDTH / 2 ? 100 : 200;
    const grid = seatGrid(picture, zone);
    expect(grid).toHaveLength(108);
    expect(grid.slice(0, 3)).toEqual([100, 0, 0]);
    expect(grid.slice(15, 18)).toEqual([200, 0, 0]);
    expect(grid.slice(18, 21)).toEqual([100, 0, 0]);
  });

  it('holds numbers even for a zone that is tiny or reaches over the border', () => {
    const tiny: Polygon = zone.map(([x, y]) => [0.5 + x / 1000, 0.5 + y / 1000]);
    const over: Polygon = zone.map(([x, y]) => [x + 0.5, y + 0.5]);
    for (const polygon of [tiny, over]) {
      const grid = seatGrid(plain(30), polygon);
      expect(grid).toHaveLength(108);
      expect(grid.every((value) => value === 30)).toBe(true);
    }
  });
});

describe('the picture watch', () => {
  it('says exactly 0 for the same bytes, and more than 0 for one changed byte', () => {
    const watch = createPictureWatch({ seats: [] });
    expect(watch.look(scene()).picture.change).toBe(255);
    expect(watch.look(scene()).picture.change).toBe(0);
    const touched = scene();
    touched.rgb[1000] = touched.rgb[1000]! ^ 1;
    expect(watch.look(touched).picture.change).toBeGreaterThan(0);
  });

  it('waits for a picture that can be a reference, and measures against it until told otherwise', () => {
    const watch = createPictureWatch({ seats: [] });
    expect(watch.look(plain(5)).picture.shift.confidence).toBe(0);
    expect(watch.reference()).toBeUndefined();
    watch.look(scene());
    const moved = scene({ dx: 96 });
    expect(watch.look(moved).picture.shift.dx).toBeCloseTo(0.15, 1);
    watch.setReference(undefined);
    expect(watch.look(moved).picture.shift.dx).toBe(0);
  });

  it('gives a patch for each seat', () => {
    const zone: Polygon = [
      [0.1, 0.1],
      [0.2, 0.1],
      [0.2, 0.3],
    ];
    const { patches } = createPictureWatch({ seats: [{ seatId: '7', zone }] }).look(plain(9));
    expect(patches).toEqual([{ seatId: '7', grid: Array(108).fill(9) }]);
  });
});
