/** A black picture: is the light out, or does something cover the lens? What can be known beside the picture decides; in doubt it is covered. */
import type { DraftEvent, Occupancy } from '../../protocol/event.ts';
import type { Session } from '../../protocol/session.ts';
import type { Instant } from '../../protocol/time.ts';
import type { SeatScene } from './scene.ts';
import { type Black, type CameraSight, type Condition, staleAfter, UNLIT } from './sight.ts';
import { isOff } from './suppress.ts';

/** Cameras whose light goes within this of each other lost the room's. Shorter than what is told as covered. */
const TOGETHER_MS = 4000;

/** What the room knew before this frame. */
interface Known {
  readonly seats: readonly SeatScene[];
  readonly session: Session | undefined;
}

/**
 * This camera's sight after its frame: a black picture that is the room's darkness is `dark`, not `covered` or `moved`.
 * `beside`: the sights of the room's other cameras.
 */
export function inTheDark(sight: CameraSight, at: Instant, beside: readonly CameraSight[], known: Known): CameraSight {
  const { black, conditions } = sight;
  if (!black) {
    const { dark: _over, ...others } = conditions;
    const clear = !conditions.covered && !conditions.moved;
    return { ...sight, conditions: others, ...(clear ? { company: companyOf(known.seats) } : {}) };
  }
  const taken = taking(sight, black, at, beside, known.session);
  if (taken === 'covered') {
    const { dark: _not, ...others } = conditions;
    return { ...sight, conditions: others, black: { ...black, taken } };
  }
  const { covered: _covered, frozen: _frozen, moved, ...others } = conditions;
  const dark: Condition = {
    sinceMonoMs: black.sinceMonoMs,
    sinceWallMs: black.sinceWallMs,
    value: black.light,
    threshold: UNLIT,
    unit: '',
  };
  // A camera that was moved before the light went is moved all the same.
  const before = moved && moved.sinceMonoMs < black.sinceMonoMs ? { moved } : {};
  return { ...sight, conditions: { ...others, ...before, dark }, black: { ...black, taken } };
}

function taking(
  { company, unlitMonoMs }: CameraSight,
  { sinceMonoMs, taken }: Black,
  at: Instant,
  beside: readonly CameraSight[],
  session: Session | undefined,
): 'covered' | 'dark' {
  const seeing = beside.filter((one) => isSeeing(one, at));
  // While another camera has light the room has.
  if (seeing.some((one) => one.unlitMonoMs === undefined)) return 'covered';
  // What was covered while the light was on stays so until this camera sees again, whatever else goes dark.
  if (taken === 'covered' && at.monoMs - sinceMonoMs > TOGETHER_MS) return 'covered';
  if (taken === 'dark') return 'dark';
  const sinceMs = unlitMonoMs ?? sinceMonoMs;
  if (seeing.length > 0 && seeing.every((one) => Math.abs(one.unlitMonoMs! - sinceMs) <= TOGETHER_MS)) return 'dark';
  if (session?.phase === 'idle' || company === 'no') return 'dark';
  // Nobody was seen to sit there: in an evaluation that is not to know that nobody does.
  return company === 'yes' || (session !== undefined && !isOff(session.phase)) ? 'covered' : 'dark';
}

function isSeeing({ frame, conditions }: CameraSight, at: Instant): boolean {
  if (!frame || conditions.down || conditions.frozen) return false;
  return at.monoMs - frame.monoMs <= staleAfter({ frame });
}

function companyOf(seats: readonly SeatScene[]): Occupancy {
  if (seats.some(({ occupancy }) => occupancy === 'yes')) return 'yes';
  return seats.length > 0 && seats.every(({ occupancy }) => occupancy === 'no') ? 'no' : 'unknown';
}

/** What this camera's black picture was taken for when the agent stopped; `open` are the episodes that had not ended. */
export function darkBefore(cameraId: string, open: readonly DraftEvent[]): Black['taken'] {
  const of = (fault: string) =>
    open.some(
      ({ body }) =>
        body.kind === 'episode' &&
        body.behaviour === 'camera_fault' &&
        body.sourceId === cameraId &&
        body.fault === fault,
    );
  if (of('covered') || of('moved')) return 'covered';
  return of('dark') ? 'dark' : undefined;
}

/** Whether people have to hear of a dark room: not at night, but while an evaluation needs its light, or somebody sat there. */
export function isDarkTold(session: Session | undefined, company: Occupancy | undefined): boolean {
  if (session?.phase === 'idle') return false;
  return company === 'yes' || (session !== undefined && !isOff(session.phase));
}
