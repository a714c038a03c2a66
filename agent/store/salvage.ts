/** Beside the outbox: what a damaged outbox file still holds goes back into the room's outbox, under the names it had. */
import { randomUUID } from 'node:crypto';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { InvalidInput } from '../../protocol/errors.ts';
import type { DraftEvent } from '../../protocol/event.ts';
import { draftJson } from '../../protocol/schema.ts';
import { LANES, laneOf } from '../../protocol/stream.ts';
import type { Clock } from '../../protocol/time.ts';
import { createBallast } from './ballast.ts';
import { type Carved, carve, isLog } from './carve.ts';
import { openFile } from './open.ts';
import { asOurs, eventCrc, isIntact, KEYS_PER_STREAM } from './schema.ts';

export interface Salvage {
  /** Intact events that the cloud has not acked, in the order in which they were accepted. */
  readonly events: readonly { readonly eventId: string; readonly draft: DraftEvent }[];
  /** Intact, and deleted after the cloud's ack: not brought back. */
  readonly acked: number;
  /** Intact bytes that are no event of this version. */
  readonly unfit: number;
  /** False where it could not be read which events the cloud has: then all are brought, and the cloud refuses what it has. */
  readonly ackedKnown: boolean;
}

export interface Brought {
  /** Events that wait for the cloud again, in streams of their own. */
  readonly brought: number;
  /** The outbox had them already. */
  readonly there: number;
}

/**
 * Reads `path` and the log beside it (`-wal`), or a log alone, byte by byte and, as far as SQLite can, as a database.
 * Nothing is written.
 * Throws InvalidInput `salvage_file` where there is no such file.
 */
export function readSalvage(path: string): Salvage {
  const read = (file: string) => (existsSync(file) ? readFileSync(file) : Buffer.alloc(0));
  if (!existsSync(path)) throw new InvalidInput('salvage_file', `salvaging ${path}: there is no such file`);
  const bytes = read(path);
  const log = isLog(bytes);
  const asDatabase = log ? { streams: undefined, events: [] } : readAsDatabase(path);
  const carved = log ? carve(Buffer.alloc(0), bytes) : carve(bytes, read(`${path}-wal`));
  const all = new Map<string, Carved>();
  for (const event of [...carved.values(), ...asDatabase.events]) all.set(event.eventId, event);
  const kept = new Set(asDatabase.events.map(({ eventId }) => eventId));
  const { streams } = asDatabase;
  const known = Math.max(0, ...(streams?.keys() ?? []));
  // What SQLite still has as a row of a stream was not acked, whatever the stream's own row says by now.
  const lowest = new Map<number, number>();
  for (const { key = 0 } of asDatabase.events) {
    const [number, seq] = placeOf(key);
    lowest.set(number, Math.min(lowest.get(number) ?? Number.POSITIVE_INFINITY, seq));
  }
  const isAcked = ({ eventId, key }: Carved): boolean => {
    if (kept.has(eventId) || streams === undefined || key === undefined) return false;
    const [number, seq] = placeOf(key);
    // A stream that has gone is drained. One with a number beyond all is a damaged key: rather once too often.
    return (
      number <= known && seq < (lowest.get(number) ?? Number.POSITIVE_INFINITY) && seq <= (streams.get(number) ?? seq)
    );
  };
  const order = (a: Carved, b: Carved) => a.taken - b.taken || (a.key ?? 0) - (b.key ?? 0);
  const waiting = [...all.values()].filter((event) => !isAcked(event)).sort(order);
  const events = waiting.flatMap(({ eventId, json }) => {
    const draft = parse(json);
    return draft ? [{ eventId, draft }] : [];
  });
  return {
    events,
    acked: all.size - waiting.length,
    unfit: waiting.length - events.length,
    ackedKnown: streams !== undefined,
  };
}

/**
 * Adds events to the outbox at `path`, in one transaction, in new streams that drain as any other. Throws Unavailable
 * `outbox_in_use` while an agent has it open, Full `disk_full`.
 */
export function bringBack(path: string, { events }: Pick<Salvage, 'events'>, clock: Clock): Brought {
  const ballast = createBallast({ path: `${path}-ballast`, bytes: 0 });
  const { database } = openFile(path, clock, ballast);
  try {
    const ids = new Set(database.prepare('select event_id from event').pluck().all() as string[]);
    const fresh = events.filter(({ eventId }) => !ids.has(eventId));
    const insertStream = database.prepare('insert into stream (stream_id, lane, opened_wall_ms) values (?, ?, ?)');
    const insertEvent = database.prepare('insert into event (key, event_id, crc, json) values (?, ?, ?, ?)');
    database.transaction(() => {
      for (const lane of LANES) {
        const mine = fresh.filter(({ draft }) => laneOf(draft.body) === lane);
        if (mine.length === 0) continue;
        const { lastInsertRowid } = insertStream.run(`s-${randomUUID()}`, lane, clock.wallMs());
        for (const [index, { eventId, draft }] of mine.entries()) {
          const json = JSON.stringify(draft);
          insertEvent.run(
            Number(lastInsertRowid) * KEYS_PER_STREAM + index + 1,
            eventId,
            eventCrc(eventId, json),
            json,
          );
        }
      }
    })();
    return { brought: fresh.length, there: events.length - fresh.length };
  } catch (error) {
    throw asOurs(error, `Bringing ${events.length} events back into ${path}`);
  } finally {
    database.close();
  }
}

function placeOf(key: number): readonly [number: number, seq: number] {
  const number = Math.floor(key / KEYS_PER_STREAM);
  return [number, key - number * KEYS_PER_STREAM];
}

function parse(json: string): DraftEvent | undefined {
  try {
    const { at, body } = JSON.parse(json) as DraftEvent;
    return draftJson({ at, body }).ok ? { at, body } : undefined;
  } catch {
    return undefined;
  }
}

interface AsDatabase {
  /** Highest acked seq by number of the stream; undefined where the table cannot be read. */
  readonly streams: ReadonlyMap<number, number> | undefined;
  readonly events: readonly Carved[];
}

/** As far as SQLite gets with a copy of the file: it would repair, and thereby change, the file itself. */
function readAsDatabase(path: string): AsDatabase {
  const folder = mkdtempSync(join(tmpdir(), 'evalroom-salvage-'));
  const copy = join(folder, 'outbox.db');
  let database: Database.Database | undefined;
  try {
    for (const suffix of ['', '-wal']) if (existsSync(path + suffix)) copyFileSync(path + suffix, copy + suffix);
    database = new Database(copy);
    const open = database;
    const streams = attempt(() => {
      const rows = open.prepare('select number, through from stream').raw().all() as [number, number][];
      return rows.every((row) => row.every(Number.isSafeInteger)) ? new Map(rows) : undefined;
    });
    const events: Carved[] = [];
    // Row by row: what comes before the first bad page counts.
    attempt(() => {
      const format2 = Number(open.pragma('user_version', { simple: true })) >= 2;
      const rows = open
        .prepare(`select key, event_id as eventId, crc, json, ${format2 ? 'taken' : '0 as taken'} from event`)
        .iterate() as Iterable<Carved & { readonly crc: number }>;
      for (const { key, eventId, crc, json, taken } of rows)
        if (typeof json === 'string' && typeof eventId === 'string' && isIntact(eventId, json, crc))
          events.push({ key, eventId, json, taken });
    });
    return { streams, events };
  } catch {
    return { streams: undefined, events: [] };
  } finally {
    database?.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Undefined where the damage is in the way. */
function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
