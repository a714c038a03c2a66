/** Several views of one seat: which one is believed, and whose sight counts as somebody being there. */
import { describe, expect, it } from 'vitest';
import { fuseSeat, type SeatVote } from '../../../../agent/decide/fuse.ts';
import { besideOthers, spotOf } from '../../../../agent/decide/place.ts';
import { startSeat } from '../../../../agent/decide/presence.ts';
import type { Point } from '../../../../protocol/seat.ts';

const NOW = 100_000;
const before = { occupancy: 'yes', sinceWallMs: 0 } as const;

/** A view that saw its person leave a while ago, and one that sees somebody there. */
const left: SeatVote = {
  seat: { ...startSeat(undefined), occupancy: 'no', worth: 0.6, emptyRunMs: NOW - 5000, leftMs: NOW - 6000 },
  blind: false,
  fresh: false,
};
const taken = (alone: number): SeatVote => ({
  seat: { ...startSeat(undefined), occupancy: 'yes', worth: 0.7, here: true, hereMs: NOW },
  blind: false,
  fresh: true,
  alone,
});

describe('two views of one seat that contradict each other', () => {
  it('are decided by the one that sees it better', () => {
    expect(fuseSeat('1', [left, taken(1)], before, NOW, NOW)).toMatchObject({ occupancy: 'yes', sample: 'here' });
  });

  it('are decided against the one in which the next seat lies over it, and whom that sees there does not count', () => {
    expect(fuseSeat('1', [left, taken(0.6)], before, NOW, NOW)).toMatchObject({
      occupancy: 'no',
      sample: 'gone',
      leftMonoMs: NOW - 6000,
    });
  });

  it('is all there is to go by when it is the only one', () => {
    expect(fuseSeat('1', [taken(0.3)], before, NOW, NOW)).toMatchObject({ occupancy: 'yes', sample: 'here' });
  });
});

describe('how much of a zone is its own', () => {
  const zone = (x: number): Point[] => [
    [x, 0.4],
    [x + 0.2, 0.4],
    [x + 0.2, 0.6],
    [x, 0.6],
  ];
  const spots = (...xs: number[]) =>
    besideOthers(xs.map((x, i) => spotOf(String(i), { cameraId: 'c', zone: zone(x) })));

  it('is all of it where seats stand side by side, and the rest where they lie over each other', () => {
    expect(spots(0.1, 0.4).map(({ alone }) => alone)).toEqual([1, 1]);
    expect(spots(0.1, 0.2).map(({ alone }) => alone)).toEqual([expect.closeTo(0.5), expect.closeTo(0.5)]);
  });
});
