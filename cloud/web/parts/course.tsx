/** What went before: the course of this alert, and earlier alerts of the same seat. */
import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { AlertDetailView, AlertView, RoomCard } from '../../http/api.ts';
import { useDesk } from '../state/desk.ts';
import { actionWords, behaviourWords, causeWords, seatsWords } from '../words/words.ts';
import { AlertMark, RoomTime } from './marks.tsx';
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
    if (body.kind !== 'episode') return [];
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
  return (
    <ol class="course">
      {all.map((line) => (
        <li key={line.id}>
          <RoomTime wallMs={line.wallMs} room={room} />
          <span>
            {line.words}
            {line.note && <em> {line.note}</em>}
          </span>
        </li>
      ))}
    </ol>
  );
}

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
  useEffect(() => {
    let gone = false;
    void desk.client.alerts(alert.roomId, 100).then((answer) => {
      if (!gone && answer.ok) setList(answer.value.alerts);
    });
    return () => {
      gone = true;
    };
  }, [alert.roomId, desk]);
  const seat = alert.seatIds[0];
  const earlier = (list ?? [])
    .filter((one) => one.episodeId !== alert.episodeId && one.beganWallMs <= alert.beganWallMs)
    .filter((one) => seat === undefined || one.seatIds.includes(seat))
    .slice(0, 5);
  if (!list) return null;
  return (
    <Part title={t(seat === undefined ? 'earlierRoom' : 'earlier')}>
      {earlier.length === 0 ? (
        <p class="small">{t('earlierNone')}</p>
      ) : (
        <ul class="earlier">
          {earlier.map((one) => (
            <li key={one.episodeId}>
              <a
                href={`#/queue/${encodeURIComponent(one.episodeId)}`}
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
