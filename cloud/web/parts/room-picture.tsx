/** The picture that is drawn on: a large one asked of the box, with its age and a way to ask again; the small one where it does not answer. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { RoomCard } from '../../http/api.ts';
import { type Refusal, snapshotUrl } from '../state/client.ts';
import { useDesk } from '../state/desk.ts';
import { roomWords } from '../words/room.ts';
import { agoWords } from '../words/time.ts';
import { RoomTime } from './marks.tsx';
import { useRefusal } from './states.tsx';
import { useWords } from './use.ts';

interface Large {
  readonly cameraId: string;
  readonly url: string;
  readonly wallMs: number;
}

export interface EditorPicture {
  readonly src: string | undefined;
  readonly wallMs: number | undefined;
  readonly large: boolean;
  readonly asking: boolean;
  readonly refusal: Refusal | undefined;
  /** Cloud's wall time before which asking again is refused. */
  readonly notBeforeMs: number;
  ask(): void;
}

/** Asks once for each camera that is opened; whatever comes later than another question is thrown away. */
export function useEditorPicture(room: RoomCard, cameraId: string): EditorPicture {
  const desk = useDesk();
  const { roomId } = room;
  const [large, setLarge] = useState<Large>();
  const [asking, setAsking] = useState(false);
  const [refusal, setRefusal] = useState<Refusal>();
  const [notBeforeMs, setNotBeforeMs] = useState(0);
  const turn = useRef(0);
  const held = useRef<string | undefined>(undefined);
  const ask = async () => {
    turn.current += 1;
    const mine = turn.current;
    setAsking(true);
    setRefusal(undefined);
    const answer = await desk.client.picture(roomId, cameraId);
    if (mine !== turn.current) return;
    setAsking(false);
    if (!answer.ok) {
      setNotBeforeMs(desk.nowMs() + (answer.refusal.said?.waitMs ?? 0));
      return setRefusal(answer.refusal);
    }
    const url = URL.createObjectURL(answer.value.jpeg);
    if (held.current) URL.revokeObjectURL(held.current);
    held.current = url;
    setLarge({ cameraId, url, wallMs: answer.value.wallMs });
  };
  useEffect(() => {
    void ask();
  }, [roomId, cameraId]);
  useEffect(
    () => () => {
      turn.current += 1;
      if (held.current) URL.revokeObjectURL(held.current);
    },
    [],
  );
  const still = room.snapshots.find((one) => one.cameraId === cameraId);
  const shown = large?.cameraId === cameraId ? large : undefined;
  // One that did not come leaves the newest that there is: the small one, where the large one is older.
  const useful = shown && !(refusal && still && still.wallMs > shown.wallMs) ? shown : undefined;
  return {
    src: useful?.url ?? (still && snapshotUrl(roomId, still)),
    wallMs: useful?.wallMs ?? still?.wallMs,
    large: useful !== undefined,
    asking,
    refusal,
    notBeforeMs,
    ask: () => void ask(),
  };
}

/** Below the picture: which it is, how old, why it is no better, and the button. */
export function PictureBar({ room, cameraId, picture }: { room: RoomCard; cameraId: string; picture: EditorPicture }) {
  const desk = useDesk();
  const { lang } = useWords();
  const words = useRefusal();
  const { wallMs, large, asking, refusal, notBeforeMs } = picture;
  const waits = refusal?.said?.waitMs;
  // The page's own second may be nearly over: no more than the cloud has said.
  const waitS = Math.ceil(Math.min(notBeforeMs - desk.now.value, waits ?? 0) / 1000);
  return (
    <div class="picture-bar" data-picture={large ? 'large' : wallMs === undefined ? 'none' : 'small'}>
      <p class="picture-what" role="status">
        <b>{cameraId}</b>
        {wallMs !== undefined && (
          <>
            {' '}
            {roomWords(lang, large ? 'largePicture' : 'smallPicture')} · <RoomTime wallMs={wallMs} room={room} /> ·{' '}
            <span data-age>{agoWords(desk.now.value - wallMs, lang)}</span>
          </>
        )}
        {refusal && waits === undefined && <span class="picture-refused">{words(refusal)}</span>}
        {waitS > 0 && <span class="picture-refused">{roomWords(lang, 'waitPicture', { n: waitS })}</span>}
      </p>
      <button
        type="button"
        class="button"
        data-action="picture"
        aria-disabled={asking || waitS > 0}
        onClick={() => !asking && waitS <= 0 && picture.ask()}
      >
        {roomWords(lang, asking ? 'askingPicture' : 'askPicture')}
      </button>
    </div>
  );
}
