/** Is somebody at this seat, as one camera sees it? Yes, no or unknown; `no` only with evidence of leaving. */
import type { Occupancy } from '../../protocol/event.ts';
import { contains } from '../../protocol/seat.ts';
import { blend, type Look, largestChange, nearest, SAME_LOOK, unlike } from './patch.ts';
import { type Habit, isBeyond, isCut, isElsewhere, learnHabit, type Spot, sitsIn } from './place.ts';
import { HIGH_SCORE, type Track } from './track.ts';

/** What one camera knows of one seat. Instants are monotonic ms. */
export interface SeatSight {
  readonly occupancy: Occupancy;
  /** Seen with own eyes at this frame (not merely presumed). */
  readonly here: boolean;
  readonly hereMs?: number;
  /** Begin of the run of frames that all show somebody. */
  readonly hereRun?: { readonly sinceMs: number; readonly frames: number };
  readonly occupant?: number;
  /** Since when the same track is here. */
  readonly occupantMs?: number;
  readonly ownerId?: number;
  /** First frame that shows the owner elsewhere while nobody is here. */
  readonly outMs?: number;
  readonly outFrames: number;
  /** Since when, and in how many frames, the owner is seen a little beyond their room beside the chair. */
  readonly beyond?: { readonly sinceMs: number; readonly frames: number };
  /** First evidence that the seat was left. */
  readonly leftMs?: number;
  readonly habit?: Habit;
  readonly empty: readonly Look[];
  /** Usual look of the seat with its person in it, followed slowly: a moment of standing up hardly shows in it. */
  readonly taken?: Look;
  readonly last?: Look;
  readonly stillMs?: number | undefined;
  readonly emptyRunMs?: number | undefined;
  /** The look since which no cell has changed, and since when: nobody moves at all. */
  readonly rest?: { readonly look: Look; readonly sinceMs: number };
  /** When something moved in the zone with no person's box on it: somebody there whom the detector misses. */
  readonly stirs?: readonly number[];
  /** Last sight of a weak detection that took the owner's place when they were lost. */
  readonly shadowMs?: number;
  /** How much lower than usual the head was when somebody was last detected here, in box widths. */
  readonly sunk?: number;
  /** True where the picture's border cut their box then. */
  readonly cut?: boolean;
  /** How well this camera sees this seat: running mean of the score of who is there, 0 where they are missed. */
  readonly worth?: number;
  /** Frames that went into it. */
  readonly judged?: number;
  /** Difference of the newest look to that of the taken seat. */
  readonly unlikeTaken?: number;
  /** Frames that show a sure person where a template says empty: then the template is wrong. */
  readonly doubts: number;
  /** What was known before the eyes were lost or the agent was restarted. */
  readonly prior?: 'no';
  readonly clearMs?: number;
}

/** A track that has been at a seat this long owns it. */
const SETTLE_MS = 3000;
/** Who sits here this long while the owner's id sits at another seat is the owner. */
const SWAPPED_MS = 8000;
/** Evidence of leaving must last this long. */
const GONE_MS = 600;
/** An owner a little beyond the room beside the chair has left it when so many frames over this time say so. */
const BEYOND_MS = 1500;
const BEYOND_FRAMES = 4;
const LOST_OUT_MS = 3000;
const EMPTY_MS = 1500;
/** A track that begins within this time and distance after the owner was lost may be the owner. */
const SUCCESSOR_MS = 8000;
const SUCCESSOR_WIDTHS = 1.6;
/** A head that was so much lower than usual when last seen, in box widths, was going down. */
const SUNK = 0.1;
/** A head that was so much higher than usual when last seen, in box widths, belongs to somebody who had got up. */
const RISEN = 0.35;
/** A seat in which nothing has changed for this long has nobody moving in it. */
const QUIET_MS = 1000;
/** Somebody must be seen this long before an empty seat is taken again. */
const TAKE_MS = 400;
/** A miss shorter than this does not break a run. */
const RUN_GAP_MS = 1200;
/** Who was seen sitting and is missed by the detector is presumed there for so long; with the look of a taken seat, longer. */
const HOLD_MS = 120_000;
const HOLD_LOOK_MS = 900_000;
const CHANGED_LOOK = 0.35;
const STILL_LOOK = 0.06;
/** Breathing and the codec change a cell by less, a hand that writes by more. */
const MOTION = 0.15;
/** So many movements within this time, and that far apart, are somebody's who sits there. */
const STIRS = 4;
const STIRS_MS = 12_000;
const STIRS_APART_MS = 4000;
/** A zone that is covered by this share by boxes moves for them. */
const UNCOVERED = 0.1;
/** A weak detection that takes the owner's place within this time is presumed to be the owner … */
const SHADOW_BORN_MS = 3000;
/** … as long as it was seen within this time, and for no longer than that. */
const SHADOW_MS = 2000;
const SHADOW_HOLD_MS = 60_000;
/** A view's worth follows some fifty frames. */
const WORTH_SHARE = 0.02;
const MAX_TEMPLATES = 3;
/** After a blind spell or a restart, a seat known to be empty is believed so again after this time without anybody. */
const PRIOR_MS = 8000;

export function startSeat(prior: 'no' | undefined): SeatSight {
  return {
    occupancy: 'unknown',
    here: false,
    outFrames: 0,
    empty: [],
    doubts: 0,
    ...(prior ? { prior } : {}),
  };
}

/** The camera sees nothing: forget who is where, keep what was learnt. */
export function loseSight(seat: SeatSight): SeatSight {
  const prior =
    seat.occupancy === 'no' || (seat.occupancy === 'unknown' && seat.prior === 'no') ? ('no' as const) : undefined;
  return {
    ...startSeat(prior),
    empty: seat.empty,
    ...(seat.habit ? { habit: seat.habit } : {}),
    ...(seat.taken ? { taken: seat.taken } : {}),
    ...(seat.worth === undefined ? {} : { worth: seat.worth, judged: seat.judged ?? 0 }),
    ...(seat.leftMs !== undefined && prior ? { leftMs: seat.leftMs } : {}),
  };
}

export interface Glance {
  readonly monoMs: number;
  readonly spot: Spot;
  /** The track that is at this seat, seen in this frame. */
  readonly occupant: Track | undefined;
  /** All tracks of the camera, unseen ones included. */
  readonly tracks: readonly Track[];
  /** Tracks that own no seat and are at none. */
  readonly free: readonly Track[];
  /** Tracks that are at any seat in this frame. */
  readonly seated: ReadonlySet<number>;
  /** Share of the zone's bounds that any person's box covers. */
  readonly covered: number;
  readonly look: Look | undefined;
}

/** One frame further. */
export function seeSeat(seat: SeatSight, glance: Glance): SeatSight {
  const { monoMs: now, look } = glance;
  const still = look !== undefined && seat.last !== undefined && unlike(look, seat.last) < STILL_LOOK;
  const stillMs = still ? (seat.stillMs ?? now) : undefined;
  const emptyness = look ? nearest(look, seat.empty) : Number.POSITIVE_INFINITY;
  const takenness = look && seat.taken ? unlike(look, seat.taken) : Number.POSITIVE_INFINITY;
  const looksEmpty = emptyness < SAME_LOOK && emptyness < 0.6 * takenness;
  const who = glance.occupant;
  const here = who !== undefined && isBelieved(who, seat, looksEmpty);

  let next: SeatSight = {
    ...seat,
    here,
    ...(look ? { last: look, rest: rested(seat, look, now) } : {}),
    ...(Number.isFinite(takenness) ? { unlikeTaken: takenness } : {}),
    clearMs: seat.clearMs ?? now,
    stillMs,
    emptyRunMs: looksEmpty && !here ? (seat.emptyRunMs ?? now) : undefined,
    doubts: here && who.score >= 0.6 && looksEmpty ? seat.doubts + 1 : here ? 0 : seat.doubts,
  };
  if (seat.occupancy === 'yes') {
    const [worth, judged] = [seat.worth ?? 0, (seat.judged ?? 0) + 1];
    const share = Math.max(WORTH_SHARE, 1 / judged);
    next = { ...next, judged, worth: worth + ((here ? who.score : 0) - worth) * share };
  }
  next = here ? taken(next, who, glance) : missed(next, glance);
  if (who && seat.habit) {
    const sunk = (who.box[1] - seat.habit.top) / ((seat.habit.width * 16) / 9 || 1);
    next = { ...next, sunk, cut: isCut(who.box, glance.spot) };
  }
  next = stirred(next, seat, glance);
  if (!here && who && seat.hereMs !== undefined && who.bornMonoMs - seat.hereMs < SHADOW_BORN_MS)
    next = { ...next, shadowMs: now };
  next = decide(next, now, { empty: looksEmpty, taken: takenness < Math.min(SAME_LOOK, emptyness) });
  return learn(next, glance, here);
}

/** Motion at a seat of which nothing is known, and nobody's box on it: somebody is there, only not seen. */
function stirred(seat: SeatSight, before: SeatSight, { monoMs: now, covered }: Glance): SeatSight {
  const moved = before.rest !== undefined && seat.rest !== before.rest && covered < UNCOVERED;
  const stirs = [...(seat.stirs ?? []), ...(moved ? [now] : [])].filter((ms) => now - ms < STIRS_MS).slice(-2 * STIRS);
  const lively = stirs.length >= STIRS && stirs.at(-1)! - stirs[0]! >= STIRS_APART_MS;
  // A seat that was known to be empty needs somebody in sight.
  const believed = moved && lively && seat.occupancy === 'unknown' && seat.prior !== 'no' && seat.empty.length === 0;
  return { ...seat, stirs, ...(believed ? { occupancy: 'yes' as const, hereMs: seat.hereMs ?? now } : {}) };
}

function rested({ rest }: SeatSight, look: Look, now: number): NonNullable<SeatSight['rest']> {
  return rest && largestChange(look, rest.look) < MOTION ? rest : { look, sinceMs: now };
}

/** A chair with a jacket makes weak detections: the empty look outweighs these, never a sure one. */
function isBelieved(who: Track, seat: SeatSight, looksEmpty: boolean): boolean {
  if (who.trackId === seat.ownerId) return true;
  if (who.peak < HIGH_SCORE) return who.confirmed && seat.occupancy !== 'no' && !looksEmpty;
  return !(looksEmpty && who.score < 0.5);
}

function taken(seat: SeatSight, who: Track, { monoMs: now, spot, tracks, seated }: Glance): SeatSight {
  const same = seat.occupant === who.trackId;
  const occupantMs = same ? (seat.occupantMs ?? now) : now;
  const owner = tracks.find((t) => t.trackId === seat.ownerId);
  const settled = now - occupantMs >= SETTLE_MS && who.confirmed;
  // The owner's id ran off with a passer-by: who was here before and after is the owner.
  const switched =
    seat.outMs !== undefined && who.bornMonoMs >= seat.outMs - 1000 && who.bornMonoMs - seat.outMs < 2000;
  // Two who sit where the other one sat: their ids were taken for each other when they passed.
  const swapped = owner !== undefined && seated.has(owner.trackId) && now - occupantMs >= SWAPPED_MS;
  const owns = who.trackId === seat.ownerId || (settled && (owner === undefined || switched || swapped));
  const { outMs: _out, beyond: _beyond, ...rest } = seat;
  const sits = sitsIn(who, spot);
  return {
    ...rest,
    hereMs: now,
    hereRun: seat.hereRun
      ? { sinceMs: seat.hereRun.sinceMs, frames: seat.hereRun.frames + 1 }
      : { sinceMs: now, frames: 1 },
    occupant: who.trackId,
    occupantMs,
    outFrames: 0,
    ...(owns ? { ownerId: who.trackId } : {}),
    ...(owns && sits ? { habit: learnHabit(seat.habit, who) } : {}),
  };
}

function missed(seat: SeatSight, glance: Glance): SeatSight {
  const { monoMs: now, spot, tracks } = glance;
  const { hereRun, ...others } = seat;
  const rest: SeatSight = hereRun && now - (seat.hereMs ?? 0) <= RUN_GAP_MS ? seat : others;
  const owner = tracks.find((t) => t.trackId === seat.ownerId);
  if (owner) {
    if (owner.seenMonoMs !== now) return rest;
    if (isElsewhere(owner, spot, seat.habit))
      return { ...rest, outMs: seat.outMs ?? now, outFrames: seat.outFrames + 1 };
    if (!isBeyond(owner, spot, seat.habit)) {
      const { beyond: _beyond, ...inside } = rest;
      return inside;
    }
    const beyond = { sinceMs: seat.beyond?.sinceMs ?? now, frames: (seat.beyond?.frames ?? 0) + 1 };
    const left = beyond.frames >= BEYOND_FRAMES && now - beyond.sinceMs >= BEYOND_MS;
    return left
      ? { ...rest, beyond, outMs: seat.outMs ?? beyond.sinceMs, outFrames: seat.outFrames + beyond.frames }
      : { ...rest, beyond };
  }
  const again = seat.ownerId === undefined ? undefined : (heir(seat, glance) ?? successor(seat, glance));
  if (!again) return hasRisen(seat, glance) ? { ...rest, outMs: seat.hereMs!, outFrames: 1 } : rest;
  const outMs = again.trackId === seat.occupant ? now : again.bornMonoMs;
  return { ...rest, ownerId: again.trackId, outMs, outFrames: again.trackId === seat.occupant ? 1 : again.hits };
}

/**
 * The owner's track was lost while they rose, and somebody appears beside the seat out of nowhere: the owner, if the
 * seat no longer looks taken. Who came in by the door began further away; a sleeper was lost long before.
 */
function successor(seat: SeatSight, { monoMs: now, spot, free, look }: Glance): Track | undefined {
  const { hereMs, habit } = seat;
  // Who was seen sinking did not rise: they sleep, or look for something under the desk.
  if ((seat.sunk ?? 0) >= SUNK) return undefined;
  if (hereMs === undefined || !habit || !look || !seat.taken || unlike(look, seat.taken) < CHANGED_LOOK)
    return undefined;
  const w = spot.zone[2] - spot.zone[0];
  return free.find(
    (t) =>
      t.confirmed &&
      t.seenMonoMs === now &&
      t.bornMonoMs > hereMs &&
      t.bornMonoMs - hereMs < SUCCESSOR_MS &&
      Math.abs(t.bornAt[0] - habit.body[0]) < SUCCESSOR_WIDTHS * w &&
      isElsewhere(t, spot, habit),
  );
}

/** Who was last seen on their feet, and whose seat lies still and looks otherwise since, has gone where no camera saw them. */
function hasRisen({ hereMs, sunk, cut, taken, stillMs }: SeatSight, { monoMs: now, look }: Glance): boolean {
  // Beyond the picture's border they may stand beside the chair as well.
  if (hereMs === undefined || sunk === undefined || sunk > -RISEN || cut || !look || !taken) return false;
  return stillMs !== undefined && now - stillMs >= QUIET_MS && unlike(look, taken) >= CHANGED_LOOK;
}

/**
 * The owner's box broke off while they sat, and another one began in the same place and got up: the same person under a
 * new id. Who passes by began elsewhere.
 */
function heir(seat: SeatSight, { monoMs: now, spot, free, look }: Glance): Track | undefined {
  const { hereMs, habit } = seat;
  if (hereMs === undefined || now - hereMs >= SUCCESSOR_MS || !habit || !look || !seat.taken) return undefined;
  if (unlike(look, seat.taken) < CHANGED_LOOK) return undefined;
  return free.find(
    (t) =>
      t.trackId === seat.occupant &&
      t.confirmed &&
      t.seenMonoMs === now &&
      contains(spot.view.zone, t.bornAt) &&
      isElsewhere(t, spot, habit),
  );
}

function decide(seat: SeatSight, now: number, looks: { readonly empty: boolean; readonly taken: boolean }): SeatSight {
  const run = seat.here ? seat.hereRun : undefined;
  if (run && (seat.occupancy === 'yes' || (run.frames >= 2 && now - run.sinceMs >= TAKE_MS))) {
    const { leftMs: _left, prior: _prior, ...rest } = seat;
    return { ...rest, occupancy: 'yes' };
  }
  if (run) return seat;
  const unseen = seat.hereMs === undefined || now - seat.hereMs >= GONE_MS;
  // Seen once on the way out and then lost (a door, a slow frame rate) is evidence too, after a while without return.
  const need = seat.outFrames >= 2 ? GONE_MS : LOST_OUT_MS;
  // A seat that still looks taken was not left: the owner's id ran off with somebody who passed by.
  const gone = seat.outMs !== undefined && now - seat.outMs >= need && unseen && !looks.taken;
  if (seat.occupancy !== 'no' && gone) return { ...seat, occupancy: 'no', leftMs: seat.outMs! };
  const emptyLong = seat.emptyRunMs !== undefined && seat.stillMs !== undefined && now - seat.emptyRunMs >= EMPTY_MS;
  // The empty look may be a leaning person's, as long as something that was seen to follow the owner is still there.
  const shadowed =
    seat.shadowMs !== undefined && now - seat.shadowMs < SHADOW_MS && now - (seat.hereMs ?? 0) < SHADOW_HOLD_MS;
  if (seat.occupancy !== 'no' && emptyLong && !shadowed && now - Math.max(seat.hereMs ?? 0, seat.stillMs!) >= EMPTY_MS)
    return {
      ...seat,
      occupancy: 'no',
      leftMs: Math.max(seat.hereMs ?? 0, seat.leftMs ?? 0, seat.hereMs === undefined ? seat.emptyRunMs! : 0),
    };
  if (seat.occupancy === 'unknown' && seat.prior === 'no') {
    const quietMs = Math.max(seat.clearMs ?? now, seat.hereMs ?? 0);
    if (now - quietMs >= PRIOR_MS) return { ...seat, occupancy: 'no', leftMs: seat.leftMs ?? quietMs };
  }
  if (seat.occupancy === 'yes' && !looks.empty) {
    const missedMs = now - (seat.hereMs ?? now);
    if (missedMs >= (looks.taken ? HOLD_LOOK_MS : HOLD_MS)) return { ...seat, occupancy: 'unknown' };
  }
  return seat;
}

function learn(seat: SeatSight, glance: Glance, here: boolean): SeatSight {
  const { look, monoMs: now } = glance;
  if (!look) return seat;
  if (seat.doubts >= 10) return { ...seat, empty: [], doubts: 0 };
  // Somebody who stands beside the chair shows the empty chair.
  if (here)
    return sitsIn(glance.occupant!, glance.spot)
      ? { ...seat, taken: seat.taken ? blend(seat.taken, look, 0.03) : look }
      : seat;
  const quiet =
    seat.occupancy === 'no' && glance.covered < 0.1 && seat.stillMs !== undefined && now - seat.stillMs >= 1000;
  if (!quiet) return seat;
  const best = seat.empty.reduce((b, t, i) => (unlike(t, look) < unlike(seat.empty[b]!, look) ? i : b), 0);
  if (seat.empty.length > 0 && unlike(seat.empty[best]!, look) < SAME_LOOK / 2)
    return { ...seat, empty: seat.empty.map((t, i) => (i === best ? blend(t, look, 0.05) : t)) };
  return { ...seat, empty: [...seat.empty.slice(-(MAX_TEMPLATES - 1)), look] };
}
