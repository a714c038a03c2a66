/** The room editor's fields for what is picked: names, kinds, metres, and what can be done with it. */
import { checkFloor, homography, oddPoint } from '../../../protocol/floor.ts';
import type { Zone } from '../../../protocol/room.ts';
import type { FloorPoint } from '../../../protocol/seat.ts';
import {
  changeSeat,
  changeZone,
  type Draft,
  joinSeat,
  type Picked,
  type Shape,
  setMetres,
  turnDoor,
  withoutCorner,
  withoutShape,
} from '../state/draft.ts';
import { type RoomKey, roomWords } from '../words/room.ts';
import { useWords } from './use.ts';

export interface FieldsProps {
  readonly draft: Draft;
  readonly cameraId: string;
  readonly picked: Picked;
  readonly shape: Shape | undefined;
  readonly corner: number | undefined;
  readonly onDraft: (draft: Draft, picked?: Picked) => void;
  readonly onGone: (draft: Draft) => void;
  /** What is drawn next is this seat's view, its desk, or the place where it stands on the floor. */
  readonly onDraw: (what: 'seat' | 'desk' | 'place') => void;
}

export function Fields(props: FieldsProps) {
  const { lang } = useWords();
  const w = (key: RoomKey) => roomWords(lang, key);
  const { draft, picked, shape, corner, cameraId } = props;
  const less = shape && corner !== undefined ? withoutCorner(draft, shape, cameraId, corner) : undefined;
  const views = (picked.part === 'seat' && draft.seats[picked.index]?.views) || [];
  const view = views.find((one) => one.cameraId === cameraId);
  return (
    <div class="fields">
      {(picked.part === 'seat' || picked.part === 'desk') && <SeatFields {...props} />}
      {picked.part === 'zone' && <ZoneFields {...props} />}
      {picked.part === 'floor' && <FloorFields {...props} />}
      <div class="fields-actions">
        {picked.part === 'seat' && !shape && (
          <button type="button" class="button primary" onClick={() => props.onDraw('seat')}>
            {w('drawHere')}
          </button>
        )}
        {picked.part === 'seat' && shape && !view?.desk && (
          <button type="button" class="button" onClick={() => props.onDraw('desk')}>
            {w('drawDesk')}
          </button>
        )}
        {picked.part === 'door' && (
          <button type="button" class="button" onClick={() => props.onDraft(turnDoor(draft, picked.index))}>
            {w('turn')}
          </button>
        )}
        {less && (
          <button type="button" class="button" onClick={() => props.onDraft(less)}>
            {w('removeCorner')}
          </button>
        )}
        <button type="button" class="button" onClick={() => props.onGone(withoutShape(draft, picked, cameraId))}>
          {w(views.length > 1 && shape ? 'removeView' : 'remove')}
        </button>
      </div>
    </div>
  );
}

function SeatFields({ draft, picked, cameraId, onDraft, onDraw }: FieldsProps) {
  const { lang } = useWords();
  const w = (key: RoomKey) => roomWords(lang, key);
  const seat = draft.seats[picked.index];
  if (!seat) return null;
  const onlyHere = seat.views.length === 1 && seat.views[0]?.cameraId === cameraId;
  const others = draft.seats.flatMap((other, index) =>
    index !== picked.index && !other.views.some((view) => view.cameraId === cameraId) ? [{ other, index }] : [],
  );
  const calibration = draft.floor.find((one) => one.cameraId === cameraId);
  const measurable = calibration !== undefined && homography(calibration) !== undefined;
  const put = (floor: FloorPoint | undefined) => {
    if (floor) return onDraft(changeSeat(draft, picked.index, { floor }));
    const { floor: _gone, ...rest } = seat;
    return onDraft({ ...draft, seats: draft.seats.map((one, i) => (i === picked.index ? rest : one)) });
  };
  return (
    <>
      <label class="field">
        <span>{w('name')}</span>
        <input
          name="seat-name"
          maxLength={40}
          value={seat.name}
          onInput={(event) => onDraft(changeSeat(draft, picked.index, { name: event.currentTarget.value }))}
        />
      </label>
      {onlyHere && others.length > 0 && (
        <label class="field">
          <span>{w('isSeat')}</span>
          <select
            value=""
            onChange={(event) => {
              const to = Number(event.currentTarget.value);
              const edit = joinSeat(draft, picked.index, to, cameraId);
              onDraft(edit.draft, edit.picked);
            }}
          >
            <option value="">{w('newSeat')}</option>
            {others.map(({ other, index }) => (
              <option key={other.seatId} value={String(index)}>
                {other.name}
              </option>
            ))}
          </select>
        </label>
      )}
      <fieldset class="field">
        <legend>{w('place')}</legend>
        <div class="metres">
          <Metres label={w('metresX')} value={seat.floor?.[0]} onValue={(x) => put([x, seat.floor?.[1] ?? 0])} />
          <Metres label={w('metresY')} value={seat.floor?.[1]} onValue={(y) => put([seat.floor?.[0] ?? 0, y])} />
          {measurable && (
            <button type="button" class="button" onClick={() => onDraw('place')}>
              {w('placeOnPicture')}
            </button>
          )}
        </div>
      </fieldset>
    </>
  );
}

function ZoneFields({ draft, picked, onDraft }: FieldsProps) {
  const { lang } = useWords();
  const w = (key: RoomKey) => roomWords(lang, key);
  const zone = draft.zones[picked.index];
  if (!zone) return null;
  return (
    <>
      <label class="field">
        <span>{w('name')}</span>
        <input
          maxLength={40}
          value={zone.zoneId}
          onInput={(event) => onDraft(changeZone(draft, picked.index, { zoneId: event.currentTarget.value }))}
        />
      </label>
      <label class="field">
        <span>{w('kind')}</span>
        <select
          value={zone.kind}
          onChange={(event) =>
            onDraft(changeZone(draft, picked.index, { kind: event.currentTarget.value as Zone['kind'] }))
          }
        >
          <option value="door">{w('zoneDoor')}</option>
          <option value="window">{w('zoneWindow')}</option>
          <option value="other">{w('zoneOther')}</option>
        </select>
      </label>
    </>
  );
}

function FloorFields({ draft, picked, corner, onDraft }: FieldsProps) {
  const { lang } = useWords();
  const calibration = draft.floor[picked.index];
  if (!calibration) return null;
  const check = checkFloor(calibration);
  const odd = oddPoint(calibration);
  const missing = 4 - calibration.points.length;
  return (
    <>
      <p class="small">{roomWords(lang, 'floorHelp')}</p>
      <ol class="floor-table">
        {calibration.points.map(({ image, floor }, i) => {
          const error = check.errorsM[i];
          // One wrong point spoils the fit for all the others: where it is known, it alone is marked.
          const wrong = odd === undefined ? error !== undefined && error > 0.25 : odd === i;
          return (
            <li key={image.join()} class={`${corner === i ? 'is-picked' : ''} ${wrong ? 'is-wrong' : ''}`}>
              <b>{i + 1}</b>
              <Metres
                label={roomWords(lang, 'metresX')}
                value={floor[0]}
                onValue={(x) => onDraft(setMetres(draft, picked.index, i, [x, floor[1]]))}
              />
              <Metres
                label={roomWords(lang, 'metresY')}
                value={floor[1]}
                onValue={(y) => onDraft(setMetres(draft, picked.index, i, [floor[0], y]))}
              />
              {error !== undefined && (odd === undefined || wrong) && (
                <span class="floor-off">
                  {roomWords(lang, 'off', { n: Number.isFinite(error) ? error.toFixed(2) : '∞' })}
                </span>
              )}
            </li>
          );
        })}
      </ol>
      <p class="small">
        {missing > 0
          ? roomWords(lang, 'floorMore', { n: missing })
          : roomWords(
              lang,
              check.state === 'good' ? 'floorGood' : check.state === 'unproved' ? 'floorUnproved' : 'floorWrong',
            )}
      </p>
    </>
  );
}

/** A number in metres; what is half written changes nothing. */
function Metres({
  label,
  value,
  onValue,
}: {
  label: string;
  value: number | undefined;
  onValue: (value: number) => void;
}) {
  return (
    <label class="metre">
      <span>{label}</span>
      <input
        type="number"
        inputMode="decimal"
        step="0.1"
        min="-100"
        max="100"
        value={value ?? ''}
        onInput={(event) => {
          const number = event.currentTarget.valueAsNumber;
          if (Number.isFinite(number) && Math.abs(number) <= 100) onValue(number);
        }}
      />
    </label>
  );
}
