/** SQLite driver of the cloud store: one writer connection, one reader connection, WAL, synchronous=FULL. */
import { dirname } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { Bug, Corrupt, EvalroomError, Full, InvalidInput, Unavailable } from '../../protocol/errors.ts';
import { makeFolder } from '../folder.ts';
import { rewriteOnce } from './rewrite.ts';
import type { InsertMany, Param, Reader, Sql, Tx, Value } from './sql.ts';

type Connection = Database.Database;

/** Opens (and creates) the file. `note` is told in words what takes its time. Throws Corrupt for a file that is no database, Unavailable when it cannot be opened. */
export function openSqlite(path: string, note: (words: string) => void = () => {}): Sql {
  let writer: Connection;
  let reader: Connection;
  try {
    makeFolder(dirname(path), 'store of cloud.yaml');
    // Opening may wait; a transaction may not, since SQLite waits with the whole thread (see `beginIn`).
    writer = new Database(path, { timeout: 5000 });
    writer.pragma('journal_mode = WAL');
    writer.pragma('synchronous = FULL');
    writer.pragma('foreign_keys = ON');
    writer.pragma('busy_timeout = 0');
    // What is taken out for its age must not stay readable in the file's free pages.
    writer.pragma('secure_delete = ON');
    rewriteOnce(writer, note);
    reader = new Database(path, { timeout: 5000 });
    reader.pragma('query_only = ON');
  } catch (cause) {
    throw kindOf(cause, `opening the store ${path}`);
  }
  const write = serially();
  const read = serially();
  const writing = connectionTx(writer);
  const reading = connectionTx(reader);
  return {
    dialect: 'sqlite',
    write: (work) => write(() => within(writer, 'begin immediate', () => work(writing))),
    read: (work) => read(() => within(reader, 'begin', () => work(reading))),
    async script(_tx, sql) {
      writer.exec(sql);
    },
    // A file tells nobody: the feed looks by itself once a second.
    watchFeed: () => async () => undefined,
    async close() {
      // Queue behind what is running: closing in the middle of a transaction would lose it without a word.
      await Promise.all([write(async () => writer.close()), read(async () => reader.close())]);
    },
  };
}

async function within<T>(connection: Connection, begin: string, work: () => Promise<T>): Promise<T> {
  if (!connection.open) throw new Unavailable('store_closed', 'using the store after it was closed');
  try {
    await beginIn(connection, begin);
    try {
      const result = await work();
      connection.exec('commit');
      return result;
    } finally {
      if (connection.inTransaction) connection.exec('rollback');
    }
  } catch (cause) {
    throw kindOf(cause, 'running a transaction of the store');
  }
}

const BUSY_TRIES = 500;

/** Waits for another process's transaction without holding up this thread: at most about 5 s. */
async function beginIn(connection: Connection, begin: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      connection.exec(begin);
      return;
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'SQLITE_BUSY' || attempt >= BUSY_TRIES) throw error;
    }
    await wait(10);
  }
}

/** One after the other: transactions on one connection must not interleave at their awaits. */
function serially(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const next = last.then(work);
    last = next.catch(() => undefined);
    return next;
  };
}

function connectionTx(connection: Connection): Tx & Reader {
  const cache = new Map<string, Database.Statement>();
  const prepare = (sql: string) => {
    const known = cache.get(sql);
    if (known) return known;
    const statement = connection.prepare(sql.replaceAll(/\$(\d+)/g, '?$1'));
    cache.set(sql, statement);
    if (cache.size > 500) throw new Bug('statement_cache', 'preparing SQL: statements are built from values');
    return statement;
  };
  const bind = (params: readonly Param[]): Record<string, Value> =>
    Object.fromEntries(
      params.map((value, i) => [String(i + 1), Array.isArray(value) ? JSON.stringify(value) : (value as Value)]),
    );
  return {
    dialect: 'sqlite',
    forUpdate: '',
    among: (column, index) => `${column} in (select value from json_each($${index}))`,
    async all<R>(sql: string, ...params: Param[]) {
      const statement = prepare(sql);
      const args = params.length === 0 ? [] : [bind(params)];
      if (statement.reader) return statement.all(...args) as R[];
      statement.run(...args);
      return [];
    },
    async insertMany<R>(insert: InsertMany) {
      const names = Object.keys(insert.columns);
      const statement = prepare(
        `insert into ${insert.table} (${names.join(', ')}) values (${names.map((_, i) => `$${i + 1}`).join(', ')}) ${
          insert.conflict ?? ''
        }${insert.returning ? ` returning ${insert.returning}` : ''}`,
      );
      const found: R[] = [];
      for (const row of insert.rows) {
        if (statement.reader) found.push(...(statement.all(bind(row)) as R[]));
        else statement.run(bind(row));
      }
      return found;
    },
  };
}

/** SQLite's result codes as our kinds: what to retry, what to stop at, what the row itself is to blame for. */
function kindOf(cause: unknown, doing: string): Error {
  if (cause instanceof EvalroomError) return cause;
  const code = (cause as { code?: unknown }).code;
  const text = `${doing}: ${cause instanceof Error ? cause.message : String(cause)}`;
  // A TypeError and its like are our own faults and travel as they are; the rest is the file system speaking.
  if (typeof code !== 'string') return cause as Error;
  if (!code.startsWith('SQLITE_')) return new Unavailable('store_unavailable', text, cause);
  if (code.startsWith('SQLITE_FULL')) return new Full('disk_full', `${text}: free disk space`, cause);
  if (code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB')
    return new Corrupt('store_corrupt', `${text}: keep the file, restore a backup beside it`, cause);
  if (code.startsWith('SQLITE_CONSTRAINT') || code === 'SQLITE_MISMATCH' || code === 'SQLITE_TOOBIG')
    return new InvalidInput('row_refused', text, cause);
  if (code === 'SQLITE_ERROR') return new Bug('store_sql', text, cause);
  return new Unavailable('store_unavailable', text, cause);
}
