/** Beside migrations.ts: the step that lets spoken words leave events that otherwise never change. */

export const WORDS = `
-- Which stored events hold spoken words, and of which class (protocol/words.ts); the row goes when the words do.
create table event_words (
  event_id text primary key,
  word_class text not null,
  stream_id text not null,
  seq {int} not null,
  stored_wall_ms {int} not null,
  episode_id text not null
);
create index event_words_due on event_words (word_class, stored_wall_ms);

-- When somebody looked whether words of any class stand in there, and took them out. Null: nobody yet.
alter table rejected add column words_looked {int};
create index rejected_words on rejected (stored_wall_ms) where words_looked is null;
alter table clip_files add column words_looked {int};
create index clip_files_words on clip_files (stored_wall_ms) where words_looked is null and name = 'overlay.json';`;

/** Of older rows every event about words counts: what has none is found out when its time comes. */
const HOLDS_WORDS = (behaviour: string, transcript: string) => `
insert into event_words
  select event_id, case when ${behaviour} in ('speech_prohibited', 'speech_suggestive', 'speech_tendentious', 'speech_irrelevant', 'speech_fee')
    then substr(${behaviour}, 8) else 'other' end, stream_id, seq, stored_wall_ms, episode_id
  from events where kind = 'episode' and (${behaviour} like 'speech%' or ${transcript} is not null);`;

export const WORDS_SQLITE = `
${HOLDS_WORDS("json_extract(json, '$.body.behaviour')", "json_extract(json, '$.body.transcript')")}
-- An event changes in one way only: what was said leaves it, and it says so.
drop trigger events_no_update;
create trigger events_no_update before update on events when not (
  new.stream_id is old.stream_id and new.seq is old.seq and new.event_id is old.event_id and new.room_id is old.room_id
  and new.kind is old.kind and new.episode_id is old.episode_id and new.wall_ms is old.wall_ms
  and new.stored_wall_ms is old.stored_wall_ms
  and json_extract(new.json, '$.body.wordsRemoved.by') is 'cloud' and json_extract(new.json, '$.body.transcript') is null
  and json_remove(new.json, '$.body.transcript', '$.body.sentence', '$.body.wordsRemoved')
    is json_remove(old.json, '$.body.transcript', '$.body.sentence', '$.body.wordsRemoved')
) begin select raise(abort, 'events are immutable'); end;`;

export const WORDS_POSTGRES = `
${HOLDS_WORDS("json::json #>> '{body,behaviour}'", "json::json #>> '{body,transcript}'")}
-- An event changes in one way only: what was said leaves it, and it says so.
create function refuse_all_but_words() returns trigger language plpgsql as $$
begin
  if (new.stream_id, new.seq, new.event_id, new.room_id, new.kind, new.episode_id, new.wall_ms, new.stored_wall_ms)
      is distinct from (old.stream_id, old.seq, old.event_id, old.room_id, old.kind, old.episode_id, old.wall_ms, old.stored_wall_ms)
    or new.json::jsonb #>> '{body,wordsRemoved,by}' is distinct from 'cloud'
    or new.json::jsonb #>> '{body,transcript}' is not null
    or new.json::jsonb #- '{body,transcript}' #- '{body,sentence}' #- '{body,wordsRemoved}'
      is distinct from old.json::jsonb #- '{body,transcript}' #- '{body,sentence}' #- '{body,wordsRemoved}'
  then raise exception 'rows of % are never changed', tg_table_name using errcode = '23514';
  end if;
  return new;
end $$;
drop trigger events_no_update on events;
create trigger events_no_update before update on events for each row execute function refuse_all_but_words();`;
