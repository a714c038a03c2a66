/** Where the picture lies in its box, where seats stand on the plan, which frame is true for a moment. */
import { describe, expect, it } from 'vitest';
import { containRect, frameAt, frameFor, place, planOf } from '../../../cloud/web/geometry.ts';
import type { Overlay } from '../../../protocol/clip.ts';
import { layoutOf, plainZone } from '../../e2e/web-world.ts';

describe('letterboxing', () => {
  it('centres a picture that is wider or taller than its box', () => {
    expect(containRect(1280, 720, 1000, 1000)).toEqual({ x: 0, y: 218.75, w: 1000, h: 562.5 });
    expect(containRect(480, 640, 1600, 800)).toEqual({ x: 500, y: 0, w: 600, h: 800 });
    expect(containRect(0, 0, 300, 200)).toEqual({ x: 0, y: 0, w: 300, h: 200 });
  });

  it('puts picture fractions where the picture is', () => {
    expect(place({ x: 500, y: 0, w: 600, h: 800 }, [0.5, 0.25])).toEqual([800, 200]);
  });
});

describe('the plan', () => {
  const seat = { w: 64, h: 48 };

  it.each([
    [400, 90],
    [400, 400],
    [340, 168],
  ])('keeps seats apart and inside %d × %d', (width, height) => {
    const { seats, measured } = planOf(layoutOf(1, plainZone), width, height, seat);
    expect(measured).toBe(true);
    for (const [i, a] of seats.entries()) {
      expect(a.x).toBeGreaterThanOrEqual(seat.w / 2);
      expect(a.x).toBeLessThanOrEqual(width - seat.w / 2);
      for (const b of seats.slice(i + 1))
        expect(Math.abs(a.x - b.x) > seat.w - 1 || Math.abs(a.y - b.y) > seat.h - 1).toBe(true);
    }
    expect(seats[2]!.y).toBeLessThan(seats[0]!.y);
  });

  it('falls back to the zones as the camera sees them, and says so', () => {
    const layout = layoutOf(1, plainZone);
    const bare = { ...layout, seats: layout.seats.map(({ floor: _floor, ...rest }) => rest) };
    const { seats, measured } = planOf(bare, 400, 200, seat);
    expect(measured).toBe(false);
    expect(seats.map((one) => one.x)).toEqual([...seats.map((one) => one.x)].sort((a, b) => a - b));
    expect(planOf({ ...layout, seats: [] }, 400, 200, seat).seats).toEqual([]);
  });
});

describe('the overlay in time', () => {
  const frames = [0, 500, 1_000].map((tMs) => ({ tMs, persons: [], seats: {} }));

  it('finds the newest frame at or before a moment', () => {
    expect([-1, 0, 499, 500, 9_999].map((tMs) => frameAt(frames, tMs))).toEqual([-1, 0, 0, 1, 2]);
    expect(frameAt([], 5)).toBe(-1);
  });

  it('draws the nearest frame, and nothing where the analysis has a hole', () => {
    const overlay = { version: 1, clipId: 'c', cameraId: 'a', seats: [], frames, words: [] } satisfies Overlay;
    expect([-5, 200, 300, 700, 800, 1_400].map((tMs) => frameFor(overlay, tMs)?.tMs)).toEqual([
      0, 0, 500, 500, 1_000, 1_000,
    ]);
    expect(frameFor(overlay, 5_000)).toBeUndefined();
  });
});
