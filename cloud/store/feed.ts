/** The feed as rows in commit order, and reading it from a place: what a browser that was away has missed. */
import { Bug, InvalidInput } from '../../protocol/errors.ts';
import type { RoomEvent } from '../../protocol/event.ts';
import { LIMITS } from '../../protocol/stream.ts';
import { type ActionRow, actionView } from './actions.ts';
import { alertsByEpisode } from './alerts.ts';
import type { Reader, Tx } from './sql.ts';
import type { FeedItem, FeedPage, Position } from './store.ts';

const ROW_EVENTS = LIMITS.batchEvents;
const PAGE_ROWS = 500;
const PAGE_EVENTS = 500;

/** On which PostgreSQL tells the web processes that a transaction added to the feed. */
export const FEED_CHANNEL = 'evalroom_feed';

const COLUMNS = {
  pos: 'int',
  kind: 'text',
  stream_id: 'text',
  from_seq: 'int',
  to_seq: 'int',
  ref: 'text',
  stored_wall_ms: 'int',
  from_stored_wall_ms: 'int',
  to_stored_wall_ms: 'int',
} as const;

/** Takes the next `count` positions and keeps the head locked until the commit. Returns the first of them. */
async function takePositions(tx: Tx, count: number): Promise<number> {
  const take = 'update feed_head set pos = pos + $1 returning pos';
  const rows = await tx.all<{ pos: number }>(
    tx.dialect === 'sqlite' ? take : `with head as (${take}) select pos, pg_notify('${FEED_CHANNEL}', '') from head`,
    count,
  );
  if (!rows[0]) throw new Bug('feed_head', 'appending to the feed: its head row is missing');
  return rows[0].pos - count + 1;
}

/** A stream's `through` moved over these seqs, whose events were stored between the two wall times, both included. */
export interface Advance {
  readonly streamId: string;
  readonly fromSeq: number;
  readonly toSeq: number;
  readonly storedFrom: number;
  readonly storedTo: number;
}

/** Locks the head and records how far each stream became visible. */
export async function appendFeed(tx: Tx, advances: readonly Advance[], wallMs: number): Promise<void> {
  const spans: [string, number, number, number, number][] = [];
  for (const { streamId, fromSeq, toSeq, storedFrom, storedTo } of advances)
    for (let from = fromSeq; from <= toSeq; from += ROW_EVENTS)
      spans.push([streamId, from, Math.min(toSeq, from + ROW_EVENTS - 1), storedFrom, storedTo]);
  if (spans.length === 0) return;
  const first = await takePositions(tx, spans.length);
  await tx.insertMany({
    table: 'feed',
    columns: COLUMNS,
    rows: spans.map(([streamId, from, to, storedFrom, storedTo], i) => [
      first + i,
      'events',
      streamId,
      from,
      to,
      null,
      wallMs,
      storedFrom,
      storedTo,
    ]),
  });
}

/** Locks the head and records an action or a clip's file. */
export async function appendFeedRef(tx: Tx, kind: 'action' | 'clip', ref: string, wallMs: number): Promise<void> {
  const pos = await takePositions(tx, 1);
  await tx.insertMany({
    table: 'feed',
    columns: COLUMNS,
    rows: [[pos, kind, null, null, null, ref, wallMs, null, null]],
  });
}

/** Locks the head before alerts are read that the same transaction will change. */
export async function lockFeed(tx: Tx): Promise<void> {
  await tx.all(`select pos from feed_head${tx.forUpdate}`);
}

export async function readHead(reader: Reader): Promise<Position> {
  const rows = await reader.all<{ pos: number }>('select pos from feed_head');
  return { pos: rows[0]?.pos ?? 0, seq: 0 };
}

/** When the newest thing in the feed was stored; undefined in an empty store. */
export async function readNewestWallMs(reader: Reader): Promise<number | undefined> {
  const rows = await reader.all<{ at: number }>('select stored_wall_ms as at from feed order by pos desc limit 1');
  return rows[0]?.at;
}

interface FeedRow {
  readonly pos: number;
  readonly kind: string;
  readonly from_seq: number | null;
  readonly to_seq: number | null;
  readonly ref: string | null;
  readonly from_stored_wall_ms: number | null;
  readonly to_stored_wall_ms: number | null;
}

/** See Store.since. Places are never skipped: a row that should follow and does not is an error, not a gap. */
export async function readFeed(reader: Reader, from: Position, cursorOf: (p: Position) => string): Promise<FeedPage> {
  const head = await readHead(reader);
  if (from.pos > head.pos)
    throw new InvalidInput('cursor_unknown', `reading the feed: place ${from.pos} lies beyond its head ${head.pos}`);
  if (from.pos === head.pos) return { items: [], position: from, more: false };
  const all = await reader.all<FeedRow>(
    `select pos, kind, from_seq, to_seq, ref, from_stored_wall_ms, to_stored_wall_ms from feed
     where pos > $1 order by pos limit $2`,
    from.pos,
    PAGE_ROWS,
  );
  if (all[0]?.pos !== from.pos + 1)
    throw new InvalidInput('cursor_unknown', `reading the feed: place ${from.pos} is older than what is kept`);
  const rows: FeedRow[] = [];
  let events = 0;
  for (const row of all) {
    if (row.pos !== from.pos + rows.length + 1)
      throw new Bug('feed_hole', `reading the feed: no row before ${row.pos}`);
    events += row.kind === 'events' ? row.to_seq! - row.from_seq! + 1 : 0;
    if (rows.length > 0 && events > PAGE_EVENTS) break;
    rows.push(row);
  }
  const last = rows.at(-1)!.pos;

  // Bounds of the days to look in; rows of before the days were split know none.
  const spans = rows.filter(({ kind }) => kind === 'events');
  const storedFrom = Math.min(...spans.map((row) => row.from_stored_wall_ms ?? Number.MIN_SAFE_INTEGER));
  const storedTo = Math.max(...spans.map((row) => row.to_stored_wall_ms ?? Number.MAX_SAFE_INTEGER));
  const stored =
    spans.length === 0
      ? []
      : await reader.all<{ pos: number; seq: number; json: string; room_id: string; stored_wall_ms: number }>(
          `select f.pos, e.seq, e.json, e.room_id, e.stored_wall_ms from feed f
     join events e on e.stream_id = f.stream_id and e.seq between f.from_seq and f.to_seq
     where f.pos > $1 and f.pos <= $2 and e.stored_wall_ms between $3 and $4 order by f.pos, e.seq`,
          from.pos,
          last,
          storedFrom,
          storedTo,
        );
  const actions = await reader.all<ActionRow & { pos: number }>(
    `select f.pos, a.action_id, a.episode_id, a.kind, a.user_name, a.wall_ms, a.note from feed f
     join actions a on f.kind = 'action' and a.action_id = f.ref where f.pos > $1 and f.pos <= $2`,
    from.pos,
    last,
  );
  const clips = await reader.all<{ pos: number; clip_id: string; episode_id: string; room_id: string }>(
    `select f.pos, c.clip_id, c.episode_id, c.room_id from feed f join clips c on f.kind = 'clip' and c.clip_id = f.ref
     where f.pos > $1 and f.pos <= $2`,
    from.pos,
    last,
  );

  const parsed = stored.map((row) => ({ ...row, event: JSON.parse(row.json) as RoomEvent }));
  const episodes = new Set([...actions, ...clips].map((row) => row.episode_id));
  for (const { event } of parsed) if ('episodeId' in event.body) episodes.add(event.body.episodeId);
  const alerts = await alertsByEpisode(reader, [...episodes]);

  const items: FeedItem[] = [];
  const at = (pos: number, seq?: number): { position: Position; cursor: string } => {
    const position = seq === undefined ? { pos, seq: 0 } : { pos: pos - 1, seq };
    return { position, cursor: cursorOf(position) };
  };
  const byPos = Map.groupBy(parsed, ({ pos }) => pos);
  for (const row of rows) {
    const group = byPos.get(row.pos) ?? [];
    for (const [index, { seq, event, room_id: roomId, stored_wall_ms: storedWallMs }] of group.entries()) {
      if (row.pos === from.pos + 1 && seq <= from.seq) continue;
      const alert = 'episodeId' in event.body ? alerts.get(event.body.episodeId) : undefined;
      items.push({
        ...at(row.pos, index === group.length - 1 ? undefined : seq),
        kind: 'event',
        event: { ...event, storedWallMs },
        ...(alert && alert.roomId === roomId ? { alert } : {}),
      });
    }
    const action = actions.find(({ pos }) => pos === row.pos);
    const actedOn = action && alerts.get(action.episode_id);
    if (action && actedOn) items.push({ ...at(row.pos), kind: 'action', action: actionView(action), alert: actedOn });
    const clip = clips.find(({ pos }) => pos === row.pos);
    const shown = clip && alerts.get(clip.episode_id);
    if (clip && shown?.roomId === clip.room_id)
      items.push({ ...at(row.pos), kind: 'clip', clipId: clip.clip_id, episodeId: clip.episode_id, alert: shown });
  }
  return { items, position: { pos: last, seq: 0 }, more: last < head.pos };
}

const CURSOR = /^([0-9a-f]{10})\.(\d{1,16})\.(\d{1,16})$/;

/** The opaque text of a place: store, row, seq inside the next row. */
export function formatCursor(storeId: string, { pos, seq }: Position): string {
  return `${storeId}.${pos}.${seq}`;
}

/** Throws InvalidInput for anything that this store did not give out. */
export function readCursor(storeId: string, cursor: string): Position {
  const [, store, pos, seq] = CURSOR.exec(cursor) ?? [];
  const position = { pos: Number(pos), seq: Number(seq) };
  if (store !== storeId || !Number.isSafeInteger(position.pos) || !Number.isSafeInteger(position.seq))
    throw new InvalidInput(
      'cursor_unknown',
      'reading the feed: this cursor is not from this store; load the page again',
    );
  return position;
}
