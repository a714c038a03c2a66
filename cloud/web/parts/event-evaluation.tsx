/** The evaluation that an alert belongs to, whenever that was: which one, and in which phase of it the alert began. */
import { useEffect, useState } from 'preact/hooks';
import type { AlertView, RoomCard } from '../../http/api.ts';
import type { EvaluationDetailView } from '../../http/sessions-api.ts';
import { formatAddress } from '../address.ts';
import { liveEvaluation, phaseAt } from '../state/belonging.ts';
import type { Refusal } from '../state/client.ts';
import { useDesk } from '../state/desk.ts';
import { phaseWords } from '../words/session.ts';
import { timer } from '../words/time.ts';
import { PhaseChip } from './session-chip.tsx';
import { RefusedLine } from './states.tsx';
import { useWords } from './use.ts';

/** Beside the alert's name, while its evaluation is on: the phase that stands now. */
export function LivePhase({ alert }: { alert: AlertView }) {
  const evaluation = liveEvaluation(useDesk().feed.value?.sessions, alert);
  if (!evaluation) return null;
  return (
    <a
      class="tile-phase"
      href={formatAddress({ page: 'sessions', room: alert.roomId })}
      title={evaluation.title}
      data-evaluation={evaluation.sessionId}
    >
      <PhaseChip evaluation={evaluation} />
    </a>
  );
}

/** A fact among the grounds of the alert. Nothing for an alert of no evaluation. */
export function BelongsTo({ alert, room }: { alert: AlertView; room: RoomCard | undefined }) {
  const desk = useDesk();
  const { lang, t } = useWords();
  const [found, setFound] = useState<EvaluationDetailView>();
  const [refusal, setRefusal] = useState<Refusal>();
  const [attempt, setAttempt] = useState(0);
  const { sessionId } = alert;
  useEffect(() => {
    setFound(undefined);
    if (sessionId === undefined) return;
    let gone = false;
    void desk.client.evaluation(sessionId).then((answer) => {
      if (gone) return;
      setFound(answer.ok ? answer.value : undefined);
      setRefusal(answer.ok ? undefined : answer.refusal);
    });
    return () => {
      gone = true;
    };
  }, [desk, sessionId, attempt]);
  if (sessionId === undefined) return null;
  const phase = found && phaseAt(found.steps, alert.beganWallMs);
  return (
    <div data-belongs={found?.evaluation.sessionId}>
      <dt>{t('belongsTo')}</dt>
      <dd>
        {refusal && <RefusedLine refusal={refusal} onRetry={() => setAttempt(attempt + 1)} />}
        {found && (
          <>
            <a
              class="plain belongs"
              href={formatAddress({ page: 'sessions', room: room?.roomId ?? alert.roomId, session: sessionId })}
            >
              {found.evaluation.title}
            </a>
            <span class="small belongs-when">
              {phase === undefined
                ? t('belongsBefore')
                : t('belongsAt', {
                    phase: phaseWords(phase, lang),
                    time: timer(alert.beganWallMs - found.evaluation.begunWallMs),
                  })}
            </span>
          </>
        )}
      </dd>
    </div>
  );
}
