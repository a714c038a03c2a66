/** A room's events become stored facts: verify, insert, move `through`, feed, fold; all in the caller's transaction. */
import type { RoomEvent } from '../../protocol/event.ts';
import { type Ack, LIMITS, PROTOCOL_VERSION } from '../../protocol/stream.ts';
import { foldVisible, type Visible } from './alerts.ts';
import { appendFeed } from './feed.ts';
import { insertRejected, type RejectedRow } from './rejected.ts';
import type { Tx } from './sql.ts';
import type { Delivery, IngestOutcome, Rejection } from './store.ts';
import { lockStreams, type StreamRow, saveStreams } from './streams.ts';

/** An agent has at most `windowEvents` unacked; ten times that is room enough for a cloud restored from a backup. */
const AHEAD_MAX = LIMITS.windowEvents * 10;
/** A hole that resends have not filled for so long never will be: the agent must begin a new stream. */
const HOLE_MAX_MS = 300_000;

/** One stream's share of the transaction. */
interface Work {
  readonly row: StreamRow;
  readonly fresh: Map<number, RoomEvent>;
  readonly bad: Map<number, Rejection>;
  repeated: number;
}

/** See Store.ingest. */
export async function ingestIn(tx: Tx, deliveries: readonly Delivery[], storedWallMs: number): Promise<IngestOutcome> {
  const { rows, refused } = await lockStreams(tx, deliveries, storedWallMs);
  const acks: { roomId: string; ack: Ack }[] = [...refused.acks];
  const rejected: RejectedRow[] = [...refused.rejected];
  const quarantined: { streamId: string; roomId: string; reason: string }[] = [];
  const works = new Map<string, Work>();
  for (const delivery of deliveries) {
    const row = rows.get(delivery.streamId);
    if (!row || row.roomId !== delivery.roomId || row.lane !== delivery.lane) continue;
    const work = works.get(row.streamId) ?? { row, fresh: new Map(), bad: new Map(), repeated: 0 };
    works.set(row.streamId, work);
    if (row.quarantined === undefined) row.quarantined = collect(work, delivery, storedWallMs);
  }

  for (const work of works.values()) {
    if (work.row.quarantined === undefined) await compareWithStored(tx, work);
    const reason = work.row.quarantined;
    if (reason !== undefined && !work.row.wasQuarantined) {
      quarantined.push({ streamId: work.row.streamId, roomId: work.row.roomId, reason });
      rejected.push(...(await quarantine(tx, work)));
    }
  }

  const stored = await insertEvents(tx, [...works.values()], storedWallMs);
  for (const work of works.values())
    for (const bad of work.bad.values())
      rejected.push({
        roomId: work.row.roomId,
        streamId: work.row.streamId,
        seq: bad.seq,
        occupies: true,
        code: bad.code,
        reason: bad.reason,
        payload: bad.json,
      });
  await insertRejected(tx, rejected, storedWallMs);

  const visible: Visible[] = [];
  const advances: { streamId: string; fromSeq: number; toSeq: number }[] = [];
  for (const work of works.values()) {
    const from = work.row.through + 1;
    visible.push(...(await advance(tx, work, storedWallMs)));
    if (work.row.through >= from)
      advances.push({ streamId: work.row.streamId, fromSeq: from, toSeq: work.row.through });
  }
  // The feed's head is locked from here to the commit: positions are given in the order of commits, and folds of one
  // episode never run side by side.
  await appendFeed(tx, advances, storedWallMs);
  await insertRejected(tx, await foldVisible(tx, visible), storedWallMs);
  await saveStreams(
    tx,
    [...works.values()].map((work) => work.row),
  );

  for (const { row } of works.values()) acks.push({ roomId: row.roomId, ack: ackOf(row) });
  return {
    acks,
    stored,
    repeated: [...works.values()].reduce((sum, work) => sum + work.repeated, 0),
    rejected: rejected.length,
    quarantined,
  };
}

export function ackOf(row: Pick<StreamRow, 'streamId' | 'through' | 'quarantined'>): Ack {
  const { streamId, through, quarantined } = row;
  return { v: PROTOCOL_VERSION, streamId, through, ...(quarantined === undefined ? {} : { quarantined }) };
}

/** Merges deliveries of one stream. Two different events with one seq, or a leap, are a reason to end the stream here. */
function collect(work: Work, delivery: Delivery, storedWallMs: number): string | undefined {
  const { row } = work;
  const limit = row.through + AHEAD_MAX;
  for (const event of delivery.good) {
    if (event.seq > limit) return `too_far_ahead: seq ${event.seq} while through is ${row.through}`;
    const known = work.fresh.get(event.seq);
    if (known && known.eventId !== event.eventId) return `seq_reused: two events with seq ${event.seq}`;
    if (known) work.repeated++;
    work.fresh.set(event.seq, event);
  }
  for (const bad of delivery.bad) {
    if (bad.seq > limit) return `too_far_ahead: seq ${bad.seq} while through is ${row.through}`;
    if (!work.fresh.has(bad.seq)) work.bad.set(bad.seq, bad);
  }
  for (const seq of work.fresh.keys()) work.bad.delete(seq);
  if (row.holeWallMs !== undefined && storedWallMs - row.holeWallMs > HOLE_MAX_MS && !fills(work))
    return `hole: seq ${row.through + 1} has not come for ${HOLE_MAX_MS / 1000} s`;
  return undefined;
}

const fills = ({ row, fresh, bad }: Work) => fresh.has(row.through + 1) || bad.has(row.through + 1);

/** Takes out what is stored already, and compares eventIds: a seq that comes twice with two events is a restored disk. */
async function compareWithStored(tx: Tx, work: Work): Promise<void> {
  const seqs = [...work.fresh.keys(), ...work.bad.keys()].filter((seq) => seq <= work.row.highest);
  if (seqs.length === 0) return;
  const { streamId } = work.row;
  const taken = await tx.all<{ seq: number; event_id: string | null }>(
    `select seq, event_id from events where stream_id = $1 and ${tx.among('seq', 2)}
     union all select seq, null from rejected where stream_id = $1 and occupies = 1 and ${tx.among('seq', 2)}`,
    streamId,
    seqs,
  );
  for (const { seq, event_id: eventId } of taken) {
    const event = work.fresh.get(seq);
    if (event && eventId !== null && event.eventId !== eventId) {
      work.row.quarantined = `seq_reused: seq ${seq} is stored with another eventId`;
      return;
    }
    if (event) work.repeated++;
    work.fresh.delete(seq);
    work.bad.delete(seq);
  }
}

/**
 * Nothing more is taken from the stream. What it stored beyond `through` was never shown or acked, so the agent still
 * has it and will send it in its next stream: it is taken out here, else its eventId would be in the way there.
 */
async function quarantine(tx: Tx, work: Work): Promise<RejectedRow[]> {
  const { row } = work;
  const rows = [...work.fresh.values()].map((event) => ({
    roomId: row.roomId,
    streamId: row.streamId,
    seq: event.seq,
    occupies: false,
    code: row.quarantined!.split(':')[0]!,
    reason: row.quarantined!,
    payload: JSON.stringify(event),
  }));
  work.fresh.clear();
  work.bad.clear();
  await tx.all('delete from events where stream_id = $1 and seq > $2', row.streamId, row.through);
  await tx.all('update rejected set occupies = 0 where stream_id = $1 and seq > $2', row.streamId, row.through);
  row.highest = row.through;
  row.holeWallMs = undefined;
  return rows;
}

const EVENTS = {
  stream_id: 'text',
  seq: 'int',
  event_id: 'text',
  room_id: 'text',
  kind: 'text',
  episode_id: 'text',
  wall_ms: 'int',
  stored_wall_ms: 'int',
  json: 'text',
} as const;

async function insertEvents(tx: Tx, works: readonly Work[], storedWallMs: number): Promise<number> {
  const insert = async (events: readonly { event: RoomEvent; row: StreamRow }[]) => {
    const done = await tx.insertMany<{ event_id: string; stream_id: string }>({
      table: 'events',
      columns: EVENTS,
      conflict: 'on conflict do nothing',
      returning: 'event_id, stream_id',
      rows: events.map(({ event, row }) => [
        row.streamId,
        event.seq,
        event.eventId,
        row.roomId,
        event.body.kind,
        'episodeId' in event.body ? event.body.episodeId : null,
        Math.round(event.at.wallMs),
        storedWallMs,
        JSON.stringify(event),
      ]),
    });
    const there = new Set(done.map((row) => `${row.stream_id}/${row.event_id}`));
    return events.filter(({ event, row }) => !there.has(`${row.streamId}/${event.eventId}`));
  };

  const all = works.flatMap((work) => [...work.fresh.values()].map((event) => ({ event, row: work.row, work })));
  if (all.length === 0) return 0;
  const left = await insert(all);
  if (left.length === 0) return all.length;

  // The slots were free, so an eventId is taken: the same event under another stream, or somebody else's id. That
  // stream's row is locked too: its `through` must not pass the event while it is being moved.
  const owners = await tx.all<{ event_id: string; room_id: string; stream_id: string; seq: number; through: number }>(
    `select e.event_id, e.room_id, e.stream_id, e.seq, s.through from events e join streams s on s.stream_id = e.stream_id
     where ${tx.among('e.event_id', 1)}${tx.forUpdate}`,
    left.map(({ event }) => event.eventId),
  );
  const again: typeof all = [];
  for (const item of all.filter(({ event, row }) => left.some((l) => l.event === event && l.row === row))) {
    const owner = owners.find((candidate) => candidate.event_id === item.event.eventId);
    const sameRoom = owner?.room_id === item.row.roomId;
    const hidden = owner !== undefined && owner.stream_id !== item.row.streamId && owner.seq > owner.through;
    if (owner && sameRoom && hidden) {
      // Stored behind a hole of an older stream and never shown: it moves to where the agent now sends it.
      await tx.all('delete from events where event_id = $1', item.event.eventId);
      again.push(item);
      continue;
    }
    item.work.fresh.delete(item.event.seq);
    item.work.bad.set(item.event.seq, {
      seq: item.event.seq,
      code: sameRoom ? 'event_id_stored' : 'event_id_of_other_room',
      reason: sameRoom ? 'this event is stored already, under another place' : 'this eventId belongs to another room',
      json: JSON.stringify(item.event),
    });
  }
  if (again.length > 0) await insert(again);
  return all.length - left.length + again.length;
}

/** Moves `through` to the highest seq without a hole and returns the events that this made visible, in order. */
async function advance(tx: Tx, work: Work, storedWallMs: number): Promise<Visible[]> {
  const { row, fresh, bad } = work;
  const seqs = [...fresh.keys(), ...bad.keys()];
  if (seqs.length === 0) return [];
  const before = row.through;
  const waiting = row.highest > row.through;
  row.highest = seqs.reduce((max, seq) => Math.max(max, seq), row.highest);
  const occupied = new Set(seqs);
  if (waiting && fills(work)) {
    // What waited beyond the hole counts now too.
    const rows = await tx.all<{ seq: number }>(
      `select seq from events where stream_id = $1 and seq > $2
       union all select seq from rejected where stream_id = $1 and seq > $2 and occupies = 1`,
      row.streamId,
      before,
    );
    for (const { seq } of rows) occupied.add(seq);
  }
  while (occupied.has(row.through + 1)) row.through++;
  if (row.highest === row.through) row.holeWallMs = undefined;
  else if (row.through > before || row.holeWallMs === undefined) row.holeWallMs = storedWallMs;
  if (row.through === before) return [];
  const events: RoomEvent[] = [];
  if (waiting) {
    const rows = await tx.all<{ json: string }>(
      'select json from events where stream_id = $1 and seq > $2 and seq <= $3 order by seq',
      row.streamId,
      before,
      row.through,
    );
    events.push(...rows.map(({ json }) => JSON.parse(json) as RoomEvent));
  } else {
    for (let seq = before + 1; seq <= row.through; seq++) {
      const event = fresh.get(seq);
      if (event) events.push(event);
    }
  }
  return events.map((event) => ({ event, roomId: row.roomId, storedWallMs }));
}
