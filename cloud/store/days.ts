/** Days of the event table: PostgreSQL keeps each UTC day in a table of its own, so that an old day goes in one piece. */
import { Unavailable } from '../../protocol/errors.ts';
import type { Reader, Sql, Tx } from './sql.ts';

const DAY_MS = 86_400_000;

/** Number of the UTC day that holds the instant. */
const dayOf = (wallMs: number): number => Math.floor(wallMs / DAY_MS);

/** `events_20261124`: the day in UTC, whatever the zone of this machine or of the database. */
function tableOf(day: number): string {
  return `events_${new Date(day * DAY_MS).toISOString().slice(0, 10).replaceAll('-', '')}`;
}

/**
 * Runs `work` when rows stored at the instant have a table to go to; SQLite has one for all. Where the table has gone
 * since it was last seen (another process dropped the empty day, and a clock stepped back), it is made anew, once.
 */
export function dayKeeper(sql: Sql): <T>(wallMs: number, work: () => Promise<T>) => Promise<T> {
  const known = new Set<number>();
  return async (wallMs, work) => {
    if (sql.dialect === 'sqlite') return work();
    const day = dayOf(wallMs);
    for (let attempt = 1; ; attempt++) {
      if (!known.has(day)) await sql.write((tx) => openDay(tx, day));
      known.add(day);
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof Unavailable && error.code === 'store_no_day') || attempt > 1) throw error;
        known.delete(day);
      }
    }
  };
}

/** Attaching an empty table blocks neither readers nor writers of the other days. */
async function openDay(tx: Tx, day: number): Promise<void> {
  const table = tableOf(day);
  // Several workers reach midnight at once.
  await tx.all('select pg_advisory_xact_lock(20837466)');
  const found = await tx.all<{ there: number }>(
    "select 1 as there from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = 'events'::regclass and c.relname = $1",
    table,
  );
  if (found.length > 0) return;
  await tx.all(`create table ${table} (like events including all)`);
  await tx.all(
    `alter table events attach partition ${table} for values from (${day * DAY_MS}) to (${(day + 1) * DAY_MS})`,
  );
}

/** The days kept, oldest first: first millisecond of each. */
async function keptDays(reader: Reader): Promise<number[]> {
  const rows = await reader.all<{ name: string }>(
    "select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = 'events'::regclass order by 1",
  );
  return rows.map(({ name }) => Date.parse(name.replace(/^events_(\d{4})(\d\d)(\d\d)$/, '$1-$2-$3T00:00:00Z')));
}

/** Drops every day that lies wholly before `beforeWallMs` and is empty. */
export async function dropEmptyDays(tx: Tx, beforeWallMs: number): Promise<void> {
  // Waits a little for readers of the table, not for ever; the next round tries again.
  await tx.all("set local lock_timeout = '5s'");
  for (const begin of await keptDays(tx)) {
    if (begin + DAY_MS > beforeWallMs) break;
    const table = tableOf(dayOf(begin));
    const rows = await tx.all<{ there: number }>(`select 1 as there from ${table} limit 1`);
    if (rows.length === 0) await tx.all(`drop table ${table}`);
  }
}

/** The migration that turns one table into days; the rows of an existing store move with it. */
export const DAYS_POSTGRES = `
alter table events rename to events_before;
alter index events_pkey rename to events_before_pkey;
drop index events_episode;
-- Ids must be compared byte by byte, which is also the fastest, whatever the database's language.
create table events (
  stream_id text collate "C" not null,
  seq bigint not null,
  event_id text collate "C" not null,
  room_id text collate "C" not null,
  kind text collate "C" not null,
  episode_id text collate "C",
  wall_ms bigint not null,
  stored_wall_ms bigint not null,
  json text not null,
  primary key (stream_id, seq, stored_wall_ms)
) partition by range (stored_wall_ms);
create index events_episode on events (episode_id) where episode_id is not null;
create trigger events_no_update before update on events for each row execute function refuse_change();

-- What must be unique over all days: which place an event has. Written first, in the same transaction.
create table event_ids (
  event_id text collate "C" primary key,
  stream_id text collate "C" not null,
  seq bigint not null,
  stored_wall_ms bigint not null
);

do $$
declare day bigint;
begin
  for day in select distinct floor(stored_wall_ms / 86400000.0)::bigint from events_before loop
    execute format('create table %I partition of events for values from (%s) to (%s)',
      'events_' || to_char(to_timestamp(day * 86400) at time zone 'UTC', 'YYYYMMDD'), day * 86400000, (day + 1) * 86400000);
  end loop;
end $$;
insert into event_ids select event_id, stream_id, seq, stored_wall_ms from events_before;
insert into events
  select stream_id, seq, event_id, room_id, kind, episode_id, wall_ms, stored_wall_ms, json from events_before;
drop table events_before;`;

/** SQLite has one table for all days; the view gives both databases one text to ask where an event is. */
export const DAYS_SQLITE = `
create view event_ids as select event_id, stream_id, seq, stored_wall_ms from events;
create index events_stored on events (stored_wall_ms);`;
