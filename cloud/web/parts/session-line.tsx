/** The evaluation as a timeline: phases above, a row a seat with what happened there, and permits that are drawn into the time to come. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { AlertView, RoomCard } from '../../http/api.ts';
import { type EvaluationView, type PermitRequest, SEAT_PERMIT_KINDS, type StepView } from '../../http/sessions-api.ts';
import { useDesk } from '../state/desk.ts';
import {
  alertEnd,
  carryOut,
  draftOf,
  minutesUntil,
  type PermitDraft,
  permitSpans,
  phaseSpans,
  standingFor,
  type Whom,
} from '../state/session-line.ts';
import { kindWords, phaseWords, sessionWords } from '../words/session.ts';
import { clockTime, durationWords } from '../words/time.ts';
import { behaviourWords, seatWords } from '../words/words.ts';
import { LineRow, NARROW, type Span } from './session-line-row.tsx';
import { useWords } from './use.ts';

/** Minutes before and after now. */
const SIGHTS = [
  [10, 20],
  [30, 60],
  [120, 120],
] as const;
const MINUTE = 60_000;
const ALERTS = 500;

export interface SessionLineProps {
  readonly room: RoomCard;
  readonly evaluation: EvaluationView;
  readonly steps: readonly StepView[];
  readonly disabled: boolean;
  readonly onPermit: (request: PermitRequest) => Promise<boolean>;
  readonly onRevoke: (permitId: string) => Promise<boolean>;
}

export function SessionLine({ room, evaluation, steps, disabled, onPermit, onRevoke }: SessionLineProps) {
  const desk = useDesk();
  const { lang } = useWords();
  const [kind, setKind] = useState<PermitRequest['kind']>('absence');
  const [sight, setSight] = useState(0);
  const [draft, setDraft] = useState<PermitDraft>();
  const alerts = useAlerts(evaluation);
  const now = desk.now.value;
  const [back, ahead] = SIGHTS[sight]!;
  const from = now - back * MINUTE;
  const to = now + ahead * MINUTE;
  const zone = room.state?.layout.timeZone ?? 'Asia/Shanghai';
  const at = (wallMs: number) => ((wallMs - from) / (to - from)) * 100;
  const permits = permitSpans(steps, evaluation);
  const history = desk.feed.value?.histories.get(room.roomId);
  const seen = (fromWallMs: number, toWallMs: number) => toWallMs > from && fromWallMs < to;

  const change = (whom: Whom, minutes: number) => setDraft(draftOf(whom, minutes, evaluation.permits, now));
  const give = (wanted: PermitDraft) =>
    carryOut(
      wanted,
      { permits: evaluation.permits, nowMs: now },
      { give: onPermit, revoke: onRevoke, left: (next) => setDraft(next) },
    );
  const row = (seatId: string | undefined, name: string) => {
    const whom: Whom = seatId === undefined ? { kind: 'staff' } : { kind, seatId };
    const mine = draft?.kind === whom.kind && draft.seatId === seatId ? draft : undefined;
    const stands = standingFor(whom, evaluation.permits, now);
    const minutes = mine?.minutes ?? (stands ? minutesUntil(stands.untilWallMs, now) : 0);
    const spans: Span[] = permits
      .filter((permit) => permit.seatId === seatId && seen(permit.fromWallMs, permit.untilWallMs))
      .map((permit) => ({
        id: permit.permitId,
        look: `permit ${permit.untilWallMs > now ? 'is-standing' : ''} ${mine?.instead?.permitId === permit.permitId ? 'is-left' : ''}`,
        words: kindWords(permit.kind, lang),
        left: at(permit.fromWallMs),
        right: at(permit.untilWallMs),
      }));
    const away: Span[] = (seatId === undefined ? [] : (history?.seats.get(seatId) ?? []))
      .filter((span) => span.occupancy !== 'yes' && seen(span.fromWallMs, span.toWallMs))
      .map((span) => ({
        id: `away ${span.fromWallMs}`,
        look: span.occupancy === 'no' ? 'away' : 'unknown',
        words: sessionWords(lang, span.occupancy === 'no' ? 'away' : 'unknown'),
        left: at(span.fromWallMs),
        right: at(span.toWallMs),
      }));
    const episodes: Span[] = alerts
      .filter((alert) => (seatId === undefined ? alert.seatIds.length === 0 : alert.seatIds.includes(seatId)))
      .filter((alert) => seen(alert.beganWallMs, alertEnd(alert, now)))
      .map((alert) => ({
        id: alert.episodeId,
        look: `episode-${alert.level}`,
        words: `${behaviourWords(alert.behaviour, lang)} ${clockTime(alert.beganWallMs, zone, now, lang)} ${durationWords(alertEnd(alert, now) - alert.beganWallMs, lang)}`,
        left: at(alert.beganWallMs),
        right: at(alertEnd(alert, now)),
      }));
    return (
      <LineRow
        key={seatId ?? 'room'}
        row={seatId ?? 'room'}
        name={name}
        label={sessionWords(lang, 'lineDraw', { seat: name, kind: kindWords(whom.kind, lang) })}
        value={minutes}
        words={minutes === 0 ? sessionWords(lang, 'lineNone') : sessionWords(lang, 'minutes', { n: minutes })}
        spans={spans}
        below={[...away, ...episodes]}
        draft={mine && { left: at(now), right: at(now + mine.minutes * MINUTE) }}
        nowAt={at(now)}
        disabled={disabled}
        onMinutes={(next) => change(whom, next)}
        minutesAt={(share) => minutesUntil(from + share * (to - from), now)}
        onGive={() => mine && void give(mine)}
        onDrop={() => setDraft(undefined)}
      />
    );
  };
  return (
    <article class="card-plain line" data-line>
      <header class="line-head">
        <h2>{sessionWords(lang, 'line')}</h2>
        <span class="top-gap" />
        {/* biome-ignore lint/a11y/useSemanticElements: a fieldset cannot be laid out in a row in every browser */}
        <div class="line-choice" role="group" aria-label={sessionWords(lang, 'lineSight')}>
          {SIGHTS.map(([before, after], i) => (
            <button key={before} type="button" class="chip" aria-pressed={i === sight} onClick={() => setSight(i)}>
              {sessionWords(lang, before + after > 120 ? 'lineHours' : 'minutes', {
                n: before + after > 120 ? (before + after) / 60 : before + after,
              })}
            </button>
          ))}
        </div>
      </header>
      {desk.mayAct() && (
        <div class="line-kinds">
          {/* biome-ignore lint/a11y/useSemanticElements: as above */}
          <div class="line-choice" role="group" aria-label={sessionWords(lang, 'lineKind')}>
            {SEAT_PERMIT_KINDS.map((one) => (
              <button
                key={one}
                type="button"
                class="chip"
                data-kind={one}
                aria-pressed={one === kind}
                onClick={() => {
                  setKind(one);
                  setDraft(undefined);
                }}
              >
                {kindWords(one, lang)}
              </button>
            ))}
          </div>
          <span class="small">{sessionWords(lang, 'lineHow')}</span>
        </div>
      )}
      <div class="line-rows">
        <div class="line-row line-phases">
          <span class="line-name">{sessionWords(lang, 'phases')}</span>
          <div class="line-track">
            {phaseSpans(steps, now)
              .filter((span) => seen(span.fromWallMs, span.toWallMs))
              .map((span) => {
                const left = Math.max(0, at(span.fromWallMs));
                return (
                  <span
                    key={span.fromWallMs}
                    class={`line-phase phase-${span.phase}`}
                    data-phase-span={span.phase}
                    style={{ left: `${left}%`, width: `${at(span.toWallMs) - left}%` }}
                    title={`${phaseWords(span.phase, lang)} ${clockTime(span.fromWallMs, zone, now, lang)}`}
                  >
                    {at(span.toWallMs) - left > NARROW && phaseWords(span.phase, lang)}
                  </span>
                );
              })}
            <span class="line-now" style={{ left: `${at(now)}%` }} />
          </div>
        </div>
        {evaluation.roster.map(({ seatId }) => row(seatId, seatWords(room.state?.layout, seatId, lang)))}
        {row(undefined, sessionWords(lang, 'wholeRoom'))}
        <div class="line-row line-axis" aria-hidden="true">
          <span class="line-name" />
          <div class="line-track">
            <span>{clockTime(from, zone, now, lang).slice(-8, -3)}</span>
            <span class="line-axis-now" style={{ left: `${at(now)}%` }}>
              {sessionWords(lang, 'lineNow')}
            </span>
            <span>{clockTime(to, zone, now, lang).slice(-8, -3)}</span>
          </div>
        </div>
      </div>
      {draft && (
        <div class="line-draft" data-draft={draft.minutes} role="status">
          <span>
            {draft.seatId === undefined
              ? sessionWords(lang, 'wholeRoom')
              : seatWords(room.state?.layout, draft.seatId, lang)}{' '}
            {kindWords(draft.kind, lang)}{' '}
            <b>
              {draft.minutes === 0
                ? sessionWords(lang, 'revoke')
                : sessionWords(lang, 'lineUntil', {
                    n: draft.minutes,
                    time: clockTime(now + draft.minutes * MINUTE, zone, now, lang).slice(0, -3),
                  })}
            </b>
            {draft.instead && draft.minutes > 0 && <span class="small"> {sessionWords(lang, 'lineInstead')}</span>}
          </span>
          <button type="button" class="button" data-action="drop-permit" onClick={() => setDraft(undefined)}>
            {sessionWords(lang, 'lineDrop')}
          </button>
          <button
            type="button"
            class="button primary"
            data-action="give-permit"
            disabled={disabled}
            onClick={() => void give(draft)}
          >
            {sessionWords(lang, draft.minutes === 0 ? 'revoke' : 'lineGive')}
          </button>
        </div>
      )}
    </article>
  );
}

/** Those of the evaluation: asked for once, then as the feed brings them. */
function useAlerts({ sessionId, roomId }: EvaluationView): readonly AlertView[] {
  const desk = useDesk();
  const [earlier, setEarlier] = useState<readonly AlertView[]>([]);
  const asked = useRef('');
  useEffect(() => {
    asked.current = sessionId;
    void desk.client.evaluationAlerts(sessionId, ALERTS).then((answer) => {
      if (asked.current === sessionId && answer.ok) setEarlier(answer.value.alerts);
    });
    return () => {
      asked.current = '';
    };
  }, [desk, sessionId]);
  const live = [...desk.alerts.value.values()].filter((one) => one.roomId === roomId && one.sessionId === sessionId);
  return [...new Map([...earlier, ...live].map((one) => [one.episodeId, one])).values()];
}
