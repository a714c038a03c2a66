import { describe, expect, it } from 'vitest';
import { asTheySit, mayBeIn } from '../../../../agent/decide/guard.ts';
import { learnHabit, spotOf } from '../../../../agent/decide/place.ts';
import { type SeatSight, startSeat } from '../../../../agent/decide/presence.ts';
import { advanceTracks, hasWalked, type Track } from '../../../../agent/decide/track.ts';
import type { Person } from '../../../../protocol/observation.ts';
import { layout, sitting, standing } from './world.ts';

const spots = layout.seats.map(({ seatId, views }) => spotOf(seatId, views[0]!));
const sitter = sitting('2');
const [left, , right] = sitter.box;
const middle = (left + right) / 2;

/** Ids of the people of each frame, two a second; whoever is first owns seat 2, and has sat there for long. */
function ids(
  frames: readonly (readonly Person[])[],
  untouched: readonly string[] = [],
): readonly (readonly (number | undefined)[])[] {
  let [tracks, nextId] = [[] as ReturnType<typeof advanceTracks>['tracks'], 1];
  const habit = learnHabit(undefined, { ...sitter, trackId: 1 } as unknown as Track);
  const seats: Record<string, SeatSight> = { '2': { ...startSeat(undefined), ownerId: 1, habit } };
  return frames.map((persons, i) => {
    const now = 1000 + i * 500;
    const mayBe = mayBeIn({ persons, tracks, seats, spots, untouched: new Set(untouched) });
    ({ tracks, nextId } = advanceTracks(tracks, persons, now, nextId, { mayBe, expected: () => true }));
    tracks = asTheySit(tracks, { seats, spots }, now);
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

describe('a coat beside somebody who sits', () => {
  const coat: Person = { box: [left - 0.03, 0.33, right - 0.04, 0.57], score: 0.32 };
  const both = Array.from({ length: 14 }, () => [sitter, coat]);

  it('does not take the box that is theirs when a frame has shown half of them', () => {
    const half: Person = { box: [left + 0.02, 0.45, right - 0.04, 0.52], score: 0.3 };
    const back: Person = { ...sitter, score: 0.35 };
    expect(ids([...both.slice(-4), [half], [back]]).slice(-2)).toEqual([[1], [1]]);
  });

  it('gives an id back that went to it in a frame in which they were missed', () => {
    const faint: Person = { ...coat, score: 0.12 };
    const dim: Person = { ...sitter, score: 0.16 };
    const seen = ids([[sitter], [sitter], [faint], [dim, faint]]);
    expect(seen[2]).toEqual([1]);
    expect(seen[3]).toEqual([1, 2]);
  });

  it('has neither walked in nor been seen surely, though it had the id of somebody who did', () => {
    const habit = learnHabit(undefined, { ...sitter, trackId: 1 } as unknown as Track);
    const seats: Record<string, SeatSight> = { '2': { ...startSeat(undefined), ownerId: 1, habit } };
    let [tracks, nextId] = [[] as readonly Track[], 1];
    const frames: readonly (readonly Person[])[] = [
      ...[0.4, 0.3, 0.2, 0.1].map((far) => [standing(middle + far)]),
      [sitter],
      [sitter],
      [{ ...coat, score: 0.12 }],
      [
        { ...coat, score: 0.12 },
        { ...sitter, score: 0.16 },
      ],
    ];
    for (const [i, persons] of frames.entries()) {
      const now = 1000 + i * 500;
      ({ tracks, nextId } = advanceTracks(tracks, persons, now, nextId, { expected: () => true }));
      tracks = asTheySit(tracks, { seats, spots }, now);
    }
    const owner = tracks.find((t) => t.trackId === 1);
    const thing = tracks.find((t) => t.box === coat.box);
    expect(owner).toMatchObject({ box: sitter.box, bornMonoMs: 1000, confirmed: true, peak: 0.8 });
    expect(hasWalked(owner!)).toBe(true);
    expect(thing).toMatchObject({ box: coat.box, confirmed: false, peak: 0.12 });
    expect(hasWalked(thing!)).toBe(false);
  });

  it('does not begin to walk with who passes it', () => {
    const walker = standing(left - 0.02);
    const told = ids([...both, [sitter, walker]]);
    expect(told[13]).toEqual([1, 2]);
    expect(told[14]).toEqual([1, 3]);
  });
});

describe('somebody who walks by while a sitter is missed', () => {
  const walker: Person = { box: [right - 0.02, 0.25, right + 0.06, 0.55], score: 0.6 };

  it('is not the sitter where the seat looks as it does with them in it', () => {
    expect(ids([[sitter], [sitter], [walker]], ['2']).at(-1)).toEqual([2]);
  });

  it('is the sitter, who got up, where it looks otherwise', () => {
    expect(ids([[sitter], [sitter], [walker]]).at(-1)).toEqual([1]);
  });
});
