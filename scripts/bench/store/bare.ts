/** What the benchmarks measure the product against: the same rows in the plainest statement that a database offers. */
import pg from 'pg';
import type { RoomEvent } from '../../../protocol/event.ts';

const ROWS = 500;
const COLUMNS = {
  stream_id: 'text',
  seq: 'bigint',
  event_id: 'text',
  room_id: 'text',
  kind: 'text',
  episode_id: 'text',
  wall_ms: 'bigint',
  stored_wall_ms: 'bigint',
  json: 'text',
} as const;

export interface BareTable {
  /** Milliseconds for these rows: an idempotent `unnest` insert, 500 rows a statement and commit, one connection. */
  insert(rows: readonly BareRow[]): Promise<number>;
  close(): Promise<void>;
}

/** A row of the product's table, made beforehand: the bare insert knows nothing of events. */
export type BareRow = readonly (string | number | null)[];

export const bareRow = (event: RoomEvent): BareRow => [
  event.streamId,
  event.seq,
  event.eventId,
  event.roomId,
  event.body.kind,
  'episodeId' in event.body ? event.body.episodeId : null,
  event.at.wallMs,
  event.at.wallMs,
  JSON.stringify(event),
];

/** One plain table, as anybody would write it. */
export async function openBareTable(url: string): Promise<BareTable> {
  const client = new pg.Client(url);
  await client.connect();
  const names = Object.keys(COLUMNS);
  await client.query(
    `create table bare (${Object.entries(COLUMNS)
      .map(([name, type]) => `${name} ${type}`)
      .join(', ')}, primary key (stream_id, seq), unique (event_id))`,
  );
  const casts = Object.values(COLUMNS).map((type, i) => `$${i + 1}::${type}[]`);
  const statement = `insert into bare (${names.join(', ')}) select * from unnest(${casts.join(', ')}) on conflict do nothing`;
  return {
    async insert(rows) {
      const begun = performance.now();
      for (let from = 0; from < rows.length; from += ROWS) {
        const some = rows.slice(from, from + ROWS);
        await client.query(
          statement,
          names.map((_, i) => some.map((row) => row[i])),
        );
      }
      return performance.now() - begun;
    },
    close: () => client.end(),
  };
}

/** Rows of the product's own table, and the delays in ms from an event's own time to its row, for the given database. */
export async function storedRows(url: string): Promise<{ readonly stored: number; readonly delaysMs: number[] }> {
  const client = new pg.Client(url);
  await client.connect();
  const { rows } = await client.query<{ delay: string }>('select stored_wall_ms - wall_ms as delay from events');
  await client.end();
  return { stored: rows.length, delaysMs: rows.map(({ delay }) => Number(delay)) };
}
