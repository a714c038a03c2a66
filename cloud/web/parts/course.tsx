/** What went before: the course of this alert, and earlier alerts of the same seat. */
import { type ComponentChildren, Fragment } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { isAddition } from '../../../protocol/event.ts';
import type { AlertDetailView, AlertView, RoomCard } from '../../http/api.ts';
import { formatAddress } from '../address.ts';
import type { Refusal } from '../state/client.ts';
import { eventBeforeHole } from '../state/course.ts';
import { useDesk } from '../state/desk.ts';
import { actionWords, behaviourWords, causeWords, seatsWords } from '../words/words.ts';
import { AlertMark, RoomTime } from './marks.tsx';
import { RefusedLine } from './states.tsx';
import { useWords } from './use.ts';

export function Part({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <section class="part">
      <h2>{title}</h2>
      {children}
    </section>
  );
}

export function Course({ detail, room }: { detail: AlertDetailView; room: RoomCard | undefined }) {
  const { lang, t } = useWords();
  const events = detail.events.flatMap((event) => {
    const { body } = event;
    if (body.kind === 'clip')
      return [
        {
          id: event.eventId,
          wallMs: event.at.wallMs,
          words: `${t('clips')} · ${causeWords(body.clip.cause, lang)}`,
          note: '',
        },
      ];
    if (body.kind !== 'episode' || isAddition(body)) return [];
    const phase = t(body.phase === 'begin' ? 'phaseBegin' : body.phase === 'end' ? 'phaseEnd' : 'phaseUpdate');
    return [{ id: event.eventId, wallMs: event.at.wallMs, words: `${phase} · ${t(body.level)}`, note: '' }];
  });
  const actions = detail.actions.map((action) => ({
    id: action.actionId,
    wallMs: action.wallMs,
    words: `${action.userName} ${actionWords(action.kind, lang)}`,
    note: action.note ?? '',
  }));
  const all = [...events, ...actions].sort((a, b) => a.wallMs - b.wallMs);
  const { eventsLeftOut = 0 } = detail;
  const hole = eventBeforeHole(detail);
  return (
    <ol class="course">
      {all.map((line) => (
        <Fragment key={line.id}>
          <li>
            <RoomTime wallMs={line.wallMs} room={room} />
            <span>
              {line.words}
              {line.note && <em> {line.note}</em>}
            </span>
          </li>
          {line.id === hole && <li class="small">{t('updatesLeftOut', { n: eventsLeftOut })}</li>}
        </Fragment>
      ))}
    </ol>
  );
}

/** Alerts of the room that are searched for those of the seat, and how many of them are shown. */
const SEARCHED = 100;
const SHOWN = 5;

export function Earlier({
  alert,
  room,
  onOpen,
}: {
  alert: AlertView;
  room: RoomCard | undefined;
  onOpen: (episodeId: string) => void;
}) {
  const desk = useDesk();
  const { lang, t } = useWords();
  const [list, setList] = useState<readonly AlertView[]>();
  const [refusal, setRefusal] = useState<Refusal>();
  const [attempt, setAttempt] = useState(0);
  // Fixed when the page of the alert is opened: each of its events would else ask again.
  const [before] = useState(alert.lastStoredWallMs + 1);
  useEffect(() => {
    let gone = false;
    void desk.client.alerts(alert.roomId, before, SEARCHED).then((answer) => {
      if (gone) return;
      if (answer.ok) setList(answer.value.alerts);
      setRefusal(answer.ok ? undefined : answer.refusal);
    });
    return () => {
      gone = true;
    };
  }, [alert.roomId, before, attempt, desk]);
  const seat = alert.seatIds[0];
  const earlier = (list ?? [])
    .filter((one) => one.episodeId !== alert.episodeId && one.beganWallMs <= alert.beganWallMs)
    .filter((one) => seat === undefined || one.seatIds.includes(seat))
    .slice(0, SHOWN);
  if (!list && !refusal) return null;
  return (
    <Part title={t(seat === undefined ? 'earlierRoom' : 'earlier')}>
      {refusal && <RefusedLine refusal={refusal} onRetry={() => setAttempt(attempt + 1)} />}
      {list && earlier.length < SHOWN && list.length === SEARCHED && (
        <p class="small">{t('earlierSome', { n: SEARCHED })}</p>
      )}
      {earlier.length === 0 ? (
        list && list.length < SEARCHED && <p class="small">{t('earlierNone')}</p>
      ) : (
        <ul class="earlier">
          {earlier.map((one) => (
            <li key={one.episodeId}>
              <a
                href={formatAddress({ page: 'queue', episodeId: one.episodeId })}
                onClick={(event) => {
                  event.preventDefault();
                  onOpen(one.episodeId);
                }}
              >
                <AlertMark alert={one} size={14} />
                <span>
                  {behaviourWords(one.behaviour, lang)} {seatsWords(one, room, lang)}
                </span>
                <RoomTime wallMs={one.beganWallMs} room={room} />
              </a>
            </li>
          ))}
        </ul>
      )}
    </Part>
  );
}
