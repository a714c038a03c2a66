/** The rows of events: how they are written, moved and found in both databases, whatever day they were stored on. */
import type { RoomEvent } from '../../protocol/event.ts';
import type { Reader, Tx } from './sql.ts';
import { forgetWords, rememberWords } from './words.ts';

export const EVENTS = {
  stream_id: 'text',
  seq: 'int',
  event_id: 'text',
  room_id: 'text',
  kind: 'text',
  episode_id: 'text',
  wall_ms: 'int',
  stored_wall_ms: 'int',
  json: 'json',
} as const;
const IDS = { event_id: 'text', stream_id: 'text', seq: 'int', stored_wall_ms: 'int' } as const;

/** An event and whose it is: the room is the topic's. */
export interface Placed {
  readonly event: RoomEvent;
  readonly roomId: string;
  readonly streamId: string;
}

/** Where an event is stored. */
export interface Place {
  readonly event_id: string;
  readonly stream_id: string;
  readonly seq: number;
  readonly stored_wall_ms: number;
}

const key = (streamId: string, eventId: string) => `${streamId}/${eventId}`;

/** Writes events whose slots are free. Returns those that could not be, because their eventId is taken. */
export async function insertRows<T extends Placed>(
  tx: Tx,
  placed: readonly T[],
  storedWallMs: number,
): Promise<readonly T[]> {
  const rowOf = ({ event, roomId, streamId }: T) => [
    streamId,
    event.seq,
    event.eventId,
    roomId,
    event.body.kind,
    'episodeId' in event.body ? event.body.episodeId : null,
    Math.round(event.at.wallMs),
    storedWallMs,
    JSON.stringify(event),
  ];
  const conflict = 'on conflict do nothing';
  const returning = 'event_id, stream_id';
  if (tx.dialect === 'sqlite') {
    const rows = placed.map(rowOf);
    const left = taken(placed, await tx.insertMany({ table: 'events', columns: EVENTS, conflict, returning, rows }));
    await rememberWords(tx, without(placed, left), storedWallMs);
    return left;
  }
  // The id first: it is unique over all days, an event's row only within its own.
  const ids = await tx.insertMany<Pick<Place, 'event_id' | 'stream_id'>>({
    table: 'event_ids',
    columns: IDS,
    conflict,
    returning,
    rows: placed.map(({ event, streamId }) => [event.eventId, streamId, event.seq, storedWallMs]),
  });
  const left = taken(placed, ids);
  const fresh = without(placed, left);
  await tx.insertMany({ table: 'events', columns: EVENTS, rows: fresh.map(rowOf) });
  await rememberWords(tx, fresh, storedWallMs);
  return left;
}

function without<T>(all: readonly T[], left: readonly T[]): readonly T[] {
  return left.length === 0 ? all : all.filter((one) => !left.includes(one));
}

function taken<T extends Placed>(
  placed: readonly T[],
  done: readonly Pick<Place, 'event_id' | 'stream_id'>[],
): readonly T[] {
  if (done.length === placed.length) return [];
  const there = new Set(done.map((row) => key(row.stream_id, row.event_id)));
  return placed.filter(({ event, streamId }) => !there.has(key(streamId, event.eventId)));
}

/** Where the events with these ids are stored. */
export async function findPlaces(reader: Reader, eventIds: readonly string[]): Promise<Map<string, Place>> {
  if (eventIds.length === 0) return new Map();
  const rows = await reader.all<Place>(
    `select event_id, stream_id, seq, stored_wall_ms from event_ids where ${reader.among('event_id', 1)}`,
    eventIds,
  );
  return new Map(rows.map((row) => [row.event_id, row]));
}

/** Takes out one event that was never shown, so that it can be stored at another place. */
export async function removeEvent(tx: Tx, { event_id, stream_id, seq, stored_wall_ms }: Place): Promise<void> {
  await tx.all(
    'delete from events where stream_id = $1 and seq = $2 and stored_wall_ms = $3',
    stream_id,
    seq,
    stored_wall_ms,
  );
  if (tx.dialect === 'postgres') await tx.all('delete from event_ids where event_id = $1', event_id);
  await forgetWords(tx, [event_id]);
}

/** Takes out what a stream stored beyond `through`; it was never shown or acked. */
export async function removeBeyond(tx: Tx, streamId: string, through: number): Promise<void> {
  const gone = await tx.all<{ event_id: string }>(
    'delete from events where stream_id = $1 and seq > $2 returning event_id',
    streamId,
    through,
  );
  const ids = gone.map(({ event_id }) => event_id);
  if (tx.dialect === 'postgres' && ids.length > 0)
    await tx.all(`delete from event_ids where ${tx.among('event_id', 1)}`, ids);
  await forgetWords(tx, ids);
}
