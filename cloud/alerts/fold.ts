/** How an alert grows out of stored events and what people do about them: pure, in feed order, so that it can be redone. */
import { type EpisodeBody, isSuspected } from '../../protocol/event.ts';
import type { ActionKind, AlertView } from '../http/api.ts';

/** Where the newest event of an alert stands on the clock that never steps; absent in rows of older versions. */
interface Told {
  readonly bootId: string;
  readonly monoMs: number;
}

/** The alert without its clips, which are looked up when it is read. `told` is the fold's own and is shown to nobody. */
export type AlertFold = Omit<AlertView, 'clips'> & { readonly told?: Told };

/** The part of a stored event that the fold needs. */
export interface Folding {
  readonly roomId: string;
  readonly wallMs: number;
  readonly told?: Told;
  readonly storedWallMs: number;
  readonly body: EpisodeBody;
}

/**
 * The alert after one more event. A left stream is drained behind newer ones, so an event may come after what was decided
 * later: it adds seats and level, may set the begin back, and leaves phase, length, words and fault as they are. The level
 * never falls. When it rises to alarm, or what was only suspected is confirmed, after somebody acknowledged or closed the notice, the alert
 * opens again: what they judged was less than what it has become. What was confirmed once stays confirmed. An episode that has ended may be joined again: it goes on, and `againWallMs` says
 * since when. The first evaluation that an event names is the alert's for good, also where the episode went on into the next
 * one.
 */
export function foldEvent(before: AlertFold | undefined, event: Folding): AlertFold {
  const { roomId, wallMs, told, storedWallMs, body } = event;
  const level = before?.level === 'alarm' ? 'alarm' : body.level;
  const late = before && isLate(before, event) ? before : undefined;
  const suspected = isSuspected(body) && (before === undefined || before.suspected === true);
  const risen = before !== undefined && (before.level !== level || (before.suspected === true && !suspected));
  const {
    verdict,
    suspected: _was,
    ...rest
  } = before ?? {
    verdict: undefined,
    suspected: undefined,
    escalated: false,
    state: 'open' as const,
    firstStoredWallMs: storedWallMs,
    beganWallMs: body.beganWallMs,
    seatIds: [],
  };
  const joined = !late && before?.phase === 'end' && body.phase !== 'end' ? before : undefined;
  const keepVerdict = verdict !== undefined && !risen;
  return {
    ...rest,
    episodeId: body.episodeId,
    roomId,
    behaviour: body.behaviour,
    level,
    seatIds: [...new Set([...rest.seatIds, ...body.seatIds])],
    ...(body.sourceId === undefined ? {} : { sourceId: body.sourceId }),
    beganWallMs: Math.min(rest.beganWallMs, body.beganWallMs),
    // The length of a joined episode is that of all its parts: what is more than before is the running one's.
    ...(joined ? { againWallMs: wallMs - Math.max(0, body.durationMs - joined.durationMs) } : {}),
    lastWallMs: late?.lastWallMs ?? wallMs,
    lastStoredWallMs: storedWallMs,
    durationMs: late?.durationMs ?? body.durationMs,
    phase: late?.phase ?? body.phase,
    ...(suspected ? { suspected: true as const } : {}),
    sentence: late?.sentence ?? body.sentence,
    ...(body.fault === undefined || late ? {} : { fault: body.fault }),
    ...(before?.sessionId === undefined && body.sessionId !== undefined ? { sessionId: body.sessionId } : {}),
    ...(told && !late ? { told } : {}),
    state: risen ? 'open' : rest.state,
    ...(keepVerdict ? { verdict } : {}),
  };
}

/**
 * Was it decided before what the alert tells already? Within one boot the monotonic clock knows. Across boots there is the
 * wall clock only, which may step: there an end always counts, so that no alert stays open for good.
 */
function isLate(before: AlertFold, { wallMs, told, body }: Folding): boolean {
  if (told && told.bootId === before.told?.bootId) return told.monoMs < before.told.monoMs;
  return before.phase === 'end' && body.phase !== 'end' && wallMs <= before.lastWallMs;
}

/** The alert after what a person did. A verdict closes it; acknowledging a closed one changes nothing. */
export function foldAction(before: AlertFold, kind: ActionKind): AlertFold {
  switch (kind) {
    case 'acknowledge':
      return before.state === 'open' ? { ...before, state: 'acknowledged' } : before;
    case 'confirm':
      return { ...before, state: 'closed', verdict: 'confirmed' };
    case 'false':
    case 'unclear':
      return { ...before, state: 'closed', verdict: kind };
    case 'escalate':
      return { ...before, escalated: true };
    case 'close':
      return { ...before, state: 'closed' };
    case 'note':
      return before;
  }
}
