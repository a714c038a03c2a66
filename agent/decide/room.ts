/** The whole of deciding: one machine per room, fed with observations and ticks, giving draft events. Pure from outside. */
import type { DraftEvent } from '../../protocol/event.ts';
import type { RoomLayout } from '../../protocol/room.ts';
import type { RulePack } from '../../protocol/rules.ts';
import type { Session } from '../../protocol/session.ts';
import type { Instant } from '../../protocol/time.ts';
import { type CameraMachine, perceive, spotsOf, startCamera } from './camera.ts';
import { type Doors, NO_DOORS, watchDoors } from './doors.ts';
import { fuseSeat } from './fuse.ts';
import { type AnyRule, RULES } from './rules.ts';
import type { CameraScene, Input, Scene, SeatScene } from './scene.ts';
import { frameInShape, layoutInShape, type Shapes, shapesOf } from './shape.ts';
import { registered } from './sight.ts';
import { type RoomView, viewOf } from './view.ts';

export type { Input } from './scene.ts';
export type { RoomView } from './view.ts';

/** What does not change while the machine runs. */
export interface RoomContext {
  readonly layout: RoomLayout;
  readonly pack: RulePack;
  /** UUID of this run: episodeId = `${runId}-${n}`. */
  readonly runId: string;
  /** What is known of the session at the start; later changes come as inputs. */
  readonly session?: Session;
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

/** `open`: the latest event of every episode that had not ended before a restart. */
export function startRoom(context: RoomContext, at: Instant, open: readonly DraftEvent[]): RoomMachine {
  const rules: Record<string, unknown> = {};
  for (const rule of RULES) rules[rule.name] = rule.start(context, at, open);
  const cameras: Record<string, CameraMachine> = {};
  for (const seat of context.layout.seats)
    for (const { cameraId } of seat.views) cameras[cameraId] ??= startCamera(context.layout, cameraId, at, open);
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
  const session = input.kind === 'session' ? input.session : machine.session;
  const cameras = perceive({ ...machine, session }, input, { layout: drawn, pack: context.pack });
  const { scene, doors } = sceneOf({ ...machine, session }, cameras, input, drawn);
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
  return { machine: next, drafts: inSession(drafts, scene.session), view: viewOf(rules, scene) };
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
        const alone = c.spots.find(({ seatId }) => seatId === before.seatId)?.alone ?? 1;
        return seat ? [{ seat, blind: c.shut, fresh: c.fresh && !c.blind, alone }] : [];
      }),
      before,
      at.monoMs,
      at.wallMs,
    ),
  );
  const doors = watchDoors(machine.doors, list, seats, layout, at);
  return { scene: { at, input, cameras: list, seats, session: machine.session, exits: doors.exits }, doors };
}
