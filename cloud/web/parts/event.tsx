/** One alert judged without leaving the queue: picture first, grounds beside it, verdict always in view. */

import type { RefObject } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { ActionKind, AlertDetailView, AlertView, RoomCard } from '../../http/api.ts';
import { liveEvaluation } from '../state/belonging.ts';
import type { Refusal } from '../state/client.ts';
import { useDesk } from '../state/desk.ts';
import { bytesWords, durationWords } from '../words/time.ts';
import { behaviourWords, causeWords, seatsWords, sentence } from '../words/words.ts';
import { Course, Earlier, Part } from './course.tsx';
import { LivePhase } from './event-evaluation.tsx';
import { bodiesOf, Grounds, gravest } from './grounds.tsx';
import { icons } from './icons.tsx';
import { AlertMark } from './marks.tsx';
import { Player, type PlayerHandle } from './player.tsx';
import { Quiet } from './session-chip.tsx';
import { Loading, Refused } from './states.tsx';
import { useWords } from './use.ts';
import { VerdictBar } from './verdict.tsx';

export interface EventPaneProps {
  readonly episodeId: string;
  readonly phone: boolean;
  readonly player: RefObject<PlayerHandle | null>;
  readonly failed: string | undefined;
  readonly pending: ActionKind | undefined;
  readonly onAct: (kind: ActionKind, note?: string) => Promise<boolean>;
  readonly onBack: () => void;
  readonly onOpen: (episodeId: string) => void;
}

export function EventPane(props: EventPaneProps) {
  const { episodeId, player } = props;
  const desk = useDesk();
  const { lang, t } = useWords();
  const [detail, setDetail] = useState<AlertDetailView>();
  const [refusal, setRefusal] = useState<Refusal>();
  const [attempt, setAttempt] = useState(0);
  const fromFeed = desk.alerts.value.get(episodeId);
  const newest = useRef(0);

  // Asked anew whenever the feed says that this alert changed; a slow answer never overwrites a newer one.
  // The alert's identity is the signal to ask again.
  useEffect(() => {
    const mine = ++newest.current;
    void desk.client.alert(episodeId).then((answer) => {
      if (mine !== newest.current) return;
      if (answer.ok) {
        setDetail(answer.value);
        setRefusal(undefined);
        if (!desk.alerts.peek().has(episodeId)) desk.take(answer.value.alert);
      } else setRefusal(answer.refusal);
    });
  }, [episodeId, fromFeed, attempt, desk]);

  const alert = fromFeed ?? detail?.alert;
  if (!alert)
    return (
      <section class="event event-none">
        {refusal ? (
          <Refused
            title={t(refusal.kind === 'absent' ? 'eventGone' : 'eventFailed')}
            refusal={refusal}
            onRetry={() => setAttempt(attempt + 1)}
          />
        ) : (
          <Loading />
        )}
      </section>
    );
  const room = desk.plates.value.get(alert.roomId);
  // What is not raised at this moment says something about an alert of this evaluation alone.
  const evaluation = liveEvaluation(desk.feed.value?.sessions, alert);
  return (
    <section class="event" aria-label={t('queue')} data-open-episode={episodeId}>
      <div class="event-scroll">
        <header class="event-head">
          {props.phone && (
            <button type="button" class="plain icon-button" aria-label={t('back')} onClick={props.onBack}>
              <icons.back />
            </button>
          )}
          <AlertMark alert={alert} size={20} />
          <h1>
            {behaviourWords(alert.behaviour, lang)} <span>{seatsWords(alert, room, lang)}</span>
          </h1>
          <span class={`tag tag-${alert.level}`}>{t(alert.level)}</span>
          {alert.suspected && <span class="tag tag-suspected">{t('suspected')}</span>}
          {alert.escalated && <span class="tag">{t('escalated')}</span>}
          <LivePhase alert={alert} />
          <span class="event-state">
            {t(
              alert.state === 'open'
                ? 'stateOpen'
                : alert.state === 'acknowledged'
                  ? 'stateAcknowledged'
                  : 'stateClosed',
            )}
          </span>
        </header>
        <div class="event-body">
          <div class="event-picture">
            <Clips
              alert={alert}
              detail={detail}
              room={room}
              player={player}
              onViewed={() => setAttempt((count) => count + 1)}
            />
            {detail && (
              <div class="event-below">
                <Part title={t('course')}>
                  <Course detail={detail} room={room} />
                </Part>
                <Earlier alert={alert} room={room} onOpen={props.onOpen} />
              </div>
            )}
          </div>
          <div class="event-side">
            <Headline alert={alert} detail={detail} />
            {evaluation && <Quiet evaluation={evaluation} room={room} />}
            {refusal && <Refused title={t('eventFailed')} refusal={refusal} onRetry={() => setAttempt(attempt + 1)} />}
            {detail ? <Grounds alert={alert} detail={detail} room={room} /> : !refusal && <Loading />}
          </div>
        </div>
      </div>
      <VerdictBar alert={alert} pending={props.pending} failed={props.failed} onAct={props.onAct} />
    </section>
  );
}

/** What happened, at its gravest; once it is over, how it ended stands below. */
function Headline({ alert, detail }: { alert: AlertView; detail: AlertDetailView | undefined }) {
  const { lang } = useWords();
  const last = sentence(alert.sentence, lang);
  const worst = alert.phase === 'end' && detail ? gravest(bodiesOf(detail))?.sentence : undefined;
  const first = worst ? sentence(worst, lang) : last;
  return (
    <div class="headline">
      <p class="event-sentence">{first}</p>
      {first !== last && <p>{last}</p>}
    </div>
  );
}

interface ClipsProps {
  readonly alert: AlertView;
  readonly detail: AlertDetailView | undefined;
  readonly room: RoomCard | undefined;
  readonly player: RefObject<PlayerHandle | null>;
  readonly onViewed: () => void;
}

function Clips({ alert, detail, room, player, onViewed }: ClipsProps) {
  const desk = useDesk();
  const { lang, t } = useWords();
  const [chosen, setChosen] = useState<string>();
  const clips = detail?.clips ?? [];
  const current = clips.find(({ clip }) => clip.clipId === chosen) ?? clips.find((one) => one.ready) ?? clips[0];
  const playable = current?.ready === true;
  useEffect(() => {
    if (!playable) player.current = null;
  }, [playable, player]);

  if (!detail) return <div class="stage stage-empty" />;
  return (
    <div class="clips">
      {clips.length > 1 && (
        <div class="tabs" role="tablist" aria-label={t('clips')}>
          {clips.map(({ clip, ready }) => (
            <button
              key={clip.clipId}
              type="button"
              role="tab"
              aria-selected={clip.clipId === current?.clip.clipId}
              onClick={() => setChosen(clip.clipId)}
            >
              {causeWords(clip.cause, lang)}
              <small>{ready ? durationWords(clip.durationMs, lang) : '…'}</small>
            </button>
          ))}
        </div>
      )}
      {!current ? (
        <div class="stage stage-empty">
          <div class="stage-note" role="status">
            <p class="stage-title">{t(alert.phase === 'end' ? 'clipNever' : 'clipNone')}</p>
            <p>{t(alert.phase === 'end' ? 'clipNeverNote' : 'clipNoneNote')}</p>
          </div>
        </div>
      ) : playable ? (
        <Player
          key={current.clip.clipId}
          clip={current.clip}
          alert={alert}
          events={detail.events}
          room={room}
          handle={player}
          onViewed={onViewed}
        />
      ) : (
        <div class="stage stage-empty" data-clip-state="coming">
          <div class="stage-note" role="status">
            <span class="loading-bar" aria-hidden="true" />
            <p class="stage-title">{t('clipComing')}</p>
            <p>
              {t('clipComingNote', {
                bytes: bytesWords(current.clip.files.reduce((sum, file) => sum + file.bytes, 0)),
                seconds: Math.round(current.clip.durationMs / 1000),
                time: durationWords(Math.max(0, desk.now.value - announcedAt(detail, current.clip.clipId)), lang),
              })}
            </p>
          </div>
        </div>
      )}
    </div>
  );
}

function announcedAt(detail: AlertDetailView, clipId: string): number {
  const event = detail.events.find((one) => one.body.kind === 'clip' && one.body.clip.clipId === clipId);
  return event?.storedWallMs ?? detail.alert.lastStoredWallMs;
}
