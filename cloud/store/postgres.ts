/** PostgreSQL driver of the cloud store (15 and later): a small pool, int8 as numbers, unnest for many rows. */
import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';
import { Bug, Corrupt, EvalroomError, Full, InvalidInput, Unavailable } from '../../protocol/errors.ts';
import { binaryArray } from './arrays.ts';
import { FEED_CHANNEL } from './feed.ts';
import type { InsertMany, Param, Sql, Tx } from './sql.ts';

const ARRAY = { text: 'text[]', int: 'bigint[]', json: 'text[]' } as const;
const DEADLOCK_TRIES = 5;

/** int8 arrives as text by default; all of ours are exact as numbers, and one that is not is a broken invariant. */
function int8(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new Bug('int8_range', `reading an int8 beyond exact numbers: ${text}`);
  return value;
}

const types: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    oid === pg.types.builtins.INT8 ? int8 : pg.types.getTypeParser(oid, format as 'text')) as never,
};

/** Connects lazily; `write` and `read` throw Unavailable while the server does not answer. `url` as postgres://… */
export function openPostgres(url: string, maxConnections = 8): Sql {
  const pool = new pg.Pool({
    connectionString: url,
    max: maxConnections,
    types,
    application_name: 'evalroom-cloud',
    connectionTimeoutMillis: 5000,
    // Every time is an int8 of milliseconds; the zone is fixed so that no default of the server can matter.
    options: '-c timezone=UTC -c statement_timeout=60000 -c idle_in_transaction_session_timeout=60000',
  });
  const nameOf = statementNames();
  // A connection that the server cuts reports here, idle, lent or already given back: the pool replaces it, and whoever
  // holds it sees its next statement reject. Without a listener Node would end the process.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));

  async function within<T>(begin: string, work: (tx: Tx) => Promise<T>): Promise<T> {
    let client: pg.PoolClient;
    try {
      client = await pool.connect();
    } catch (cause) {
      throw kindOf(cause, 'connecting to PostgreSQL');
    }
    let broken: Error | undefined;
    // A connection that dies between two statements reports here; the statement that follows rejects.
    const onError = (error: Error) => {
      broken = error;
    };
    client.on('error', onError);
    try {
      await client.query(begin);
      const result = await work(clientTx(client, nameOf));
      await client.query('commit');
      return result;
    } catch (cause) {
      await client.query('rollback').catch((error: Error) => {
        broken = error;
      });
      throw kindOf(cause, 'running a transaction of the store');
    } finally {
      client.off('error', onError);
      client.release(broken);
    }
  }

  return {
    dialect: 'postgres',
    async write(work) {
      for (let attempt = 1; ; attempt++) {
        try {
          return await within('begin', work);
        } catch (error) {
          if (!(error instanceof Unavailable && error.code === 'store_deadlock') || attempt >= DEADLOCK_TRIES)
            throw error;
        }
      }
    },
    read: (work) => within('begin isolation level repeatable read read only', work),
    async script(tx, sql) {
      await tx.all(sql);
    },
    watchFeed: (heard) => watchFeed(url, heard),
    close: () => pool.end(),
  };
}

const WATCH_AGAIN_MS = 1000;

/**
 * A connection of its own that waits for what commits tell. PostgreSQL delivers with the commit itself, so a worker that
 * dies right after it has still told. While the connection is away nothing is heard; `heard` is called when it is back.
 */
function watchFeed(url: string, heard: () => void): () => Promise<void> {
  const stop = new AbortController();
  const watching = (async () => {
    while (!stop.signal.aborted) {
      const client = new pg.Client({ connectionString: url, application_name: 'evalroom-cloud', keepAlive: true });
      await new Promise<void>((resolve) => {
        client.on('error', () => resolve());
        client.on('end', () => resolve());
        client.on('notification', heard);
        stop.signal.addEventListener('abort', () => resolve(), { once: true });
        client
          .connect()
          .then(() => client.query(`listen ${FEED_CHANNEL}`))
          .then(heard, () => resolve());
      });
      await client.end().catch(() => undefined);
      if (!stop.signal.aborted) await wait(WATCH_AGAIN_MS, undefined, { signal: stop.signal }).catch(() => undefined);
    }
  })();
  return async () => {
    stop.abort();
    await watching;
  };
}

/** Statements beyond this number are built from values, which none of ours may be. */
const STATEMENTS_MAX = 500;

/**
 * A name for each text: the server then parses it once for each connection, and plans it once where that serves all. Any
 * process may name its own, since names belong to a connection.
 */
function statementNames(): (sql: string) => string {
  const names = new Map<string, string>();
  return (sql) => {
    const known = names.get(sql);
    if (known !== undefined) return known;
    if (names.size >= STATEMENTS_MAX)
      throw new Bug('statement_cache', 'preparing SQL: statements are built from values');
    const name = `s${names.size + 1}`;
    names.set(sql, name);
    return name;
  };
}

function clientTx(client: pg.PoolClient, nameOf: (sql: string) => string): Tx {
  return {
    dialect: 'postgres',
    forUpdate: ' for update',
    among: (column, index) => `${column} = any($${index})`,
    async all<R>(sql: string, ...params: Param[]) {
      // A script of several statements must go without parameters (simple protocol).
      const result =
        params.length === 0
          ? await client.query(sql)
          : await client.query({ name: nameOf(sql), text: sql, values: params as unknown[] });
      return (result.rows ?? []) as R[];
    },
    async insertMany<R>(insert: InsertMany) {
      if (insert.rows.length === 0) return [];
      const names = Object.keys(insert.columns);
      const casts = names.map((name, i) => `$${i + 1}::${ARRAY[insert.columns[name]!]}`).join(', ');
      const arrays = names.map((name, i) => binaryArray(insert.columns[name]!, insert.rows, i));
      const text = `insert into ${insert.table} (${names.join(', ')}) select * from unnest(${casts}) ${insert.conflict ?? ''}${
        insert.returning ? ` returning ${insert.returning}` : ''
      }`;
      const result = await client.query({ name: nameOf(text), text, values: arrays });
      return result.rows as R[];
    },
  };
}

/** SQLSTATE classes as our kinds. */
function kindOf(cause: unknown, doing: string): Error {
  if (cause instanceof EvalroomError) return cause;
  const state = (cause as { code?: unknown }).code;
  const text = `${doing}: ${cause instanceof Error ? cause.message : String(cause)}`;
  if (typeof state !== 'string') {
    // The driver reports a lost connection as a plain Error; our own faults are TypeErrors and the like.
    if (cause instanceof TypeError || cause instanceof RangeError || cause instanceof ReferenceError) return cause;
    return new Unavailable('store_unavailable', text, cause);
  }
  if (state === '40001' || state === '40P01') return new Unavailable('store_deadlock', text, cause);
  // Names of statements belong to a connection: a pooler that hands it on between transactions mixes them up.
  if (state === '42P05' || state === '26000')
    return new Unavailable('store_pooler', `${text}: a pooler before the database must pool by session`, cause);
  // Not the row's fault: the table of its day is not there (any more). It must never become a refused row.
  if (state === '23514' && (cause as { routine?: unknown }).routine === 'ExecFindPartition')
    return new Unavailable('store_no_day', text, cause);
  if (state === '53100' || state === '53200')
    return new Full('disk_full', `${text}: free space on the database`, cause);
  if (state === 'XX001' || state === 'XX002') return new Corrupt('store_corrupt', text, cause);
  if (state.startsWith('22') || state.startsWith('23') || state === '54000')
    return new InvalidInput('row_refused', text, cause);
  if (state.startsWith('42')) return new Bug('store_sql', text, cause);
  return new Unavailable('store_unavailable', text, cause);
}
