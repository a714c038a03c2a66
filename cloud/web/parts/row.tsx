/** One alert in the queue: a row on a desk, a card that can be swiped on a phone. Carries what a test or a bench needs. */
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { AlertView, RoomCard } from '../../http/api.ts';
import { pageStamp } from '../clock.ts';
import { useDesk } from '../state/desk.ts';
import { isOurFault } from '../state/order.ts';
import { behaviourWords, seatsWords, sentence, verdictWords } from '../words/words.ts';
import { Ago, AlertMark, Running } from './marks.tsx';
import { useWords } from './use.ts';

/** Travel in px after which letting go acknowledges. */
const SWIPE_PX = 96;

export interface RowProps {
  readonly alert: AlertView;
  readonly room: RoomCard | undefined;
  readonly selected: boolean;
  readonly isNew: boolean;
  readonly card: boolean;
  /** Newest event of the episode that the feed brought. */
  readonly eventId: string;
  readonly onOpen: () => void;
  readonly onAcknowledge: () => void;
}

/** Whether a row has to be drawn anew; its functions count as the same. */
export function sameRow(a: RowProps, b: RowProps): boolean {
  return (
    a.alert === b.alert &&
    a.room?.name === b.room?.name &&
    a.room?.state?.layout === b.room?.state?.layout &&
    a.selected === b.selected &&
    a.isNew === b.isNew &&
    a.card === b.card &&
    a.eventId === b.eventId
  );
}

export function AlertRow({ alert, room, selected, isNew, card, eventId, onOpen, onAcknowledge }: RowProps) {
  const desk = useDesk();
  const { lang, t } = useWords();
  const ref = useRef<HTMLDivElement>(null);
  const [pull, setPull] = useState(0);
  const start = useRef<{ x: number; y: number; id: number; own: boolean } | undefined>(undefined);
  const dragged = useRef(false);

  // Set beside data-event-id in the same turn in which the row is put on the page.
  useLayoutEffect(() => {
    ref.current?.setAttribute('data-t', String(pageStamp()));
  }, [eventId]);

  const canSwipe = card && alert.state === 'open';
  const fault = isOurFault(alert.behaviour);
  const name = behaviourWords(alert.behaviour, lang);
  const seats = seatsWords(alert, room, lang);
  return (
    <div
      ref={ref}
      id={`row-${alert.episodeId}`}
      role="option"
      aria-selected={selected}
      tabIndex={-1}
      class={`row row-${alert.state} row-${fault ? 'fault' : alert.level} ${isNew ? 'row-new' : ''} ${card ? 'card' : ''}`}
      data-episode-id={alert.episodeId}
      data-event-id={eventId}
      data-level={alert.level}
      data-behaviour={alert.behaviour}
      data-state={alert.state}
      data-phase={alert.phase}
      onClick={() => {
        if (!dragged.current) onOpen();
      }}
      onKeyDown={(event) => {
        if (event.key === 'Enter') onOpen();
      }}
      onPointerDown={(event) => {
        dragged.current = false;
        if (canSwipe && event.pointerType !== 'mouse')
          start.current = { x: event.clientX, y: event.clientY, id: event.pointerId, own: false };
      }}
      onPointerMove={(event) => {
        const from = start.current;
        if (!from || from.id !== event.pointerId) return;
        const [dx, dy] = [event.clientX - from.x, event.clientY - from.y];
        if (!from.own) {
          // A finger that goes down the list scrolls; only a clearly sideways one swipes.
          if (Math.abs(dx) < 10 || Math.abs(dx) < Math.abs(dy) * 1.5) return;
          from.own = true;
          dragged.current = true;
          event.currentTarget.setPointerCapture(event.pointerId);
        }
        setPull(Math.max(0, Math.min(dx, SWIPE_PX * 1.4)));
      }}
      onPointerUp={() => {
        if (start.current?.own && pull >= SWIPE_PX) onAcknowledge();
        start.current = undefined;
        setPull(0);
      }}
      onPointerCancel={() => {
        start.current = undefined;
        setPull(0);
      }}
    >
      {pull > 0 && (
        <span class={`swipe ${pull >= SWIPE_PX ? 'swipe-ready' : ''}`} aria-hidden="true">
          ✓ {t('acknowledge')}
        </span>
      )}
      <div class="row-body" style={pull > 0 ? { transform: `translateX(${pull}px)` } : undefined}>
        <AlertMark alert={alert} />
        <span class="row-what">
          <span class="row-name">{name}</span>
          <span class="row-seat">{seats}</span>
          {alert.suspected && <span class="row-tag">{t('suspected')}</span>}
          {alert.escalated && <span class="row-tag">{t('escalated')}</span>}
          {alert.verdict && <span class="row-tag">{verdictWords(alert.verdict, lang)}</span>}
        </span>
        <span class="row-room">{room?.name ?? alert.roomId}</span>
        <span class="row-for">
          <Running alert={alert} />
        </span>
        <span class="row-ago">
          <Ago wallMs={Math.min(alert.firstStoredWallMs, desk.nowMs())} />
        </span>
        {card && <span class="row-sentence">{sentence(alert.sentence, lang)}</span>}
      </div>
    </div>
  );
}
