/** Retention: what is older than a day and judged leaves the store, in small transactions, and the log says so. */
import { dropEmptyDays } from './days.ts';
import { appendLog } from './log.ts';
import type { Reader, Sql, Tx } from './sql.ts';
import type { RetentionClock, Retired } from './store.ts';
import { forgetWords } from './words.ts';

/** Rows of one transaction: the ingest waits no longer than for one of its own. */
const SLICE = 2000;

/** A clock that stands wrong by years must not cost years of evidence before somebody has seen it. */
const ROUND_MS = 86_400_000;

/** See Store.retire. */
export async function retire(sql: Sql, wantedWallMs: number, wallMs: number): Promise<Retired> {
  const first = await sql.read((reader) =>
    reader.all<{ oldest: number }>('select stored_wall_ms as oldest from feed order by pos limit 1'),
  );
  const beforeWallMs = Math.min(wantedWallMs, (first[0]?.oldest ?? wantedWallMs) + ROUND_MS);
  const total = { events: 0, alerts: 0, clips: 0, files: [] as string[] };
  // A browser whose place lies in what goes loads the page again; so places go first.
  await repeat(() => sql.write((tx) => cutFeed(tx, beforeWallMs)));
  await repeat(async () => {
    const { alerts, clips, files } = await sql.write((tx) => removeAlerts(tx, beforeWallMs));
    total.alerts += alerts;
    total.clips += clips;
    total.files.push(...files);
    return alerts;
  });
  await repeat(async () => {
    const events = await sql.write((tx) => removeEvents(tx, beforeWallMs));
    total.events += events;
    return events;
  });
  await repeat(() => sql.write((tx) => removeRejected(tx, beforeWallMs)));
  if (sql.dialect === 'postgres') await sql.write((tx) => dropEmptyDays(tx, beforeWallMs));
  const { events, alerts, clips } = total;
  if (events + alerts + clips > 0)
    await sql.write((tx) =>
      appendLog(tx, {
        wallMs,
        actor: 'cloud',
        action: 'retire',
        object: `${events} events, ${alerts} alerts, ${clips} clips from before ${new Date(beforeWallMs).toISOString()}`,
      }),
    );
  return total;
}

/** See Store.retentionClock. */
export async function readRetentionClock(reader: Reader): Promise<RetentionClock | undefined> {
  const rows = await reader.all<{ wall_ms: number; doubt_ms: number }>('select wall_ms, doubt_ms from retention_clock');
  return rows[0] && { wallMs: rows[0].wall_ms, doubtMs: rows[0].doubt_ms };
}

/** See Store.keepRetentionClock. */
export async function writeRetentionClock(tx: Tx, { wallMs, doubtMs }: RetentionClock): Promise<void> {
  await tx.all(
    `insert into retention_clock (only_row, wall_ms, doubt_ms) values (1, $1, $2)
     on conflict (only_row) do update set wall_ms = excluded.wall_ms, doubt_ms = excluded.doubt_ms`,
    Math.round(wallMs),
    Math.round(doubtMs),
  );
}

async function repeat(slice: () => Promise<number>): Promise<void> {
  while ((await slice()) > 0);
}

/** Only from the front: the feed has no holes. */
async function cutFeed(tx: Tx, beforeWallMs: number): Promise<number> {
  const rows = await tx.all<{ pos: number; stored_wall_ms: number }>(
    'select pos, stored_wall_ms from feed order by pos limit $1',
    SLICE,
  );
  const keep = rows.findIndex((row) => row.stored_wall_ms >= beforeWallMs);
  const last = rows[(keep === -1 ? rows.length : keep) - 1];
  if (!last) return 0;
  await tx.all('delete from feed where pos <= $1', last.pos);
  return rows.length;
}

/** Closed, nothing new since, and nobody did anything about it since. */
async function removeAlerts(
  tx: Tx,
  beforeWallMs: number,
): Promise<{ alerts: number; clips: number; files: readonly string[] }> {
  const old = await tx.all<{ episode_id: string }>(
    `select episode_id from alerts a where state = 'closed' and last_stored_wall_ms < $1
       and not exists (select 1 from actions where actions.episode_id = a.episode_id and wall_ms >= $1) limit $2`,
    beforeWallMs,
    SLICE,
  );
  if (old.length === 0) return { alerts: 0, clips: 0, files: [] };
  const ids = old.map(({ episode_id }) => episode_id);
  const clips = (
    await tx.all<{ clip_id: string }>(`select clip_id from clips where ${tx.among('episode_id', 1)}`, ids)
  ).map(({ clip_id }) => clip_id);
  const files = await tx.all<{ sha256: string }>(
    `select distinct sha256 from clip_files where ${tx.among('clip_id', 1)}`,
    clips,
  );
  await tx.all(`delete from clip_files where ${tx.among('clip_id', 1)}`, clips);
  const shared = await tx.all<{ sha256: string }>(
    `select distinct sha256 from clip_files where ${tx.among('sha256', 1)}`,
    files.map(({ sha256 }) => sha256),
  );
  await tx.all(`delete from clips where ${tx.among('clip_id', 1)}`, clips);
  await tx.all(`delete from actions where ${tx.among('episode_id', 1)}`, ids);
  await tx.all(`delete from alerts where ${tx.among('episode_id', 1)}`, ids);
  const kept = new Set(shared.map(({ sha256 }) => sha256));
  const gone = files.map(({ sha256 }) => sha256).filter((sha256) => !kept.has(sha256));
  return { alerts: ids.length, clips: clips.length, files: gone };
}

/** All but the events of alerts that are still there: nobody has judged those. Only what `through` has passed. */
async function removeEvents(tx: Tx, beforeWallMs: number): Promise<number> {
  const gone = await tx.all<{ event_id: string }>(
    `delete from events where (stream_id, seq, stored_wall_ms) in (
       select e.stream_id, e.seq, e.stored_wall_ms from events e
       join streams s on s.stream_id = e.stream_id and e.seq <= s.through
       where e.stored_wall_ms < $1 and (e.episode_id is null
         or not exists (select 1 from alerts where alerts.episode_id = e.episode_id)) limit $2) returning event_id`,
    beforeWallMs,
    SLICE,
  );
  const ids = gone.map(({ event_id }) => event_id);
  if (tx.dialect === 'postgres' && ids.length > 0)
    await tx.all(`delete from event_ids where ${tx.among('event_id', 1)}`, ids);
  await forgetWords(tx, ids);
  return gone.length;
}

/** Refusals that stand for a seq beyond `through` hold their place until the hole is filled. */
async function removeRejected(tx: Tx, beforeWallMs: number): Promise<number> {
  const gone = await tx.all<{ rejected_id: string }>(
    `delete from rejected where rejected_id in (
       select r.rejected_id from rejected r left join streams s on s.stream_id = r.stream_id
       where r.stored_wall_ms < $1 and (r.occupies = 0 or r.seq <= s.through) limit $2) returning rejected_id`,
    beforeWallMs,
    SLICE,
  );
  return gone.length;
}
