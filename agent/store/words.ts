/** Beside the outbox: words in events that wait for the cloud longer than the days of their class are taken out; the events stay. */
import type { Database } from 'better-sqlite3';
import type { DraftEvent } from '../../protocol/event.ts';
import type { Clock, Instant } from '../../protocol/time.ts';
import { daysOf, shortestDays, type WordDays, withoutWords, wordsIn } from '../../protocol/words.ts';
import { eventCrc, isIntact } from './schema.ts';

const DAY_MS = 86_400_000;
/** Rows of one look: the thread that reads them decides as well. */
const SLICE = 500;

/** The event without its words, where their time is over; undefined: nothing is to be done. */
export function withoutOldWords<T extends DraftEvent>(event: T, days: WordDays, now: Instant): T | undefined {
  const { body, at } = event;
  const wordClass = body.kind === 'episode' ? wordsIn(body) : undefined;
  const afterDays = wordClass && daysOf(days, wordClass);
  if (body.kind !== 'episode' || afterDays === undefined) return undefined;
  // Over a restart only the wall clock tells the age, and one that is in doubt tells nothing.
  const age =
    at.bootId === now.bootId
      ? now.monoMs - at.monoMs
      : at.clock === 'sure' && now.clock === 'sure'
        ? now.wallMs - at.wallMs
        : 0;
  if (age < afterDays * DAY_MS) return undefined;
  return { ...event, body: withoutWords(body, { afterDays, wallMs: now.wallMs, by: 'box' }) };
}

/**
 * One look at some rows, beginning where the last one ended: `needed` runs what must work on a full disk. The event keeps its
 * name and place, so that the cloud knows it whichever of the two it gets. Returns how many lost their words.
 */
export function createWordsLook(
  database: Database,
  clock: Pick<Clock, 'now'>,
  needed: <T>(doing: string, change: () => T) => T,
): (days: WordDays) => number {
  const read = database.prepare(
    'select key, event_id as eventId, crc, json from event where key > ? order by key limit ?',
  );
  const write = database.prepare('update event set json = cast(? as text), crc = ? where key = ?');
  const dropDamaged = database.prepare('delete from damaged where found_wall_ms < ?');
  let after = 0;
  let removed = 0;

  return (days) => {
    const shortest = shortestDays(days);
    if (shortest === undefined) return 0;
    const now = clock.now();
    const rows = read.all(after, SLICE) as { key: number; eventId: string; crc: number; json: string }[];
    const changed = rows.flatMap(({ key, eventId, crc, json }) => {
      // Most events are about no words; a damaged one is set aside when its turn to be sent comes.
      if (!/"speech_|"transcript"/.test(json) || !isIntact(eventId, json, crc)) return [];
      const event = withoutOldWords(JSON.parse(json) as DraftEvent, days, now);
      return event ? [{ key, eventId, bytes: Buffer.from(JSON.stringify(event)) }] : [];
    });
    if (changed.length > 0)
      needed('Taking words out of waiting events', () =>
        database.transaction(() => {
          for (const { key, eventId, bytes } of changed) write.run(bytes, eventCrc(eventId, bytes), key);
        })(),
      );
    removed += changed.length;
    after = rows.length < SLICE ? 0 : rows.at(-1)!.key;
    if (after === 0) {
      let dropped = 0;
      if (now.clock === 'sure')
        needed('Dropping damaged events', () => {
          dropped = dropDamaged.run(now.wallMs - shortest * DAY_MS).changes;
        });
      // What was overwritten still stands in the log until it is written back.
      if (removed + dropped > 0) needed('Writing the log back', () => database.pragma('wal_checkpoint(TRUNCATE)'));
      removed = 0;
    }
    return changed.length;
  };
}
