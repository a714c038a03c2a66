/** Retention of spoken words: when the time of their class is over they leave events, alerts and refused payloads; all else stays. */
import { BEHAVIOURS, type RoomEvent, type WordsRemoved } from '../../protocol/event.ts';
import {
  ANY_WORD_CLASSES,
  type AnyWordClass,
  daysOf,
  shortestDays,
  type WordDays,
  withoutWords,
  wordlessSentence,
  wordsIn,
} from '../../protocol/words.ts';
import { loadFolds, saveFolds } from './alerts.ts';
import type { Placed } from './events.ts';
import { lockFeed } from './feed.ts';
import type { Reader, Sql, Tx } from './sql.ts';

const DAY_MS = 86_400_000;
/** Events of one transaction, which holds the feed's head: the ingest waits no longer than for one of its own. */
const EVENTS_SLICE = 50;
const REFUSED_SLICE = 100;

/** What a round has taken words out of. */
export interface WordsGone {
  readonly events: Readonly<Partial<Record<AnyWordClass, number>>>;
  readonly alerts: number;
  readonly refused: number;
}

/** An overlay of a clip, whose captions may hold words of any class. */
export interface OverlayFile {
  readonly clipId: string;
  /** Of the file as it lies there, and as the box announced it. */
  readonly sha256: string;
  readonly announcedSha256: string | undefined;
  readonly bytes: number;
  readonly storedWallMs: number;
}

const COLUMNS = {
  event_id: 'text',
  word_class: 'text',
  stream_id: 'text',
  seq: 'int',
  stored_wall_ms: 'int',
  episode_id: 'text',
} as const;

/** Remembers which of the events just written hold words; one that moved is remembered at its new place. */
export async function rememberWords(tx: Tx, placed: readonly Placed[], storedWallMs: number): Promise<void> {
  const rows = placed.flatMap(({ event: { body, eventId, seq }, streamId }) => {
    const wordClass = body.kind === 'episode' ? wordsIn(body) : undefined;
    return wordClass && body.kind === 'episode'
      ? [[eventId, wordClass, streamId, seq, storedWallMs, body.episodeId]]
      : [];
  });
  if (rows.length === 0) return;
  await tx.insertMany({
    table: 'event_words',
    columns: COLUMNS,
    conflict: `on conflict (event_id) do update set word_class = excluded.word_class, stream_id = excluded.stream_id,
      seq = excluded.seq, stored_wall_ms = excluded.stored_wall_ms, episode_id = excluded.episode_id`,
    rows,
  });
}

/** The events themselves have gone. */
export async function forgetWords(tx: Tx, eventIds: readonly string[]): Promise<void> {
  if (eventIds.length > 0) await tx.all(`delete from event_words where ${tx.among('event_id', 1)}`, eventIds);
}

/** See Store.removeWords. */
export async function removeWords(sql: Sql, days: WordDays, wallMs: number): Promise<WordsGone> {
  const events: Partial<Record<AnyWordClass, number>> = {};
  let alerts = 0;
  for (const wordClass of ANY_WORD_CLASSES) {
    const afterDays = daysOf(days, wordClass);
    if (afterDays === undefined) continue;
    const wantedWallMs = wallMs - afterDays * DAY_MS;
    const beforeWallMs = await sql.read((reader) => bound(reader, wordClass, wantedWallMs));
    if (beforeWallMs === undefined) continue;
    const which: Due = { wordClass, wantedWallMs, beforeWallMs };
    const removed: WordsRemoved = { afterDays, wallMs, by: 'cloud' };
    for (;;) {
      const gone = await sql.write((tx) => emptyEvents(tx, which, removed));
      if (gone.looked === 0) break;
      events[wordClass] = (events[wordClass] ?? 0) + gone.events;
      alerts += gone.alerts;
    }
  }
  return { events, alerts, refused: await emptyAllRefused(sql, days, wallMs) };
}

/** Where an episode has an alert: closed, nothing new since, and nobody did anything about it since. */
const judged = (episodeId: string, before: string) => `not exists (
  select 1 from alerts a where a.episode_id = ${episodeId} and (a.state <> 'closed' or a.last_stored_wall_ms >= ${before}
    or exists (select 1 from actions x where x.episode_id = a.episode_id and x.wall_ms >= ${before})))`;

/** Stored before `beforeWallMs`, and since `wantedWallMs` nothing was stored or done about it. */
interface Due {
  readonly wordClass: AnyWordClass;
  readonly wantedWallMs: number;
  readonly beforeWallMs: number;
}

const due = (what: string) => `select ${what} from event_words w
  join streams s on s.stream_id = w.stream_id and w.seq <= s.through
  where w.word_class = $1 and w.stored_wall_ms < $2 and ${judged('w.episode_id', '$3')}
  order by w.stored_wall_ms, w.event_id`;

/** At most a day's worth of one class at once: a wrong clock is then seen before it has cost much. Undefined: nothing is due. */
async function bound(reader: Reader, wordClass: AnyWordClass, wantedWallMs: number): Promise<number | undefined> {
  const rows = await reader.all<{ at: number }>(
    `${due('w.stored_wall_ms as at')} limit 1`,
    wordClass,
    wantedWallMs,
    wantedWallMs,
  );
  return rows[0] && Math.min(wantedWallMs, rows[0].at + DAY_MS);
}

async function emptyEvents(
  tx: Tx,
  { wordClass, wantedWallMs, beforeWallMs }: Due,
  removed: WordsRemoved,
): Promise<{ looked: number; events: number; alerts: number }> {
  // Positions, folds and judgements change under this lock only: what is due now is still due at the commit.
  await lockFeed(tx);
  const rows = await tx.all<{ event_id: string; stream_id: string; seq: number; stored_wall_ms: number }>(
    `delete from event_words where event_id in (${due('w.event_id')} limit $4)
     returning event_id, stream_id, seq, stored_wall_ms`,
    wordClass,
    beforeWallMs,
    wantedWallMs,
    EVENTS_SLICE,
  );
  const spoken = new Set<string>();
  let events = 0;
  for (const { stream_id, seq, stored_wall_ms } of rows) {
    const place = 'stream_id = $1 and seq = $2 and stored_wall_ms = $3';
    const found = await tx.all<{ json: string }>(
      `select json from events where ${place}`,
      stream_id,
      seq,
      stored_wall_ms,
    );
    const event = found[0] && (JSON.parse(found[0].json) as RoomEvent);
    if (event?.body.kind !== 'episode' || !wordsIn(event.body)) continue;
    const json = JSON.stringify({ ...event, body: withoutWords(event.body, removed) });
    await tx.all(`update events set json = $4 where ${place}`, stream_id, seq, stored_wall_ms, json);
    spoken.add(event.body.episodeId);
    events++;
  }
  const folds = [...(await loadFolds(tx, [...spoken])).values()].flatMap((fold) => {
    // Of any speech: what its newest event said was said with these words.
    const sentence = wordlessSentence(fold, removed);
    return fold.behaviour.startsWith('speech_') && fold.sentence.zh !== sentence.zh ? [{ ...fold, sentence }] : [];
  });
  await saveFolds(tx, folds);
  return { looked: rows.length, events, alerts: folds.length };
}

/** Refused payloads can be anything; what may hold words goes with the class that goes first, all but its name and place. */
async function emptyAllRefused(sql: Sql, days: WordDays, wallMs: number): Promise<number> {
  const afterDays = shortestDays(days);
  if (afterDays === undefined) return 0;
  const wanted = wallMs - afterDays * DAY_MS;
  const from = `from rejected r left join streams s on s.stream_id = r.stream_id
    where r.words_looked is null and r.stored_wall_ms < $1 and (r.occupies = 0 or r.seq <= s.through)
    order by r.stored_wall_ms`;
  const oldest = await sql.read((reader) =>
    reader.all<{ at: number }>(`select r.stored_wall_ms as at ${from} limit 1`, wanted),
  );
  if (!oldest[0]) return 0;
  const beforeWallMs = Math.min(wanted, oldest[0].at + DAY_MS);
  let emptied = 0;
  for (;;) {
    const looked = await sql.write(async (tx) => {
      const rows = await tx.all<{ rejected_id: string; payload: string }>(
        `select r.rejected_id, r.payload ${from} limit $2`,
        beforeWallMs,
        REFUSED_SLICE,
      );
      for (const { rejected_id, payload } of rows) {
        const left = payloadWithoutWords(payload, { afterDays, wallMs, by: 'cloud' });
        if (left !== payload) emptied++;
        const change = 'update rejected set payload = $2, words_looked = $3 where rejected_id = $1';
        await tx.all(change, rejected_id, left, wallMs);
      }
      return rows.length;
    });
    if (looked === 0) return emptied;
  }
}

/** As it is, where it is an event that holds no words; else its name and place alone. */
export function payloadWithoutWords(payload: string, wordsRemoved: WordsRemoved): string {
  let json: unknown;
  try {
    json = JSON.parse(payload);
  } catch {
    return JSON.stringify({ wordsRemoved });
  }
  const { eventId, streamId, seq, body } = (json ?? {}) as Partial<Record<keyof RoomEvent, unknown>>;
  const { kind, behaviour } = (body ?? {}) as { kind?: unknown; behaviour?: unknown };
  const silent =
    ['boot', 'gap', 'clip'].includes(String(kind)) ||
    (kind === 'episode' && BEHAVIOURS.some((name) => name === behaviour && !name.startsWith('speech_')));
  if (silent && !payload.includes('"transcript"')) return payload;
  const short = (value: unknown) => (typeof value === 'string' ? { value: value.slice(0, 64) } : undefined);
  return JSON.stringify({
    ...(short(eventId) ? { eventId: short(eventId)!.value } : {}),
    ...(short(streamId) ? { streamId: short(streamId)!.value } : {}),
    ...(typeof seq === 'number' ? { seq } : {}),
    wordsRemoved,
  });
}

/** See Store.overlays. */
export async function readOverlays(
  reader: Reader,
  { beforeWallMs, after, limit }: { beforeWallMs: number; after?: OverlayFile; limit: number },
): Promise<OverlayFile[]> {
  const rows = await reader.all<{
    clip_id: string;
    sha256: string;
    bytes: number;
    stored_wall_ms: number;
    manifest: string;
  }>(
    `select f.clip_id, f.sha256, f.bytes, f.stored_wall_ms, c.manifest from clip_files f
     join clips c on c.clip_id = f.clip_id
     where f.name = 'overlay.json' and f.words_looked is null and f.stored_wall_ms < $1
       and (f.stored_wall_ms > $2 or (f.stored_wall_ms = $2 and f.clip_id > $3)) and ${judged('c.episode_id', '$1')}
     order by f.stored_wall_ms, f.clip_id limit $4`,
    beforeWallMs,
    after?.storedWallMs ?? Number.MIN_SAFE_INTEGER,
    after?.clipId ?? '',
    limit,
  );
  return rows.map(({ clip_id: clipId, sha256, bytes, stored_wall_ms: storedWallMs, manifest }) => ({
    clipId,
    sha256,
    bytes,
    storedWallMs,
    announcedSha256: (JSON.parse(manifest) as { files: { name: string; sha256: string }[] }).files.find(
      ({ name }) => name === 'overlay.json',
    )?.sha256,
  }));
}

/** See Store.overlayEmptied. */
export async function replaceOverlay(
  tx: Tx,
  { clipId, sha256 }: Pick<OverlayFile, 'clipId' | 'sha256'>,
  by: { readonly sha256: string; readonly bytes: number },
): Promise<void> {
  const change = `update clip_files set sha256 = $3, bytes = $4 where clip_id = $1 and name = 'overlay.json' and sha256 = $2`;
  await tx.all(change, clipId, sha256, by.sha256, by.bytes);
}

/** See Store.overlayLooked. */
export async function markOverlay(tx: Tx, clipId: string, wallMs: number): Promise<void> {
  await tx.all(
    `update clip_files set words_looked = $2 where clip_id = $1 and name = 'overlay.json'`,
    clipId,
    Math.round(wallMs),
  );
}
