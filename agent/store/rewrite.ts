/** Beside the outbox: a file from before deleted rows were overwritten is written anew once, so that nothing of them stays readable. */
import type Database from 'better-sqlite3';
import { isDamage } from './schema.ts';

/** In the file's header, where SQLite keeps a program's own number: whatever was deleted in it has been overwritten. */
const OVERWRITTEN = 0x6576_7231;

/** Undefined where nothing is left of deleted rows; else why the file could not be written anew, which the next start tries again. */
export function rewriteOnce(database: Database.Database): string | undefined {
  if (database.pragma('application_id', { simple: true }) === OVERWRITTEN) return undefined;
  try {
    const tables = database.prepare<[], number>('select count(*) from sqlite_master').pluck().get();
    if (tables) {
      database.exec('vacuum');
      // What the log still holds of the old pages goes with it.
      database.pragma('wal_checkpoint(TRUNCATE)');
    }
    database.pragma(`application_id = ${OVERWRITTEN}`);
    return undefined;
  } catch (error) {
    // Above all a full disk: it takes as much room again. The agent watches all the same.
    if (isDamage(error)) throw error;
    return error instanceof Error ? error.message : String(error);
  }
}
