/** The evaluation that is on, for one hand: clock, phase buttons, permits by two clicks, and what the box has taken of it. */
import { useEffect, useState } from 'preact/hooks';
import type { RoomCard } from '../../http/api.ts';
import { CHOSEN_PHASES, type EvaluationView, type StepView } from '../../http/sessions-api.ts';
import { formatAddress } from '../address.ts';
import type { Answer, Refusal } from '../state/client.ts';
import { useDesk } from '../state/desk.ts';
import { phaseWords, sessionWords } from '../words/session.ts';
import { clockTime, timer } from '../words/time.ts';
import { Quiet } from './session-chip.tsx';
import { Steps } from './session-history.tsx';
import { SessionLine } from './session-line.tsx';
import { Seats } from './session-permits.tsx';
import { Loading, RefusedLine, useRefusal } from './states.tsx';
import { useWords } from './use.ts';

export function SessionPanel({ room, evaluation }: { room: RoomCard; evaluation: EvaluationView }) {
  const desk = useDesk();
  const { lang } = useWords();
  const refusalWords = useRefusal();
  const [wrong, setWrong] = useState<string>();
  const [pending, setPending] = useState(false);
  const [steps, setSteps] = useState<readonly StepView[]>();
  const [refusal, setRefusal] = useState<Refusal>();
  const [attempt, setAttempt] = useState(0);
  const { sessionId, revision } = evaluation;
  // The revision is the signal to ask again.
  useEffect(() => {
    let gone = false;
    void desk.client.evaluation(sessionId).then((answer) => {
      if (gone) return;
      if (answer.ok) setSteps(answer.value.steps);
      setRefusal(answer.ok ? undefined : answer.refusal);
    });
    return () => {
      gone = true;
    };
  }, [desk, sessionId, revision, attempt]);
  const act = async (work: () => Promise<Answer<EvaluationView>>) => {
    setPending(true);
    setWrong(undefined);
    const answer = await work();
    setPending(false);
    if (answer.ok) desk.takeSession(answer.value);
    else setWrong(sessionWords(lang, 'failed') + refusalWords(answer.refusal));
    return answer.ok;
  };
  const may = desk.mayAct();
  const now = desk.now.value;
  const zone = room.state?.layout.timeZone ?? 'Asia/Shanghai';
  const alerts = useAlertCount(sessionId);
  return (
    <>
      <article class="card-plain session-head" data-session-id={sessionId}>
        <header>
          <div class="session-what">
            <p class="small">
              {room.name}
              {evaluation.project && ` · ${evaluation.project}`}
            </p>
            <h1>{evaluation.title}</h1>
            <p class="small">
              {sessionWords(lang, 'by', {
                who: evaluation.begunBy,
                time: clockTime(evaluation.begunWallMs, zone, now, lang),
              })}
            </p>
          </div>
          <div class="session-clock">
            <span class="small">{sessionWords(lang, 'elapsed')}</span>
            <b data-clock="session">{timer(now - evaluation.begunWallMs)}</b>
            <span class="small" data-clock="phase">
              {sessionWords(lang, 'phaseSince', {
                phase: phaseWords(evaluation.phase, lang),
                time: timer(now - evaluation.phaseSinceWallMs),
              })}
            </span>
          </div>
        </header>
        {/* biome-ignore lint/a11y/useSemanticElements: a fieldset cannot be laid out in a grid in every browser */}
        <div class="phases" role="group" aria-label={sessionWords(lang, 'phases')}>
          {CHOSEN_PHASES.map((phase) => (
            <button
              key={phase}
              type="button"
              class={`phase-button phase-${phase}`}
              data-phase={phase}
              aria-pressed={evaluation.phase === phase}
              disabled={!may || pending}
              onClick={() => {
                if (evaluation.phase !== phase) void act(() => desk.client.phase(sessionId, phase));
              }}
            >
              {phaseWords(phase, lang)}
            </button>
          ))}
        </div>
        <div class="session-state">
          <Taken room={room} revision={revision} />
          <a
            class="plain session-alerts"
            href={formatAddress({ page: 'queue', room: room.roomId, session: sessionId })}
          >
            {alerts === undefined ? sessionWords(lang, 'alerts') : sessionWords(lang, 'alertsN', { n: alerts })}
          </a>
          <span class="top-gap" />
          {may ? (
            <End pending={pending} onEnd={() => void act(() => desk.client.end(sessionId))} />
          ) : (
            <span class="small">{sessionWords(lang, 'readOnly')}</span>
          )}
        </div>
        {wrong && (
          <p class="door-wrong" role="alert">
            {wrong}
          </p>
        )}
        <Quiet evaluation={evaluation} room={room} />
      </article>
      <SessionLine
        room={room}
        evaluation={evaluation}
        steps={steps ?? []}
        disabled={!may || pending}
        onPermit={(request) => act(() => desk.client.permit(sessionId, request))}
        onRevoke={(permitId) => act(() => desk.client.revokePermit(sessionId, permitId))}
      />
      <Seats
        room={room}
        evaluation={evaluation}
        disabled={!may || pending}
        onPermit={(request) => act(() => desk.client.permit(sessionId, request))}
        onRevoke={(permitId) => act(() => desk.client.revokePermit(sessionId, permitId))}
      />
      <article class="card-plain">
        <h2>{sessionWords(lang, 'history')}</h2>
        {refusal && (
          <RefusedLine
            what={sessionWords(lang, 'historyFailed')}
            refusal={refusal}
            onRetry={() => setAttempt(attempt + 1)}
          />
        )}
        {steps ? <Steps steps={steps} room={room} /> : !refusal && <Loading />}
      </article>
    </>
  );
}

/** How many alerts the evaluation has: what its link lists. Asked anew when the live line brings one; undefined while nobody knows. */
function useAlertCount(sessionId: string): number | undefined {
  const desk = useDesk();
  const [total, setTotal] = useState<number>();
  const live = [...desk.alerts.value.values()].filter((alert) => alert.sessionId === sessionId).length;
  useEffect(() => {
    let gone = false;
    void desk.client.evaluationAlerts(sessionId, 1).then((answer) => {
      if (!gone) setTotal(answer.ok ? answer.value.total : undefined);
    });
    return () => {
      gone = true;
    };
  }, [desk, sessionId, live]);
  return total;
}

/** Whether the box follows already, by the revision that its state names. */
function Taken({ room, revision }: { room: RoomCard; revision: number }) {
  const { lang } = useWords();
  const orders = room.state?.orders;
  const refused = orders?.refused.find(({ part }) => part === 'session');
  if (refused)
    return (
      <span class="fault" data-taken="refused">
        {sessionWords(lang, 'refused', { reason: refused.reason })}
      </span>
    );
  const taken = (orders?.revision ?? 0) >= revision;
  return (
    <span
      class={taken ? 'working working-running' : 'working working-starting'}
      data-taken={taken ? 'yes' : 'no'}
      title={taken ? undefined : sessionWords(lang, 'waitingNote')}
    >
      {sessionWords(lang, taken ? 'taken' : 'waiting')}
    </span>
  );
}

/** Two steps, since there is no way back. */
function End({ pending, onEnd }: { pending: boolean; onEnd: () => void }) {
  const { lang } = useWords();
  const [sure, setSure] = useState(false);
  if (!sure)
    return (
      <button type="button" class="button" data-action="end" onClick={() => setSure(true)}>
        {sessionWords(lang, 'end')}
      </button>
    );
  return (
    <span class="session-end">
      <span class="small">{sessionWords(lang, 'endNote')}</span>
      <button type="button" class="button" onClick={() => setSure(false)}>
        {sessionWords(lang, 'endKeep')}
      </button>
      <button type="button" class="button primary" data-action="end-sure" disabled={pending} onClick={onEnd}>
        {sessionWords(lang, 'endSure')}
      </button>
    </span>
  );
}
