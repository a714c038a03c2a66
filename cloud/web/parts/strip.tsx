/** The last ten minutes of a room: one line a seat from what the page heard, alerts as marks over it. */
import type { AlertView, RoomCard } from '../../http/api.ts';
import { useDesk } from '../state/desk.ts';
import { type RoomHistory, STRIP_MS } from '../state/history.ts';
import { isOurFault } from '../state/order.ts';
import { behaviourWords, seatShort, seatWords } from '../words/words.ts';
import { useSize, useWords } from './use.ts';

const ROOM = ' room';
const OURS = ' ours';

export function Strip({
  room,
  history,
  alerts,
  large,
}: {
  room: RoomCard;
  history: RoomHistory | undefined;
  alerts: readonly AlertView[];
  large: boolean;
}) {
  const desk = useDesk();
  const rowPx = large ? 14 : 10;
  const { lang, t } = useWords();
  const [ref, width] = useSize<HTMLDivElement>();
  const layout = room.state?.layout;
  // Marks and spans are the room's own wall times, so the right edge is the room's now, whatever its clock says.
  const now =
    history && room.heardWallMs !== undefined
      ? history.heardToWallMs + Math.max(0, desk.now.value - room.heardWallMs)
      : desk.now.value;
  const from = now - STRIP_MS;
  const x = (wallMs: number) => Math.max(0, Math.min(width, ((wallMs - from) / STRIP_MS) * width));
  const seats = layout?.seats ?? [];
  const recent = alerts.filter((alert) => endOf(alert, now) > from);
  const faulty = recent.some((alert) => isOurFault(alert.behaviour));
  const rows = [...seats.map((seat) => seat.seatId), ROOM, ...(faulty ? [OURS] : [])];
  const rowOf = (alert: AlertView, row: string) =>
    isOurFault(alert.behaviour)
      ? row === OURS
      : alert.seatIds.length === 0
        ? row === ROOM
        : alert.seatIds.includes(row);
  return (
    <div class={large ? 'strip strip-large' : 'strip'}>
      <div class="strip-names" aria-hidden="true">
        {rows.map((seatId) => (
          <span key={seatId}>
            {seatId === ROOM || seatId === OURS
              ? t(seatId === ROOM ? 'roomLine' : 'ourLine')
              : seatShort(seats.find((seat) => seat.seatId === seatId)?.name ?? '', seatId)}
          </span>
        ))}
      </div>
      <div class="strip-lines" ref={ref} style={{ height: `${rows.length * rowPx}px` }}>
        {width > 0 && (
          <svg
            viewBox={`0 0 ${width} ${rows.length * rowPx}`}
            width={width}
            height={rows.length * rowPx}
            role="img"
            aria-label={t('stripOf', { seat: room.name })}
          >
            {[0.2, 0.4, 0.6, 0.8].map((part) => (
              <line key={part} class="strip-grid" x1={width * part} x2={width * part} y1="0" y2={rows.length * rowPx} />
            ))}
            {rows.map((seatId, row) => (
              <g key={seatId} transform={`translate(0 ${row * rowPx})`}>
                <line class="strip-base" x1="0" x2={width} y1={rowPx - 2.5} y2={rowPx - 2.5} />
                {(history?.seats.get(seatId) ?? []).map((span) => {
                  const [x0, x1] = [x(span.fromWallMs), x(span.toWallMs)];
                  if (x1 - x0 < 0.3) return null;
                  if (span.occupancy === 'yes')
                    return <rect key={span.fromWallMs} class="strip-yes" x={x0} y="3" width={x1 - x0} height="5" />;
                  if (span.occupancy === 'unknown')
                    return <rect key={span.fromWallMs} fill="url(#hatch)" x={x0} y="3" width={x1 - x0} height="5" />;
                  return (
                    <rect
                      key={span.fromWallMs}
                      class="strip-no"
                      x={x0 + 0.5}
                      y="3.5"
                      width={Math.max(0.5, x1 - x0 - 1)}
                      height="4"
                    />
                  );
                })}
                {recent
                  .filter((alert) => rowOf(alert, seatId))
                  .map((alert) => (
                    <StripMark key={alert.episodeId} alert={alert} x0={x(alert.beganWallMs)} x1={x(endOf(alert, now))}>
                      {`${behaviourWords(alert.behaviour, lang)} ${alert.seatIds.map((id) => seatWords(layout, id, lang)).join(' ')}`}
                    </StripMark>
                  ))}
              </g>
            ))}
          </svg>
        )}
      </div>
      <div class="strip-axis" aria-hidden="true">
        <span>{t('tenMinutesAgo')}</span>
        <span>{t('nowMark')}</span>
      </div>
    </div>
  );
}

function StripMark({ alert, x0, x1, children }: { alert: AlertView; x0: number; x1: number; children: string }) {
  const quiet = alert.state === 'open' ? '' : 'quiet';
  const w = Math.max(6, x1 - x0);
  const left = Math.max(0, x1 - w);
  if (isOurFault(alert.behaviour))
    return (
      <rect class={quiet} x={left} y="1.5" width={w} height="7" fill="url(#stripe)">
        <title>{children}</title>
      </rect>
    );
  // A notice is a thin line above the seat's own; an alarm covers it: told apart without colour.
  return alert.level === 'alarm' ? (
    <rect class={`strip-alarm ${quiet}`} x={left} y="0.5" width={w} height="8.5" rx="1">
      <title>{children}</title>
    </rect>
  ) : (
    <rect class={`strip-notice ${quiet}`} x={left} y="0" width={w} height="2.5">
      <title>{children}</title>
    </rect>
  );
}

function endOf(alert: AlertView, now: number): number {
  if (alert.phase !== 'end') return now;
  return Math.max(alert.beganWallMs, Math.min(alert.lastWallMs, alert.beganWallMs + Math.max(alert.durationMs, 1)));
}
