import { describe, expect, it } from 'vitest';
import { mayBeIn } from '../../../../agent/decide/guard.ts';
import { spotOf } from '../../../../agent/decide/place.ts';
import { type SeatSight, startSeat } from '../../../../agent/decide/presence.ts';
import { advanceTracks } from '../../../../agent/decide/track.ts';
import type { Person } from '../../../../protocol/observation.ts';
import { layout, sitting, standing } from './world.ts';

const spots = layout.seats.map(({ seatId, views }) => spotOf(seatId, views[0]!));
const sitter = sitting('2');
const [left, , right] = sitter.box;
const middle = (left + right) / 2;

/** Ids of the people of each frame, two a second; whoever is first owns seat 2. */
function ids(frames: readonly (readonly Person[])[]): readonly (readonly (number | undefined)[])[] {
  let [tracks, nextId] = [[] as ReturnType<typeof advanceTracks>['tracks'], 1];
  const seats: Record<string, SeatSight> = { '2': { ...startSeat(undefined), ownerId: 1 } };
  return frames.map((persons, i) => {
    const mayBe = mayBeIn({ persons, tracks, seats, spots });
    ({ tracks, nextId } = advanceTracks(tracks, persons, 1000 + i * 500, nextId, { mayBe }));
    return persons.map(({ box }) => tracks.find((t) => t.box === box)?.trackId);
  });
}

describe('who passes in front of somebody who sits', () => {
  const walk = (x: number): Person => standing(x);

  it('keeps their id when both are seen as one, and leaves the sitter theirs', () => {
    const hidden: Person = { box: [left + 0.005, 0.25, right + 0.02, 0.6], score: 0.6 };
    const told = ids([
      [sitter, walk(middle + 0.24)],
      [sitter, walk(middle + 0.19)],
      [sitter, walk(middle + 0.14)],
      [hidden],
      [sitter, walk(middle - 0.1)],
    ]);
    expect(told).toEqual([[1, 2], [1, 2], [1, 2], [2], [1, 2]]);
  });

  it('does not keep who gets up from their id', () => {
    const up: Person = { box: [left, 0.25, right, 0.6], score: 0.8 };
    const still = walk(middle + 0.2);
    expect(
      ids([
        [sitter, still],
        [sitter, still],
        [up, still],
      ]).at(-1),
    ).toEqual([1, 2]);
    expect(ids([[sitter], [sitter], [up]]).at(-1)).toEqual([1]);
  });
});
