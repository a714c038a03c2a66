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
