import { describe, expect, it } from 'vitest';
import { createPictureWatch, luminance } from '../../../models/picture.ts';
import type { Picture } from '../../../models/pose/detector.ts';
import { compare, gradient, referenceOf } from '../../../models/shift.ts';

const WIDTH = 640;
const HEIGHT = 360;

/** A repeatable number 0..1 for a cell. */
function noise(x: number, y: number): number {
  let h = (x * 374761393 + y * 668265263) | 0;
  h = Math.imul(h ^ (h >>> 13), 1274126177);
  return ((h ^ (h >>> 16)) >>> 0) / 2 ** 32;
}

type Paint = (x: number, y: number) => number | undefined;

/** A room of patches moved by so many pixels, under what is burnt into the picture. */
function picture({ dx = 0, dy = 0, covered = false, burnt = (() => undefined) as Paint } = {}): Picture {
  const rgb = new Uint8Array(WIDTH * HEIGHT * 3);
  for (let y = 0, p = 0; y < HEIGHT; y++)
    for (let x = 0; x < WIDTH; x++, p += 3) {
      const room = covered ? 8 : 60 + 120 * noise(Math.floor((x - dx + 4000) / 40), Math.floor((y - dy + 4000) / 30));
      rgb[p] = rgb[p + 1] = rgb[p + 2] = burnt(x, y) ?? room;
    }
  return { width: WIDTH, height: HEIGHT, rgb };
}

/** Black above and below, as a picture of 16:9 in one of 4:3. */
const letterbox: Paint = (_x, y) => (y < 45 || y >= 315 ? 0 : undefined);
/** Black at the left and above. */
const corner: Paint = (x, y) => (x < 32 || y < 18 ? 0 : undefined);
/** White digits on black above, another line below on the right; `second` changes two digits. */
const caption =
  (second: number): Paint =>
  (x, y) => {
    const above = x >= 20 && x < 220 && y >= 10 && y < 30;
    const below = x >= 500 && x < 620 && y >= 330 && y < 350;
    if (!above && !below) return undefined;
    const digit = Math.floor(x / 10);
    return noise(Math.floor(x / 3), Math.floor(y / 4) + (above && digit < 4 ? second : 0)) > 0.5 ? 255 : 0;
  };
const both: Paint = (x, y) => caption(3)(x, y) ?? letterbox(x, y);

describe('what is burnt into a picture', () => {
  const table: readonly (readonly [string, Paint])[] = [
    ['nothing', () => undefined],
    ['a letterbox', letterbox],
    ['black at two sides', corner],
    ['a clock and a name', caption(3)],
    ['a clock in a letterbox', both],
  ];

  it.each(table)('hides no covered lens: %s', (_name, burnt) => {
    const watch = createPictureWatch({ seats: [] });
    const clear = watch.look(picture({ burnt })).picture;
    const covered = watch.look(picture({ burnt, covered: true })).picture;
    expect(covered.shift.confidence).toBeLessThan(0.2);
    expect(covered.edgeEnergy).toBeLessThan(0.1 * clear.edgeEnergy);
  });

  it.each(table)('hides no moved camera: %s', (_name, burnt) => {
    const watch = createPictureWatch({ seats: [] });
    watch.look(picture({ burnt }));
    const { shift } = watch.look(picture({ burnt, dx: 100, dy: -12 })).picture;
    expect(shift.dx).toBeCloseTo(100 / WIDTH, 1);
    expect(shift.dy).toBeCloseTo(-12 / HEIGHT, 1);
    expect(shift.confidence).toBeGreaterThan(0.5);
  });

  it.each(table)('moves nothing while the room stays where it is: %s', (_name, burnt) => {
    const watch = createPictureWatch({ seats: [] });
    watch.look(picture({ burnt }));
    const { shift } = watch.look(picture({ burnt })).picture;
    expect(shift).toMatchObject({ dx: 0, dy: 0 });
    expect(shift.confidence).toBeGreaterThan(0.8);
  });

  it('does not take a clock that goes for a change of the room', () => {
    const reference = referenceOf(luminance(picture({ burnt: caption(1) })));
    const { shift } = compare(reference, gradient(luminance(picture({ burnt: caption(2) }))));
    expect(shift.confidence).toBeGreaterThan(0.8);
  });
});

describe('a nudged camera', () => {
  const zone = [
    [0.25, 0.25],
    [0.5, 0.25],
    [0.5, 0.5],
    [0.25, 0.5],
  ] as const;

  it('takes the zones along once the shift has lasted, and back again', () => {
    const watch = createPictureWatch({ seats: [{ seatId: '1', zone }] });
    const before = watch.look(picture()).patches[0]!.grid;
    const nudged = picture({ dx: 16, dy: -8 });
    expect(watch.look(nudged).picture.offset).toBeUndefined();
    for (let i = 0; i < 5; i++) watch.look(nudged);
    const { picture: state, patches } = watch.look(nudged);
    expect(state.offset!.dx * WIDTH).toBeCloseTo(16, 0);
    expect(state.offset!.dy * HEIGHT).toBeCloseTo(-8, 0);
    expect(patches[0]!.grid).toEqual(before);
    for (let i = 0; i < 6; i++) watch.look(picture());
    expect(watch.look(picture()).picture.offset).toBeUndefined();
  });

  it('keeps the place through a covered lens, and follows no passing shake', () => {
    const watch = createPictureWatch({ seats: [] });
    watch.look(picture());
    for (let i = 0; i < 6; i++) watch.look(picture({ dx: 16 }));
    expect(watch.look(picture({ covered: true })).picture.offset!.dx).toBeCloseTo(16 / WIDTH);
    for (let i = 0; i < 20; i++) watch.look(picture({ dx: i % 2 ? 0 : 16 }));
    expect(watch.look(picture({ dx: 16 })).picture.offset!.dx).toBeCloseTo(16 / WIDTH);
  });

  it('does not follow a camera that was moved', () => {
    const watch = createPictureWatch({ seats: [] });
    watch.look(picture());
    for (let i = 0; i < 12; i++) watch.look(picture({ dx: 64 }));
    const { picture: state } = watch.look(picture({ dx: 64 }));
    expect(state.offset).toBeUndefined();
    expect(state.shift.dx).toBeCloseTo(0.1, 1);
  });
});
