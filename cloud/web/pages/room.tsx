/** The room editor: an installer picks a camera, draws seats, doors and floor on its picture, and the box follows. */
import { useEffect, useMemo, useState } from 'preact/hooks';
import { layoutProblems } from '../../../protocol/layout.ts';
import type { Zone } from '../../../protocol/room.ts';
import type { Point, Polygon } from '../../../protocol/seat.ts';
import type { RoomCard } from '../../http/api.ts';
import { Banners, SaveBar } from '../parts/room-bars.tsx';
import { type Drafting, useDraft } from '../parts/room-draft.ts';
import { Panel } from '../parts/room-panel.tsx';
import { PictureBar, useEditorPicture } from '../parts/room-picture.tsx';
import { Proposal } from '../parts/room-proposal.tsx';
import { FloorGrid, Places } from '../parts/room-shapes.tsx';
import { Stage, type Tool } from '../parts/room-stage.tsx';
import { Tools } from '../parts/room-tools.tsx';
import { Blank, Loading, Refused } from '../parts/states.tsx';
import { PHONE, useKeys, useMedia, useWords } from '../parts/use.ts';
import { useDesk } from '../state/desk.ts';
import {
  addDesk,
  addDoor,
  addFloorPoint,
  addSeat,
  addZone,
  type Draft,
  type Edit,
  moved,
  openProposals,
  type Picked,
  placeSeat,
  type Shape,
  samePick,
  shapesOf,
  withoutCorner,
  withoutShape,
  withPoints,
} from '../state/draft.ts';
import { type Sight, WHOLE } from '../state/sight.ts';
import { roomWords } from '../words/room.ts';

export function RoomPage() {
  const desk = useDesk();
  const { lang } = useWords();
  const { room: roomId } = desk.place.value;
  const rooms = [...(desk.feed.value?.rooms.values() ?? [])];
  const room = rooms.find((one) => one.roomId === roomId) ?? (rooms.length === 1 ? rooms[0] : undefined);
  if (!room)
    return (
      <Blank title={roomWords(lang, 'pickRoom')}>
        {rooms.length === 0 && roomWords(lang, 'pickRoomNote')}
        <ul class="room-choice">
          {rooms.map((one) => (
            <li key={one.roomId}>
              <button type="button" class="button" onClick={() => desk.go({ page: 'setup', room: one.roomId })}>
                {one.name}
              </button>
            </li>
          ))}
        </ul>
      </Blank>
    );
  return <RoomEditor key={room.roomId} room={room} />;
}

function RoomEditor({ room }: { room: RoomCard }) {
  const { lang } = useWords();
  const drafting = useDraft(room);
  const cameras = room.state?.health.cameras.map(({ cameraId }) => cameraId) ?? [];
  if (drafting.failed)
    return <Refused title={roomWords(lang, 'title')} refusal={drafting.failed} onRetry={drafting.retry} />;
  if (!room.state || cameras.length === 0) return <Blank title={roomWords(lang, 'noCamera')} />;
  if (!drafting.draft) return <Loading />;
  return <Drawing room={room} cameras={cameras} drafting={drafting} draft={drafting.draft} />;
}

function Drawing({
  room,
  cameras,
  drafting,
  draft,
}: {
  room: RoomCard;
  cameras: readonly string[];
  drafting: Drafting;
  draft: Draft;
}) {
  const desk = useDesk();
  const { lang } = useWords();
  const phone = useMedia(PHONE);
  const [tool, setTool] = useState<Tool>('select');
  const [zoneKind, setZoneKind] = useState<Zone['kind']>('door');
  const [viewOf, setViewOf] = useState<number | undefined>(undefined);
  const [placing, setPlacing] = useState(false);
  const [picked, setPicked] = useState<Picked | undefined>(undefined);
  const [corner, setCorner] = useState<number | undefined>(undefined);
  const [trace, setTrace] = useState<readonly Point[]>([]);
  const [sight, setSight] = useState<Sight>(WHOLE);
  const asked = desk.place.value.camera;
  const cameraId = cameras.find((one) => one === asked) ?? cameras[0]!;
  const shapes = useMemo(() => shapesOf(draft, cameraId), [draft, cameraId]);
  const problems = useMemo(() => layoutProblems(draft, cameras), [draft, cameras.join()]);
  const shape = shapes.find((one) => samePick(one, picked));
  const seen = room.state?.proposals?.find((one) => one.cameraId === cameraId);
  const proposals = openProposals(draft, cameraId, seen?.seats ?? []);
  const picture = useEditorPicture(room, cameraId);

  const pick = (next: Picked | undefined, at?: number) => {
    setPicked(next);
    setCorner(at);
  };
  const choose = (next: Tool) => {
    setTool(next);
    setTrace([]);
    setViewOf(undefined);
    setPlacing(false);
  };
  const take = ({ draft: next, picked: now }: Edit) => {
    drafting.change(next);
    pick(now);
    setTrace([]);
  };
  const drawn = (polygon: Polygon) => {
    setTrace([]);
    if (tool === 'desk' && picked) take(addDesk(draft, picked.index, cameraId, polygon));
    else if (tool === 'zone') take(addZone(draft, cameraId, zoneKind, polygon));
    else if (tool === 'seat') take(addSeat(draft, cameraId, polygon, viewOf));
    // A seat follows a seat; of anything else there is one.
    if (tool !== 'seat' || viewOf !== undefined) choose('select');
  };
  const removed = (next: Draft) => {
    drafting.change(next);
    pick(undefined);
  };
  const show = (camera: string) => {
    desk.go({ page: 'setup', room: room.roomId, camera }, true);
    setSight(WHOLE);
    setTrace([]);
  };

  const nudge = (dx: number, dy: number) => {
    if (!shape) return;
    const points =
      corner === undefined
        ? moved(shape.points, dx, dy)
        : shape.points.map((p, i): Point => (i === corner ? [p[0] + dx, p[1] + dy] : p));
    drafting.change(withPoints(draft, shape, cameraId, points));
  };
  const pressed = (event: KeyboardEvent): boolean => {
    const { key } = event;
    const command = event.ctrlKey || event.metaKey;
    if (command && key.toLowerCase() === 'z') {
      if (event.shiftKey) drafting.redo();
      else drafting.undo();
      return true;
    }
    if (command && key.toLowerCase() === 'y') {
      drafting.redo();
      return true;
    }
    if (command && key.toLowerCase() === 's') {
      if (problems.length === 0 && drafting.dirty && drafting.saved.kind !== 'saving') void drafting.save();
      return true;
    }
    if (command || event.altKey) return false;
    const tools: Readonly<Record<string, Tool>> = { v: 'select', s: 'seat', z: 'zone', d: 'door', f: 'floor' };
    const chosen = tools[key.toLowerCase()];
    const far = event.shiftKey ? 0.02 : 0.002;
    if (chosen) choose(chosen);
    else if (key === 'Escape') {
      if (placing) setPlacing(false);
      else if (trace.length > 0) setTrace([]);
      else if (tool !== 'select') choose('select');
      else pick(undefined);
    } else if (key === 'Enter' && trace.length >= 3) drawn(trace);
    else if ((key === 'Delete' || key === 'Backspace') && shape) {
      const less = corner === undefined ? undefined : withoutCorner(draft, shape, cameraId, corner);
      if (less) {
        drafting.change(less);
        setCorner(undefined);
      } else removed(withoutShape(draft, shape, cameraId));
    } else if (key === 'ArrowLeft') nudge(-far, 0);
    else if (key === 'ArrowRight') nudge(far, 0);
    else if (key === 'ArrowUp') nudge(0, -far);
    else if (key === 'ArrowDown') nudge(0, far);
    else if ((key === ']' || key === '[') && shape) {
      const count = shape.points.length;
      setCorner(((corner ?? (key === ']' ? -1 : 0)) + (key === ']' ? 1 : count - 1)) % count);
    } else return false;
    return true;
  };
  useKeys(pressed, true);

  useEffect(() => {
    if (!drafting.dirty) return;
    const ask = (event: BeforeUnloadEvent) => event.preventDefault();
    addEventListener('beforeunload', ask);
    return () => removeEventListener('beforeunload', ask);
  }, [drafting.dirty]);

  const calibration = draft.floor.find((one) => one.cameraId === cameraId);
  const onFloor = tool === 'floor' || picked?.part === 'floor';
  const hint =
    trace.length > 0
      ? roomWords(lang, 'hintTrace', { n: trace.length })
      : placing
        ? roomWords(lang, 'hintPlace', { name: draft.seats[picked?.index ?? -1]?.name ?? '' })
        : viewOf !== undefined && tool === 'seat'
          ? roomWords(lang, 'hintView', { name: draft.seats[viewOf]?.name ?? '' })
          : tool === 'desk' && picked?.part !== 'seat'
            ? roomWords(lang, 'hintDeskNone')
            : roomWords(lang, HINTS[tool]);
  const doubtful = room.state?.health.cameras.some((one) => one.cameraId === cameraId && one.fault === 'moved');
  return (
    <div class={`editor ${doubtful ? 'is-doubtful' : ''}`}>
      <Banners room={room} drafting={drafting} />
      <div class="editor-work">
        <div class="editor-left">
          <Tools
            cameras={cameras}
            cameraId={cameraId}
            faults={room.state?.health.cameras ?? []}
            onCamera={show}
            tool={tool}
            onTool={choose}
            zoneKind={zoneKind}
            onZoneKind={setZoneKind}
            canDesk={
              picked?.part === 'seat' &&
              shape !== undefined &&
              !draft.seats[picked.index]?.views.find((v) => v.cameraId === cameraId)?.desk
            }
            drafting={drafting}
          />
          <Stage
            src={picture.src}
            label={roomWords(lang, 'board')}
            tool={placing ? 'floor' : tool === 'desk' && picked?.part !== 'seat' ? 'select' : tool}
            shapes={shapes}
            picked={picked}
            corner={corner}
            trace={trace}
            sight={sight}
            onSight={setSight}
            onPick={pick}
            onPoints={(at: Shape, points, isStep) => drafting.change(withPoints(draft, at, cameraId, points), isStep)}
            onArea={drawn}
            onTrace={setTrace}
            onLine={(a, b) => {
              take(addDoor(draft, cameraId, a, b));
              choose('select');
            }}
            onPoint={(point) => {
              if (!placing || !picked) return take(addFloorPoint(draft, cameraId, point));
              drafting.change(placeSeat(draft, picked.index, cameraId, point));
              setPlacing(false);
            }}
            under={(board) =>
              calibration && (
                <>
                  {(onFloor || placing) && <FloorGrid calibration={calibration} board={board} />}
                  {(onFloor || picked?.part === 'seat') && (
                    <Places
                      draft={draft}
                      calibration={calibration}
                      board={board}
                      picked={picked?.part === 'seat' ? picked.index : undefined}
                    />
                  )}
                </>
              )
            }
            over={(board) =>
              tool === 'select' || tool === 'seat'
                ? proposals.map(({ zone, share }, i) => (
                    <Proposal
                      key={JSON.stringify(zone)}
                      zone={zone}
                      board={board}
                      label={roomWords(lang, 'proposal', { n: i + 1, share: Math.round(share * 100) })}
                      onTake={() => take(addSeat(draft, cameraId, zone))}
                    />
                  ))
                : null
            }
          >
            {!picture.src && (
              <div class="board-none">
                <b>{roomWords(lang, 'noPicture', { camera: cameraId })}</b>
                <span>{roomWords(lang, 'noPictureNote')}</span>
              </div>
            )}
            <p class="board-hint" aria-live="polite">
              {hint}
            </p>
            {trace.length > 0 && (
              <div class="board-actions" onPointerDown={(event) => event.stopPropagation()}>
                {trace.length >= 3 && tool !== 'door' && (
                  <button type="button" class="button primary" onClick={() => drawn(trace)}>
                    {roomWords(lang, 'finish')}
                  </button>
                )}
                <button type="button" class="button" onClick={() => setTrace([])}>
                  {roomWords(lang, 'cancel')}
                </button>
              </div>
            )}
          </Stage>
          <PictureBar room={room} cameraId={cameraId} picture={picture} />
          {phone && <SaveBar room={room} drafting={drafting} problems={problems.length} />}
        </div>
        <aside class="editor-side">
          <Panel
            draft={draft}
            cameraId={cameraId}
            picked={picked}
            shape={shape}
            corner={corner}
            problems={problems}
            proposals={{
              count: proposals.length,
              minutes: Math.max(1, Math.round((seen?.watchedMs ?? 0) / 60_000)),
              onAll: () => {
                const all = proposals.reduce((before, { zone }) => addSeat(before, cameraId, zone).draft, draft);
                drafting.change(all);
              },
            }}
            onDraft={(next, now) => {
              drafting.change(next);
              if (now) pick(now);
            }}
            onGone={removed}
            onDraw={(next) => {
              choose(next === 'place' ? 'select' : next);
              setPlacing(next === 'place');
              if (next === 'seat') setViewOf(picked?.index);
            }}
            onShow={(at, camera) => {
              if (camera && camera !== cameraId) show(camera);
              choose('select');
              pick(at);
            }}
          />
          {!phone && <SaveBar room={room} drafting={drafting} problems={problems.length} />}
        </aside>
      </div>
    </div>
  );
}

const HINTS = {
  select: 'hintSelect',
  seat: 'hintSeat',
  desk: 'hintDesk',
  zone: 'hintZone',
  door: 'hintDoor',
  floor: 'hintFloor',
} as const;
