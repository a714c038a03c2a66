/** Publication: which rooms get which version, which rooms run which, and which boxes refused theirs and why. */
import { useState } from 'preact/hooks';
import type { PackVersionView, PlaceView, RoomRulesView, RulesView } from '../../http/rules-api.ts';
import type { Refusal } from '../state/client.ts';
import { useDesk } from '../state/desk.ts';
import { isSilent } from '../state/faults.ts';
import { nameText, sameName } from '../state/rules-draft.ts';
import { sayRules } from '../words/rules.ts';
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
  const [sure, setSure] = useState<'publish' | 'withdraw'>();
  const [busy, setBusy] = useState(false);
  const [done, setDone] = useState(false);
  const [refusal, setRefusal] = useState<Refusal>();
  const rooms = view.rooms.map((room) => live(room, desk.feed.value?.rooms.get(room.roomId)));
  const centres = [...new Set(rooms.map(({ centre }) => centre).filter(Boolean))];
  const places: readonly PlaceView[] =
    to === 'all'
      ? [{ kind: 'all' }]
      : to === 'rooms'
        ? [...ticked].map((of) => ({ kind: 'room' as const, of }))
        : [{ kind: 'centre', of: to.slice('centre:'.length) }];
  const where =
    to === 'all'
      ? sayRules(lang, 'wholeProvince')
      : to === 'rooms'
        ? sayRules(lang, 'chosenRooms', { n: ticked.size })
        : sayRules(lang, 'centre', { name: to.slice('centre:'.length) });
  const send = async (what: 'publish' | 'withdraw') => {
    if (sure !== what) return setSure(what);
    setSure(undefined);
    setBusy(true);
    const { name, version } = chosen;
    const answer = await desk.client.rules.publish({
      to: places,
      ...(what === 'publish' ? { pack: { name, version } } : {}),
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
            <option value="all">{sayRules(lang, 'wholeProvince')}</option>
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
        <button
          type="button"
          class="plain"
          disabled={busy || places.length === 0}
          onClick={() => void send('withdraw')}
        >
          {sure === 'withdraw' ? sayRules(lang, 'withdrawSure', { where }) : sayRules(lang, 'withdraw')}
        </button>
      </div>
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
                <td>{room.centre}</td>
                <td>{room.placed?.pack ? nameText(room.placed.pack) : sayRules(lang, 'ownFile')}</td>
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
