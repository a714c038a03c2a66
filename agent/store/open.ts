/** Beside the outbox: opens its file under lock, checks it, and replaces a damaged one without losing its bytes. */
import { closeSync, copyFileSync, existsSync, fsyncSync, openSync, renameSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import type { Logger } from 'pino';
import { Corrupt, Full, InvalidInput } from '../../protocol/errors.ts';
import type { Clock } from '../../protocol/time.ts';
import { makeFolder } from '../folder.ts';
import type { Ballast } from './ballast.ts';
import type { Opening } from './outbox.ts';
import { rewriteOnce } from './rewrite.ts';
import { asOurs, isDamage, isDiskFull, migrate } from './schema.ts';
import { framesLost } from './wal.ts';

/** The folder of a file, made where it is missing. Throws InvalidInput `data_folder`, Full `disk_full`. */
export function makeFolderOf(path: string): void {
  const folder = dirname(path);
  try {
    makeFolder(folder);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === 'ENOSPC' || code === 'EDQUOT')
      throw new Full('disk_full', `making the data folder ${folder}: the disk is full; free space`, cause);
    throw new InvalidInput(
      'data_folder',
      `making the data folder ${folder}: ${message}; data in room.yaml must name a folder that this user may make and write`,
      cause,
    );
  }
}

/** Throws Unavailable `outbox_in_use`, InvalidInput `outbox_newer`, Full `disk_full`, or Unavailable `disk_error`. */
export function openFile(
  path: string,
  clock: Clock,
  ballast: Ballast,
  log?: Logger,
): { database: Database.Database; opening: Opening } {
  const existed = existsSync(path);
  const aside = `damaged-${Math.round(clock.wallMs())}`;
  try {
    const lost = framesLost(`${path}-wal`);
    const keptAs = `${path}-wal.${aside}`;
    if (lost > 0) copyFileSync(`${path}-wal`, keptAs);
    const database = openChecked(path, log);
    if (lost > 0)
      return { database, opening: { kind: 'shortened', keptAs, reason: `${lost} frames of its log cannot be read` } };
    return { database, opening: { kind: existed ? 'existing' : 'new' } };
  } catch (error) {
    if (isDiskFull(error) && ballast.release()) return openFile(path, clock, ballast, log);
    if (!isDamage(error)) throw asOurs(error, `Opening ${path}`);
    const keptAs = `${path}.${aside}`;
    for (const suffix of ['', '-wal', '-shm'])
      if (existsSync(path + suffix)) renameSync(path + suffix, keptAs + suffix);
    const folder = openSync(dirname(path), 'r');
    fsyncSync(folder);
    closeSync(folder);
    const reason = error instanceof Error ? error.message : String(error);
    return { database: openChecked(path, log), opening: { kind: 'replaced', keptAs, reason } };
  }
}

function openChecked(path: string, log: Logger | undefined): Database.Database {
  const database = new Database(path, { timeout: 200 });
  try {
    // Takes effect in a new file only. Without it a file that once held a long backlog would never shrink.
    database.pragma('auto_vacuum = INCREMENTAL');
    // Before WAL: the lock is then taken at once and for good, and no shared memory file is needed.
    database.pragma('locking_mode = EXCLUSIVE');
    database.pragma('journal_mode = WAL');
    database.pragma('synchronous = FULL');
    database.pragma('journal_size_limit = 4194304');
    // What the cloud has acked must not stay readable in the file's free pages: some of it is what people said.
    database.pragma('secure_delete = ON');
    const found = database.pragma('quick_check(1)', { simple: true });
    if (found !== 'ok') throw new Corrupt('outbox_corrupt', `Checking ${path}: ${String(found)}`);
    // Before the tables of a new file are made: that one has deleted nothing yet.
    const unclear = rewriteOnce(database);
    migrate(database);
    if (unclear !== undefined)
      log?.warn(
        { path, reason: unclear },
        'deleted rows may be readable in the outbox until a later start writes it anew',
      );
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}
