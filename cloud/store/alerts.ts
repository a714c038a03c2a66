/** Alerts as rows: folding what became visible, and reading them for lists and pages. */
import type { ClipManifest } from '../../protocol/clip.ts';
import type { RoomEvent } from '../../protocol/event.ts';
import { type AlertFold, foldEvent } from '../alerts/fold.ts';
import { type AlertView, EVENTS_FIRST } from '../http/api.ts';
import { type ActionRow, actionView } from './actions.ts';
import type { RejectedRow } from './rejected.ts';
import type { Reader, Tx } from './sql.ts';
import type { AlertDetail, SessionAlertsQuery } from './store.ts';

/** More than this is a desk where nobody works; the rest is still in the list of alerts. */
const OPEN_SHOWN = 5000;
const CLOSED_SHOWN = 200;
/** Events of one episode that are read: an update comes every few seconds, and an episode may last for hours. */
const EVENTS_NEWEST = 350;

/** An event that `through` has just passed. */
export interface Visible {
  readonly event: RoomEvent;
  readonly roomId: string;
  readonly storedWallMs: number;
}

/** Alerts before this transaction's fold, by episode. */
export async function loadFolds(reader: Reader, episodeIds: readonly string[]): Promise<Map<string, AlertFold>> {
  if (episodeIds.length === 0) return new Map();
  const rows = await reader.all<{ episode_id: string; view: string }>(
    `select episode_id, view from alerts where ${reader.among('episode_id', 1)}`,
    episodeIds,
  );
  return new Map(rows.map((row) => [row.episode_id, JSON.parse(row.view) as AlertFold]));
}

export async function saveFolds(tx: Tx, folds: readonly AlertFold[]): Promise<void> {
  await tx.insertMany({
    table: 'alerts',
    columns: {
      episode_id: 'text',
      room_id: 'text',
      state: 'text',
      last_stored_wall_ms: 'int',
      session_id: 'text',
      view: 'json',
    },
    conflict: `on conflict (episode_id) do update set state = excluded.state,
      last_stored_wall_ms = excluded.last_stored_wall_ms, session_id = excluded.session_id, view = excluded.view`,
    rows: folds.map((fold) => [
      fold.episodeId,
      fold.roomId,
      fold.state,
      fold.lastStoredWallMs,
      fold.sessionId ?? null,
      JSON.stringify(fold),
    ]),
  });
}

/** Folds episodes and announces clips. The feed's head must be locked. Returns what named another room's episode. */
export async function foldVisible(tx: Tx, visible: readonly Visible[]): Promise<RejectedRow[]> {
  const about = visible.filter(({ event }) => 'episodeId' in event.body);
  if (about.length === 0) return [];
  const ids = new Set(about.map(({ event }) => ('episodeId' in event.body ? event.body.episodeId : '')));
  const folds = await loadFolds(tx, [...ids]);
  const changed = new Set<string>();
  const clips: (string | number)[][] = [];
  const foreign: RejectedRow[] = [];
  for (const { event, roomId, storedWallMs } of about) {
    const { body } = event;
    if (body.kind !== 'episode' && body.kind !== 'clip') continue;
    const before = folds.get(body.episodeId);
    if (before && before.roomId !== roomId) {
      foreign.push({
        roomId,
        streamId: event.streamId,
        seq: event.seq,
        occupies: false,
        code: 'episode_of_other_room',
        reason: `stored, but kept out of the alert: episode ${body.episodeId} belongs to another room`,
        payload: JSON.stringify(event),
      });
    } else if (body.kind === 'episode') {
      const { wallMs, monoMs, bootId } = event.at;
      folds.set(body.episodeId, foldEvent(before, { roomId, wallMs, told: { bootId, monoMs }, storedWallMs, body }));
      changed.add(body.episodeId);
    } else {
      clips.push([body.clip.clipId, body.episodeId, roomId, JSON.stringify(body.clip), storedWallMs]);
    }
  }
  await tx.insertMany({
    table: 'clips',
    columns: { clip_id: 'text', episode_id: 'text', room_id: 'text', manifest: 'json', announced_wall_ms: 'int' },
    conflict: 'on conflict do nothing',
    rows: clips,
  });
  await saveFolds(
    tx,
    [...changed].map((id) => folds.get(id)!),
  );
  return foreign;
}

/** Adds the clips to alerts. A clip is `ready` when its picture is here; the overlay may follow. */
export async function withClips(reader: Reader, folds: readonly AlertFold[]): Promise<AlertView[]> {
  if (folds.length === 0) return [];
  const rows = await reader.all<{ clip_id: string; episode_id: string; room_id: string; ready: number }>(
    `select c.clip_id, c.episode_id, c.room_id,
       (select count(*) from clip_files f where f.clip_id = c.clip_id and f.name = 'clip.mp4') as ready
     from clips c where ${reader.among('c.episode_id', 1)} order by c.announced_wall_ms, c.clip_id`,
    folds.map(({ episodeId }) => episodeId),
  );
  const byEpisode = Map.groupBy(rows, (row) => row.episode_id);
  return folds.map(({ told: _told, ...fold }) => ({
    ...fold,
    clips: (byEpisode.get(fold.episodeId) ?? [])
      .filter((row) => row.room_id === fold.roomId)
      .map((row) => ({ clipId: row.clip_id, ready: row.ready > 0 })),
  }));
}

export async function alertsByEpisode(reader: Reader, ids: readonly string[]): Promise<Map<string, AlertView>> {
  const views = await withClips(reader, [...(await loadFolds(reader, ids)).values()]);
  return new Map(views.map((view) => [view.episodeId, view]));
}

const parse = (rows: readonly { view: string }[]) => rows.map(({ view }) => JSON.parse(view) as AlertFold);

/** Everything still to be judged, and the newest closed ones, newest first; `unlisted`: how many more are to be judged. */
export async function readOverview(reader: Reader): Promise<{ alerts: AlertView[]; unlisted: number }> {
  const toJudge = "from alerts where state in ('open', 'acknowledged')";
  const open = await reader.all<{ view: string }>(
    `select view ${toJudge} order by last_stored_wall_ms desc, episode_id limit $1`,
    OPEN_SHOWN,
  );
  const closed = await reader.all<{ view: string }>(
    "select view from alerts where state = 'closed' order by last_stored_wall_ms desc, episode_id limit $1",
    CLOSED_SHOWN,
  );
  const all = open.length < OPEN_SHOWN ? [] : await reader.all<{ n: number }>(`select count(*) as n ${toJudge}`);
  const alerts = await withClips(reader, parse([...open, ...closed]));
  return { alerts, unlisted: Math.max(0, (all[0]?.n ?? 0) - open.length) };
}

/** How many alerts are in each state that is still to be judged. */
export async function countToJudge(reader: Reader): Promise<{ open: number; acknowledged: number }> {
  const rows = await reader.all<{ state: 'open' | 'acknowledged'; n: number }>(
    "select state, count(*) as n from alerts where state in ('open', 'acknowledged') group by state",
  );
  const of = (state: 'open' | 'acknowledged') => Number(rows.find((row) => row.state === state)?.n ?? 0);
  return { open: of('open'), acknowledged: of('acknowledged') };
}

export async function readAlerts(
  reader: Reader,
  query: { readonly roomId?: string; readonly beforeWallMs?: number; readonly limit: number },
): Promise<AlertView[]> {
  const before = query.beforeWallMs ?? Number.MAX_SAFE_INTEGER;
  const rows =
    query.roomId === undefined
      ? await reader.all<{ view: string }>(
          'select view from alerts where last_stored_wall_ms < $1 order by last_stored_wall_ms desc, episode_id limit $2',
          before,
          query.limit,
        )
      : await reader.all<{ view: string }>(
          `select view from alerts where room_id = $3 and last_stored_wall_ms < $1
           order by last_stored_wall_ms desc, episode_id limit $2`,
          before,
          query.limit,
          query.roomId,
        );
  return withClips(reader, parse(rows));
}

/** See Store.sessionAlerts. */
export async function readSessionAlerts(
  reader: Reader,
  { sessionId, roomId, before, limit }: SessionAlertsQuery,
): Promise<{ alerts: AlertView[]; total: number }> {
  const { lastStoredWallMs = Number.MAX_SAFE_INTEGER, episodeId = '' } = before ?? {};
  const rows = await reader.all<{ view: string }>(
    `select view from alerts where session_id = $1 and room_id = $2 and last_stored_wall_ms <= $3
       and (last_stored_wall_ms < $3 or episode_id > $4)
     order by last_stored_wall_ms desc, episode_id limit $5`,
    sessionId,
    roomId,
    lastStoredWallMs,
    episodeId,
    limit,
  );
  const counts = await reader.all<{ n: number }>(
    'select count(*) as n from alerts where session_id = $1 and room_id = $2',
    sessionId,
    roomId,
  );
  return { alerts: await withClips(reader, parse(rows)), total: counts[0]?.n ?? 0 };
}

interface EventRow {
  readonly json: string;
  readonly stored_wall_ms: number;
  readonly stream_id: string;
  readonly seq: number;
}

const inOrder = (a: EventRow, b: EventRow) =>
  a.stored_wall_ms - b.stored_wall_ms ||
  (a.stream_id < b.stream_id ? -1 : a.stream_id > b.stream_id ? 1 : a.seq - b.seq);

/** The events of an episode, oldest first; of one that has gone on for hours its beginning, its newest and its clips. */
async function readEvents(
  reader: Reader,
  episodeId: string,
  roomId: string,
): Promise<{ events: readonly EventRow[]; leftOut: number }> {
  const from = `from events e join streams s on s.stream_id = e.stream_id and e.seq <= s.through
     where e.episode_id = $1 and e.room_id = $2`;
  const columns = 'select e.json, e.stored_wall_ms, e.stream_id, e.seq';
  const counts = await reader.all<{ n: number }>(
    `select count(*) as n ${from} and e.kind = 'episode'`,
    episodeId,
    roomId,
  );
  const leftOut = Math.max(0, (counts[0]?.n ?? 0) - EVENTS_FIRST - EVENTS_NEWEST);
  const part = (kind: string, way: 'asc' | 'desc', limit: number) =>
    reader.all<EventRow>(
      `${columns} ${from} and e.kind ${kind} order by e.stored_wall_ms ${way}, e.stream_id ${way}, e.seq ${way} limit $3`,
      episodeId,
      roomId,
      limit,
    );
  const first = await part("= 'episode'", 'asc', leftOut > 0 ? EVENTS_FIRST : EVENTS_FIRST + EVENTS_NEWEST);
  const newest = leftOut > 0 ? await part("= 'episode'", 'desc', EVENTS_NEWEST) : [];
  const others = await part("<> 'episode'", 'asc', EVENTS_FIRST + EVENTS_NEWEST);
  return { events: [...first, ...newest, ...others].sort(inOrder), leftOut };
}

/** One alert with all that belongs to it; only what its stream's `through` has passed. */
export async function readAlert(reader: Reader, episodeId: string): Promise<AlertDetail | undefined> {
  const [alert] = [...(await alertsByEpisode(reader, [episodeId])).values()];
  if (!alert) return undefined;
  const { events, leftOut } = await readEvents(reader, episodeId, alert.roomId);
  const actions = await reader.all<ActionRow>(
    `select action_id, episode_id, kind, user_name, wall_ms, note from actions where episode_id = $1
     order by wall_ms, action_id`,
    episodeId,
  );
  const clips = await reader.all<{ clip_id: string; manifest: string; stored: number | null }>(
    `select c.clip_id, c.manifest, f.stored_wall_ms as stored from clips c
     left join clip_files f on f.clip_id = c.clip_id and f.name = 'clip.mp4'
     where c.episode_id = $1 and c.room_id = $2 order by c.announced_wall_ms, c.clip_id`,
    episodeId,
    alert.roomId,
  );
  const views =
    clips.length === 0
      ? []
      : await reader.all<{ actor: string; wall_ms: number; object: string }>(
          `select actor, wall_ms, object from log where action in ('view_clip', 'export_clip') and ${reader.among('object', 1)}
           order by seq desc limit 200`,
          clips.map((row) => row.clip_id),
        );
  return {
    alert,
    events: events.map((row) => ({ ...(JSON.parse(row.json) as RoomEvent), storedWallMs: row.stored_wall_ms })),
    ...(leftOut > 0 ? { eventsLeftOut: leftOut } : {}),
    actions: actions.map(actionView),
    clips: clips.map((row) => ({
      clip: JSON.parse(row.manifest) as ClipManifest,
      ready: row.stored !== null,
      ...(row.stored === null ? {} : { storedWallMs: row.stored }),
    })),
    views: views.map((row) => ({ userName: row.actor, wallMs: row.wall_ms, clipId: row.object })),
  };
}
