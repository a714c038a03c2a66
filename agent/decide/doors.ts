/** Who went out by a door: a track that crosses the door line outwards, or that is lost in a door's zone. */
import type { RoomLayout } from '../../protocol/room.ts';
import { contains, type Point } from '../../protocol/seat.ts';
import type { Instant } from '../../protocol/time.ts';
import type { CameraScene, SeatScene } from './scene.ts';

/** One person out of the door. */
export interface Exit {
  /** Whose seat is empty for it, where that is known. */
  readonly seatId?: string;
  readonly cameraId: string;
  readonly at: Instant;
  /** When it became known: a person lost in the doorway is believed gone a moment later. */
  readonly knownMonoMs: number;
}

interface Walker {
  readonly trackId: number;
  readonly cameraId: string;
  readonly homeId?: string | undefined;
  readonly point: Point;
  readonly at: Instant;
  /** Has been seen inside the room, away from every door. */
  readonly wasInside: boolean;
  readonly gone: boolean;
}

export interface Doors {
  readonly walkers: readonly Walker[];
  readonly exits: readonly Exit[];
}

export const NO_DOORS: Doors = { walkers: [], exits: [] };

/** Lost in the doorway for this long is out. */
const LOST_MS = 2000;
/** A track is forgotten after this. */
const FORGET_MS = 6000;
const KEPT_MS = 600_000;
const MAX_EXITS = 50;
/** Somebody whose own track was lost on the way is the owner who left their seat at most this long ago. */
const ON_THE_WAY_MS = 60_000;

/** One step further; only a camera's fresh frame changes anything. */
export function watchDoors(
  doors: Doors,
  cameras: readonly CameraScene[],
  seats: readonly SeatScene[],
  layout: RoomLayout,
  at: Instant,
): Doors {
  const fresh = cameras.filter((c) => c.fresh && !c.blind);
  if (fresh.length === 0 || (layout.doorLines.length === 0 && !layout.zones.some((z) => z.kind === 'door')))
    return doors;
  const exits = doors.exits.filter((e) => at.monoMs - e.at.monoMs < KEPT_MS);
  let walkers = doors.walkers;
  for (const camera of fresh) {
    const mine = walkers.filter((w) => w.cameraId === camera.cameraId);
    const [next, out] = watchCamera(mine, camera, layout, at);
    walkers = [...walkers.filter((w) => w.cameraId !== camera.cameraId), ...next];
    for (const w of out) exits.push(exitOf(w, exits, seats, at));
  }
  return { walkers, exits: exits.slice(-MAX_EXITS) };
}

function watchCamera(
  before: readonly Walker[],
  { cameraId, tracks, owners, sight }: CameraScene,
  layout: RoomLayout,
  at: Instant,
): readonly [readonly Walker[], readonly Walker[]] {
  const zones = layout.zones.filter((z) => z.kind === 'door' && z.cameraId === cameraId);
  const lines = layout.doorLines.filter((l) => l.cameraId === cameraId);
  const now = sight.frame?.monoMs ?? at.monoMs;
  const next: Walker[] = [];
  const out: Walker[] = [];
  for (const track of tracks) {
    if (!track.confirmed || track.seenMonoMs !== now) continue;
    const old = before.find((w) => w.trackId === track.trackId);
    const point: Point = [(track.box[0] + track.box[2]) / 2, track.box[3]];
    const atDoor = zones.some((z) => contains(z.polygon, point) || contains(z.polygon, middle(track.box)));
    const homeId = owners.find((o) => o.trackId === track.trackId)?.seatId ?? old?.homeId;
    const crossed = old !== undefined && lines.some((l) => crosses(l.line, old.point, point) && !sameSide(l, point));
    const back = old !== undefined && lines.some((l) => crosses(l.line, old.point, point) && sameSide(l, point));
    const walker: Walker = {
      trackId: track.trackId,
      cameraId,
      homeId,
      point,
      at,
      wasInside: (old?.wasInside ?? false) || !atDoor,
      gone: crossed || (old?.gone === true && !back),
    };
    if (crossed && !old.gone) out.push(walker);
    next.push(walker);
  }
  for (const old of before) {
    if (next.some((w) => w.trackId === old.trackId)) continue;
    const unseenMs = at.monoMs - old.at.monoMs;
    const inDoor = zones.some((z) => contains(z.polygon, old.point));
    const gone = !old.gone && old.wasInside && inDoor && unseenMs >= LOST_MS;
    if (gone) out.push(old);
    if (unseenMs < FORGET_MS) next.push({ ...old, gone: old.gone || gone });
  }
  return [next, out];
}

function exitOf(w: Walker, exits: readonly Exit[], seats: readonly SeatScene[], at: Instant): Exit {
  const seatId = w.homeId ?? missing(exits, seats, at);
  return { ...(seatId === undefined ? {} : { seatId }), cameraId: w.cameraId, at: w.at, knownMonoMs: at.monoMs };
}

/** The seat that was left last and whose owner has not been counted out yet. */
function missing(exits: readonly Exit[], seats: readonly SeatScene[], at: Instant): string | undefined {
  const left = seats.filter(
    (s) =>
      s.occupancy === 'no' &&
      s.leftMonoMs !== undefined &&
      at.monoMs - s.leftMonoMs <= ON_THE_WAY_MS &&
      !exits.some((e) => e.seatId === s.seatId && e.at.monoMs >= s.leftMonoMs!),
  );
  return left.sort((a, b) => b.leftMonoMs! - a.leftMonoMs!)[0]?.seatId;
}

const middle = (b: readonly [number, number, number, number]): Point => [(b[0] + b[2]) / 2, (b[1] + b[3]) / 2];

type Line = { readonly line: readonly [Point, Point]; readonly inside: Point };

const side = ([[ax, ay], [bx, by]]: readonly [Point, Point], [x, y]: Point) =>
  Math.sign((bx - ax) * (y - ay) - (by - ay) * (x - ax));

function sameSide({ line, inside }: Line, point: Point): boolean {
  return side(line, point) === side(line, inside);
}

/** The way from `p` to `q` cuts the line between its ends. */
function crosses(line: readonly [Point, Point], p: Point, q: Point): boolean {
  return side(line, p) !== side(line, q) && side([p, q], line[0]) !== side([p, q], line[1]);
}
