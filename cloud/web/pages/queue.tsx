/** The queue: the list on the left, the event on the right; everything can be done from the keyboard or the thumb. */
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import type { ActionKind, AlertView } from '../../http/api.ts';
import { EventPane } from '../parts/event.tsx';
import { HelpSheet } from '../parts/help.tsx';
import { AlertList } from '../parts/list.tsx';
import { Patterns } from '../parts/plan.tsx';
import type { PlayerHandle } from '../parts/player.tsx';
import { Loading, RefusedLine, useRefusal } from '../parts/states.tsx';
import { PHONE, useKeys, useMedia, useWords } from '../parts/use.ts';
import type { Refusal } from '../state/client.ts';
import { useDesk } from '../state/desk.ts';
import { neighbour, queueOf } from '../state/order.ts';
import { sessionWords } from '../words/session.ts';
import { searchText, seatWords } from '../words/words.ts';

const VERDICT_KEYS: Readonly<Record<string, ActionKind>> = {
  '1': 'confirm',
  '2': 'false',
  '3': 'unclear',
  a: 'acknowledge',
  e: 'escalate',
};

export function QueuePage() {
  const desk = useDesk();
  const { lang, t } = useWords();
  const refusalWords = useRefusal();
  const phone = useMedia(PHONE);
  const [help, setHelp] = useState(false);
  const [failed, setFailed] = useState<string>();
  const [pending, setPending] = useState<ActionKind>();
  const player = useRef<PlayerHandle | null>(null);
  const place = desk.place.value;
  const plates = desk.plates.value;
  const { episodeId: selected, room, seat, session, q } = place;
  const ofSession = useSessionAlerts(session);
  const live = desk.alerts.value;
  const known = [...ofSession.alerts.filter(({ episodeId }) => !live.has(episodeId)), ...live.values()];
  const queue = queueOf(
    known,
    {
      ...(room ? { room } : {}),
      ...(seat ? { seat } : {}),
      ...(session ? { session } : {}),
      ...(q ? { q } : {}),
    },
    (alert) => searchText(alert, plates.get(alert.roomId)),
  );

  const open = useCallback(
    (episodeId: string | undefined, replace = false) => {
      const { episodeId: _before, ...rest } = desk.place.peek();
      desk.go({ ...rest, page: 'queue', ...(episodeId ? { episodeId } : {}) }, replace);
      setFailed(undefined);
    },
    [desk],
  );
  const act = async (episodeId: string, kind: ActionKind, note?: string): Promise<boolean> => {
    if (!desk.mayAct()) {
      setFailed(sessionWords(lang, 'readOnly'));
      return false;
    }
    setFailed(undefined);
    setPending(kind);
    const refusal = await desk.act(episodeId, kind, note);
    setPending(undefined);
    if (refusal) setFailed(t('actionFailed') + refusalWords(refusal));
    return refusal === undefined;
  };

  useKeys((event) => {
    const key = event.key;
    if (key === '?') {
      setHelp((shown) => !shown);
      return true;
    }
    if (key === 'Escape') {
      if (help) setHelp(false);
      else if (selected) open(undefined);
      else return false;
      return true;
    }
    // In the list itself the arrows do the same, as in any list.
    const inList = event.target instanceof Element && event.target.closest('.list-rows') !== null;
    const down = key === 'j' || (inList && key === 'ArrowDown');
    if (down || key === 'k' || (inList && key === 'ArrowUp')) {
      // Walking along the list is one step of Back, not fifty.
      const next = neighbour(queue, selected, down ? 1 : -1);
      if (next) open(next, selected !== undefined);
      return true;
    }
    if (key === 'Enter') {
      if (!selected) open(queue[0]?.episodeId);
      else player.current?.fromBegin();
      return true;
    }
    if (!selected) return false;
    if (key === ' ') player.current?.toggle();
    else if (key === 'ArrowLeft' || key === 'ArrowRight') {
      const way = key === 'ArrowLeft' ? -1 : 1;
      if (event.shiftKey) player.current?.second(way);
      else player.current?.frame(way);
    } else {
      const kind = VERDICT_KEYS[key.toLowerCase()];
      if (!kind || event.repeat) return false;
      // One at a time: the same key twice is not two verdicts.
      if (!pending) void act(selected, kind);
    }
    return true;
  });

  return (
    <div class={`queue ${selected ? 'queue-open' : ''}`}>
      <Patterns />
      {(!phone || !selected) && (
        <section class="queue-list" aria-label={t('queue')}>
          {(seat || session) && (
            <div class="queue-filter">
              <span>
                {room ? plates.get(room)?.name : ''}{' '}
                {seat ? seatWords(plates.get(room ?? '')?.state?.layout, seat, lang) : sessionWords(lang, 'alerts')}
              </span>
              <button
                type="button"
                class="plain"
                onClick={() => {
                  const { seat: _seat, room: _room, session: _session, ...rest } = place;
                  desk.go(rest);
                }}
              >
                {t('clearFilter')}
              </button>
            </div>
          )}
          <AlertList
            queue={queue}
            filtered={Boolean(room || seat || session || q)}
            selected={selected}
            card={phone}
            foot={
              session ? (
                <SessionFoot of={ofSession} shown={known.filter(({ sessionId }) => sessionId === session).length} />
              ) : (
                <Unlisted />
              )
            }
            onOpen={(episodeId) => open(episodeId)}
            onAcknowledge={(episodeId) => void act(episodeId, 'acknowledge')}
          />
        </section>
      )}
      {selected ? (
        <EventPane
          key={selected}
          episodeId={selected}
          phone={phone}
          player={player}
          failed={failed}
          pending={pending}
          onAct={(kind, note) => act(selected, kind, note)}
          onBack={() => open(undefined)}
          onOpen={(episodeId) => open(episodeId)}
        />
      ) : (
        !phone && (
          <section class="event event-none">
            <div class="blank">
              <p class="blank-title">{t('pickOne')}</p>
              <p class="blank-note">{t('pickOneKeys')}</p>
            </div>
          </section>
        )
      )}
      {!phone && (
        <button type="button" class="plain help-button" title={t('help')} onClick={() => setHelp(true)}>
          <kbd>?</kbd> {t('help')}
        </button>
      )}
      {help && <HelpSheet onClose={() => setHelp(false)} />}
    </div>
  );
}

/** A desk where nobody has judged for long: what is not in the list is said. */
function Unlisted() {
  const { t } = useWords();
  const n = useDesk().feed.value?.unlisted ?? 0;
  return n === 0 ? null : <p class="list-foot small">{t('unlisted', { n })}</p>;
}

const PAGE = 200;

interface SessionAlerts {
  readonly alerts: readonly AlertView[];
  readonly total: number | undefined;
  readonly refusal: Refusal | undefined;
  readonly busy: boolean;
  /** The oldest one is here. One that went on between two pages is before both of them, and comes with the feed. */
  readonly whole: boolean;
  more(): void;
}

/** The alerts of an evaluation, page by page, newest first: one of last month is not in the live queue any more. */
function useSessionAlerts(session: string | undefined): SessionAlerts {
  const desk = useDesk();
  const [alerts, setAlerts] = useState<readonly AlertView[]>([]);
  const [total, setTotal] = useState<number>();
  const [refusal, setRefusal] = useState<Refusal>();
  const [busy, setBusy] = useState(false);
  const [whole, setWhole] = useState(false);
  const asked = useRef<string>(undefined);
  const load = useCallback(
    async (before?: AlertView) => {
      if (!session) return;
      setBusy(true);
      const answer = await desk.client.evaluationAlerts(session, PAGE, before);
      if (asked.current !== session) return;
      setBusy(false);
      setRefusal(answer.ok ? undefined : answer.refusal);
      if (!answer.ok) return;
      setTotal(answer.value.total);
      setWhole(answer.value.alerts.length < PAGE);
      setAlerts((known) => {
        // One that went on meanwhile comes again.
        const fresh = new Set(answer.value.alerts.map(({ episodeId }) => episodeId));
        return [...known.filter(({ episodeId }) => !fresh.has(episodeId)), ...answer.value.alerts];
      });
    },
    [desk, session],
  );
  useEffect(() => {
    asked.current = session;
    setAlerts([]);
    setTotal(undefined);
    setWhole(false);
    setRefusal(undefined);
    void load();
  }, [session, load]);
  const more = () => {
    if (!busy) void load(alerts.at(-1));
  };
  return { alerts, total, refusal, busy, whole, more };
}

/** Under the list: how much of the evaluation is in it, and the way to the rest. */
function SessionFoot({ of, shown }: { of: SessionAlerts; shown: number }) {
  const { alerts, total, refusal, busy, whole, more } = of;
  const { lang } = useWords();
  if (refusal) return <RefusedLine what={sessionWords(lang, 'alertsFailed')} refusal={refusal} onRetry={more} />;
  if (total === undefined) return <Loading />;
  return (
    <p class="list-foot" role="status" data-loaded={alerts.length} data-total={total}>
      <span class="small">{sessionWords(lang, 'alertsShown', { n: shown, total: Math.max(shown, total) })}</span>
      {!whole && alerts.length < total && (
        // Not disabled while it asks: the keyboard would lose its place.
        <button type="button" class="button" aria-disabled={busy} onClick={more}>
          {sessionWords(lang, 'alertsMore')}
        </button>
      )}
    </p>
  );
}
