/** The plan of a room: seats where they stand, each with its state, its running timer and the ring of its level. */

import type { AlertView, RoomCard } from '../../http/api.ts';
import { formatAddress } from '../address.ts';
import { planOf } from '../geometry.ts';
import { useDesk } from '../state/desk.ts';
import { seatSign } from '../state/seat-sign.ts';
import { timer } from '../words/time.ts';
import { seatShort, seatWords } from '../words/words.ts';
import { useSize, useWords } from './use.ts';

const SEAT_W = 40;
const SEAT_H = 30;

export function PlanDrawing({
  room,
  alerts,
  silent,
}: {
  room: RoomCard;
  alerts: readonly AlertView[];
  silent: boolean;
}) {
  const desk = useDesk();
  const { lang, t } = useWords();
  const [ref, width, height] = useSize<HTMLDivElement>();
  const layout = room.state?.layout;
  // Signs grow with the room they have, in steps: a lone room is read from across the desk.
  const k = Math.max(1, Math.min(1.8, Math.min(width / 400, height / 180)));
  const plan = layout && width > 0 ? planOf(layout, width, height, { w: 64 * k, h: 48 * k }) : undefined;
  return (
    <div class="plan" ref={ref}>
      {plan && (
        // biome-ignore lint/a11y/useSemanticElements: the seats in it are links
        <svg viewBox={`0 0 ${width} ${height}`} width={width} height={height} role="group" aria-label={room.name}>
          <rect
            class="plan-room"
            x="4.5"
            y="4.5"
            width={Math.max(0, width - 9)}
            height={Math.max(0, height - 9)}
            rx="2"
          />
          {!plan.measured && (
            <text class="plan-note" x="12" y={height - 12}>
              {t('planByCamera')}
            </text>
          )}
          {plan.seats.map((seat) => {
            const sign = seatSign(room, seat.seatId, alerts, silent);
            const name = seatWords(layout, seat.seatId, lang);
            const words = t(
              sign.state === 'present'
                ? 'seatPresent'
                : sign.state === 'away'
                  ? 'seatAway'
                  : sign.state === 'unknown'
                    ? 'seatUnknown'
                    : 'seatAbsent',
            );
            const label = `${name} ${words}${sign.level ? ` ${t(sign.level)}` : ''}`;
            const place = { page: 'queue', room: room.roomId, seat: seat.seatId } as const;
            return (
              <a
                key={seat.seatId}
                href={formatAddress(place)}
                class={`seat seat-${sign.state} ${sign.level ? `seat-${sign.level}` : ''} ${sign.quiet ? 'quiet' : ''}`}
                data-seat-id={seat.seatId}
                data-state={sign.state}
                aria-label={label}
                onClick={(event) => {
                  event.preventDefault();
                  event.stopPropagation();
                  desk.go(place);
                }}
              >
                <title>{label}</title>
                <g
                  transform={`translate(${Math.round(seat.x - (SEAT_W / 2) * k)} ${Math.round(seat.y - (SEAT_H / 2) * k)}) scale(${k.toFixed(2)})`}
                >
                  {sign.level && <rect class="seat-ring" x="-4" y="-4" width={SEAT_W + 8} height={SEAT_H + 8} rx="5" />}
                  <rect class="seat-body" width={SEAT_W} height={SEAT_H} rx="3" />
                  {sign.state === 'unknown' && <rect width={SEAT_W} height={SEAT_H} rx="3" fill="url(#hatch)" />}
                  {sign.level === 'alarm' && <path class="seat-corner" d={`M${SEAT_W - 11} 0H${SEAT_W}V11z`} />}
                  <text class="seat-name" x={SEAT_W / 2} y={sign.state === 'away' ? 12.5 : 19.5}>
                    {seatShort(seat.name, seat.seatId)}
                  </text>
                  {sign.state === 'away' && room.state && (
                    <SeatTimer knownMs={room.state.at.wallMs - sign.sinceWallMs} heardWallMs={room.heardWallMs ?? 0} />
                  )}
                </g>
              </a>
            );
          })}
        </svg>
      )}
    </div>
  );
}

/** Away for `knownMs` when the room was heard (on its own clock), and since then by the desk's. */
function SeatTimer({ knownMs, heardWallMs }: { knownMs: number; heardWallMs: number }) {
  const { now } = useDesk();
  return (
    <text class="seat-timer" x={SEAT_W / 2} y="25">
      {timer(knownMs + Math.max(0, now.value - heardWallMs))}
    </text>
  );
}

/** Patterns that every drawing on the page refers to; once per page. */
export function Patterns() {
  return (
    <svg class="patterns" width="0" height="0" aria-hidden="true">
      <defs>
        <pattern id="hatch" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
          <rect class="hatch-line" width="1.6" height="5" />
        </pattern>
        <pattern id="stripe" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(-45)">
          <rect class="stripe-ground" width="6" height="6" />
          <rect class="stripe-line" width="2.5" height="6" />
        </pattern>
      </defs>
    </svg>
  );
}
