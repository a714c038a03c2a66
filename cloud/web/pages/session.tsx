/** Evaluations: the rooms on the left, and of the chosen one what is on: its phase, its permits, its history; or how to begin. */
import { useEffect, useState } from 'preact/hooks';
import type { RoomCard } from '../../http/api.ts';
import type { EvaluationDetailView, EvaluationsView, EvaluationView } from '../../http/sessions-api.ts';
import { RoomTime } from '../parts/marks.tsx';
import { SessionBegin } from '../parts/session-begin.tsx';
import { PhaseChip } from '../parts/session-chip.tsx';
import { Steps } from '../parts/session-history.tsx';
import { SessionPanel } from '../parts/session-panel.tsx';
import { Blank } from '../parts/states.tsx';
import { useWords } from '../parts/use.ts';
import { useDesk } from '../state/desk.ts';
import { sessionWords } from '../words/session.ts';
import { durationWords } from '../words/time.ts';

export function SessionsPage() {
  const desk = useDesk();
  const { lang, t } = useWords();
  const feed = desk.feed.value;
  const { room: chosen, q } = desk.place.value;
  const rooms = [...(feed?.rooms.values() ?? [])]
    .filter((card) => !q || `${card.name} ${card.centre} ${card.roomId}`.toLowerCase().includes(q.toLowerCase()))
    .sort((a, b) => a.roomId.localeCompare(b.roomId, 'en', { numeric: true }));
  if (rooms.length === 0) {
    const dead = desk.connection.value.kind === 'offline';
    return <Blank title={t('noRooms')}>{t('noRoomsNote', { state: t(dead ? 'lineDown' : 'lineAlive') })}</Blank>;
  }
  const room = rooms.find((card) => card.roomId === chosen) ?? (rooms.length === 1 ? rooms[0] : undefined);
  return (
    <div class={`sessions ${room ? 'sessions-open' : ''} ${rooms.length === 1 ? 'sessions-one' : ''}`}>
      {rooms.length > 1 && (
        <nav class="sessions-rooms" aria-label={sessionWords(lang, 'rooms')}>
          {rooms.map((card) => (
            <RoomRow key={card.roomId} card={card} current={card.roomId === room?.roomId} />
          ))}
        </nav>
      )}
      {room ? (
        <RoomSession key={room.roomId} room={room} evaluation={feed?.sessions.get(room.roomId)} />
      ) : (
        <Blank title={sessionWords(lang, 'noRoom')} />
      )}
    </div>
  );
}

function RoomRow({ card, current }: { card: RoomCard; current: boolean }) {
  const desk = useDesk();
  const { lang } = useWords();
  const evaluation = desk.feed.value?.sessions.get(card.roomId);
  return (
    <a
      class="sessions-room"
      href={`#/sessions?room=${encodeURIComponent(card.roomId)}`}
      aria-current={current ? 'page' : undefined}
      data-room-id={card.roomId}
      onClick={(event) => {
        event.preventDefault();
        desk.go({ page: 'sessions', room: card.roomId });
      }}
    >
      <strong>{card.name}</strong>
      {evaluation ? <PhaseChip evaluation={evaluation} /> : <span class="small">{sessionWords(lang, 'none')}</span>}
      {evaluation && <span class="sessions-title small">{evaluation.title}</span>}
    </a>
  );
}

function RoomSession({ room, evaluation }: { room: RoomCard; evaluation: EvaluationView | undefined }) {
  const desk = useDesk();
  const { lang } = useWords();
  return (
    <section class="session" data-session-room={room.roomId}>
      <button type="button" class="plain session-back" onClick={() => desk.go({ page: 'sessions' })}>
        ‹ {sessionWords(lang, 'rooms')}
      </button>
      {evaluation ? (
        <SessionPanel key={evaluation.sessionId} room={room} evaluation={evaluation} />
      ) : (
        <SessionBegin room={room} disabled={!desk.mayAct()} />
      )}
      <Past room={room} ended={evaluation?.sessionId} />
    </section>
  );
}

/** Those that are over; one of them opens with its history. */
function Past({ room, ended }: { room: RoomCard; ended: string | undefined }) {
  const desk = useDesk();
  const { lang } = useWords();
  const [past, setPast] = useState<EvaluationsView['past']>([]);
  const [open, setOpen] = useState<EvaluationDetailView>();
  // Asked anew when one begins or ends: `ended` is the one that is on.
  useEffect(() => {
    void desk.client.evaluations(room.roomId, 20).then((answer) => {
      if (answer.ok) setPast(answer.value.past);
    });
  }, [desk, room.roomId, ended]);
  return (
    <article class="card-plain">
      <h2>{sessionWords(lang, 'past')}</h2>
      {past.length === 0 && <p class="small">{sessionWords(lang, 'pastNone')}</p>}
      <ul class="past">
        {past.map((one) => (
          <li key={one.sessionId} data-session-id={one.sessionId}>
            <button
              type="button"
              class="past-row"
              aria-expanded={open?.evaluation.sessionId === one.sessionId}
              onClick={() => {
                if (open?.evaluation.sessionId === one.sessionId) return setOpen(undefined);
                void desk.client.evaluation(one.sessionId).then((answer) => answer.ok && setOpen(answer.value));
              }}
            >
              <span class="past-title">{one.title}</span>
              <span class="small">{one.project}</span>
              <RoomTime wallMs={one.begunWallMs} room={room} />
              <span class="num">{durationWords((one.endedWallMs ?? one.begunWallMs) - one.begunWallMs, lang)}</span>
            </button>
            {open?.evaluation.sessionId === one.sessionId && (
              <div class="past-open">
                <a class="button" href={`#/queue?room=${encodeURIComponent(room.roomId)}&session=${one.sessionId}`}>
                  {sessionWords(lang, 'alerts')}
                </a>
                <Steps steps={open.steps} room={room} />
              </div>
            )}
          </li>
        ))}
      </ul>
    </article>
  );
}
