/** Publication: which rooms get which version, which rooms run which, and which boxes refused theirs and why. */
import { useState } from 'preact/hooks';
import type { PackVersionView, PlaceView, RoomRulesView, RulesView } from '../../http/rules-api.ts';
import type { Refusal } from '../state/client.ts';
import { useDesk } from '../state/desk.ts';
import { isSilent } from '../state/faults.ts';
import { nameText, sameName } from '../state/rules-draft.ts';
import { sayRules } from '../words/rules.ts';
import type { Lang } from '../words/time.ts';
import { sentence } from '../words/words.ts';
import { Ago } from './marks.tsx';
import { Blank, RefusedLine } from './states.tsx';
import { useWords } from './use.ts';

export function RulesRooms(props: {
  readonly view: RulesView;
  readonly chosen: PackVersionView;
  readonly hasDraft: boolean;
  readonly onView: (view: RulesView) => void;
}) {
  const { view, chosen, hasDraft, onView } = props;
  const desk = useDesk();
  const { lang } = useWords();
  const [ticked, setTicked] = useState<ReadonlySet<string>>(new Set());
  const [to, setTo] = useState('rooms');
  const [sure, setSure] = useState<Sure>();
  const [busy, setBusy] = useState(false);
  const [done, setDone] = useState(false);
  const [refusal, setRefusal] = useState<Refusal>();
  const rooms = view.rooms.map((room) => live(room, desk.feed.value?.rooms.get(room.roomId)));
  const centres = [...new Set(rooms.map(({ centre }) => centre).filter(Boolean))];
  const provinces = [...new Set(rooms.flatMap(({ province }) => province ?? []))];
  const places: readonly PlaceView[] =
    to === 'rooms' ? [...ticked].map((of) => ({ kind: 'room' as const, of })) : [placeNamed(to)];
  const where = to === 'rooms' ? sayRules(lang, 'chosenRooms', { n: ticked.size }) : placeText(placeNamed(to), lang);
  const untouched = to === 'rooms' ? 0 : rooms.filter((room) => hasNarrower(room, placeNamed(to))).length;
  const send = async (what: Sure) => {
    if (sure !== what) return setSure(what);
    setSure(undefined);
    setBusy(true);
    const { name, version } = chosen;
    const answer = await desk.client.rules.publish({
      to: places,
      ...(what === 'publish' ? { pack: { name, version } } : what === 'follow' ? { follow: true } : {}),
    });
    setBusy(false);
    setRefusal(answer.ok ? undefined : answer.refusal);
    setDone(answer.ok);
    if (answer.ok) onView(answer.value);
  };
  const tick = (roomId: string) => {
    const next = new Set(ticked);
    if (!next.delete(roomId)) next.add(roomId);
    setTicked(next);
    setTo('rooms');
    setSure(undefined);
  };
  if (rooms.length === 0) return <Blank title={sayRules(lang, 'noRooms')} />;
  return (
    <div class="rules-rooms">
      <p>{sayRules(lang, 'roomsLead')}</p>
      {hasDraft && <p class="rules-note">{sayRules(lang, 'draftFirst')}</p>}
      <div class="rules-publish">
        <span>
          {sayRules(lang, 'publishWhat')} <strong>{nameText(chosen)}</strong>
        </span>
        <label class="rules-inline">
          {sayRules(lang, 'publishTo')}
          <select
            name="place"
            value={to}
            onChange={(event) => {
              setTo(event.currentTarget.value);
              setSure(undefined);
            }}
          >
            <option value="rooms">{sayRules(lang, 'chosenRooms', { n: ticked.size })}</option>
            {centres.map((centre) => (
              <option key={centre} value={`centre:${centre}`}>
                {sayRules(lang, 'centre', { name: centre })}
              </option>
            ))}
            {provinces.map((province) => (
              <option key={province} value={`province:${province}`}>
                {sayRules(lang, 'province', { name: province })}
              </option>
            ))}
            <option value="all">{sayRules(lang, 'everywhere')}</option>
          </select>
        </label>
        <button
          type="button"
          class="button primary"
          disabled={busy || places.length === 0}
          onClick={() => void send('publish')}
        >
          {sure === 'publish'
            ? sayRules(lang, 'publishSure', { name: nameText(chosen), where })
            : sayRules(lang, 'publish')}
        </button>
        {to !== 'all' && (
          <button
            type="button"
            class="plain"
            disabled={busy || places.length === 0}
            onClick={() => void send('follow')}
          >
            {sure === 'follow' ? sayRules(lang, 'followSure', { where }) : sayRules(lang, 'follow')}
          </button>
        )}
        <button
          type="button"
          class="plain"
          disabled={busy || places.length === 0}
          onClick={() => void send('withdraw')}
        >
          {sure === 'withdraw' ? sayRules(lang, 'withdrawSure', { where }) : sayRules(lang, 'withdraw')}
        </button>
      </div>
      {untouched > 0 && (
        <p class="rules-note" data-untouched={untouched}>
          {sayRules(lang, 'untouched', { n: untouched })}
        </p>
      )}
      {refusal && <RefusedLine refusal={refusal} />}
      {done && (
        <p class="rules-note rules-good" role="status">
          ✓ {sayRules(lang, 'published')}
        </p>
      )}
      <div class="rules-table">
        <table>
          <thead>
            <tr>
              <th scope="col">
                <input
                  type="checkbox"
                  aria-label={sayRules(lang, 'chooseAll')}
                  checked={ticked.size === rooms.length}
                  onChange={() => {
                    setTicked(ticked.size === rooms.length ? new Set() : new Set(rooms.map(({ roomId }) => roomId)));
                    setTo('rooms');
                    setSure(undefined);
                  }}
                />
              </th>
              <th scope="col">{sayRules(lang, 'room')}</th>
              <th scope="col">{sayRules(lang, 'centreName')}</th>
              <th scope="col">{sayRules(lang, 'ordered')}</th>
              <th scope="col">{sayRules(lang, 'runs')}</th>
              <th scope="col">{sayRules(lang, 'state')}</th>
            </tr>
          </thead>
          <tbody>
            {rooms.map((room) => (
              <tr key={room.roomId} data-room={room.roomId} data-runs={room.running ? nameText(room.running) : ''}>
                <td>
                  <input
                    type="checkbox"
                    aria-label={room.name}
                    checked={ticked.has(room.roomId)}
                    onChange={() => tick(room.roomId)}
                  />
                </td>
                <th scope="row">{room.name}</th>
                <td>
                  {room.centre}
                  {room.province && <span class="small rules-under">{room.province}</span>}
                </td>
                <td>
                  {room.placed?.pack ? nameText(room.placed.pack) : sayRules(lang, 'ownFile')}
                  {room.placed && (
                    <span class="small rules-under" data-place={room.placed.place.kind}>
                      {sayRules(lang, 'byPlace', {
                        place:
                          room.placed.place.kind === 'room'
                            ? sayRules(lang, 'room')
                            : placeText(room.placed.place, lang),
                      })}
                    </span>
                  )}
                </td>
                <td>{room.running ? nameText(room.running) : '–'}</td>
                <td>
                  <RoomState room={room} nowMs={desk.knownNow.value} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </div>
  );
}

/** What a second press of the button is for. */
type Sure = 'publish' | 'withdraw' | 'follow';

/** A choice of the list: `all`, or kind and name. */
function placeNamed(choice: string): PlaceView {
  const at = choice.indexOf(':');
  const kind = choice.slice(0, at);
  if (kind === 'centre' || kind === 'province') return { kind, of: choice.slice(at + 1) };
  return { kind: 'all' };
}

function placeText(place: PlaceView, lang: Lang): string {
  if (place.kind === 'all') return sayRules(lang, 'everywhere');
  return place.kind === 'room' ? place.of : sayRules(lang, place.kind, { name: place.of });
}

const WIDTH: readonly PlaceView['kind'][] = ['room', 'centre', 'province', 'all'];
/** It lies in the place, and what counts for it is said for a narrower one. */
const hasNarrower = ({ centre, province, placed }: RoomRulesView, place: PlaceView): boolean =>
  (place.kind === 'all' || (place.kind === 'centre' ? centre : province) === place.of) &&
  placed !== undefined &&
  WIDTH.indexOf(placed.place.kind) < WIDTH.indexOf(place.kind);

/** The live line knows what runs sooner than the list. */
function live(
  room: RoomRulesView,
  card:
    | { readonly state?: { readonly rulePack: { name: string; version: string } }; readonly heardWallMs?: number }
    | undefined,
): RoomRulesView {
  return {
    ...room,
    ...(card?.state ? { running: card.state.rulePack } : {}),
    ...(card?.heardWallMs === undefined ? {} : { heardWallMs: card.heardWallMs }),
  };
}

function RoomState({ room, nowMs }: { room: RoomRulesView; nowMs: number }) {
  const { lang } = useWords();
  const { placed, running, heardWallMs, refused } = room;
  if (heardWallMs === undefined) return <span class="small">{sayRules(lang, 'never')}</span>;
  if (placed?.pack && !sameName(placed.pack, running)) {
    if (isSilent(room, nowMs))
      return (
        <span class="fault rules-state">
          {sayRules(lang, 'stateOffline')} · <Ago wallMs={heardWallMs} />
        </span>
      );
    if (refused)
      return (
        <span class="fault rules-state" title={refused.reason} data-refused={refused.code}>
          {sayRules(lang, 'stateRefused')}: {sentence(refused.words, lang)}
        </span>
      );
    return <span class="working working-starting">{sayRules(lang, 'stateWaiting')}</span>;
  }
  return <span class="working working-running">{sayRules(lang, 'stateRunning')}</span>;
}
