/** Beside an alert: in which phase of its evaluation it began. Pure. */
import type { SessionPhase } from '../../../protocol/session.ts';
import type { StepView } from '../../http/sessions-api.ts';

/** The phase that stood at the instant; undefined before the evaluation began. `steps` in their order. */
export function phaseAt(steps: readonly StepView[], wallMs: number): SessionPhase | undefined {
  return steps.findLast((step) => step.phase !== undefined && step.wallMs <= wallMs)?.phase;
}
