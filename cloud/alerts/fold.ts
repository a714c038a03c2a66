/** How an alert grows out of stored events and what people do about them: pure, in feed order, so that it can be redone. */
import type { EpisodeBody } from '../../protocol/event.ts';
import type { ActionKind, AlertView } from '../http/api.ts';

/** The alert without its clips, which are looked up when it is read. */
export type AlertFold = Omit<AlertView, 'clips'>;

/** The part of a stored event that the fold needs. */
export interface Folding {
  readonly roomId: string;
  readonly wallMs: number;
  readonly storedWallMs: number;
  readonly body: EpisodeBody;
}

/**
 * The alert after one more event. A left stream is drained behind newer ones, so an event from before the end may come
 * after it: it adds seats and level, may set the begin back, and an alert that has ended keeps its end, its length, its words
 * and its fault. The level never falls. When it rises to alarm after somebody acknowledged or closed the notice, the alert
 * opens again: what they judged was less than what it has become. The first evaluation that an event names is the alert's
 * for good, also where the episode went on into the next one.
 */
export function foldEvent(before: AlertFold | undefined, { roomId, wallMs, storedWallMs, body }: Folding): AlertFold {
  const level = before?.level === 'alarm' ? 'alarm' : body.level;
  const risen = before !== undefined && before.level !== level;
  const { verdict, ...rest } = before ?? {
    verdict: undefined,
    escalated: false,
    state: 'open' as const,
    firstStoredWallMs: storedWallMs,
    beganWallMs: body.beganWallMs,
    seatIds: [],
  };
  const late = before?.phase === 'end' && body.phase !== 'end' ? before : undefined;
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
    lastWallMs: late?.lastWallMs ?? wallMs,
    lastStoredWallMs: storedWallMs,
    durationMs: late?.durationMs ?? body.durationMs,
    phase: late?.phase ?? body.phase,
    sentence: late?.sentence ?? body.sentence,
    ...(body.fault === undefined || late ? {} : { fault: body.fault }),
    ...(before?.sessionId === undefined && body.sessionId !== undefined ? { sessionId: body.sessionId } : {}),
    state: risen ? 'open' : rest.state,
    ...(keepVerdict ? { verdict } : {}),
  };
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
