/** The queue's list: groups in order, new rows above without moving what is read, a pill that counts them. */
import type { ComponentChildren } from 'preact';
import { memo } from 'preact/compat';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { AlertView } from '../../http/api.ts';
import { useDesk } from '../state/desk.ts';
import { GROUPS } from '../state/order.ts';
import { agoWords, clockTime } from '../words/time.ts';
import { AlertRow, sameRow } from './row.tsx';
import { Blank } from './states.tsx';
import { useWords } from './use.ts';

const TOP_PX = 8;
/** New rows are marked as new for this long once they are in sight. */
const SEEN_MS = 3_000;

/** A line of the feed changes one row; the hundreds of others are left alone. */
const Row = memo(AlertRow, sameRow);

export interface ListProps {
  readonly queue: readonly AlertView[];
  readonly filtered: boolean;
  readonly selected: string | undefined;
  readonly card: boolean;
  /** Under the last row. */
  readonly foot?: ComponentChildren;
  readonly onOpen: (episodeId: string) => void;
  readonly onAcknowledge: (episodeId: string) => void;
}

export function AlertList({ queue, filtered, selected, card, foot, onOpen, onAcknowledge }: ListProps) {
  const desk = useDesk();
  const { t } = useWords();
  const scroller = useRef<HTMLDivElement>(null);
  const held = useHeldPosition(scroller, queue, selected);
  const plates = desk.plates.value;
  const latest = desk.latest.value;
  const arrived = desk.arrived.value;
  const [atTop, setAtTop] = useState(true);
  const fresh = queue.filter((alert) => arrived.has(alert.episodeId) && alert.episodeId !== selected).length;
  const openCount = queue.filter((alert) => alert.state === 'open').length;

  // Rows keep the functions of the turn in which they were drawn; these lead to the ones of now.
  const acts = useRef({ onOpen, onAcknowledge });
  acts.current = { onOpen, onAcknowledge };

  const look = () => setAtTop((scroller.current?.scrollTop ?? 0) < TOP_PX);
  useLayoutEffect(look);

  // What stands at the top, or is open, has been seen; the pill is for what is out of sight above.
  useEffect(() => {
    if (!atTop || arrived.size === 0) return;
    const seen = setTimeout(() => {
      desk.arrived.value = new Set();
    }, SEEN_MS);
    return () => clearTimeout(seen);
  }, [atTop, arrived, desk]);

  useEffect(() => {
    if (!selected) return;
    document.getElementById(`row-${selected}`)?.scrollIntoView({ block: 'nearest' });
  }, [selected]);

  return (
    <div class="list">
      {fresh > 0 && !atTop && (
        <button
          type="button"
          class="pill"
          onClick={() => {
            scroller.current?.scrollTo({ top: 0 });
            held.forget();
            desk.arrived.value = new Set();
          }}
        >
          {t('newOnesEarlier', { n: fresh })}
        </button>
      )}
      <div
        class="list-rows"
        ref={scroller}
        role="listbox"
        tabIndex={0}
        aria-label={t('queue')}
        aria-activedescendant={selected ? `row-${selected}` : undefined}
        onScroll={look}
      >
        {openCount === 0 && !filtered && <QueueEmpty queue={queue} />}
        {queue.length === 0 && filtered && (
          <Blank title={t('queueNoMatch')}>
            <button type="button" class="button" onClick={() => desk.go({ page: 'queue' })}>
              {t('clearFilter')}
            </button>
          </Blank>
        )}
        {GROUPS.map((group) => {
          const rows = queue.filter((alert) => alert.state === group);
          if (rows.length === 0) return null;
          const title = t(
            group === 'open' ? 'stateOpen' : group === 'acknowledged' ? 'stateAcknowledged' : 'stateClosed',
          );
          return (
            // biome-ignore lint/a11y/useSemanticElements: a group of options inside a listbox
            <div key={group} role="group" aria-label={title} class="group">
              <div class="group-title" aria-hidden="true">
                {title} <span>{rows.length}</span>
                {card && group === 'open' && <span class="swipe-hint">{t('swipeHint')}</span>}
              </div>
              {rows.map((alert) => (
                <Row
                  key={alert.episodeId}
                  alert={alert}
                  room={plates.get(alert.roomId)}
                  selected={alert.episodeId === selected}
                  isNew={arrived.has(alert.episodeId)}
                  card={card}
                  eventId={latest.get(alert.episodeId) ?? ''}
                  onOpen={() => acts.current.onOpen(alert.episodeId)}
                  onAcknowledge={() => acts.current.onAcknowledge(alert.episodeId)}
                />
              ))}
            </div>
          );
        })}
        {foot}
      </div>
    </div>
  );
}

/**
 * Keeps the row that is being read where it is on the screen when rows come in above it. At the top with nothing open
 * there is nothing to disturb, so new rows simply show.
 */
function useHeldPosition(
  scroller: { readonly current: HTMLDivElement | null },
  queue: readonly AlertView[],
  selected: string | undefined,
): { forget: () => void } {
  const anchor = useRef<{ id: string; top: number; group: string | undefined } | undefined>(undefined);
  useLayoutEffect(() => {
    const box = scroller.current;
    if (!box) return;
    const last = anchor.current;
    if (last && (box.scrollTop > 0 || last.id === `row-${selected}`)) {
      const row = document.getElementById(last.id);
      const moved = row && row.dataset.state === last.group ? row.getBoundingClientRect().top - last.top : 0;
      // Only what came in above moves it down; a row that itself changed its group is not followed.
      if (moved > 0 && moved < box.clientHeight) box.scrollTop += moved;
    }
  }, [queue, scroller, selected]);
  useLayoutEffect(() => {
    const box = scroller.current;
    if (!box) return;
    const frame = box.getBoundingClientRect();
    const remember = () => {
      const rows = [...box.querySelectorAll<HTMLElement>('.row')];
      const visible = (row: HTMLElement | undefined) => {
        if (!row) return false;
        const { top, bottom } = row.getBoundingClientRect();
        return bottom > frame.top && top < frame.bottom;
      };
      const open = rows.find((row) => row.id === `row-${selected}`);
      const row = visible(open) ? open : rows.find(visible);
      anchor.current = row ? { id: row.id, top: row.getBoundingClientRect().top, group: row.dataset.state } : undefined;
    };
    remember();
    box.addEventListener('scroll', remember, { passive: true });
    return () => box.removeEventListener('scroll', remember);
  });
  return {
    forget: () => {
      anchor.current = undefined;
    },
  };
}

function QueueEmpty({ queue }: { queue: readonly AlertView[] }) {
  const desk = useDesk();
  const { lang, t } = useWords();
  const now = desk.now.value;
  const last = queue.reduce<AlertView | undefined>(
    (newest, alert) => (!newest || alert.firstStoredWallMs > newest.firstStoredWallMs ? alert : newest),
    undefined,
  );
  const zone = (last && desk.plates.value.get(last.roomId)?.state?.layout.timeZone) ?? 'Asia/Shanghai';
  const dead = desk.connection.value.kind === 'offline';
  return (
    <Blank title={t('queueEmpty')}>
      <p>
        {last
          ? t('queueEmptyLast', {
              time: clockTime(last.firstStoredWallMs, zone, now, lang),
              ago: agoWords(now - last.firstStoredWallMs, lang),
            })
          : t('queueEmptyNever')}
      </p>
      <p>{t(dead ? 'queueEmptyDead' : 'queueEmptyAlive')}</p>
    </Blank>
  );
}
