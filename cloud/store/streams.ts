/** The row of each stream: who owns it and how far it is stored; locked first in every ingest transaction. */
import { PROTOCOL_VERSION } from '../../protocol/stream.ts';
import type { RejectedRow } from './rejected.ts';
import type { Reader, Tx } from './sql.ts';
import type { Delivery, IngestOutcome } from './store.ts';

/** A room opens two streams per start of its agent; beyond this number it is not an agent that is starting. */
const STREAMS_PER_ROOM = 20_000;

export interface StreamRow {
  readonly streamId: string;
  readonly roomId: string;
  readonly lane: string;
  through: number;
  /** The event at `through`; undefined where it is not known. */
  throughEventId: string | undefined;
  /** CRC-32 of the eventIds of seq 1 to `through`; undefined where one of them is not known. */
  chain: number | undefined;
  highest: number;
  quarantined: string | undefined;
  /** It was in quarantine before this transaction. */
  readonly wasQuarantined: boolean;
  holeWallMs: number | undefined;
  /** Lowest stored wall time of what lies beyond `through`: from which day on it has to be looked for. */
  hiddenWallMs: number | undefined;
  readonly openedWallMs: number;
  readonly heardWallMs: number;
  /** When it was heard of before this transaction. */
  readonly lastWallMs: number;
}

const COLUMNS = {
  stream_id: 'text',
  room_id: 'text',
  lane: 'text',
  through: 'int',
  through_event_id: 'text',
  through_chain: 'int',
  highest: 'int',
  quarantined: 'text',
  hole_wall_ms: 'int',
  hidden_wall_ms: 'int',
  opened_wall_ms: 'int',
  heard_wall_ms: 'int',
} as const;
const NAMES = Object.keys(COLUMNS).join(', ');

/**
 * Locks (and opens) the streams of the deliveries in the order of their ids, so that two workers cannot wait for each
 * other. Deliveries from a room or lane that does not own the stream are answered here and take part no further.
 */
export async function lockStreams(
  tx: Tx,
  deliveries: readonly Delivery[],
  wallMs: number,
): Promise<{
  readonly rows: ReadonlyMap<string, StreamRow>;
  readonly refused: { readonly acks: IngestOutcome['acks']; readonly rejected: readonly RejectedRow[] };
}> {
  const wanted = new Map<string, Delivery>();
  for (const delivery of deliveries) if (!wanted.has(delivery.streamId)) wanted.set(delivery.streamId, delivery);
  const ids = [...wanted.keys()].sort();
  const rows = new Map<string, StreamRow>();
  const load = async (some: readonly string[]) => {
    const found = await tx.all<Record<keyof typeof COLUMNS, never>>(
      `select ${NAMES} from streams where ${tx.among('stream_id', 1)} order by stream_id${tx.forUpdate}`,
      some,
    );
    for (const row of found)
      rows.set(row.stream_id, {
        streamId: row.stream_id,
        roomId: row.room_id,
        lane: row.lane,
        through: row.through,
        throughEventId: row.through_event_id ?? undefined,
        chain: row.through === 0 ? 0 : (row.through_chain ?? undefined),
        highest: row.highest,
        quarantined: row.quarantined ?? undefined,
        wasQuarantined: row.quarantined !== null,
        holeWallMs: row.hole_wall_ms ?? undefined,
        hiddenWallMs: row.hidden_wall_ms ?? undefined,
        openedWallMs: row.opened_wall_ms,
        heardWallMs: wallMs,
        lastWallMs: row.heard_wall_ms,
      });
  };
  await load(ids);

  const unknown = ids.filter((id) => !rows.has(id)).map((id) => wanted.get(id)!);
  const full = new Set<string>();
  if (unknown.length > 0) {
    const rooms = [...new Set(unknown.map(({ roomId }) => roomId))];
    const counts = await tx.all<{ room_id: string; n: number }>(
      `select room_id, count(*) as n from streams where ${tx.among('room_id', 1)} group by room_id`,
      rooms,
    );
    for (const { room_id: roomId, n } of counts) if (n >= STREAMS_PER_ROOM) full.add(roomId);
    const opened = unknown.filter(({ roomId }) => !full.has(roomId));
    await tx.insertMany({
      table: 'streams',
      columns: COLUMNS,
      conflict: 'on conflict do nothing',
      rows: opened.map(({ streamId, roomId, lane }) => [
        streamId,
        roomId,
        lane,
        0,
        null,
        0,
        0,
        null,
        null,
        null,
        wallMs,
        wallMs,
      ]),
    });
    if (opened.length > 0) await load(opened.map(({ streamId }) => streamId));
  }

  const acks: { roomId: string; ack: IngestOutcome['acks'][number]['ack'] }[] = [];
  const rejected: RejectedRow[] = [];
  for (const delivery of deliveries) {
    const { roomId, streamId, lane } = delivery;
    const row = rows.get(streamId);
    const code = !row
      ? 'too_many_streams'
      : row.roomId !== roomId
        ? 'stream_of_other_room'
        : row.lane !== lane
          ? 'stream_of_other_lane'
          : undefined;
    if (code === undefined) continue;
    // Answered on the asker's own ack topic only; the stream's owner is not touched.
    acks.push({ roomId, ack: { v: PROTOCOL_VERSION, streamId, through: 0, quarantined: code } });
    rejected.push({
      roomId,
      streamId,
      seq: delivery.good[0]?.seq ?? delivery.bad[0]?.seq ?? null,
      occupies: false,
      code,
      reason: `${delivery.good.length + delivery.bad.length} events refused: ${code}`,
      payload: '',
    });
  }
  return { rows, refused: { acks, rejected } };
}

/** Writes the rows back; they exist and are locked, so the conflict is always taken. */
export async function saveStreams(tx: Tx, rows: readonly StreamRow[]): Promise<void> {
  await tx.insertMany({
    table: 'streams',
    columns: COLUMNS,
    conflict: `on conflict (stream_id) do update set through = excluded.through,
      through_event_id = excluded.through_event_id, through_chain = excluded.through_chain, highest = excluded.highest,
      quarantined = excluded.quarantined, hole_wall_ms = excluded.hole_wall_ms,
      hidden_wall_ms = excluded.hidden_wall_ms, heard_wall_ms = excluded.heard_wall_ms`,
    rows: rows.map((row) => [
      row.streamId,
      row.roomId,
      row.lane,
      row.through,
      row.throughEventId ?? null,
      row.chain ?? null,
      row.highest,
      row.quarantined ?? null,
      row.holeWallMs ?? null,
      row.hiddenWallMs ?? null,
      row.openedWallMs,
      row.heardWallMs,
    ]),
  });
}

/** See Store.reached. */
export async function readReached(reader: Reader, streamIds: readonly string[]): Promise<ReadonlyMap<string, number>> {
  if (streamIds.length === 0) return new Map();
  const rows = await reader.all<{ stream_id: string; through: number; quarantined: string | null }>(
    `select stream_id, through, quarantined from streams where ${reader.among('stream_id', 1)}`,
    streamIds,
  );
  return new Map(rows.map((row) => [row.stream_id, row.quarantined === null ? row.through : Number.POSITIVE_INFINITY]));
}
