/** How a person's box lies to a seat in the picture: at it, or not. */
import { upperBody } from '../../protocol/observation.ts';
import {
  type Box,
  bounds,
  contains,
  type FloorPoint,
  type Point,
  type Polygon,
  type SeatView,
} from '../../protocol/seat.ts';
import { besideSeat, type Lens } from './lens.ts';
import { cellsInside } from './patch.ts';
import { centre, type Track } from './track.ts';

/** A seat's view with what is derived from it once. */
export interface Spot {
  readonly seatId: string;
  readonly view: SeatView;
  readonly zone: Box;
  /** The zone, a tenth larger. */
  readonly wide: Polygon;
  readonly cells: readonly number[];
  /** Sideways room of the owner, in zone widths. */
  readonly aside: number;
  /** Where the picture ends on the right. */
  readonly right: number;
  /** Share of the zone in which no other seat's lies: elsewhere a body may be the neighbour's. */
  readonly alone: number;
  /** True where that is metres of a calibrated floor. */
  readonly measured: boolean;
  /** Where the floor is calibrated, the camera and the seat's place: then the room is measured in metres. */
  readonly metric?: Metric;
}

/** What metres beside a seat are measured with. */
export interface Metric {
  readonly lens: Lens;
  readonly floor: FloorPoint;
}

/** Where the owner's upper body is used to be and how large the box is: learnt while they sit. */
export interface Habit {
  readonly body: Point;
  readonly width: number;
  readonly height: number;
  /** Upper edge of the box: the hair of who sits upright. */
  readonly top: number;
  /** Middle of the box, learnt as slowly. */
  readonly middle: number;
  /** Frames that it was learnt from. */
  readonly frames: number;
}

/** The box of an owner as they usually sit. */
export const usualBox = ({ middle, top, width, height }: Habit): Box => [
  middle - width / 2,
  top,
  middle + width / 2,
  top + height,
];

/**
 * Sideways room of an owner in zone widths. A zone around a chair and a sitting person is about 1.2 m wide; who stands
 * beside the chair is 0.55 to 0.7 m from its middle, who has made a pace away 0.9 m and more: the limit lies between.
 */
const OWNER_ASIDE = 0.65;
/** The same in widths of the owner's usual box: who works at a desk is about 0.7 m wide from elbow to elbow. */
const OWNER_WIDTHS = 1.1;
/** The same on the floor, in metres. */
const OWNER_ASIDE_M = 0.85;
/** And its sideways part, which is what a picture shows of it: people leave a chair to the side, give or take 40 degrees. */
const SIDEWAYS_M = 0.8;
/** An owner whose usual place is so far beside the seat's point has a point that was set wrongly, metres. */
const MISPLACED_M = 0.35;
/** Between the limit and this many times it one frame says nothing: key points jump a little from frame to frame. */
const ASIDE_SLACK = 1.12;
/** Upwards (standing) and downwards (bending) in zone heights. */
const OWNER_UP = 1.4;
const OWNER_DOWN = 0.7;
/** Another person in the same chair has the upper body where the owner has it: a box beside it is somebody else's. */
const GUEST_ASIDE = 0.5;
const GUEST_UP = 0.7;
/** A box that ends so near to the picture's border may go on beyond it. */
const BORDER = 0.012;
/** Only this far below the seat is somewhere else: nearer, they have bent down. */
const OWNER_BELOW = 1.5;

/** Box of a sitting person in zone widths, before their own is learnt. */
const USUAL_WIDTH = 0.65;

/** `metresPerX`: metres on the floor at the seat for one picture width, where that is known; `metric` the same. */
export function spotOf(seatId: string, view: SeatView, metresPerX?: number, metric?: Metric, right = 1): Spot {
  const zone = bounds(view.zone);
  const [cx, cy] = [(zone[0] + zone[2]) / 2, (zone[1] + zone[3]) / 2];
  const wide = view.zone.map(([x, y]): Point => [cx + (x - cx) * 1.1, cy + (y - cy) * 1.1]);
  // A zone that is drawn far too small or too large must not make the room of an owner absurd.
  const measured = metresPerX === undefined ? OWNER_ASIDE : OWNER_ASIDE_M / metresPerX / (zone[2] - zone[0]);
  const aside = Math.min(1, Math.max(0.45, measured));
  const sane = metric && measured === aside ? { metric } : {};
  return {
    seatId,
    view,
    zone,
    wide,
    cells: cellsInside(view.zone),
    aside,
    right,
    alone: 1,
    measured: metresPerX !== undefined,
    ...sane,
  };
}

/** Points across a zone at which it is asked whose it is. */
const GRID = 12;

/** The same seats of one camera, each knowing how much of its zone is its own. */
export function besideOthers(spots: readonly Spot[]): readonly Spot[] {
  return spots.map((spot) => {
    const [x0, y0, x1, y1] = spot.zone;
    const points = Array.from({ length: GRID * GRID }, (_, i): Point => {
      const [column, row] = [i % GRID, Math.floor(i / GRID)];
      return [x0 + ((column + 0.5) * (x1 - x0)) / GRID, y0 + ((row + 0.5) * (y1 - y0)) / GRID];
    }).filter((point) => contains(spot.view.zone, point));
    const own = points.filter((point) => !spots.some((other) => other !== spot && contains(other.view.zone, point)));
    return { ...spot, alone: points.length > 0 ? own.length / points.length : 1 };
  });
}

/**
 * Undefined when this track is not at the seat, else how far its upper body is from the middle or the habit, in zone
 * sizes. Somebody who passes in front is larger than who sits there and reaches far below the zone; somebody behind
 * has the upper body above it. Only the owner may stand.
 */
export function atSeat(track: Track, spot: Spot, habit: Habit | undefined, isOwner: boolean): number | undefined {
  const [w, h] = [spot.zone[2] - spot.zone[0], spot.zone[3] - spot.zone[1]];
  const [bw, bh] = [track.box[2] - track.box[0], track.box[3] - track.box[1]];
  const fits = habit
    ? bw > 0.35 * habit.width && bw < 2.1 * habit.width && bh < 3 * habit.height
    : bw > 0.2 * w && bw < 1.8 * w && bh < 3.5 * h;
  if (!fits) return undefined;
  const body = upperBody(track);
  const [dx, dy] = offset(body, spot, habit);
  const inside =
    contains(spot.wide, body) && (isOwner || !habit || (Math.abs(dx) <= GUEST_ASIDE && Math.abs(dy) <= GUEST_UP));
  const near = isOwner && habit && asideOf(body, spot, habit) <= 1 && dy >= -OWNER_UP && dy <= OWNER_DOWN;
  if (!inside && !near) return undefined;
  // Views overlap: of two seats that a box could be at, its size says which one.
  return Math.hypot(dx, dy) + 0.5 * Math.abs(Math.log(bw / (habit?.width ?? USUAL_WIDTH * w)));
}

/**
 * True when an owner's upper body is clearly beside, above or below the own seat. Not the opposite of `atSeat`: who bends
 * down or shows only an arm has another size, and that is no evidence of leaving.
 */
export function isElsewhere(track: Track, spot: Spot, habit: Habit | undefined): boolean {
  const body = upperBody(track);
  const [, dy] = offset(body, spot, habit);
  return asideOf(body, spot, habit) > ASIDE_SLACK || dy < -OWNER_UP || dy > OWNER_BELOW;
}

/** True when an owner's upper body is beyond their sideways room, by however little: frame after frame that says as much. */
export function isBeyond(track: Track, spot: Spot, habit: Habit | undefined): boolean {
  return asideOf(upperBody(track), spot, habit) > 1;
}

/** How far beside the seat, as a share of the room that its owner has there. */
function asideOf(body: Point, spot: Spot, habit: Habit | undefined): number {
  const { metric } = spot;
  const at = metric && besideSeat(metric.lens, metric.floor, body);
  if (at === undefined) {
    const far = Math.abs(offset(body, spot, habit)[0]);
    // Once the owner's own width is known, a zone that is drawn tightly asks for no less room than that.
    const widths = metric || spot.measured || !habit ? 0 : (OWNER_WIDTHS * habit.width) / (spot.zone[2] - spot.zone[0]);
    return far / Math.min(1, Math.max(spot.aside, widths));
  }
  const usual = (habit && besideSeat(metric!.lens, metric!.floor, habit.body)) ?? 0;
  return Math.abs(at - (Math.abs(usual) > MISPLACED_M ? usual : 0)) / SIDEWAYS_M;
}

/** From the place where the upper body rests, in zone widths and heights. */
function offset(body: Point, { zone }: Spot, habit: Habit | undefined): Point {
  const [w, h] = [zone[2] - zone[0], zone[3] - zone[1]];
  const rest: Point = habit?.body ?? [(zone[0] + zone[2]) / 2, zone[1] + 0.45 * h];
  return [(body[0] - rest[0]) / w, (body[1] - rest[1]) / h];
}

/** True when the track's upper body lies in the zone as it is drawn: the only places a habit is learnt from. */
export function sitsIn(track: Track, spot: Spot): boolean {
  return contains(spot.view.zone, upperBody(track));
}

/** True for a box that the picture's left or right border may cut: what is beyond is not seen. */
export function isCut([x0, , x1]: Box, { right }: Spot): boolean {
  return x0 < BORDER || x1 > right - BORDER;
}

/** Share of the zone's bounds that a box covers, 0..1. */
export function covers(box: Box, zone: Box): number {
  const w = Math.min(box[2], zone[2]) - Math.max(box[0], zone[0]);
  const h = Math.min(box[3], zone[3]) - Math.max(box[1], zone[1]);
  return w <= 0 || h <= 0 ? 0 : (w * h) / ((zone[2] - zone[0]) * (zone[3] - zone[1]));
}

/** The upper edge is a mean over some three hundred frames, and follows what is further off than half a shoulder still less. */
const TOP_SHARE = 0.003;
const UNUSUAL = 0.45;

/** Follows the habit slowly. */
export function learnHabit(habit: Habit | undefined, track: Track): Habit {
  const body = upperBody(track);
  const [bw, bh] = [track.box[2] - track.box[0], track.box[3] - track.box[1]];
  if (!habit) return { body, width: bw, height: bh, top: track.box[1], middle: centre(track.box)[0], frames: 1 };
  const k = 0.05;
  // Whoever stands or sleeps for long must not become the habit.
  const rise = track.box[1] - habit.top;
  const aside = centre(track.box)[0] - habit.middle;
  const follow = Math.max(1 / (habit.frames + 1), TOP_SHARE);
  return {
    body: [habit.body[0] + (body[0] - habit.body[0]) * k, habit.body[1] + (body[1] - habit.body[1]) * k],
    width: habit.width + (bw - habit.width) * k,
    height: habit.height + (bh - habit.height) * k,
    top: habit.top + rise * (Math.abs(rise) > UNUSUAL * bw ? follow / 5 : follow),
    middle: habit.middle + aside * (Math.abs(aside) > UNUSUAL * bw ? follow / 5 : follow),
    frames: habit.frames + 1,
  };
}

/** Nearest free seat for each track, best pairs first; an owner has the first claim on the own seat. */
export function seatTracks(
  tracks: readonly Track[],
  spots: readonly Spot[],
  habitOf: (seatId: string) => Habit | undefined,
  ownerOf: (seatId: string) => number | undefined,
): ReadonlyMap<string, Track> {
  const pairs: { seatId: string; track: Track; far: number }[] = [];
  for (const spot of spots)
    for (const track of tracks) {
      const owner = ownerOf(spot.seatId);
      const isOwner = owner === track.trackId;
      const far = atSeat(track, spot, habitOf(spot.seatId), isOwner);
      // Before anybody is known there, whom the detector is surer of: a coat beside the chair may hang nearer to its middle.
      const claim = isOwner ? 0.5 : owner === undefined ? track.score : 0;
      if (far !== undefined) pairs.push({ seatId: spot.seatId, track, far: far - claim });
    }
  pairs.sort((a, b) => a.far - b.far || a.track.trackId - b.track.trackId);
  const seated = new Map<string, Track>();
  const used = new Set<number>();
  for (const { seatId, track } of pairs) {
    if (seated.has(seatId) || used.has(track.trackId)) continue;
    seated.set(seatId, track);
    used.add(track.trackId);
  }
  return seated;
}
