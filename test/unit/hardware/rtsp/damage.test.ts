/** Damaged pictures: one or two pass, what lasts is a fault, and it ends soon after the last. */
import { expect, it } from 'vitest';
import { createDamage } from '../../../../hardware/rtsp/damage.ts';

const CORRUPT = '[warning] pipe:0: corrupt decoded frame in stream 0';

it('holds while damaged pictures come one after another for two seconds, and no longer', () => {
  const damage = createDamage();
  const at = (from: number, to: number, stepMs: number) => {
    for (let ms = from; ms <= to; ms += stepMs) damage.line(CORRUPT, ms);
  };
  expect(damage.holds(0)).toBe(false);
  // Now and then one, all day.
  at(0, 100_000, 1600);
  expect(damage.holds(100_000)).toBe(false);
  at(110_000, 111_800, 200);
  expect(damage.holds(111_800)).toBe(false);
  damage.line('[h264 @ 0x1] [error] top block unavailable for requested intra mode -1', 112_000);
  expect(damage.holds(112_000)).toBe(false);
  damage.line(CORRUPT, 112_000);
  expect([112_000, 113_500, 113_600].map((ms) => damage.holds(ms))).toEqual([true, true, false]);
  // Of a slow stream every picture.
  at(120_000, 122_000, 1000);
  expect(damage.holds(122_900)).toBe(true);
});
