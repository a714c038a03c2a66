/** One camera's part of the room: what its frames and reports say of its sight, its tracks and its seats. */
import type { DraftEvent } from '../../protocol/event.ts';
import { type FrameObservation, upperBody } from '../../protocol/observation.ts';
import type { RoomLayout } from '../../protocol/room.ts';
import type { RulePack } from '../../protocol/rules.ts';
import { contains } from '../../protocol/seat.ts';
import type { Session } from '../../protocol/session.ts';
import type { Instant } from '../../protocol/time.ts';
import { darkBefore, inTheDark } from './dark.ts';
import { metresPerWidth } from './floor.ts';
import { asTheySit, mayBeIn } from './guard.ts';
import { lensOf } from './lens.ts';
import { look, SAME_LOOK, unlike } from './patch.ts';
import { besideOthers, covers, type Spot, seatTracks, sitsIn, spotOf } from './place.ts';
import { loseSight, type SeatSight, seeSeat, startSeat } from './presence.ts';
import type { Input, SeatScene } from './scene.ts';
import { widthIn } from './shape.ts';
import { type CameraSight, hearStream, isBlind, seeFrame, seeTime, startSight } from './sight.ts';
import { advanceTracks, type Track } from './track.ts';

/** What the room remembers of one camera: whether it sees, who moves in its picture, and its seats. */
export interface CameraMachine {
  readonly sight: CameraSight;
  readonly tracks: readonly Track[];
  readonly nextTrackId: number;
  readonly seats: Readonly<Record<string, SeatSight>>;
  readonly seated: readonly { readonly seatId: string; readonly trackId: number }[];
  /** Since when the camera is blind; undefined while it sees. */
  readonly blindMonoMs?: number | undefined;
}

/** A blind spell of this length makes everybody's place unknown. */
export const FORGET_MS = 1000;
const USUAL_DOWN_MS = 15_000;

/** `open`: latest events of the episodes that had not ended before a restart. */
export function startCamera(
  layout: RoomLayout,
  cameraId: string,
  at: Instant,
  open: readonly DraftEvent[],
): CameraMachine {
  const away = awaySeats(open);
  const seats: Record<string, SeatSight> = {};
  for (const spot of spotsOf(layout, cameraId))
    seats[spot.seatId] = startSeat(away.includes(spot.seatId) ? 'no' : undefined);
  return {
    sight: { ...startSight(cameraId, at), was: darkBefore(cameraId, open) },
    tracks: [],
    nextTrackId: 1,
    seats,
    seated: [],
    blindMonoMs: at.monoMs,
  };
}

/** Seats that were away when the agent stopped: nobody has been seen there since. */
function awaySeats(open: readonly DraftEvent[]): readonly string[] {
  return open.flatMap(({ body }) => (body.kind === 'episode' && body.behaviour === 'left_seat' ? body.seatIds : []));
}

/** Derived from the layout alone and so remembered beside it. */
const spots = new WeakMap<RoomLayout, Map<string, readonly Spot[]>>();
/** Seats as a camera sees them. */
export function spotsOf(layout: RoomLayout, cameraId: string): readonly Spot[] {
  let byCamera = spots.get(layout);
  if (!byCamera) {
    byCamera = new Map();
    spots.set(layout, byCamera);
  }
  let list = byCamera.get(cameraId);
  if (!list) {
    const calibration = layout.floor.find((f) => f.cameraId === cameraId);
    const right = widthIn(layout, cameraId);
    const lens = calibration && lensOf(calibration, right);
    list = besideOthers(
      layout.seats.flatMap(({ seatId, views, floor }) => {
        const scale = calibration && floor && metresPerWidth(calibration, floor);
        const metric = lens && floor ? { lens, floor } : undefined;
        return views.filter((v) => v.cameraId === cameraId).map((v) => spotOf(seatId, v, scale, metric, right));
      }),
    );
    byCamera.set(cameraId, list);
  }
  return list;
}

/** What the room knew before this input. */
interface Before {
  readonly cameras: Readonly<Record<string, CameraMachine>>;
  readonly seats: readonly SeatScene[];
  readonly session: Session | undefined;
}

/** One input further: the camera that it is of looks, for the others time passes. */
export function perceive(
  machine: Before,
  input: Input,
  { layout, pack }: { readonly layout: RoomLayout; readonly pack: RulePack },
): Readonly<Record<string, CameraMachine>> {
  const rule = pack.rules.camera_fault;
  const downMs = rule?.downMs ?? USUAL_DOWN_MS;
  const { at } = input;
  const next: Record<string, CameraMachine> = {};
  const source =
    input.kind === 'frame'
      ? input.cameraId
      : input.kind === 'stream' && input.role !== 'audio'
        ? input.sourceId
        : undefined;
  const known =
    source === undefined || machine.cameras[source]
      ? machine.cameras
      : { ...machine.cameras, [source]: startCamera(layout, source, at, []) };
  for (const [cameraId, camera] of Object.entries(known)) {
    let { sight } = camera;
    const mine = source === cameraId;
    if (mine && input.kind === 'frame')
      sight = inTheDark(seeFrame(sight, input, rule), at, sightsBeside(known, cameraId), machine);
    else if (mine && input.kind === 'stream') sight = hearStream(sight, input, downMs);
    else sight = seeTime(sight, at, downMs);
    const after = blink({ ...camera, sight }, at);
    next[cameraId] =
      mine && input.kind === 'frame' && after.blindMonoMs === undefined
        ? lookAt(after, input, spotsOf(layout, cameraId))
        : after;
  }
  return next;
}

const sightsBeside = (cameras: Before['cameras'], cameraId: string) =>
  Object.entries(cameras).flatMap(([id, { sight }]) => (id === cameraId ? [] : [sight]));

/** Keeps account of blind spells and forgets who is where when one lasts. */
function blink(camera: CameraMachine, at: Instant): CameraMachine {
  if (!isBlind(camera.sight, at)) return { ...camera, blindMonoMs: undefined };
  const since = camera.blindMonoMs ?? Math.min(at.monoMs, camera.sight.frame?.monoMs ?? at.monoMs);
  if (
    at.monoMs - since < FORGET_MS ||
    (camera.tracks.length + camera.seated.length === 0 &&
      Object.values(camera.seats).every((s) => s.occupancy === 'unknown'))
  )
    return { ...camera, blindMonoMs: since };
  const seats = Object.fromEntries(Object.entries(camera.seats).map(([id, seat]) => [id, loseSight(seat)]));
  return { ...camera, blindMonoMs: since, tracks: [], seated: [], seats };
}

function lookAt(camera: CameraMachine, frame: FrameObservation, list: readonly Spot[]): CameraMachine {
  const now = frame.at.monoMs;
  const looks = new Map(
    list.map((spot) => {
      const patch = frame.patches.find((p) => p.seatId === spot.seatId);
      return [spot.seatId, patch && look(patch, spot.cells)] as const;
    }),
  );
  const untouched = new Set(
    list.flatMap(({ seatId }) => {
      const [seen, taken] = [looks.get(seatId), camera.seats[seatId]?.taken];
      return seen && taken && unlike(seen, taken) < SAME_LOOK ? [seatId] : [];
    }),
  );
  const advanced = advanceTracks(camera.tracks, frame.persons, now, camera.nextTrackId, {
    expected: (person) => list.some((spot) => contains(spot.view.zone, upperBody(person))),
    mayBe: mayBeIn({ persons: frame.persons, tracks: camera.tracks, seats: camera.seats, spots: list, untouched }),
  });
  const tracks = asTheySit(advanced.tracks, { seats: camera.seats, spots: list }, now);
  const seen = tracks.filter((t) => t.seenMonoMs === now);
  const seatedMap = seatTracks(
    seen,
    list,
    (id) => camera.seats[id]?.habit,
    (id) => camera.seats[id]?.ownerId,
  );
  const owned = new Set(Object.values(camera.seats).map((s) => s.ownerId));
  const placed = new Set([...seatedMap.values()].map((t) => t.trackId));
  const free = tracks.filter((t) => !owned.has(t.trackId) && !placed.has(t.trackId));
  const seats: Record<string, SeatSight> = {};
  for (const spot of list) {
    seats[spot.seatId] = seeSeat(camera.seats[spot.seatId] ?? startSeat(undefined), {
      monoMs: now,
      spot,
      occupant: seatedMap.get(spot.seatId),
      tracks,
      // Who is in another seat's zone, whoever is thought to be at it, has not got up from this one.
      free: free.filter((t) => !list.some((other) => other !== spot && sitsIn(t, other))),
      seated: placed,
      covered: frame.persons.reduce((most, p) => Math.max(most, covers(p.box, spot.zone)), 0),
      look: looks.get(spot.seatId),
    });
  }
  const seated = [...seatedMap].map(([seatId, track]) => ({ seatId, trackId: track.trackId }));
  return { ...camera, tracks, nextTrackId: advanced.nextId, seats, seated };
}
