/** To which evaluation an alert belongs, and in which phase of it the alert began. Pure. */
import type { SessionPhase } from '../../../protocol/session.ts';
import type { AlertView } from '../../http/api.ts';
import type { EvaluationView, StepView } from '../../http/sessions-api.ts';

/** The alert's own evaluation while it is on; undefined where it is over, or the alert belongs to none. */
export function liveEvaluation(
  sessions: ReadonlyMap<string, EvaluationView> | undefined,
  alert: Pick<AlertView, 'roomId' | 'sessionId'>,
): EvaluationView | undefined {
  const on = sessions?.get(alert.roomId);
  return on && on.sessionId === alert.sessionId ? on : undefined;
}

/** The phase that stood at the instant; undefined before the evaluation began. `steps` in their order. */
export function phaseAt(steps: readonly StepView[], wallMs: number): SessionPhase | undefined {
  return steps.findLast((step) => step.phase !== undefined && step.wallMs <= wallMs)?.phase;
}
