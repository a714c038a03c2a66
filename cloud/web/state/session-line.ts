/** What the timeline of an evaluation shows: its phases and permits out of the steps, and the permit that is being drawn. Pure. */
import type { Permit, SessionPhase } from '../../../protocol/session.ts';
import type { AlertView } from '../../http/api.ts';
import type { EvaluationView, PermitRequest, PermitView, StepView } from '../../http/sessions-api.ts';

export interface PhaseSpan {
  readonly phase: SessionPhase;
  readonly fromWallMs: number;
  readonly toWallMs: number;
}

/** Every phase that the evaluation was in, the last one until `nowMs`. `steps` in their order. */
export function phaseSpans(steps: readonly StepView[], nowMs: number): readonly PhaseSpan[] {
  const spans: PhaseSpan[] = [];
  for (const { phase, wallMs } of steps) {
    const last = spans.at(-1);
    if (phase === undefined || phase === last?.phase) continue;
    if (last) spans[spans.length - 1] = { ...last, toWallMs: wallMs };
    if (phase !== 'idle') spans.push({ phase, fromWallMs: wallMs, toWallMs: Math.max(wallMs, nowMs) });
  }
  return spans;
}

/** Every permit that was ever given, as far as it reached: a revoked one until it was taken back. */
export function permitSpans(
  steps: readonly StepView[],
  { permits }: Pick<EvaluationView, 'permits'>,
): readonly Permit[] {
  const spans = new Map<string, Permit>();
  for (const { what, permit, wallMs } of steps) {
    if (!permit) continue;
    const untilWallMs = what === 'revoke' ? Math.min(wallMs, permit.untilWallMs) : permit.untilWallMs;
    spans.set(permit.permitId, { ...permit, untilWallMs });
  }
  // The newest may be known before the steps have been asked for again.
  for (const { revokedWallMs, ...permit } of permits)
    spans.set(permit.permitId, { ...permit, untilWallMs: Math.min(permit.untilWallMs, revokedWallMs ?? Infinity) });
  return [...spans.values()].sort((a, b) => a.fromWallMs - b.fromWallMs);
}

/** Where an alert lies in time; one that is still going on until now. */
export function alertEnd(alert: AlertView, nowMs: number): number {
  if (alert.phase !== 'end') return Math.max(nowMs, alert.beganWallMs);
  return Math.max(alert.beganWallMs, Math.min(alert.lastWallMs, alert.beganWallMs + Math.max(alert.durationMs, 1)));
}

/** As the route takes them: from now on, whole minutes, at most half a day. */
export const MINUTES_MAX = 12 * 60;

/** A permit on its way: drawn, not given. `seatId` absent: for the room. 0 minutes: the one that stands is to be taken back. */
export interface PermitDraft {
  readonly kind: PermitRequest['kind'];
  readonly seatId?: string;
  readonly minutes: number;
  /** The standing permit of the same kind and seat that it takes the place of. */
  readonly instead?: PermitView;
}

export type Whom = Pick<PermitDraft, 'kind' | 'seatId'>;

/** The one that ends last, of those that stand for the same. */
export function standingFor(
  { kind, seatId }: Whom,
  permits: readonly PermitView[],
  nowMs: number,
): PermitView | undefined {
  return permits
    .filter((permit) => permit.kind === kind && permit.seatId === seatId)
    .filter((permit) => permit.revokedWallMs === undefined && permit.untilWallMs > nowMs)
    .sort((a, b) => b.untilWallMs - a.untilWallMs)[0];
}

/** Whole minutes from now to an instant, within what may be given; below half a minute none. */
export const minutesUntil = (untilWallMs: number, nowMs: number): number =>
  Math.min(MINUTES_MAX, Math.max(0, Math.round((untilWallMs - nowMs) / 60_000)));

/** Undefined where there is nothing to give and nothing to take back. */
export function draftOf(
  whom: Whom,
  minutes: number,
  permits: readonly PermitView[],
  nowMs: number,
): PermitDraft | undefined {
  const instead = standingFor(whom, permits, nowMs);
  const held = Math.min(MINUTES_MAX, Math.max(0, Math.round(minutes)));
  if (held === 0 && !instead) return undefined;
  return {
    kind: whom.kind,
    ...(whom.seatId === undefined ? {} : { seatId: whom.seatId }),
    minutes: held,
    ...(instead ? { instead } : {}),
  };
}

/** What is asked of the cloud, in this order: the new permit first, so that nobody is without one in between. */
export function requestsOf({ kind, seatId, minutes, instead }: PermitDraft): {
  readonly give?: PermitRequest;
  readonly revoke?: string;
} {
  const people = kind === 'staff' ? { people: instead?.people ?? 1 } : {};
  return {
    ...(minutes > 0 ? { give: { kind, minutes, ...(seatId === undefined ? {} : { seatId }), ...people } } : {}),
    ...(instead ? { revoke: instead.permitId } : {}),
  };
}

/**
 * Carries a drawn permit out, the new one first. `permits` as they are now, not as they were when it was drawn: one that has run
 * out meanwhile cannot be taken back and needs not be. `left` is told what is still to do before each request, undefined
 * when all is done: pressed again after a failure, nothing is given twice.
 */
export async function carryOut(
  draft: PermitDraft,
  { permits, nowMs }: { readonly permits: readonly PermitView[]; readonly nowMs: number },
  desk: {
    readonly give: (request: PermitRequest) => Promise<boolean>;
    readonly revoke: (permitId: string) => Promise<boolean>;
    readonly left: (draft: PermitDraft | undefined) => void;
  },
): Promise<void> {
  const { instead, ...drawn } = draft;
  const still = permits.find((one) => one.permitId === instead?.permitId);
  const stands = still && still.revokedWallMs === undefined && still.untilWallMs > nowMs;
  const { give, revoke } = requestsOf({ ...drawn, ...(stands ? { instead: still } : {}) });
  if (give && !(await desk.give(give))) return;
  if (revoke !== undefined) {
    desk.left({ ...draft, minutes: 0 });
    if (!(await desk.revoke(revoke))) return;
  }
  desk.left(undefined);
}
