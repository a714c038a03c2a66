/** Beside the outbox: reads what it still holds without touching it, also while an agent has it open. */
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { Unavailable } from '../../protocol/errors.ts';
import type { DraftEvent } from '../../protocol/event.ts';
import { isIntact } from './schema.ts';

const TRIES = 8;
/** Bytes of a write-ahead log's header: its salts change whenever the log begins anew. */
const HEADER = 32;

/**
 * Events that were accepted and are not acked, in order of acceptance; what was acked lies in the cloud alone. None where
 * there is no outbox. Reads a copy: the agent holds the file for itself. Throws Unavailable `outbox_busy`.
 */
export function storedEvents(path: string): DraftEvent[] {
  if (!existsSync(path)) return [];
  const folder = mkdtempSync(join(tmpdir(), 'evalroom-look-'));
  try {
    const copy = join(folder, 'outbox.db');
    for (let tries = 0; tries < TRIES; tries++) {
      const before = headOf(`${path}-wal`);
      copyFileSync(path, copy);
      rmSync(`${copy}-wal`, { force: true });
      if (existsSync(`${path}-wal`)) copyFileSync(`${path}-wal`, `${copy}-wal`);
      // The log was written back and begun anew meanwhile: the two copies are not of one moment.
      if (headOf(`${path}-wal`) !== before) continue;
      const events = readCopy(copy);
      if (events) return events;
    }
    throw new Unavailable('outbox_busy', `reading ${path}: it is written to all the time; try again`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function headOf(path: string): string {
  try {
    return readFileSync(path).subarray(0, HEADER).toString('hex');
  } catch {
    return '';
  }
}

/** Undefined where the copy is not whole. What is damaged on the disk itself is left out, as the outbox would set it aside. */
function readCopy(path: string): DraftEvent[] | undefined {
  const database = new Database(path);
  try {
    if (database.pragma('quick_check(1)', { simple: true }) !== 'ok') return undefined;
    // Keys say nothing of the order over all streams; a file that no agent of this version has opened has nothing else.
    const counted = Number(database.pragma('user_version', { simple: true })) >= 2;
    const rows = database
      .prepare<[], { eventId: string; crc: number; json: string }>(
        `select event_id as eventId, crc, json from event order by ${counted ? 'taken, ' : ''}key`,
      )
      .all();
    return rows
      .filter(({ eventId, crc, json }) => isIntact(eventId, json, crc))
      .map(({ json }) => JSON.parse(json) as DraftEvent);
  } catch (error) {
    if (error instanceof Database.SqliteError) return undefined;
    throw error;
  } finally {
    database.close();
  }
}
