/** What can never be stored is kept here with its reason, so that nothing blocks a stream and nothing vanishes. */
import { createHash } from 'node:crypto';
import type { Tx } from './sql.ts';

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

/** Keeps what was refused. The id is made of the content: a resend of the same bytes is the same row. */
export async function insertRejected(tx: Tx, rows: readonly RejectedRow[], storedWallMs: number): Promise<void> {
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
