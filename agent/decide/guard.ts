/** The guard against switched identities: which track a box cannot belong to, by what is known of who sits where. */
import { type Person, upperBody } from '../../protocol/observation.ts';
import { contains, iou } from '../../protocol/seat.ts';
import { isElsewhere, type Spot } from './place.ts';
import type { SeatSight } from './presence.ts';
import type { Surroundings, Track } from './track.ts';

export interface Sitting {
  /** Everybody in this frame. */
  readonly persons: readonly Person[];
  /** As they were in the frame before. */
  readonly tracks: readonly Track[];
  readonly seats: Readonly<Record<string, SeatSight>>;
  readonly spots: readonly Spot[];
}

/** Who sat at the own seat so recently, and a box that overlaps theirs by so much: the same person. */
const SITTER_MS = 1000;
const SITTER_IOU = 0.6;
/** A head so much higher than the sitter's, in heights of the box, is that of somebody on their feet … */
const HIGHER = 0.35;
/** … and so much higher or lower, and so many widths further, that of who walked there a moment ago. */
const LEVEL = 0.25;
const PACE = 2;

/** For one frame: false where this track cannot be this person, however near. */
export function mayBeIn({ persons, tracks, seats, spots }: Sitting): NonNullable<Surroundings['mayBe']> {
  const sits = (t: Track) =>
    spots.some((s) => seats[s.seatId]?.ownerId === t.trackId && !isElsewhere(t, s, seats[s.seatId]?.habit));

  /** A box where an owner sat a moment ago is theirs, not that of who passes behind. */
  function isSitters(track: Track, person: Person): boolean {
    const sitter = tracks.find(
      (t) =>
        t.trackId !== track.trackId &&
        track.seenMonoMs - t.seenMonoMs <= SITTER_MS &&
        sits(t) &&
        iou(t.box, person.box) > SITTER_IOU,
    );
    return sitter !== undefined && iou(track.box, person.box) < iou(sitter.box, person.box);
  }

  /** Who passes in front hides who sits there: one box is left, as high as the walker's was, and it is the walker's. */
  function isWalkers(track: Track, { box }: Person): boolean {
    const [w, h] = [box[2] - box[0], box[3] - box[1]];
    if (track.box[1] - box[1] < HIGHER * h || !sits(track)) return false;
    return tracks.some(
      (t) =>
        t.trackId !== track.trackId &&
        t.confirmed &&
        track.seenMonoMs - t.seenMonoMs <= SITTER_MS &&
        Math.abs(t.box[1] - box[1]) < LEVEL * h &&
        Math.abs(t.box[0] + t.box[2] - box[0] - box[2]) / 2 < PACE * w &&
        // Who is still seen where they were did not come here.
        !persons.some((p) => p.box !== box && iou(p.box, t.box) > Math.max(0.2, iou(t.box, box))),
    );
  }

  /** Who was sitting at their own seat a moment ago does not sit at another one in the next frame: they would be seen on the way. */
  function isTooFar(track: Track, person: Person): boolean {
    const home = spots.find((spot) => seats[spot.seatId]?.ownerId === track.trackId);
    if (!home || isElsewhere(track, home, seats[home.seatId]?.habit)) return false;
    const body = upperBody(person);
    const there = spots.some((spot) => spot.seatId !== home.seatId && contains(spot.view.zone, body));
    return there && !contains(home.view.zone, body) && iou(track.box, person.box) <= 0.3;
  }

  return (track, person) => !isSitters(track, person) && !isWalkers(track, person) && !isTooFar(track, person);
}
