/** The whole of deciding: one machine per room, fed with observations and ticks, giving draft events. Pure from outside. */
import type { DraftEvent, Level, Occupancy } from '../../protocol/event.ts';
import { type FrameObservation, type Keypoint, upperBody } from '../../protocol/observation.ts';
import type { RoomLayout } from '../../protocol/room.ts';
import type { RulePack } from '../../protocol/rules.ts';
import { type Box, contains } from '../../protocol/seat.ts';
import type { Session } from '../../protocol/session.ts';
import type { Instant } from '../../protocol/time.ts';
import { type Doors, NO_DOORS, watchDoors } from './doors.ts';
import { metresPerWidth } from './floor.ts';
import { fuseSeat } from './fuse.ts';
import { mayBeIn } from './guard.ts';
import type { LeftSeat } from './left-seat.ts';
import { lensOf } from './lens.ts';
import type { Ears } from './microphone-fault.ts';
import { look } from './patch.ts';
import { covers, type Spot, seatTracks, spotOf } from './place.ts';
import { faultsOf, type PoorSound } from './poor-sound.ts';
import { loseSight, type SeatSight, seeSeat, startSeat } from './presence.ts';
import { type AnyRule, RULES } from './rules.ts';
import type { CameraScene, Input, Scene, SeatScene } from './scene.ts';
import { frameInShape, layoutInShape, type Shapes, shapesOf, widened, widthIn, widthOf } from './shape.ts';
import {
  CAMERA_FAULTS,
  type CameraSight,
  hearStream,
  isBlind,
  movedBy,
  registered,
  seeFrame,
  seeTime,
  startSight,
} from './sight.ts';
import { advanceTracks, type Track } from './track.ts';

export type { Input } from './scene.ts';

/** What does not change while the machine runs. */
export interface RoomContext {
  readonly layout: RoomLayout;
  readonly pack: RulePack;
  /** UUID of this run: episodeId = `${runId}-${n}`. */
  readonly runId: string;
  /** What is known of the session at the start; later changes come as inputs. */
  readonly session?: Session;
}

/** What the page, the overlay and the state topic draw. */
export interface RoomView {
  readonly seats: readonly {
    readonly seatId: string;
    readonly occupancy: Occupancy;
    readonly sinceWallMs: number;
    /** UNKNOWN, SEATED, LEAVING, AWAY or RETURNED. */
    readonly state: string;
    readonly level?: Level;
  }[];
  readonly tracks: readonly {
    readonly trackId: number;
    readonly cameraId: string;
    readonly box: Box;
    readonly pose?: readonly Keypoint[];
    readonly seatId?: string;
  }[];
  readonly faults: readonly { readonly sourceId: string; readonly fault: string; readonly sinceWallMs: number }[];
  /** Cameras that were nudged so little that zones and people are moved along: by these fractions of the picture. */
  readonly nudged: readonly { readonly cameraId: string; readonly dx: number; readonly dy: number }[];
}

interface CameraMachine {
  readonly sight: CameraSight;
  readonly tracks: readonly Track[];
  readonly nextTrackId: number;
  readonly seats: Readonly<Record<string, SeatSight>>;
  readonly seated: readonly { readonly seatId: string; readonly trackId: number }[];
  /** Since when the camera is blind; undefined while it sees. */
  readonly blindMonoMs?: number | undefined;
}

/** Opaque: plain data, may be serialised as JSON, never changed in place. */
export interface RoomMachine {
  readonly cameras: Readonly<Record<string, CameraMachine>>;
  readonly seats: readonly SeatScene[];
  readonly rules: Readonly<Record<string, unknown>>;
  readonly doors: Doors;
  readonly session: Session | undefined;
  readonly episodes: number;
}

/** A shorter blind spell is a hiccup: what was known stays known. */
const BLIND_MS = 400;
/** A longer one makes everybody's place unknown. */
const FORGET_MS = 1000;
const USUAL_DOWN_MS = 15_000;

/** `open`: the latest event of every episode that had not ended before a restart. */
export function startRoom(context: RoomContext, at: Instant, open: readonly DraftEvent[]): RoomMachine {
  const rules: Record<string, unknown> = {};
  for (const rule of RULES) rules[rule.name] = rule.start(context, at, open);
  const cameras: Record<string, CameraMachine> = {};
  for (const seat of context.layout.seats)
    for (const { cameraId } of seat.views)
      cameras[cameraId] ??= startCamera(context.layout, cameraId, at, awaySeats(open));
  return {
    cameras,
    seats: context.layout.seats.map(({ seatId }) => ({
      seatId,
      occupancy: 'unknown',
      sinceWallMs: at.wallMs,
      sample: 'none',
    })),
    rules,
    doors: NO_DOORS,
    session: context.session,
    episodes: 0,
  };
}

/** One input further. The same machine and input give the same result; the machine given is left as it was. */
export function step(
  machine: RoomMachine,
  given: Input,
  context: RoomContext,
): { machine: RoomMachine; drafts: readonly DraftEvent[]; view: RoomView } {
  const input = given.kind === 'frame' ? frameInShape(registered(given)) : given;
  const drawn = layoutInShape(context.layout, shapesAt(machine, input));
  const cameras = perceive(machine, input, { ...context, layout: drawn });
  const { scene, doors } = sceneOf(machine, cameras, input, drawn);
  let { episodes } = machine;
  const ids = { take: () => `${context.runId}-${++episodes}` };
  const rules: Record<string, unknown> = {};
  const drafts: DraftEvent[] = [];
  const layout = rostered(drawn, scene.session);
  for (const rule of RULES) {
    const [state, said] = stepRule(rule, machine.rules[rule.name], scene, { ...context, layout, ids });
    rules[rule.name] = state;
    drafts.push(...said);
  }
  const next: RoomMachine = { cameras, seats: scene.seats, rules, doors, session: scene.session, episodes };
  return { machine: next, drafts: inSession(drafts, scene.session), view: viewOf(next, scene) };
}

/** Shapes of the cameras' pictures, this input's included. */
function shapesAt(machine: RoomMachine, input: Input): Shapes {
  const of = input.kind === 'frame' ? input : undefined;
  const before = Object.entries(machine.cameras).map(([cameraId, { sight }]) => ({ cameraId, aspect: sight.aspect }));
  return shapesOf(
    of
      ? [...before.filter(({ cameraId }) => cameraId !== of.cameraId), { cameraId: of.cameraId, aspect: of.aspect }]
      : before,
  );
}

/** Each session's layout once: rules remember by the layout what they have worked out of it. */
const rosters = new WeakMap<Session, { readonly of: RoomLayout; readonly layout: RoomLayout }>();
function rostered(layout: RoomLayout, session: Session | undefined): RoomLayout {
  if (!session?.roster) return layout;
  let known = rosters.get(session);
  if (known?.of !== layout) {
    known = { of: layout, layout: { ...layout, roster: session.roster } };
    rosters.set(session, known);
  }
  return known.layout;
}

/** Says of each episode in which evaluation it was decided. */
function inSession(drafts: readonly DraftEvent[], session: Session | undefined): readonly DraftEvent[] {
  if (!session || session.phase === 'idle') return drafts;
  const { sessionId } = session;
  return drafts.map((draft) =>
    draft.body.kind === 'episode' ? { ...draft, body: { ...draft.body, sessionId } } : draft,
  );
}

function stepRule(rule: AnyRule, state: unknown, scene: Scene, context: RoomContext & { ids: { take(): string } }) {
  return rule.step(state, scene, context);
}

/** Seats that were away when the agent stopped: nobody has been seen there since. */
function awaySeats(open: readonly DraftEvent[]): readonly string[] {
  return open.flatMap(({ body }) => (body.kind === 'episode' && body.behaviour === 'left_seat' ? body.seatIds : []));
}

function startCamera(layout: RoomLayout, cameraId: string, at: Instant, away: readonly string[]): CameraMachine {
  const seats: Record<string, SeatSight> = {};
  for (const spot of spotsOf(layout, cameraId))
    seats[spot.seatId] = startSeat(away.includes(spot.seatId) ? 'no' : undefined);
  return { sight: startSight(cameraId, at), tracks: [], nextTrackId: 1, seats, seated: [], blindMonoMs: at.monoMs };
}

/** Derived from the layout alone and so remembered beside it. */
const spots = new WeakMap<RoomLayout, Map<string, readonly Spot[]>>();
function spotsOf(layout: RoomLayout, cameraId: string): readonly Spot[] {
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
    list = layout.seats.flatMap(({ seatId, views, floor }) => {
      const scale = calibration && floor && metresPerWidth(calibration, floor);
      const metric = lens && floor ? { lens, floor } : undefined;
      return views.filter((v) => v.cameraId === cameraId).map((v) => spotOf(seatId, v, scale, metric, right));
    });
    byCamera.set(cameraId, list);
  }
  return list;
}

function perceive(
  machine: RoomMachine,
  input: Input,
  { layout, pack }: RoomContext,
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
    if (mine && input.kind === 'frame') sight = seeFrame(sight, input, rule);
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
  const { tracks, nextId } = advanceTracks(camera.tracks, frame.persons, now, camera.nextTrackId, {
    expected: (person) => list.some((spot) => contains(spot.view.zone, upperBody(person))),
    mayBe: mayBeIn({ persons: frame.persons, tracks: camera.tracks, seats: camera.seats, spots: list }),
  });
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
    const patch = frame.patches.find((p) => p.seatId === spot.seatId);
    seats[spot.seatId] = seeSeat(camera.seats[spot.seatId] ?? startSeat(undefined), {
      monoMs: now,
      spot,
      occupant: seatedMap.get(spot.seatId),
      tracks,
      free,
      seated: placed,
      covered: frame.persons.reduce((most, p) => Math.max(most, covers(p.box, spot.zone)), 0),
      look: patch && look(patch, spot.cells),
    });
  }
  const seated = [...seatedMap].map(([seatId, track]) => ({ seatId, trackId: track.trackId }));
  return { ...camera, tracks, nextTrackId: nextId, seats, seated };
}

function sceneOf(
  machine: RoomMachine,
  cameras: Readonly<Record<string, CameraMachine>>,
  input: Input,
  layout: RoomLayout,
): { readonly scene: Scene; readonly doors: Doors } {
  const { at } = input;
  const list = Object.entries(cameras).map(
    ([cameraId, camera]): CameraScene & { seats: CameraMachine['seats']; shut: boolean } => ({
      cameraId,
      sight: camera.sight,
      blind: camera.blindMonoMs !== undefined,
      shut: camera.blindMonoMs !== undefined && at.monoMs - camera.blindMonoMs >= BLIND_MS,
      fresh: input.kind === 'frame' && input.cameraId === cameraId,
      tracks: camera.tracks,
      spots: spotsOf(layout, cameraId),
      seated: camera.seated,
      seats: camera.seats,
      worth: Object.fromEntries(Object.entries(camera.seats).map(([id, s]) => [id, s.worth ?? 0.5])),
      rests: Object.entries(camera.seats).flatMap(([seatId, { rest, unlikeTaken, hereMs, occupant, sunk }]) =>
        rest && unlikeTaken !== undefined
          ? [
              {
                seatId,
                sinceMonoMs: rest.sinceMs,
                unlikeTaken,
                sunk: sunk ?? 0,
                ...(hereMs === undefined ? {} : { hereMonoMs: hereMs }),
                ...(occupant === undefined ? {} : { hereTrackId: occupant }),
              },
            ]
          : [],
      ),
      owners: Object.entries(camera.seats).flatMap(([seatId, s]) =>
        s.ownerId === undefined
          ? []
          : [
              {
                seatId,
                trackId: s.ownerId,
                ...(s.habit ? { habit: s.habit } : {}),
                ...(s.outMs === undefined ? {} : { outMonoMs: s.outMs }),
              },
            ],
      ),
    }),
  );
  const seats = machine.seats.map((before) =>
    fuseSeat(
      before.seatId,
      list.flatMap((c) => {
        const seat = c.seats[before.seatId];
        return seat ? [{ seat, blind: c.shut, fresh: c.fresh && !c.blind }] : [];
      }),
      before,
      at.monoMs,
      at.wallMs,
    ),
  );
  const doors = watchDoors(machine.doors, list, seats, layout, at);
  const session = input.kind === 'session' ? input.session : machine.session;
  return { scene: { at, input, cameras: list, seats, session, exits: doors.exits }, doors };
}

function viewOf(machine: RoomMachine, scene: Scene): RoomView {
  const left = machine.rules.left_seat as readonly LeftSeat[];
  return {
    seats: scene.seats.map(({ seatId, occupancy, sinceWallMs }) => {
      const rule = left.find((s) => s.seatId === seatId);
      const level = rule?.episode && rule.episode.endedMonoMs === undefined ? rule.episode.level : undefined;
      return { seatId, occupancy, sinceWallMs, state: rule?.state ?? 'UNKNOWN', ...(level ? { level } : {}) };
    }),
    tracks: scene.cameras.flatMap((c) =>
      c.tracks
        .filter((t) => t.confirmed && t.seenMonoMs === c.sight.frame?.monoMs)
        .map((t) => widened(t, 1 / widthOf(c.sight.aspect)))
        .map((t) => (c.sight.offset ? movedBy(t, c.sight.offset) : t))
        .map((t) => {
          const owns = c.owners.find((o) => o.trackId === t.trackId)?.seatId;
          return {
            trackId: t.trackId,
            cameraId: c.cameraId,
            box: t.box,
            ...(t.pose ? { pose: t.pose } : {}),
            ...(owns === undefined ? {} : { seatId: owns }),
          };
        }),
    ),
    nudged: scene.cameras.flatMap(({ cameraId, sight }) => (sight.offset ? [{ cameraId, ...sight.offset }] : [])),
    faults: [
      ...scene.cameras.flatMap(({ cameraId: sourceId, sight }) =>
        CAMERA_FAULTS.flatMap((fault) => {
          const condition = sight.conditions[fault];
          const lasts = condition && scene.at.monoMs - condition.sinceMonoMs >= FORGET_MS;
          return lasts ? [{ sourceId, fault, sinceWallMs: condition.sinceWallMs }] : [];
        }),
      ),
      ...(machine.rules.microphone_fault as Ears).watches
        .filter((w) => w.holds)
        .map((w) => ({ sourceId: w.microphoneId, fault: w.fault, sinceWallMs: w.sinceWallMs })),
      ...faultsOf(machine.rules.poor_sound as readonly PoorSound[]),
    ],
  };
}
