/** The guard against switched identities: which track a box cannot belong to, by what is known of who sits where. */
import { type Person, upperBody } from '../../protocol/observation.ts';
import { contains, iou } from '../../protocol/seat.ts';
import { isElsewhere, type Spot, usualBox } from './place.ts';
import type { SeatSight } from './presence.ts';
import { centre, HIGH_SCORE, hasWalked, type Surroundings, type Track } from './track.ts';

export interface Sitting {
  /** Everybody in this frame. */
  readonly persons: readonly Person[];
  /** As they were in the frame before. */
  readonly tracks: readonly Track[];
  readonly seats: Readonly<Record<string, SeatSight>>;
  readonly spots: readonly Spot[];
  /** Seats that look in this frame as they do with their person in them. */
  readonly untouched: ReadonlySet<string>;
}

/** Who sat at the own seat so recently, and a box that overlaps theirs by so much: the same person. */
const SITTER_MS = 1000;
const SITTER_IOU = 0.6;
/** A head so much higher than the sitter's, in heights of the box, is that of somebody on their feet … */
const HIGHER = 0.35;
/** … and so much higher or lower, and so many widths further, that of who walked there a moment ago. */
const LEVEL = 0.25;
const PACE = 2;

/** Who is seen so well is somebody, and a walker at once. */
const SURE = 0.5;
/** Between two frames a sitter's boxes overlap by more. */
const STAYED_IOU = 0.3;
/** Who has been no nearer to a seat and not walked for so long is a thing; a box that overlaps it by less is not it. */
const THING_MS = 5000;
const SAME_IOU = 0.6;

/** For one frame: false where this track cannot be this person, however near. */
export function mayBeIn({ persons, tracks, seats, spots, untouched }: Sitting): NonNullable<Surroundings['mayBe']> {
  const sits = (t: Track) =>
    spots.some((s) => seats[s.seatId]?.ownerId === t.trackId && !isElsewhere(t, s, seats[s.seatId]?.habit));

  /** How well a box is that of an owner who sat a moment ago: as their last one, or as they usually sit, for one frame may show half of them. */
  function asTheirs(t: Track, person: Person): number {
    const home = spots.find((s) => seats[s.seatId]?.ownerId === t.trackId);
    const habit = home && seats[home.seatId]?.habit;
    return Math.max(iou(t.box, person.box), habit ? iou(usualBox(habit), person.box) : 0);
  }

  /** A box where an owner sat a moment ago is theirs, not that of who passes behind, nor of the coat beside them. */
  function isSitters(track: Track, person: Person): boolean {
    return tracks.some(
      (t) =>
        t.trackId !== track.trackId &&
        track.seenMonoMs - t.seenMonoMs <= SITTER_MS &&
        sits(t) &&
        asTheirs(t, person) > Math.max(SITTER_IOU, iou(track.box, person.box)),
    );
  }

  /** Who gets up changes the look of the seat; where nothing has changed, who walks beside or behind it is another. */
  function isUnrisen(track: Track, { box }: Person): boolean {
    const home = spots.find((spot) => seats[spot.seatId]?.ownerId === track.trackId);
    const habit = home && seats[home.seatId]?.habit;
    if (!habit || !untouched.has(home.seatId) || iou(track.box, box) > STAYED_IOU) return false;
    return !isElsewhere(track, home, habit) && habit.top - box[1] > HIGHER * (box[3] - box[1]);
  }

  /** Who passes in front hides who sits there: one box is left, as high as the walker's was, and it is the walker's. */
  function isWalkers(track: Track, { box }: Person): boolean {
    const [w, h] = [box[2] - box[0], box[3] - box[1]];
    if (track.box[1] - box[1] < HIGHER * h || !sits(track)) return false;
    return tracks.some(
      (t) =>
        t.trackId !== track.trackId &&
        (t.confirmed || t.score >= SURE) &&
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

  /** A coat stand that is taken for somebody does not begin to walk: whoever passes it is another. */
  function isPassers(track: Track, person: Person): boolean {
    const known = Object.values(seats).some((s) => s.ownerId === track.trackId || s.occupant === track.trackId);
    if (known || track.peak >= SURE || hasWalked(track) || track.seenMonoMs - track.bornMonoMs < THING_MS) return false;
    return person.score >= HIGH_SCORE && iou(track.box, person.box) < SAME_IOU;
  }

  return (track, person) =>
    !isPassers(track, person) &&
    !isUnrisen(track, person) &&
    !isSitters(track, person) &&
    !isWalkers(track, person) &&
    !isTooFar(track, person);
}

/** Who is hardly seen, and lies so little where the owner sits, is not the owner, when somebody else is just there. */
const ASIDE_IOU = 0.4;
const THERE_IOU = 0.45;

/**
 * The same tracks, an owner's id where its owner sits: a frame in which a sitter is missed gives it to a coat or a bag
 * beside them, and the sitter comes back under another one.
 */
export function asTheySit(
  tracks: readonly Track[],
  { seats, spots }: Pick<Sitting, 'seats' | 'spots'>,
  now: number,
): readonly Track[] {
  let next = tracks;
  for (const { seatId } of spots) {
    const { ownerId, habit } = seats[seatId] ?? {};
    const owner = next.find((t) => t.trackId === ownerId);
    if (!habit || !owner || owner.seenMonoMs !== now || owner.score >= HIGH_SCORE) continue;
    const usual = usualBox(habit);
    if (iou(owner.box, usual) >= ASIDE_IOU) continue;
    const sitter = next.find(
      (t) =>
        t !== owner &&
        t.seenMonoMs === now &&
        t.score > owner.score &&
        iou(t.box, usual) > THERE_IOU &&
        !Object.values(seats).some((s) => s.ownerId === t.trackId),
    );
    if (!sitter) continue;
    next = next.map((t) => (t === owner ? begunAnew(owner, sitter.trackId) : t === sitter ? goneOn(owner, sitter) : t));
  }
  return next;
}

/** Who an owner was all the time goes with their id: when and where they came in, how surely they were seen, how far they have walked. */
function goneOn(owner: Track, sitter: Track): Track {
  const { trackId, hits, bornMonoMs, bornAt, reach } = owner;
  return {
    ...sitter,
    trackId,
    hits,
    bornMonoMs,
    bornAt,
    reach,
    peak: Math.max(owner.peak, sitter.peak),
    confirmed: true,
  };
}

/** And what lent itself the id has neither walked nor been seen surely. */
function begunAnew({ box, score, seenMonoMs }: Track, trackId: number): Track {
  const [x, y] = centre(box);
  const here = { bornMonoMs: seenMonoMs, bornAt: [x, y], reach: [x, y, x, y] } as const;
  return { ...here, trackId, box, score, peak: score, hits: 1, seenMonoMs, velocity: [0, 0], confirmed: false };
}
