import { describe, expect, it } from 'vitest';
import type { FrameObservation } from '../../../protocol/observation.ts';
import type { RoomLayout } from '../../../protocol/room.ts';
import { bounds, iou, type Polygon } from '../../../protocol/seat.ts';
import {
  drawnFor,
  layoutAsProposed,
  poolProposals,
  proposed,
  scoreProposals,
} from '../../../scripts/eval-vision-proposals.ts';

const square = (x: number, y: number, side = 0.2): Polygon => [
  [x, y],
  [x + side, y],
  [x + side, y + side],
  [x, y + side],
];
const offered = (...zones: Polygon[]) => zones.map((zone) => ({ zone, share: 1 }));
const DRAWN = new Map([
  ['1', square(0.1, 0.5)],
  ['2', square(0.4, 0.5)],
  ['3', square(0.7, 0.5)],
]);

describe('proposed seats beside drawn ones', () => {
  it('are found where they lie in the seat, extra where they lie in none, and missed by name', () => {
    const { score, zones } = scoreProposals(
      'a',
      DRAWN,
      offered(square(0.12, 0.5), square(0.42, 0.52), square(0.45, 0.1)),
    );
    expect(score).toMatchObject({ cameraId: 'a', seats: 3, found: 2, extra: 1, missed: ['3'] });
    expect(score.ious[0]).toBeCloseTo(iou(bounds(DRAWN.get('1')!), bounds(square(0.12, 0.5))), 3);
    expect([...zones.keys()]).toEqual(['1', '2']);
  });

  it('count once: the second one for a seat is extra, and the better overlap has it', () => {
    const good = square(0.11, 0.5);
    const { score, zones } = scoreProposals('a', DRAWN, offered(square(0.14, 0.54), good));
    expect(score).toMatchObject({ found: 1, extra: 1 });
    expect(zones.get('1')).toBe(good);
  });

  it('are no seat when they only touch one', () => {
    const { score } = scoreProposals('a', DRAWN, offered(square(0.25, 0.4)));
    expect(score).toMatchObject({ found: 0, extra: 1, ious: [], missed: ['1', '2', '3'] });
  });

  it('are pooled over cameras, with no median of nothing', () => {
    const { score } = scoreProposals('a', DRAWN, offered(square(0.1, 0.5), square(0.42, 0.5)));
    expect(poolProposals([score, score])).toEqual({
      cameras: 2,
      seats: 6,
      found: 4,
      extra: 0,
      iouMedian: score.ious[0],
    });
    expect(poolProposals([])).toMatchObject({ found: 0, iouMedian: null });
  });

  it('come from what a camera saw for more than a minute, and not before', () => {
    const frames = (seconds: number) =>
      Array.from(
        { length: seconds },
        (_, s) =>
          ({
            kind: 'frame',
            cameraId: 'a',
            at: { wallMs: s * 1000, monoMs: s * 1000, bootId: 'b', clock: 'sure' },
            persons: [{ box: [0.1, 0.5, 0.3, 0.7], score: 0.9 }],
          }) as unknown as FrameObservation,
      );
    expect(proposed(frames(30))).toEqual([]);
    expect(proposed(frames(90))).toHaveLength(1);
    expect(proposed([])).toEqual([]);
  });
});

describe('the layout of an installer who takes what is proposed', () => {
  const layout = {
    seats: [
      {
        seatId: '1',
        name: '1',
        floor: [0, 0],
        views: [{ cameraId: 'a', zone: square(0.1, 0.5), desk: square(0.1, 0.7) }],
      },
      {
        seatId: '2',
        name: '2',
        views: [
          { cameraId: 'a', zone: square(0.4, 0.5) },
          { cameraId: 'b', zone: square(0.2, 0.2) },
        ],
      },
    ],
    floor: [{ cameraId: 'a' }],
  } as unknown as RoomLayout;

  it('has the proposed zones, the drawn ones where nothing was proposed, no desks and no floor', () => {
    const zone = square(0.12, 0.52);
    const taken = layoutAsProposed(layout, new Map([['a', new Map([['1', zone]])]]));
    expect(taken.floor).toEqual([]);
    expect(taken.seats[0]).toEqual({ seatId: '1', name: '1', views: [{ cameraId: 'a', zone }] });
    expect(taken.seats[1]!.views.map((v) => v.zone)).toEqual([square(0.4, 0.5), square(0.2, 0.2)]);
  });

  it('is scored against what the layout draws for each camera', () => {
    expect([...drawnFor(layout, 'b').keys()]).toEqual(['2']);
    expect([...drawnFor(layout, 'a').keys()]).toEqual(['1', '2']);
  });
});
