/** Beside the outbox: its streams as rows, and what earlier openings have left of them. */
import type { Database } from 'better-sqlite3';
import type { Lane } from '../../protocol/stream.ts';
import { KEYS_PER_STREAM } from './schema.ts';

/** A stream as the outbox holds it in memory. */
export interface StreamRow {
  readonly number: number;
  readonly streamId: string;
  readonly lane: Lane;
  lastSeq: number;
  through: number;
  /** See AckedStream for these. */
  chain: number | null;
  offered: number;
  readonly left: boolean;
}

/** Of earlier openings, oldest first: may be acked up to what they accepted, since how far they had sent is not known. */
export function readLeft(database: Database): Omit<StreamRow, 'left'>[] {
  return database
    .prepare<[], Omit<StreamRow, 'left'>>(
      `select number, stream_id as streamId, lane, through, chain, lastSeq, 0 as offered from (
         select *, coalesce((select max(key) from event where key between number * ${KEYS_PER_STREAM} + 1
           and (number + 1) * ${KEYS_PER_STREAM} - 1) - number * ${KEYS_PER_STREAM}, through) as lastSeq from stream)
       order by number`,
    )
    .all();
}
