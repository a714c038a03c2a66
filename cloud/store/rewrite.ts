/** Beside the store in SQLite: a file from before deleted rows were overwritten is written anew once, so that nothing of them stays readable. */
import type Database from 'better-sqlite3';

/** In the file's header, where SQLite keeps a program's own number: whatever was deleted in it has been overwritten. */
const OVERWRITTEN = 0x6576_7231;

/**
 * To be called once `secure_delete` is on. Takes as long as copying the file, and as much room again; `note` is told before
 * and after. What cannot be done is noted and tried again at the next start; throws only what SQLite says of a damaged file.
 */
export function rewriteOnce(database: Database.Database, note: (words: string) => void): void {
  if (database.pragma('application_id', { simple: true }) === OVERWRITTEN) return;
  try {
    const tables = database.prepare<[], number>('select count(*) from sqlite_master').pluck().get();
    if (tables) {
      note('writing the store anew, once, so that nothing of deleted rows stays readable in its file');
      database.exec('vacuum');
      // What the log still holds of the old pages goes with it.
      database.pragma('wal_checkpoint(TRUNCATE)');
      note('the store has been written anew');
    }
    database.pragma(`application_id = ${OVERWRITTEN}`);
  } catch (error) {
    const code = String((error as { code?: unknown }).code);
    if (/^SQLITE_(CORRUPT|NOTADB)/.test(code)) throw error;
    note(
      `writing the store anew: ${(error as Error).message}; deleted rows may be readable in its file until a later start succeeds`,
    );
  }
}
