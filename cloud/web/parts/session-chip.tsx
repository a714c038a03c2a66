/** What is on in a room, in one line: phase and clock; and why nothing is raised while a break or a permit stands. */
import type { RoomCard } from '../../http/api.ts';
import type { EvaluationView, PermitView } from '../../http/sessions-api.ts';
import { useDesk } from '../state/desk.ts';
import { kindWords, phaseWords, quietPermitWords, quietPhaseWords, sessionWords } from '../words/session.ts';
import { type Lang, timer } from '../words/time.ts';
import { seatWords } from '../words/words.ts';
import { useWords } from './use.ts';

/** Permits that allow something now, the one that ends first in front. */
export function standing(evaluation: EvaluationView, nowMs: number): readonly PermitView[] {
  return evaluation.permits
    .filter((permit) => permit.revokedWallMs === undefined && permit.untilWallMs > nowMs)
    .sort((a, b) => a.untilWallMs - b.untilWallMs);
}

/** `评审 1:02:33`: the phase and how long the evaluation has gone on. */
export function PhaseChip({ evaluation }: { evaluation: EvaluationView }) {
  const { now } = useDesk();
  const { lang } = useWords();
  return (
    <span class={`phase-chip phase-${evaluation.phase}`} data-phase={evaluation.phase}>
      {phaseWords(evaluation.phase, lang)} <b>{timer(now.value - evaluation.begunWallMs)}</b>
    </span>
  );
}

/** The seat of a permit in words; the room where it is for all. */
export function whoseWords(permit: { readonly seatId?: string }, room: RoomCard | undefined, lang: Lang): string {
  if (permit.seatId === undefined) return sessionWords(lang, 'wholeRoom');
  return seatWords(room?.state?.layout, permit.seatId, lang);
}

/** Why nothing is raised: a line for the phase, and one for each permit. Nothing where every rule counts. */
export function Quiet({ evaluation, room }: { evaluation: EvaluationView; room: RoomCard | undefined }) {
  const { now } = useDesk();
  const { lang } = useWords();
  const ofPhase = quietPhaseWords(evaluation.phase, lang);
  const permits = standing(evaluation, now.value);
  if (ofPhase === '' && permits.length === 0) return null;
  return (
    <ul class="quiet" aria-label={sessionWords(lang, 'quiet')}>
      {ofPhase !== '' && (
        <li data-quiet="phase">
          {sessionWords(lang, 'quietWhy', { phase: phaseWords(evaluation.phase, lang), what: ofPhase })}
        </li>
      )}
      {permits.map((permit) => (
        <li key={permit.permitId} data-quiet="permit">
          {sessionWords(lang, 'quietBy', {
            seat: whoseWords(permit, room, lang),
            kind: kindWords(permit.kind, lang),
            time: timer(permit.untilWallMs - now.value),
            what: quietPermitWords(permit.kind, lang),
          })}
        </li>
      ))}
    </ul>
  );
}
