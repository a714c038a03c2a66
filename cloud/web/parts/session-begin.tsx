/** How an evaluation begins: project, when everybody has to be seated, who sits where, and the bidders by name. */
import { useState } from 'preact/hooks';
import type { RosterEntry } from '../../../protocol/room.ts';
import type { RoomCard } from '../../http/api.ts';
import { BIDDER_NAMES_MAX } from '../../http/sessions-api.ts';
import { useDesk } from '../state/desk.ts';
import { sessionWords } from '../words/session.ts';
import { todayAt } from '../words/time.ts';
import { seatWords } from '../words/words.ts';
import { useRefusal } from './states.tsx';
import { useWords } from './use.ts';

export function SessionBegin({ room, disabled }: { room: RoomCard; disabled: boolean }) {
  const desk = useDesk();
  const { lang } = useWords();
  const refusalWords = useRefusal();
  const [wrong, setWrong] = useState<string>();
  const [pending, setPending] = useState(false);
  const layout = room.state?.layout;
  const seats = layout?.seats ?? [];

  async function begin(form: HTMLFormElement): Promise<void> {
    const fields = new FormData(form);
    const text = (name: string) => String(fields.get(name) ?? '').trim();
    const roster: RosterEntry[] = seats
      .filter(({ seatId }) => fields.get(`in ${seatId}`) !== null)
      .map(({ seatId }) => {
        const name = text(`name ${seatId}`);
        return { seatId, expertId: text(`expert ${seatId}`), ...(name ? { name } : {}) };
      });
    if (text('title') === '') return setWrong(sessionWords(lang, 'needTitle'));
    if (roster.length === 0) return setWrong(sessionWords(lang, 'needRoster'));
    const nameless = roster.find(({ expertId }) => expertId === '');
    if (nameless) {
      form.querySelector<HTMLElement>(`[name="expert ${CSS.escape(nameless.seatId)}"]`)?.focus();
      return setWrong(sessionWords(lang, 'needExpert', { seat: seatWords(layout, nameless.seatId, lang) }));
    }
    const bidders = biddersOf(text('bidders'));
    if (bidders.some((names) => names.length > BIDDER_NAMES_MAX))
      return setWrong(sessionWords(lang, 'bidderLong', { n: BIDDER_NAMES_MAX }));
    setWrong(undefined);
    setPending(true);
    const start = text('start');
    const answer = await desk.client.begin(room.roomId, {
      title: text('title'),
      project: text('project'),
      roster,
      bidders,
      ...(start === '' ? {} : { startWallMs: todayAt(start, layout?.timeZone ?? 'Asia/Shanghai', desk.nowMs()) }),
    });
    setPending(false);
    if (answer.ok) desk.takeSession(answer.value);
    else setWrong(sessionWords(lang, 'failed') + refusalWords(answer.refusal));
  }

  return (
    <article class="card-plain session-begin">
      <p class="small">{room.name}</p>
      <h1>{sessionWords(lang, 'none')}</h1>
      <p class="small">{sessionWords(lang, disabled ? 'readOnly' : 'noneNote')}</p>
      {seats.length === 0 && <p class="blank-note">{sessionWords(lang, 'noSeats')}</p>}
      {!disabled && seats.length > 0 && (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            void begin(event.currentTarget);
          }}
        >
          <div class="begin-fields">
            <label class="begin-wide">
              <span>{sessionWords(lang, 'title')}</span>
              <input name="title" maxLength={200} placeholder={sessionWords(lang, 'titleHint')} autocomplete="off" />
            </label>
            <label>
              <span>{sessionWords(lang, 'project')}</span>
              <input name="project" maxLength={200} autocomplete="off" />
            </label>
            <label>
              <span>{sessionWords(lang, 'startAt')}</span>
              <input name="start" type="time" />
            </label>
          </div>
          <fieldset class="begin-roster">
            <legend>
              {sessionWords(lang, 'roster')} <span class="small">{sessionWords(lang, 'rosterNote')}</span>
            </legend>
            {seats.map(({ seatId }) => {
              const known = layout?.roster.find((one) => one.seatId === seatId);
              const seat = seatWords(layout, seatId, lang);
              return (
                <div key={seatId} class="begin-seat">
                  <label class="begin-in">
                    <input
                      type="checkbox"
                      name={`in ${seatId}`}
                      defaultChecked={known !== undefined || layout?.roster.length === 0}
                    />
                    <strong>{seat}</strong>
                  </label>
                  <input
                    name={`expert ${seatId}`}
                    aria-label={`${seat} ${sessionWords(lang, 'expert')}`}
                    placeholder={sessionWords(lang, 'expert')}
                    maxLength={100}
                    autocomplete="off"
                    defaultValue={known?.expertId ?? ''}
                  />
                  <input
                    name={`name ${seatId}`}
                    aria-label={`${seat} ${sessionWords(lang, 'expertName')}`}
                    placeholder={sessionWords(lang, 'expertName')}
                    maxLength={100}
                    autocomplete="off"
                    defaultValue={known?.name ?? ''}
                  />
                </div>
              );
            })}
          </fieldset>
          <label class="begin-bidders">
            <span>
              {sessionWords(lang, 'bidders')} <small>{sessionWords(lang, 'biddersNote')}</small>
            </span>
            <textarea name="bidders" rows={3} placeholder={sessionWords(lang, 'biddersHint')} />
          </label>
          {wrong && (
            <p class="door-wrong" role="alert">
              {wrong}
            </p>
          )}
          <button type="submit" class="button primary begin-go" data-action="begin" disabled={pending}>
            {sessionWords(lang, 'begin')}
          </button>
        </form>
      )}
    </article>
  );
}

/** One bidder a line, its names apart by commas of either language. */
export function biddersOf(text: string): string[][] {
  return text
    .split('\n')
    .map((line) =>
      line
        .split(/[、，,;；]/)
        .map((name) => name.trim())
        .filter(Boolean),
    )
    .filter((names) => names.length > 0);
}
