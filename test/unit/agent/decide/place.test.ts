import { describe, expect, it } from 'vitest';
import { atSeat, type Habit, isBeyond, isElsewhere, spotOf } from '../../../../agent/decide/place.ts';
import type { Track } from '../../../../agent/decide/track.ts';
import type { Box, Polygon } from '../../../../protocol/seat.ts';

const zoneOf = ([x0, y0, x1, y1]: Box): Polygon => [
  [x0, y0],
  [x1, y0],
  [x1, y1],
  [x0, y1],
];
const trackAt = (x: number, width: number): Track =>
  ({ trackId: 1, box: [x - width / 2, 0.3, x + width / 2, 0.7], score: 0.9 }) as unknown as Track;
const WIDTH = 0.1;
const habit: Habit = { body: [0.5, 0.43], width: WIDTH, height: 0.4, top: 0.3, middle: 0.5, frames: 100 };

describe('the room of an owner beside the chair, where no floor is calibrated', () => {
  /** As wide as a person's box and a little more: as a room proposes it, or a hasty hand draws it. */
  const tight = spotOf('1', { cameraId: 'a', zone: zoneOf([0.435, 0.3, 0.565, 0.7]) });
  const beside = trackAt(0.5 + 1 * WIDTH, WIDTH);

  it('is that of their own width where the zone is drawn tightly', () => {
    expect(atSeat(beside, tight, habit, true)).toBeDefined();
    expect(isBeyond(beside, tight, habit)).toBe(false);
    expect(isElsewhere(beside, tight, habit)).toBe(false);
  });

  it('is not for others, and ends a step away', () => {
    expect(atSeat(beside, tight, habit, false)).toBeUndefined();
    const away = trackAt(0.5 + 1.6 * WIDTH, WIDTH);
    expect(isElsewhere(away, tight, habit)).toBe(true);
    expect(atSeat(away, tight, habit, true)).toBeUndefined();
  });

  it('is that of the zone where this is wider, and until a width is known', () => {
    const wide = spotOf('1', { cameraId: 'a', zone: zoneOf([0.35, 0.3, 0.65, 0.7]) });
    expect(isElsewhere(trackAt(0.69, WIDTH), wide, habit)).toBe(false);
    expect(isElsewhere(trackAt(0.5 + 1 * WIDTH, WIDTH), tight, undefined)).toBe(true);
  });

  it('is never more than a whole zone, however wide the boxes are', () => {
    expect(isElsewhere(trackAt(0.5 + 1.2 * 0.13, 0.2), tight, { ...habit, width: 0.2 })).toBe(true);
  });
});
