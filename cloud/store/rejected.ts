/** What can never be stored is kept here with its reason, so that nothing blocks a stream and nothing vanishes. */
import { createHash } from 'node:crypto';
import type { Reader, Tx } from './sql.ts';
import type { Refusals } from './store.ts';

const REJECTED = {
  rejected_id: 'text',
  room_id: 'text',
  stream_id: 'text',
  seq: 'int',
  occupies: 'int',
  code: 'text',
  reason: 'text',
  payload: 'text',
  stored_wall_ms: 'int',
} as const;

/** `occupies`: it stands for its seq, which is acked past. */
export interface RejectedRow {
  readonly roomId: string;
  readonly streamId: string | null;
  readonly seq: number | null;
  readonly occupies: boolean;
  readonly code: string;
  readonly reason: string;
  readonly payload: string;
}

/** Rows per room that do not stand for a seq: enough to see what is wrong, too few for one device to fill a disk with. */
const KEPT_PER_ROOM = 5000;

/** Keeps what was refused. The id is made of the content: a resend of the same bytes is the same row. */
export async function insertRejected(tx: Tx, all: readonly RejectedRow[], storedWallMs: number): Promise<void> {
  const rows = all.filter(({ occupies }) => occupies);
  for (const [roomId, loose] of Map.groupBy(
    all.filter(({ occupies }) => !occupies),
    (row) => row.roomId,
  )) {
    const counts = await tx.all<{ n: number }>(
      'select count(*) as n from rejected where room_id = $1 and occupies = 0',
      roomId,
    );
    rows.push(...loose.slice(0, Math.max(0, KEPT_PER_ROOM - (counts[0]?.n ?? 0))));
  }
  if (rows.length === 0) return;
  await tx.insertMany({
    table: 'rejected',
    columns: REJECTED,
    conflict: 'on conflict do nothing',
    rows: rows.map((row) => [
      createHash('sha256').update(JSON.stringify(row)).digest('hex'),
      row.roomId,
      row.streamId,
      row.seq,
      row.occupies ? 1 : 0,
      row.code,
      row.reason,
      row.payload,
      storedWallMs,
    ]),
  });
}

/** See Store.rejections. */
export async function readRejected(reader: Reader, limit: number): Promise<Refusals['rows']> {
  const rows = await reader.all<{
    room_id: string;
    stream_id: string | null;
    seq: number | null;
    code: string;
    reason: string;
    payload: string;
    stored_wall_ms: number;
  }>(
    `select room_id, stream_id, seq, code, reason, payload, stored_wall_ms from rejected
     order by stored_wall_ms desc, rejected_id limit $1`,
    limit,
  );
  return rows.map(({ room_id: roomId, stream_id: streamId, stored_wall_ms: storedWallMs, ...row }) => ({
    roomId,
    streamId,
    storedWallMs,
    ...row,
  }));
}

/** See Store.refusals. */
export async function readRefusals(reader: Reader, limit: number): Promise<Refusals> {
  const counts = await reader.all<{ total: number; quarantined: number }>(
    `select (select count(*) from rejected) as total,
       (select count(*) from streams where quarantined is not null) as quarantined`,
  );
  return { rows: await readRejected(reader, limit), ...counts[0]! };
}
