/** Above and below the drawing: cameras that were moved, changes of others, and whether the box runs what was saved. */
import { useState } from 'preact/hooks';
import type { RoomCard } from '../../http/api.ts';
import { useDesk } from '../state/desk.ts';
import { isSilent } from '../state/faults.ts';
import { type RoomKey, roomWords } from '../words/room.ts';
import { type Drafting, isRefused } from './room-draft.ts';
import { useRefusal } from './states.tsx';
import { useWords } from './use.ts';

export function Banners({ room, drafting }: { room: RoomCard; drafting: Drafting }) {
  const { lang } = useWords();
  const [confirmed, setConfirmed] = useState<readonly string[]>([]);
  const moved = room.state?.health.cameras.filter(({ fault }) => fault === 'moved') ?? [];
  const nudged = room.state?.health.cameras.filter((one) => one.nudged && one.fault !== 'moved') ?? [];
  const refused = isRefused(room.state?.orders);
  return (
    <>
      {moved.map(({ cameraId }) => (
        <div key={cameraId} class="banner banner-ours" role="alert" data-moved={cameraId}>
          <div>
            <b>{roomWords(lang, 'moved', { camera: cameraId })}</b>{' '}
            <span>{roomWords(lang, confirmed.includes(cameraId) ? 'confirmed' : 'movedNote')}</span>
          </div>
          {!confirmed.includes(cameraId) && (
            <button
              type="button"
              class="button"
              onClick={() =>
                void drafting.confirm(cameraId).then((done) => {
                  if (done) setConfirmed([...confirmed, cameraId]);
                })
              }
            >
              {roomWords(lang, 'confirmPicture')}
            </button>
          )}
        </div>
      ))}
      {nudged.map(({ cameraId, nudged: by, floor }) => (
        <p key={cameraId} class="banner banner-ours" role="status" data-nudged={cameraId}>
          <b>{roomWords(lang, 'nudged', { camera: cameraId, share: shareWords(by) })}</b>{' '}
          {floor === 'doubtful' && <span data-floor="doubtful">{roomWords(lang, 'nudgedFloor')} </span>}
          <span>{roomWords(lang, 'nudgedNote')}</span>
        </p>
      ))}
      {refused && (
        <p class="banner banner-ours" role="alert">
          {roomWords(lang, 'refused', { reason: refused.reason })}
        </p>
      )}
      {drafting.overtaken && (
        <div class="banner" role="alert" data-overtaken>
          <span>{roomWords(lang, 'changedElsewhere')}</span>
          <span class="banner-actions">
            <button type="button" class="button" data-action="theirs" onClick={() => void drafting.showTheirs()}>
              {roomWords(lang, 'showTheirs')}
            </button>
            <button type="button" class="button" data-action="mine" onClick={() => void drafting.keepMine()}>
              {roomWords(lang, 'keepMine')}
            </button>
          </span>
        </div>
      )}
      {drafting.aside && (
        <p class="banner" role="status">
          {roomWords(lang, 'theirs')}
        </p>
      )}
      {drafting.restored && (
        <div class="banner">
          <span>{roomWords(lang, 'restored')}</span>
          <button type="button" class="button" onClick={drafting.discard}>
            {roomWords(lang, 'discard')}
          </button>
        </div>
      )}
    </>
  );
}

/** How far a picture is off, in percent of it. */
function shareWords(by: { readonly dx: number; readonly dy: number } | undefined): string {
  return by ? (100 * Math.max(Math.abs(by.dx), Math.abs(by.dy))).toFixed(1) : '';
}

export function SaveBar({ room, drafting, problems }: { room: RoomCard; drafting: Drafting; problems: number }) {
  const desk = useDesk();
  const { lang } = useWords();
  const refusal = useRefusal();
  const [sure, setSure] = useState(false);
  const { saved, dirty } = drafting;
  const runs = saved.kind === 'saved' && (room.state?.orders?.revision ?? 0) >= saved.revision;
  const silent = isSilent(room, desk.knownNow.value);
  const state: RoomKey =
    saved.kind === 'saving'
      ? 'saving'
      : dirty
        ? 'unsaved'
        : saved.kind !== 'saved'
          ? 'asRunning'
          : runs
            ? 'inForce'
            : silent
              ? 'savedOffline'
              : 'saved';
  return (
    <div class="save-bar" data-save={state}>
      <p class="save-state" role="status">
        {saved.kind === 'failed' ? (
          <span class="save-failed">{refusal(saved.refusal)}</span>
        ) : (
          roomWords(lang, problems > 0 && dirty ? 'problems' : state)
        )}
      </p>
      <div class="save-actions">
        {drafting.ordered && !dirty && (
          <button
            type="button"
            class="plain"
            onClick={() => {
              if (sure) void drafting.withdraw();
              setSure(!sure);
            }}
          >
            {roomWords(lang, sure ? 'withdrawSure' : 'withdraw')}
          </button>
        )}
        {dirty && !drafting.restored && (
          <button type="button" class="button" onClick={drafting.discard}>
            {roomWords(lang, 'discard')}
          </button>
        )}
        <button
          type="button"
          class="button primary"
          data-action="save"
          disabled={!dirty || problems > 0 || saved.kind === 'saving'}
          onClick={() => void drafting.save()}
        >
          {roomWords(lang, 'save')}
        </button>
      </div>
    </div>
  );
}
