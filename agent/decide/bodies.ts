/** People of one camera as the rules about bodies see them: heads, shoulders, wrists and feet, in units of the person's own shoulders. */
import { type Homography, homography, toFloor } from '../../protocol/floor.ts';
import type { Keypoint, Person } from '../../protocol/observation.ts';
import { upperBody } from '../../protocol/observation.ts';
import type { RoomLayout } from '../../protocol/room.ts';
import { type Box, type FloorPoint, iou, type Point } from '../../protocol/seat.ts';
import { footPoint } from './floor.ts';
import type { Habit, Spot } from './place.ts';
import type { CameraScene } from './scene.ts';
import type { Track } from './track.ts';

/** Pictures of room cameras are 16:9; layouts carry fractions only. */
const ASPECT = 16 / 9;
/** Shoulders of a person in widths of the box, elbows included. */
const SHOULDERS = 0.5;
/** A sitting person's box is no narrower than this share of a zone around chair and person. */
const LEAST_OF_ZONE = 0.5;
/** Who sits further apart than this cannot put heads together without leaving the chair, metres. */
const REACH_M = 2.2;
/** Seats whose zones differ more in width stand at different depths of the room, and their people only look close. */
const LIKE_SIZE = 1.7;
/** A detection overlaps the usual box of an owner by so much, and nobody else's. */
const FAINT_IOU = 0.35;
/** In heights of the box, which a desk may cut below the chest. */
const LOWEST_NOSE = 0.55;
const LOWEST_CHEST = 0.75;
/** Half a head, in widths of the box. */
const HEAD_OF_WIDTH = 0.15;
/** A pose that was moved along with the box for longer says where the head was, and no longer where it is. */
const STALE_MS = 3000;
/** A key point below this is guessed by the model, not seen. */
const SEEN = 0.3;

/** Who stands or walks is seen whole at some time, and so surely; what never is so is a plant, a coat or a reflection. */
export const SURE_SCORE = 0.5;

export interface Body {
  readonly track: Track;
  readonly cameraId: string;
  /** Seat that this person owns, and the seat they are at. */
  readonly homeId?: string;
  readonly seatId?: string;
  readonly habit?: Habit;
  /** The own seat in this picture. */
  readonly home?: Spot;
  /** Middle of the shoulders or a third down the box. */
  readonly chest: Point;
  /** Nose where a pose of the last seconds shows it, else a quarter of a box width below the upper edge. */
  readonly head: Point;
  /** True where that was the nose, and not a guess by the box. */
  readonly faced: boolean;
  /** Width of the shoulders in picture heights. */
  readonly shoulders: number;
  /** True when the pose was made of this very frame. */
  readonly posed: boolean;
}

/** Everybody seen in the camera's newest frame and known to be a person. */
export function bodiesOf(camera: CameraScene): readonly Body[] {
  const now = camera.sight.frame?.monoMs;
  return camera.tracks.filter((t) => t.confirmed && t.seenMonoMs === now).map((track) => bodyOf(track, camera));
}

function bodyOf(track: Track, camera: CameraScene): Body {
  const owner = camera.owners.find((o) => o.trackId === track.trackId);
  const at = camera.seated.find((s) => s.trackId === track.trackId)?.seatId;
  const home = owner && spotIn(camera, owner.seatId);
  const seen = owner?.habit?.width ?? track.box[2] - track.box[0];
  // Who leans behind a monitor for long has a narrow box, and shoulders as wide as ever.
  const width = home ? Math.max(seen, LEAST_OF_ZONE * (home.zone[2] - home.zone[0])) : seen;
  const trusted = isPlausible(track);
  const stale = track.posedMonoMs !== undefined && track.seenMonoMs - track.posedMonoMs > STALE_MS;
  const nose = trusted && !stale ? joint(track, 0) : undefined;
  const head: Point = nose ?? [leant(track.box, owner?.habit, width), track.box[1] + width * ASPECT * 0.25];
  const { pose: _pose, ...unposed } = track;
  return {
    // What a pose that is not believed says of hands and faces is not believed either.
    track: trusted ? track : unposed,
    cameraId: camera.cameraId,
    ...(owner ? { homeId: owner.seatId } : {}),
    ...(owner?.habit ? { habit: owner.habit } : {}),
    ...(home ? { home } : {}),
    ...(at === undefined ? {} : { seatId: at }),
    chest: trusted
      ? upperBody(track)
      : [(track.box[0] + track.box[2]) / 2, track.box[1] + (track.box[3] - track.box[1]) / 3],
    head,
    faced: nose !== undefined,
    shoulders: width * ASPECT * SHOULDERS,
    posed: trusted && track.posedMonoMs === track.seenMonoMs,
  };
}

/** A pose with the nose or the shoulders in the lower part of the box is of somebody else, or of nobody. */
function isPlausible(track: Track): boolean {
  const [, y0, , y1] = track.box;
  const nose = joint(track, 0);
  const [left, right] = [joint(track, 5), joint(track, 6)];
  if (nose && nose[1] > y0 + LOWEST_NOSE * (y1 - y0)) return false;
  return !left || !right || (left[1] + right[1]) / 2 <= y0 + LOWEST_CHEST * (y1 - y0);
}

/** Who leans turns about the hips: the box grows to that side, and the head is at its edge. */
function leant([x0, , x1]: Box, habit: Habit | undefined, width: number): number {
  const middle = (x0 + x1) / 2;
  if (!habit) return middle;
  const [left, right] = [habit.middle - habit.width / 2 - x0, x1 - habit.middle - habit.width / 2];
  const half = Math.max(0, (x1 - x0) / 2 - HEAD_OF_WIDTH * width);
  return middle + Math.min(half, Math.max(-half, 2 * (right - left)));
}

/**
 * An owner whom the detector shows too weakly for a track: the best detection where they use to be that is nobody
 * else's. Good for what two people do together, not for presence.
 */
export function faintBody(
  camera: CameraScene,
  seatId: string,
  persons: readonly Person[],
  others: readonly Body[],
): Omit<Body, 'track'> | undefined {
  const habit = camera.owners.find((o) => o.seatId === seatId)?.habit;
  const home = spotIn(camera, seatId);
  if (!habit || !home) return undefined;
  const usual: Box = [
    habit.middle - habit.width / 2,
    habit.top,
    habit.middle + habit.width / 2,
    habit.top + habit.height,
  ];
  const seen = persons
    .filter((p) => iou(p.box, usual) >= FAINT_IOU && !others.some((o) => iou(o.track.box, p.box) > FAINT_IOU))
    .sort((a, b) => b.score - a.score)[0];
  if (!seen) return undefined;
  const width = Math.max(habit.width, LEAST_OF_ZONE * (home.zone[2] - home.zone[0]));
  const head: Point = [leant(seen.box, habit, width), seen.box[1] + width * ASPECT * 0.25];
  const shoulders = width * ASPECT * SHOULDERS;
  return {
    ...{ cameraId: camera.cameraId, homeId: seatId, seatId, habit, home },
    ...{ chest: head, head, faced: false, shoulders, posed: false },
  };
}

/** Key point number `index` where the model saw it. */
export function joint(track: Track, index: number): Point | undefined {
  const point: Keypoint | undefined = track.pose?.[index];
  return point && point[2] > SEEN ? [point[0], point[1]] : undefined;
}

/** Distance of two picture points in picture heights. */
export function apart(a: Point, b: Point): number {
  return Math.hypot((a[0] - b[0]) * ASPECT, a[1] - b[1]);
}

/** Angle at `b` between `a` and `c`, degrees. */
export function angle(a: Point, b: Point, c: Point): number {
  const [ux, uy] = [(a[0] - b[0]) * ASPECT, a[1] - b[1]];
  const [vx, vy] = [(c[0] - b[0]) * ASPECT, c[1] - b[1]];
  const cos = (ux * vx + uy * vy) / Math.max(1e-9, Math.hypot(ux, uy) * Math.hypot(vx, vy));
  return (Math.acos(Math.min(1, Math.max(-1, cos))) * 180) / Math.PI;
}

/** Derived from the layout alone and so remembered beside it. */
const grounds = new WeakMap<RoomLayout, Map<string, Homography | undefined>>();

/** Where this person stands on the floor, metres; undefined where the camera is not calibrated. `guessed`: a desk hides the feet. */
export function standsAt(
  body: Pick<Body, 'track' | 'cameraId'>,
  layout: RoomLayout,
): { readonly floor: FloorPoint; readonly guessed: boolean } | undefined {
  let byCamera = grounds.get(layout);
  if (!byCamera) {
    byCamera = new Map();
    grounds.set(layout, byCamera);
  }
  if (!byCamera.has(body.cameraId)) {
    const calibration = layout.floor.find((f) => f.cameraId === body.cameraId);
    byCamera.set(body.cameraId, calibration && homography(calibration));
  }
  const h = byCamera.get(body.cameraId);
  if (!h) return undefined;
  const desks = layout.seats.flatMap((s) =>
    s.views.flatMap((v) => (v.cameraId === body.cameraId && v.desk ? [v.desk] : [])),
  );
  const { point, guessed } = footPoint(body.track.box, desks);
  const floor = toFloor(h, point);
  return floor && { floor, guessed };
}

/** Cameras whose frame this step brought and that may be believed. */
export function looking(cameras: readonly CameraScene[]): readonly CameraScene[] {
  return cameras.filter((c) => c.fresh && !c.blind);
}

/** The place of a seat in one camera's picture. */
export function spotIn(camera: CameraScene, seatId: string): Spot | undefined {
  return camera.spots.find((s) => s.seatId === seatId);
}

/** How well a camera sees all of these seats. */
export function worthOf(camera: CameraScene, seatIds: readonly string[]): number {
  return Math.min(1, ...seatIds.map((id) => camera.worth[id] ?? 0));
}

/** What is needed of somebody who sits. */
type Seated = Pick<Body, 'homeId' | 'home'>;

/** True where two people at their own seats could put heads or hands together. */
export function isInReach(a: Seated, b: Seated, { seats }: RoomLayout): boolean {
  const [p, q] = [a, b].map((body) => seats.find((s) => s.seatId === body.homeId)?.floor);
  if (p && q && Math.hypot(p[0] - q[0], p[1] - q[1]) > REACH_M) return false;
  const width = ({ zone }: Spot) => zone[2] - zone[0];
  const size = a.home && b.home ? width(a.home) / width(b.home) : 1;
  return size < LIKE_SIZE && size > 1 / LIKE_SIZE;
}
