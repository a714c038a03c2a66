import { expect, it } from 'vitest';
import { slopeOf } from '../../../scripts/bench/soak.ts';

it('tells a slope from noise', () => {
  const line = slopeOf([0, 1, 2, 3].map((x) => [x, 5 + 2 * x] as const));
  expect(line.slope).toBeCloseTo(2);
  expect(line.error).toBeCloseTo(0);
  const noise = slopeOf([0, 1, 2, 3, 4, 5].map((x) => [x, x % 2] as const));
  expect(Math.abs(noise.slope)).toBeLessThan(2 * noise.error);
});
