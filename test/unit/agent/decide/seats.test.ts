/** Whose seat it is before anybody is known there. */
import { describe, expect, it } from 'vitest';
import { learnHabit, seatTracks, spotOf } from '../../../../agent/decide/place.ts';
import { advanceTracks } from '../../../../agent/decide/track.ts';
import type { Person } from '../../../../protocol/observation.ts';
import { layout } from './world.ts';

const spot = layout.seats.map(({ seatId, views }) => spotOf(seatId, views[0]!))[1]!;
const [left, top, right, bottom] = spot.zone;

describe('two boxes at a seat', () => {
  // A person whom the picture's border or a monitor cuts, and a coat that hangs behind the middle of the chair.
  const cut: Person = { box: [right - 0.07, top + 0.03, right, bottom], score: 0.55 };
  const coat: Person = { box: [left + 0.03, top, right - 0.03, bottom], score: 0.2 };
  const { tracks } = advanceTracks([], [cut, coat], 1000, 1, { expected: () => true });
  const person = tracks.find(({ box }) => box === cut.box)!;
  const thing = tracks.find(({ box }) => box === coat.box)!;

  it('go by how sure the detector is of them, as long as nobody owns it', () => {
    const seated = seatTracks(
      tracks,
      [spot],
      () => undefined,
      () => undefined,
    );
    expect(seated.get(spot.seatId)).toBe(person);
  });

  it('go by where the owner usually is, once there is one', () => {
    const seated = seatTracks(
      tracks,
      [spot],
      () => learnHabit(undefined, thing),
      () => 99,
    );
    expect(seated.get(spot.seatId)).toBe(thing);
  });
});
