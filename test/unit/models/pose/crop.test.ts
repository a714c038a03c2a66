import { describe, expect, it } from 'vitest';
import { checkPicture, cut, enlarge, letterbox, WHOLE } from '../../../../models/pose/crop.ts';
import type { Picture } from '../../../../models/pose/detector.ts';

/** Red is the column, green the row. */
function ramp(width: number, height: number): Picture {
  const rgb = new Uint8Array(width * height * 3);
  for (let i = 0; i < width * height; i++) rgb.set([i % width, Math.floor(i / width), 7], i * 3);
  return { width, height, rgb };
}

describe('checkPicture', () => {
  it('refuses bytes that are not the size told', () => {
    expect(() => checkPicture({ width: 4, height: 4, rgb: new Uint8Array(47) })).toThrow(
      expect.objectContaining({ kind: 'InvalidInput', code: 'picture_size' }),
    );
  });
});

describe('letterbox', () => {
  it('keeps the shape, fills the rest, and maps back to the picture', () => {
    const boxed = letterbox(ramp(64, 32), WHOLE, 32, 114);
    expect(boxed.rgb[(31 * 32 + 5) * 3]).toBe(114);
    expect(boxed.toPicture(32, 16)).toEqual([1, 1]);
    expect(boxed.toPicture(16, 8)).toEqual([0.5, 0.5]);
  });

  it('copies without change where nothing is to be scaled', () => {
    const picture = ramp(16, 16);
    expect(letterbox(picture, WHOLE, 16, 0).rgb).toEqual(picture.rgb);
  });

  it('samples between the pixels of the region asked for', () => {
    const boxed = letterbox(ramp(64, 64), [0.5, 0.25, 1, 0.75], 16, 0);
    expect(boxed.rgb[0]).toBe(33);
    expect(boxed.rgb[1]).toBe(17);
    const [x, y] = boxed.toPicture(8, 8);
    expect([x, y]).toEqual([0.75, 0.5]);
  });
});

describe('cut', () => {
  it('rounds outwards and tells what it really covers', () => {
    const { picture, region } = cut(ramp(10, 10), [0.25, 0.31, 0.5, 0.6]);
    expect([picture.width, picture.height]).toEqual([3, 3]);
    expect(region).toEqual([0.2, 0.3, 0.5, 0.6]);
    expect([...picture.rgb.subarray(0, 3)]).toEqual([2, 3, 7]);
  });

  it('clips at the borders', () => {
    const { picture, region } = cut(ramp(10, 10), enlarge([0.9, 0.9, 1, 1], 4));
    expect(region).toEqual([0.7, 0.7, 1, 1]);
    expect(picture.rgb).toHaveLength(27);
  });
});
