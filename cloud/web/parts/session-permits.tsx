/** Seats of an evaluation with their people, their state now, and permits: one click opens, the second one gives. */
import { useState } from 'preact/hooks';
import type { RoomCard } from '../../http/api.ts';
import {
  type EvaluationView,
  type PermitRequest,
  type PermitView,
  SEAT_PERMIT_KINDS,
} from '../../http/sessions-api.ts';
import { useDesk } from '../state/desk.ts';
import { isSilent } from '../state/faults.ts';
import { seatSign } from '../state/seat-sign.ts';
import { kindWords, sessionWords } from '../words/session.ts';
import { timer } from '../words/time.ts';
import { seatWords } from '../words/words.ts';
import { standing, whoseWords } from './session-chip.tsx';
import { useWords } from './use.ts';

const MINUTES = [5, 10, 15, 30] as const;
const STAFF = [1, 2, 3] as const;
/** The room's own permits stand under this name where seats have theirs. */
const ROOM = '';

export interface SeatsProps {
  readonly room: RoomCard;
  readonly evaluation: EvaluationView;
  readonly disabled: boolean;
  readonly onPermit: (request: PermitRequest) => Promise<boolean>;
  readonly onRevoke: (permitId: string) => Promise<boolean>;
}

export function Seats({ room, evaluation, disabled, onPermit, onRevoke }: SeatsProps) {
  const desk = useDesk();
  const { lang } = useWords();
  const [open, setOpen] = useState<string>();
  const permits = standing(evaluation, desk.now.value);
  const give = async (request: PermitRequest) => {
    if (await onPermit(request)) setOpen(undefined);
  };
  const of = (seatId: string) => permits.filter((permit) => (permit.seatId ?? ROOM) === seatId);
  const toggle = (seatId: string) => setOpen(open === seatId ? undefined : seatId);
  const chips = (seatId: string) =>
    of(seatId).map((permit) => (
      <Chip key={permit.permitId} permit={permit} room={room} disabled={disabled} onRevoke={onRevoke} />
    ));
  return (
    <article class="card-plain">
      <header class="seats-head">
        <h2>{sessionWords(lang, 'seats')}</h2>
        <span class="top-gap" />
        {chips(ROOM)}
        <button
          type="button"
          class="button"
          data-permit-for="room"
          aria-expanded={open === ROOM}
          disabled={disabled}
          onClick={() => toggle(ROOM)}
        >
          {sessionWords(lang, 'staff')}
        </button>
      </header>
      {open === ROOM && (
        <div class="permit-table" data-permit-table="room">
          {STAFF.map((people) => (
            <div key={people} class="permit-row">
              <span>{people === 1 ? sessionWords(lang, 'person') : sessionWords(lang, 'people', { n: people })}</span>
              {MINUTES.map((minutes) => (
                <button
                  key={minutes}
                  type="button"
                  class="button"
                  data-give={`staff-${people}-${minutes}`}
                  disabled={disabled}
                  onClick={() => void give({ kind: 'staff', people, minutes })}
                >
                  {sessionWords(lang, 'minutes', { n: minutes })}
                </button>
              ))}
            </div>
          ))}
          <div class="permit-row">
            <span>{kindWords('maintenance', lang)}</span>
            {MINUTES.map((minutes) => (
              <button
                key={minutes}
                type="button"
                class="button"
                data-give={`maintenance-${minutes}`}
                disabled={disabled}
                onClick={() => void give({ kind: 'maintenance', minutes })}
              >
                {sessionWords(lang, 'minutes', { n: minutes })}
              </button>
            ))}
          </div>
        </div>
      )}
      <ul class="seats">
        {evaluation.roster.map(({ seatId, expertId, name }) => (
          <li key={seatId} class="seats-row" data-seat={seatId}>
            <strong>{seatWords(room.state?.layout, seatId, lang)}</strong>
            <span class="seats-who">
              {name ? `${name} ` : ''}
              <span class="small">{expertId}</span>
            </span>
            <Occupancy room={room} seatId={seatId} />
            <span class="seats-permits">{chips(seatId)}</span>
            <button
              type="button"
              class="button"
              data-permit-for={seatId}
              aria-label={sessionWords(lang, 'permitFor', { seat: seatWords(room.state?.layout, seatId, lang) })}
              aria-expanded={open === seatId}
              disabled={disabled}
              onClick={() => toggle(seatId)}
            >
              {sessionWords(lang, 'permit')}
            </button>
            {open === seatId && (
              <div class="permit-table" data-permit-table={seatId}>
                {SEAT_PERMIT_KINDS.map((kind) => (
                  <div key={kind} class="permit-row">
                    <span>{kindWords(kind, lang)}</span>
                    {MINUTES.map((minutes) => (
                      <button
                        key={minutes}
                        type="button"
                        class="button"
                        data-give={`${kind}-${minutes}`}
                        disabled={disabled}
                        onClick={() => void give({ kind, seatId, minutes })}
                      >
                        {sessionWords(lang, 'minutes', { n: minutes })}
                      </button>
                    ))}
                  </div>
                ))}
              </div>
            )}
          </li>
        ))}
      </ul>
    </article>
  );
}

function Occupancy({ room, seatId }: { room: RoomCard; seatId: string }) {
  const desk = useDesk();
  const { lang } = useWords();
  const alerts = [...desk.alerts.value.values()].filter((alert) => alert.roomId === room.roomId);
  const sign = seatSign(room, seatId, alerts, isSilent(room, desk.knownNow.value));
  const away = sign.state === 'away';
  return (
    <span class={`seats-state seats-${sign.state}`} data-state={sign.state}>
      <span class="seats-sign" aria-hidden="true" />
      {sessionWords(lang, away ? 'away' : sign.state === 'present' ? 'present' : 'unknown')}
      {away && ` ${timer(desk.now.value - sign.sinceWallMs)}`}
    </span>
  );
}

function Chip({
  permit,
  room,
  disabled,
  onRevoke,
}: {
  permit: PermitView;
  room: RoomCard;
  disabled: boolean;
  onRevoke: (permitId: string) => Promise<boolean>;
}) {
  const { now } = useDesk();
  const { lang } = useWords();
  const kind = kindWords(permit.kind, lang);
  const people = permit.kind === 'staff' ? ` ${sessionWords(lang, 'people', { n: permit.people ?? 1 })}` : '';
  return (
    <span class="permit-chip" data-permit={permit.kind}>
      {kind}
      {people} <b>{timer(permit.untilWallMs - now.value)}</b>
      <button
        type="button"
        class="permit-revoke"
        disabled={disabled}
        aria-label={sessionWords(lang, 'revokeOf', { seat: whoseWords(permit, room, lang), kind })}
        title={sessionWords(lang, 'revoke')}
        onClick={() => void onRevoke(permit.permitId)}
      >
        ×
      </button>
    </span>
  );
}
