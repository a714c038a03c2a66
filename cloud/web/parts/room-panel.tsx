/** Beside the drawing board: what has to be corrected, what is proposed, what is picked, and the list of all that is drawn. */
import type { LayoutProblem } from '../../../protocol/layout.ts';
import type { Picked } from '../state/draft.ts';
import { samePick } from '../state/draft.ts';
import { type RoomKey, roomWords } from '../words/room.ts';
import { sentence } from '../words/words.ts';
import { Fields, type FieldsProps } from './room-fields.tsx';
import { useWords } from './use.ts';

export interface PanelProps extends Omit<FieldsProps, 'picked'> {
  readonly picked: Picked | undefined;
  readonly problems: readonly LayoutProblem[];
  readonly proposals: { readonly count: number; readonly minutes: number; readonly onAll: () => void };
  readonly onShow: (picked: Picked, cameraId: string | undefined) => void;
}

const PARTS: Readonly<Record<LayoutProblem['part'], Picked['part']>> = {
  seats: 'seat',
  zones: 'zone',
  doorLines: 'door',
  floor: 'floor',
};

export function Panel(props: PanelProps) {
  const { lang } = useWords();
  const { draft, picked, problems, proposals, cameraId, onShow } = props;
  const empty = draft.seats.length === 0;
  return (
    <div class="panel">
      {problems.length > 0 && (
        <section class="panel-part problems" aria-label={roomWords(lang, 'problems')}>
          <h2>{roomWords(lang, 'problems')}</h2>
          <ul>
            {problems.map((problem) => (
              <li key={problem.words.en}>
                <button
                  type="button"
                  class="problem"
                  data-problem={problem.code}
                  onClick={() => onShow({ part: PARTS[problem.part], index: problem.index }, problem.cameraId)}
                >
                  {sentence(problem.words, lang)}
                </button>
              </li>
            ))}
          </ul>
        </section>
      )}
      {(proposals.count > 0 || empty) && (
        <section class="panel-part" aria-label={roomWords(lang, 'proposals')}>
          <h2>{roomWords(lang, 'proposals')}</h2>
          <p class="small">
            {proposals.count > 0
              ? roomWords(lang, 'proposalsNote', {
                  camera: cameraId,
                  minutes: proposals.minutes,
                  n: proposals.count,
                })
              : roomWords(lang, 'proposalsNone')}
          </p>
          {proposals.count > 0 && (
            <button type="button" class="button" onClick={proposals.onAll}>
              {roomWords(lang, 'acceptAll', { n: proposals.count })}
            </button>
          )}
        </section>
      )}
      {picked && (
        <section class="panel-part" aria-label={roomWords(lang, picked.part)}>
          <h2>{roomWords(lang, picked.part)}</h2>
          <Fields {...props} picked={picked} />
        </section>
      )}
      <Things draft={draft} picked={picked} cameraId={cameraId} onShow={onShow} />
    </div>
  );
}

function Things({ draft, picked, cameraId, onShow }: Pick<PanelProps, 'draft' | 'picked' | 'cameraId' | 'onShow'>) {
  const { lang } = useWords();
  const w = (key: RoomKey, values?: Readonly<Record<string, string | number>>) => roomWords(lang, key, values);
  const kinds = { door: w('zoneDoor'), window: w('zoneWindow'), other: w('zoneOther') };
  const things: { at: Picked; name: string; note: string; on: readonly string[] }[] = [
    ...draft.seats.map(({ name, views }, index) => ({
      at: { part: 'seat' as const, index },
      name,
      note: w('seenBy', { cameras: views.map((view) => view.cameraId).join(', ') || '—' }),
      on: views.map((view) => view.cameraId),
    })),
    ...draft.zones.map(({ zoneId, kind, cameraId: on }, index) => ({
      at: { part: 'zone' as const, index },
      name: `${w('zone')} ${zoneId}`,
      note: `${kinds[kind]} · ${on}`,
      on: [on],
    })),
    ...draft.doorLines.map(({ cameraId: on }, index) => ({
      at: { part: 'door' as const, index },
      name: `${w('door')} ${index + 1}`,
      note: on,
      on: [on],
    })),
    ...draft.floor.map(({ cameraId: on, points }, index) => ({
      at: { part: 'floor' as const, index },
      name: w('floors'),
      note: `${w('points', { n: points.length })} · ${on}`,
      on: [on],
    })),
  ];
  return (
    <section class="panel-part" aria-label={w('things')}>
      <h2>{w('things')}</h2>
      {things.length === 0 && <p class="small">{w('nothing')}</p>}
      <ul class="things">
        {things.map(({ at, name, note, on }) => (
          <li key={`${at.part} ${at.index}`}>
            <button
              type="button"
              class={`thing-row ${on.includes(cameraId) ? '' : 'is-elsewhere'}`}
              aria-pressed={samePick(at, picked)}
              data-thing={`${at.part}-${at.index}`}
              onClick={() => onShow(at, on.includes(cameraId) ? undefined : on[0])}
            >
              <span>{name.trim() || '—'}</span>
              <span class="small">{note}</span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
