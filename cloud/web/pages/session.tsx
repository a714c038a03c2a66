/** Evaluations: the rooms on the left, and of the chosen one what is on: its phase, its permits, its history; or how to begin. */
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import type { RoomCard } from '../../http/api.ts';
import type { EvaluationDetailView, EvaluationsView, EvaluationView } from '../../http/sessions-api.ts';
import { formatAddress } from '../address.ts';
import { RoomTime } from '../parts/marks.tsx';
import { NoRooms } from '../parts/no-rooms.tsx';
import { SessionBegin } from '../parts/session-begin.tsx';
import { PhaseChip } from '../parts/session-chip.tsx';
import { Steps } from '../parts/session-history.tsx';
import { SessionPanel } from '../parts/session-panel.tsx';
import { Blank, Loading, RefusedLine } from '../parts/states.tsx';
import { useWords } from '../parts/use.ts';
import type { Refusal } from '../state/client.ts';
import { useDesk } from '../state/desk.ts';
import { sessionWords } from '../words/session.ts';
import { durationWords } from '../words/time.ts';

export function SessionsPage() {
  const desk = useDesk();
  const { lang } = useWords();
  const feed = desk.feed.value;
  const { room: chosen, q } = desk.place.value;
  const rooms = [...(feed?.rooms.values() ?? [])]
    .filter((card) => !q || `${card.name} ${card.centre} ${card.roomId}`.toLowerCase().includes(q.toLowerCase()))
    .sort((a, b) => a.roomId.localeCompare(b.roomId, 'en', { numeric: true }));
  if (rooms.length === 0) return <NoRooms page="sessions" />;
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
      href={formatAddress({ page: 'sessions', room: card.roomId })}
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

const PAGE = 20;

/** Those that are over; the one in the address is open with its history. */
function Past({ room, ended }: { room: RoomCard; ended: string | undefined }) {
  const desk = useDesk();
  const { lang } = useWords();
  const [past, setPast] = useState<EvaluationsView['past']>();
  const [more, setMore] = useState(false);
  /** What was asked when it failed: `before` undefined is the newest page. */
  const [failed, setFailed] = useState<{ readonly refusal: Refusal; readonly before: number | undefined }>();
  const [busy, setBusy] = useState(false);
  const asked = useRef(0);
  const { session } = desk.place.value;
  const open = session === ended ? undefined : session;
  const load = useCallback(
    async (before?: number) => {
      asked.current += 1;
      const turn = asked.current;
      setBusy(true);
      const answer = await desk.client.evaluations(room.roomId, PAGE, before);
      // The list is being read anew meanwhile: this page belongs behind one that is gone.
      if (turn !== asked.current) return;
      setBusy(false);
      setFailed(answer.ok ? undefined : { refusal: answer.refusal, before });
      if (!answer.ok) return;
      setPast((known) => [...(before === undefined ? [] : (known ?? [])), ...answer.value.past]);
      setMore(answer.value.past.length === PAGE);
    },
    [desk, room.roomId],
  );
  // Asked anew when one begins or ends: `ended` is the one that is on.
  useEffect(() => void load(), [load, ended]);
  const again = (before: number | undefined) => {
    if (!busy) void load(before);
  };
  const listed = past?.some(({ sessionId }) => sessionId === open) ?? true;
  return (
    <article class="card-plain">
      <h2>{sessionWords(lang, 'past')}</h2>
      {/* Named by the address, and older than what is listed. */}
      {open && !listed && <PastOne sessionId={open} room={room} />}
      {past?.length === 0 && <p class="small">{sessionWords(lang, 'pastNone')}</p>}
      {!past && !failed && <Loading />}
      <ul class="past">
        {past?.map((one) => (
          <li key={one.sessionId} data-session-id={one.sessionId}>
            <a
              class="past-row"
              href={formatAddress({ page: 'sessions', room: room.roomId, session: one.sessionId })}
              aria-expanded={open === one.sessionId}
              onClick={(event) => {
                event.preventDefault();
                const place = { page: 'sessions', room: room.roomId } as const;
                desk.go(open === one.sessionId ? place : { ...place, session: one.sessionId });
              }}
            >
              <PastHead evaluation={one} room={room} />
            </a>
            {open === one.sessionId && <PastOne sessionId={one.sessionId} room={room} listed />}
          </li>
        ))}
      </ul>
      {failed && (
        <RefusedLine
          what={sessionWords(lang, 'pastFailed')}
          refusal={failed.refusal}
          onRetry={() => again(failed.before)}
        />
      )}
      {more && !failed && (
        <button type="button" class="button" aria-disabled={busy} onClick={() => again(past?.at(-1)?.begunWallMs)}>
          {sessionWords(lang, 'pastMore')}
        </button>
      )}
    </article>
  );
}

function PastHead({ evaluation, room }: { evaluation: EvaluationView; room: RoomCard }) {
  const { lang } = useWords();
  const { title, project, begunWallMs, endedWallMs = begunWallMs } = evaluation;
  return (
    <>
      <span class="past-title">{title}</span>
      <span class="small">{project}</span>
      <RoomTime wallMs={begunWallMs} room={room} />
      <span class="num">{durationWords(endedWallMs - begunWallMs, lang)}</span>
    </>
  );
}

function PastOne({ sessionId, room, listed = false }: { sessionId: string; room: RoomCard; listed?: boolean }) {
  const desk = useDesk();
  const { lang } = useWords();
  const [detail, setDetail] = useState<EvaluationDetailView>();
  const [refusal, setRefusal] = useState<Refusal>();
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    let gone = false;
    void desk.client.evaluation(sessionId).then((answer) => {
      if (gone) return;
      if (answer.ok) setDetail(answer.value);
      setRefusal(answer.ok ? undefined : answer.refusal);
    });
    return () => {
      gone = true;
    };
  }, [desk, sessionId, attempt]);
  return (
    <div class="past-open" data-past={sessionId}>
      {!listed && detail && (
        <p class="past-row">
          <PastHead evaluation={detail.evaluation} room={room} />
        </p>
      )}
      <a class="button" href={formatAddress({ page: 'queue', room: room.roomId, session: sessionId })}>
        {sessionWords(lang, 'alerts')}
      </a>
      {refusal && (
        <RefusedLine
          what={sessionWords(lang, 'historyFailed')}
          refusal={refusal}
          onRetry={() => setAttempt(attempt + 1)}
        />
      )}
      {detail ? <Steps steps={detail.steps} room={room} /> : !refusal && <Loading />}
    </div>
  );
}
