/** Beside the outbox: the tables of outbox.db, with a sentence for each, and the errors of SQLite as our kinds. */
import { crc32 } from 'node:zlib';
import type { Database } from 'better-sqlite3';
import { Corrupt, Full, InvalidInput, Unavailable } from '../../protocol/errors.ts';

/** Each brings a file one format further; the first makes the tables of a new one. */
const STEPS = [
  `
-- A stream of one lane. Each opening of this file begins new ones; older rows stay until they are drained.
create table stream (
  number         integer primary key autoincrement,
  stream_id      text    not null unique,
  lane           text    not null,
  opened_wall_ms real    not null,
  -- Highest seq that the cloud has for good; events up to it are deleted in the transaction that raises it. The highest
  -- accepted one is the key of the last event, or this where none is left: one page less to write for each accept.
  through        integer not null default 0
) strict;

-- Accepted and not yet acked. Deleted by the cloud's ack and by nothing else.
create table event (
  -- stream.number * 2^32 + seq: one range per stream, appended at its end, and exact as a JavaScript number.
  key            integer primary key,
  event_id       text    not null,
  -- CRC-32 of event_id and json (in rows of format 1 of json alone): SQLite does not notice a flipped bit inside a row.
  crc            integer not null,
  -- {"at": Instant, "body": EventBody}
  json           text    not null
) strict;

-- Rows whose crc no longer held when they were to be sent: kept for inspection, never sent.
create table damaged (
  stream_id      text    not null,
  seq            integer not null,
  event_id       text    not null,
  json           blob    not null,
  found_wall_ms  real    not null
) strict;

-- The newest event of every episode that has not ended, so that a restarted agent can go on with it. Written before
-- events leave, not with every event: see episode_mark.
create table episode (
  episode_id     text    primary key,
  began          integer not null,
  json           text    not null
) strict, without rowid;

-- Clips that were asked for and are not cut yet.
create table clip_plan (
  clip_id        text    primary key,
  request        text    not null
) strict;

-- Clips on disk. State: cut, announced (event accepted), uploading (event acked), acked (the cloud has the bytes).
create table clip (
  number         integer primary key autoincrement,
  clip_id        text    not null unique,
  episode_id     text    not null,
  state          text    not null,
  -- Key of the announcing event while it is unacked; follows it when a stream is quarantined.
  event_key      integer,
  folder         text    not null,
  bytes          integer not null,
  manifest       text    not null,
  attempts       integer not null default 0,
  -- By file name: address of the upload, or true when the cloud has answered with its hash.
  uploads        text    not null default '{}'
) strict;
create index clip_by_state on clip (state);
create index clip_by_episode on clip (episode_id);
create index clip_by_event on clip (event_key) where event_key is not null;
`,
  `
-- Order of acceptance over all streams: which of two events of an episode is the newer one. 0: of format 1, whose
-- table of episodes was written with every event.
alter table event add column taken integer not null default 0;

-- The table of episodes holds what was so when this event had been accepted; events that were accepted later are still
-- in this file and say the rest.
create table episode_mark (
  only_row       integer primary key check (only_row = 1),
  taken          integer not null
) strict;
insert into episode_mark select 1, coalesce(max(began), 0) from episode;
`,
  `
-- CRC-32 of the eventIds of seq 1 to through, which are no longer here: the cloud's ack tells its own. Null where they
-- were deleted before this was counted.
alter table stream add column chain integer;
update stream set chain = 0 where through = 0;
`,
];
const VERSION = STEPS.length;

/** An event's key is its stream's number times this, and its seq. */
export const KEYS_PER_STREAM = 2 ** 32;

/** Of an event's row: over its name as well, since under another one it would be stored twice. */
export const eventCrc = (eventId: string, json: string | Buffer): number => crc32(json, crc32(eventId));

/** True when the bytes of the row are those that were written. */
export const isIntact = (eventId: string, json: string | Buffer, crc: number): boolean =>
  eventCrc(eventId, json) === crc || crc32(json) === crc;

/** Makes the tables of a new file, or brings an older one to this format; refuses a file that a newer version has written. */
export function migrate(database: Database): void {
  const version = Number(database.pragma('user_version', { simple: true }));
  if (version > VERSION)
    throw new InvalidInput(
      'outbox_newer',
      `${database.name} was written by a newer version (format ${version}, known is ${VERSION}): run that version`,
    );
  if (version === VERSION) return;
  database.transaction(() => {
    for (const step of STEPS.slice(version)) database.exec(step);
    database.pragma(`user_version = ${VERSION}`);
  })();
}

const codeOf = (cause: unknown): string => String((cause as { code?: unknown } | null)?.code ?? '');

/** True when the disk had no room for a write. */
export function isDiskFull(cause: unknown): boolean {
  return codeOf(cause) === 'SQLITE_FULL';
}

/** True when the bytes of the file are not what SQLite wrote. */
export function isDamage(cause: unknown): boolean {
  return /^SQLITE_(CORRUPT|NOTADB)/.test(codeOf(cause)) || cause instanceof Corrupt;
}

/** SQLite's error as one of ours; anything else is handed back as it is. */
export function asOurs(cause: unknown, doing: string): unknown {
  const code = codeOf(cause);
  if (isDiskFull(cause))
    return new Full('disk_full', `${doing}: the disk is full; free space, nothing accepted is lost`, cause);
  if (isDamage(cause)) return new Corrupt('outbox_corrupt', `${doing}: the file is damaged`, cause);
  if (/^SQLITE_(BUSY|LOCKED)/.test(code))
    return new Unavailable(
      'outbox_in_use',
      `${doing}: another process holds the file; stop the other agent first`,
      cause,
    );
  if (/^SQLITE_(IOERR|CANTOPEN|READONLY)/.test(code))
    return new Unavailable('disk_error', `${doing}: the disk answered with an error (${code})`, cause);
  return cause;
}
