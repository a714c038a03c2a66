/** What an evaluation becomes by each thing that a supervisor does: pure, so that a transaction may run it again. */
import { InvalidInput } from '../../protocol/errors.ts';
import type { Session } from '../../protocol/session.ts';
import {
  type BeginRequest,
  type ChosenPhase,
  type EvaluationView,
  type PermitRequest,
  type PermitView,
  SEAT_PERMIT_KINDS,
} from '../http/sessions-api.ts';
import type { EvaluationChange } from '../store/evaluations.ts';

/** Permits that are over stay in sight for so long, and in the steps for ever. */
const PAST_PERMIT_MS = 30 * 60_000;
/** Those that count at one time. */
const PERMITS_MAX = 100;

/** Who does it, and when by the cloud's clock. */
export interface Doing {
  readonly wallMs: number;
  readonly by: string;
}

/** True while the permit allows what it names. */
export const counts = (permit: PermitView, wallMs: number): boolean =>
  permit.revokedWallMs === undefined && permit.untilWallMs > wallMs;

/** What the box is told: nothing of titles, projects and who gave what. */
function sessionOf(evaluation: EvaluationView, wallMs: number): Session {
  return {
    sessionId: evaluation.sessionId,
    phase: evaluation.phase,
    startWallMs: evaluation.startWallMs,
    // Once it has ended the room's own file counts again.
    ...(evaluation.phase === 'idle' ? {} : { roster: evaluation.roster }),
    ...(evaluation.bidders.length > 0 && evaluation.phase !== 'idle' ? { bidders: evaluation.bidders } : {}),
    permits: evaluation.permits
      .filter((permit) => counts(permit, wallMs))
      .map(({ permitId, kind, seatId, fromWallMs, untilWallMs, people }) => ({
        permitId,
        kind,
        fromWallMs,
        untilWallMs,
        ...(seatId === undefined ? {} : { seatId }),
        ...(people === undefined ? {} : { people }),
      })),
  };
}

function changeTo(
  evaluation: EvaluationView,
  step: EvaluationChange['step'],
  action: string,
  words: string,
  wallMs: number,
): EvaluationChange {
  const permits = evaluation.permits.filter(
    (permit) => counts(permit, wallMs) || (permit.revokedWallMs ?? permit.untilWallMs) > wallMs - PAST_PERMIT_MS,
  );
  const kept = { ...evaluation, permits };
  const object = `${evaluation.roomId} ${evaluation.sessionId.slice(0, 8)}${words === '' ? '' : `: ${words}`}`;
  return { evaluation: kept, step, session: sessionOf(kept, wallMs), log: { action, object } };
}

/** An evaluation that begins in its first working phase. */
export function begun(
  { title, project, roster, bidders, startWallMs }: BeginRequest,
  where: { readonly sessionId: string; readonly roomId: string },
  { wallMs, by }: Doing,
): EvaluationChange {
  const evaluation: EvaluationView = {
    ...where,
    title,
    project: project ?? '',
    roster,
    bidders: bidders ?? [],
    startWallMs: startWallMs ?? wallMs,
    begunWallMs: wallMs,
    begunBy: by,
    phase: 'evaluating',
    phaseSinceWallMs: wallMs,
    permits: [],
    revision: 0,
  };
  return changeTo(
    evaluation,
    { what: 'begin', phase: 'evaluating' },
    'begin_session',
    `${roster.length} seats`,
    wallMs,
  );
}

function on(evaluation: EvaluationView): EvaluationView {
  if (evaluation.endedWallMs === undefined) return evaluation;
  throw new InvalidInput(
    'session_over',
    `changing evaluation ${evaluation.sessionId}: it has ended; begin another one`,
  );
}

/** The same phase again changes nothing but the history. */
export function phased(before: EvaluationView, phase: ChosenPhase, { wallMs }: Doing): EvaluationChange {
  const same = on(before).phase === phase;
  const evaluation = { ...before, phase, phaseSinceWallMs: same ? before.phaseSinceWallMs : wallMs };
  return changeTo(evaluation, { what: 'phase', phase }, 'session_phase', phase, wallMs);
}

/** A permit that counts from now on. */
export function permitted(
  before: EvaluationView,
  { kind, seatId, minutes, people }: PermitRequest,
  permitId: string,
  { wallMs, by }: Doing,
): EvaluationChange {
  if (on(before).permits.filter((permit) => counts(permit, wallMs)).length >= PERMITS_MAX)
    throw new InvalidInput(
      'permits_many',
      `giving a permit in ${before.roomId}: ${PERMITS_MAX} count already; revoke some`,
    );
  const permit = {
    permitId,
    kind,
    ...(seatId === undefined || !SEAT_PERMIT_KINDS.some((one) => one === kind) ? {} : { seatId }),
    fromWallMs: wallMs,
    untilWallMs: wallMs + minutes * 60_000,
    ...(kind === 'staff' ? { people: people ?? 1 } : {}),
  };
  const evaluation = { ...before, permits: [...before.permits, { ...permit, givenBy: by, givenWallMs: wallMs }] };
  const whom = permit.seatId === undefined ? 'room' : `seat ${permit.seatId}`;
  return changeTo(evaluation, { what: 'permit', permit }, 'give_permit', `${kind} ${whom} ${minutes} min`, wallMs);
}

/** Throws InvalidInput `not_found` for a permit that is none of its own or over already. */
export function revoked(before: EvaluationView, permitId: string, { wallMs }: Doing): EvaluationChange {
  const found = on(before).permits.find((permit) => permit.permitId === permitId && counts(permit, wallMs));
  if (!found)
    throw new InvalidInput('not_found', `revoking permit ${permitId}: none of that id counts in ${before.roomId}`);
  const evaluation = {
    ...before,
    permits: before.permits.map((permit) => (permit === found ? { ...permit, revokedWallMs: wallMs } : permit)),
  };
  const { givenBy: _by, givenWallMs: _at, ...permit } = found;
  return changeTo(evaluation, { what: 'revoke', permit }, 'revoke_permit', permit.kind, wallMs);
}

/** Over: the box hears `idle`, and nobody is watched until the next one begins. */
export function ended(before: EvaluationView, { wallMs }: Doing): EvaluationChange {
  const permits = on(before).permits.map((permit) =>
    counts(permit, wallMs) ? { ...permit, revokedWallMs: wallMs } : permit,
  );
  const evaluation: EvaluationView = {
    ...before,
    permits,
    phase: 'idle',
    phaseSinceWallMs: wallMs,
    endedWallMs: wallMs,
  };
  return changeTo(evaluation, { what: 'end', phase: 'idle' }, 'end_session', '', wallMs);
}
