/** The append-only log in the database: each entry's hash covers the one before it. */
import { createHash } from 'node:crypto';
import { Bug } from '../../protocol/errors.ts';
import type { LogEntryView } from '../http/api.ts';
import type { Reader, Tx } from './sql.ts';
import type { LogEntry } from './store.ts';

interface LogRow {
  readonly seq: number;
  readonly wall_ms: number;
  readonly actor: string;
  readonly action: string;
  readonly object: string;
  readonly hash: string;
}

const COLUMNS = 'seq, wall_ms, actor, action, object, hash';
const PAGE = 1000;

/** SHA-256 over the previous hash and every column, as JSON so that no two rows can read alike. */
export function chainHash(previous: string, row: Omit<LogRow, 'hash'>): string {
  return createHash('sha256')
    .update(JSON.stringify([previous, row.seq, row.wall_ms, row.actor, row.action, row.object]))
    .digest('hex');
}

/** Appends inside the caller's transaction: what is done and the entry about it commit together or not at all. */
export async function appendLog(tx: Tx, entry: LogEntry): Promise<void> {
  const heads = await tx.all<{ seq: number; hash: string }>(`select seq, hash from log_head${tx.forUpdate}`);
  const head = heads[0];
  if (!head) throw new Bug('log_head', 'appending to the log: its head row is missing');
  const row = {
    seq: head.seq + 1,
    wall_ms: Math.round(entry.wallMs),
    actor: entry.actor,
    action: entry.action,
    object: entry.object,
  };
  const hash = chainHash(head.hash, row);
  await tx.all(
    `insert into log (${COLUMNS}) values ($1, $2, $3, $4, $5, $6)`,
    row.seq,
    row.wall_ms,
    row.actor,
    row.action,
    row.object,
    hash,
  );
  await tx.all('update log_head set seq = $1, hash = $2', row.seq, hash);
}

/** Newest first. */
export async function readLog(reader: Reader, beforeSeq: number, limit: number): Promise<LogEntryView[]> {
  const rows = await reader.all<LogRow>(
    `select ${COLUMNS} from log where seq < $1 order by seq desc limit $2`,
    beforeSeq,
    limit,
  );
  return rows.map(({ wall_ms: wallMs, ...row }) => ({ ...row, wallMs }));
}

/**
 * False when a row was changed, removed, added from outside, or the tail was cut. In slices, each a transaction of its own: a
 * log of years is read beside the live alerts, not instead of them.
 */
export async function verifyChain(read: <T>(work: (reader: Reader) => Promise<T>) => Promise<T>): Promise<boolean> {
  let [seq, hash] = [0, ''];
  for (;;) {
    const found = await read(async (reader) => {
      const rows = await reader.all<LogRow>(
        `select ${COLUMNS} from log where seq > $1 order by seq limit $2`,
        seq,
        PAGE,
      );
      for (const row of rows) {
        if (row.seq !== seq + 1 || row.hash !== chainHash(hash, row)) return false;
        [seq, hash] = [row.seq, row.hash];
      }
      if (rows.length === PAGE) return undefined;
      // On the same snapshot as the last rows: what is appended meanwhile is in both or in neither.
      const heads = await reader.all<{ seq: number; hash: string }>('select seq, hash from log_head');
      return heads[0]?.seq === seq && heads[0].hash === hash;
    });
    if (found !== undefined) return found;
    // SQLite answers within the turn: others get theirs.
    await new Promise((resolve) => setImmediate(resolve));
  }
}
