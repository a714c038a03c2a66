/** Versioned schema of the cloud store, one text for both databases; migrate.ts runs each step once, in order. */
import { DAYS_POSTGRES, DAYS_SQLITE } from './days.ts';
import { WORDS, WORDS_POSTGRES, WORDS_SQLITE } from './words-schema.ts';

/** One step; a store knows which it has had. */
export interface Migration {
  readonly version: number;
  readonly name: string;
  /** `{int}` becomes integer or bigint. All times are milliseconds since the epoch, UTC. */
  readonly sql: string;
  readonly sqlite?: string;
  readonly postgres?: string;
}

/** Oldest first. */
export const MIGRATIONS: readonly Migration[] = [
  {
    version: 1,
    name: 'streams, events and the feed',
    sql: `
-- One row: names this store, so that a cursor of another one is recognised; keys sign grants.
create table store_identity (only_row {int} primary key check (only_row = 1), store_id text not null, grant_key text not null);

-- One row per incarnation of an outbox and lane. through: everything up to it is stored or rejected for good and in the
-- feed. highest: highest seq ever taken in. hole_wall_ms: since when something beyond through waits for what is missing.
create table streams (
  stream_id text primary key,
  room_id text not null,
  lane text not null,
  through {int} not null,
  highest {int} not null,
  quarantined text,
  hole_wall_ms {int},
  opened_wall_ms {int} not null,
  heard_wall_ms {int} not null
);
create index streams_room on streams (room_id);

-- Immutable facts. json is the RoomEvent exactly as decided in the room; the other columns repeat parts of it for search.
create table events (
  stream_id text not null,
  seq {int} not null,
  event_id text not null unique,
  room_id text not null,
  kind text not null,
  episode_id text,
  wall_ms {int} not null,
  stored_wall_ms {int} not null,
  json text not null,
  primary key (stream_id, seq)
);
create index events_episode on events (episode_id) where episode_id is not null;

-- What can never be stored, with the reason. occupies = 1: it stands for (stream_id, seq), which is acked past.
create table rejected (
  rejected_id text primary key,
  room_id text not null,
  stream_id text,
  seq {int},
  occupies {int} not null,
  code text not null,
  reason text not null,
  payload text not null,
  stored_wall_ms {int} not null
);
create index rejected_slot on rejected (stream_id, seq);
create index rejected_room on rejected (room_id, occupies);

-- The feed: what became visible, in the order of commits. pos has no holes, because feed_head is locked from the moment
-- a pos is given until the commit; a reader that sees pos n therefore sees all before it. kind events: a stream's
-- through moved over from_seq..to_seq (at most 50). kind action, clip: ref is the action's id or clip id + file name.
create table feed_head (only_row {int} primary key check (only_row = 1), pos {int} not null);
insert into feed_head values (1, 0);
create table feed (
  pos {int} primary key,
  kind text not null,
  stream_id text,
  from_seq {int},
  to_seq {int},
  ref text,
  stored_wall_ms {int} not null
);`,
  },
  {
    version: 2,
    name: 'alerts, actions and clips',
    sql: `
-- Fold of the visible events and the actions of one episode, in feed order. view is the AlertView without its clips.
create table alerts (
  episode_id text primary key,
  room_id text not null,
  state text not null,
  last_stored_wall_ms {int} not null,
  view text not null
);
create index alerts_state on alerts (state, last_stored_wall_ms);
create index alerts_room on alerts (room_id, last_stored_wall_ms);

create table actions (
  action_id text primary key,
  episode_id text not null,
  kind text not null,
  user_id text not null,
  user_name text not null,
  wall_ms {int} not null,
  note text
);
create index actions_episode on actions (episode_id);

-- Announced by a stored clip event; manifest is the ClipManifest.
create table clips (
  clip_id text primary key,
  episode_id text not null,
  room_id text not null,
  manifest text not null,
  announced_wall_ms {int} not null
);
create index clips_episode on clips (episode_id);

-- Files that have arrived, whose bytes had this hash and are on disk for good.
create table clip_files (
  clip_id text not null references clips (clip_id),
  name text not null,
  sha256 text not null,
  bytes {int} not null,
  stored_wall_ms {int} not null,
  primary key (clip_id, name)
);`,
  },
  {
    version: 3,
    name: 'people, devices and the append-only log',
    sql: `
-- password: scrypt$N$r$p$salt$hash
create table users (
  user_id text primary key,
  name text not null unique,
  role text not null,
  password text not null,
  added_wall_ms {int} not null
);
-- session_id is the SHA-256 of the cookie's value, which is kept nowhere.
create table sessions (
  session_id text primary key,
  user_id text not null references users (user_id),
  begun_wall_ms {int} not null,
  expires_wall_ms {int} not null
);
-- token_id is the SHA-256 of the token.
create table tokens (
  token_id text primary key,
  purpose text not null,
  expires_wall_ms {int} not null,
  used_wall_ms {int}
);
-- secret_hash in the broker's own format ($7$iterations$salt$hash), so that one hash serves MQTT and HTTP.
create table devices (
  device_id text primary key,
  room_id text not null,
  secret_hash text not null,
  added_wall_ms {int} not null,
  revoked_wall_ms {int}
);

-- hash = SHA-256 over the previous hash and this row; log_head holds the last one, so that a cut tail is noticed too.
create table log (
  seq {int} primary key,
  wall_ms {int} not null,
  actor text not null,
  action text not null,
  object text not null,
  hash text not null
);
create table log_head (only_row {int} primary key check (only_row = 1), seq {int} not null, hash text not null);
insert into log_head values (1, 0, '');
create index log_object on log (action, object);`,
    sqlite: `
create trigger log_no_update before update on log begin select raise(abort, 'the log is append-only'); end;
create trigger log_no_delete before delete on log begin select raise(abort, 'the log is append-only'); end;
create trigger events_no_update before update on events begin select raise(abort, 'events are immutable'); end;`,
    postgres: `
create function refuse_change() returns trigger language plpgsql as
  $$ begin raise exception 'rows of % are never changed', tg_table_name using errcode = '23514'; end $$;
create trigger log_no_change before update or delete on log for each row execute function refuse_change();
create trigger log_no_truncate before truncate on log for each statement execute function refuse_change();
create trigger events_no_update before update on events for each row execute function refuse_change();`,
  },
  {
    version: 4,
    name: 'identity of devices',
    sql: `
-- code_id is the SHA-256 of a one-time code for exactly this device and room.
create table enrol_codes (
  code_id text primary key,
  device_id text not null,
  room_id text not null,
  expires_wall_ms {int} not null,
  used_wall_ms {int}
);

-- Every certificate ever issued to a device; the revoked ones make the revocation list until they expire.
create table certificates (
  serial text primary key,
  device_id text not null,
  room_id text not null,
  fingerprint text not null,
  issued_wall_ms {int} not null,
  not_after_wall_ms {int} not null,
  revoked_wall_ms {int},
  reason text
);
create index certificates_device on certificates (device_id);
create index certificates_expiry on certificates (not_after_wall_ms);`,
  },
  {
    version: 5,
    name: 'events by day',
    sql: `
-- Between which wall times the events of a row of the feed were stored: the days to look in. Null in older rows.
alter table feed add column from_stored_wall_ms {int};
alter table feed add column to_stored_wall_ms {int};`,
    sqlite: DAYS_SQLITE,
    postgres: DAYS_POSTGRES,
  },
  {
    version: 6,
    name: 'since when something hides',
    sql: `
-- Lowest stored_wall_ms of the stream's events beyond through, so that only their days are searched. Null: not known.
alter table streams add column hidden_wall_ms {int};`,
  },
  {
    version: 7,
    name: 'rule packs',
    sql: `
-- Versions of rule packs, never changed. summary: RuleVersion; travelling: the signed RulePackOrder with all files.
create table rule_versions (
  name text not null,
  version text not null,
  made_wall_ms {int} not null,
  summary text not null,
  travelling text not null,
  primary key (name, version)
);

-- Where versions were published, never changed; the highest n that covers a room counts. kind: all, centre, room.
-- name and version null: the rooms' own files count again.
create table rule_placements (
  n {int} primary key,
  kind text not null,
  place text not null,
  name text,
  version text,
  placed_wall_ms {int} not null,
  placed_by text not null
);
create index rule_placements_place on rule_placements (kind, place, n);`,
    sqlite: `
create trigger rule_versions_no_update before update on rule_versions begin select raise(abort, 'versions are immutable'); end;
create trigger rule_versions_no_delete before delete on rule_versions begin select raise(abort, 'versions are immutable'); end;
create trigger rule_placements_no_update before update on rule_placements begin select raise(abort, 'placements are immutable'); end;
create trigger rule_placements_no_delete before delete on rule_placements begin select raise(abort, 'placements are immutable'); end;`,
    postgres: `
create trigger rule_versions_no_change before update or delete on rule_versions for each row execute function refuse_change();
create trigger rule_placements_no_change before update or delete on rule_placements for each row execute function refuse_change();`,
  },
  {
    version: 8,
    name: 'orders of rooms and their evaluations',
    sql: `
-- What the cloud wants of a room; each part is JSON, null where the box's own files count.
create table room_orders (
  room_id text primary key,
  revision {int} not null,
  session text,
  rule_pack text,
  layout text,
  ordered_wall_ms {int} not null
);

-- One evaluation in one room; at most one of a room is open. json: title, project, roster, bidders, phase, permits.
create table evaluations (
  session_id text primary key,
  room_id text not null,
  begun_wall_ms {int} not null,
  ended_wall_ms {int},
  json text not null
);
create unique index evaluations_open on evaluations (room_id) where ended_wall_ms is null;
create index evaluations_room on evaluations (room_id, begun_wall_ms);

-- Its history: who changed the phase, gave a permit or took one back, and when. Never changed.
create table evaluation_steps (
  session_id text not null references evaluations (session_id),
  n {int} not null,
  wall_ms {int} not null,
  actor text not null,
  json text not null,
  primary key (session_id, n)
);`,
  },
  {
    version: 9,
    name: 'people who are invited, and those who may not come in any more',
    sql: `
-- An invited person has the password '', which no password matches.
alter table users add column disabled_wall_ms {int};
alter table users add column last_login_wall_ms {int};
-- Whose link the token is, where it is one for a password.
alter table tokens add column user_id text;
create index tokens_user on tokens (user_id) where user_id is not null;`,
  },
  {
    version: 10,
    name: 'which event a stream has reached',
    sql: `
-- eventId at through, for the ack. Null: nothing yet, or not known.
alter table streams add column through_event_id text;`,
  },
  {
    version: 11,
    name: 'by which events a stream has come there',
    sql: `
-- CRC-32 of the eventIds of seq 1 to through, for the ack. Null beyond seq 0: not known, and so for ever.
alter table streams add column through_chain {int};`,
  },
  {
    version: 12,
    name: 'alerts of an evaluation, the clock that retention believes, and what is searched by time',
    sql: `
-- Repeats the view's sessionId. Null: it belongs to no evaluation.
alter table alerts add column session_id text;
create index alerts_session on alerts (session_id, last_stored_wall_ms) where session_id is not null;
create index alerts_stored on alerts (last_stored_wall_ms);
create index evaluations_begun on evaluations (begun_wall_ms);
create index rejected_stored on rejected (stored_wall_ms);
create index clip_files_sha256 on clip_files (sha256);
create index streams_quarantined on streams (stream_id) where quarantined is not null;

-- One row at most: what the wall clock said when retention looked last, and how long it still has to run evenly before
-- anything leaves on its word. Kept here, so that no restart makes a doubtful clock a good one.
create table retention_clock (only_row {int} primary key check (only_row = 1), wall_ms {int} not null, doubt_ms {int} not null);`,
    sqlite: `
update alerts set session_id = json_extract(view, '$.sessionId');`,
    postgres: `
update alerts set session_id = view::json ->> 'sessionId';`,
  },
  {
    version: 13,
    name: 'spoken words, which leave before their events',
    sql: WORDS,
    sqlite: WORDS_SQLITE,
    postgres: WORDS_POSTGRES,
  },
  {
    version: 14,
    name: 'places of rule packs in order',
    sql: `
-- kind: all, province, centre, room; the narrowest place that covers a room counts. way: 'own' (name and version count there;
-- where they are null the rooms' own files do), 'follow' (it has nothing of its own: the next wider place counts), or
-- 'newest': placed before places had an order; of those the highest n that covers a room has a say, and no other.
alter table rule_placements add column way text not null default 'newest';`,
  },
];
