/** A room's events become stored facts: verify, insert, move `through`, feed, fold; all in the caller's transaction. */
import { crc32 } from 'node:zlib';
import type { RoomEvent } from '../../protocol/event.ts';
import { type Ack, LIMITS, PROTOCOL_VERSION } from '../../protocol/stream.ts';
import { withoutWords, wordsIn } from '../../protocol/words.ts';
import { foldVisible, type Visible } from './alerts.ts';
import { findPlaces, insertRows, removeBeyond, removeEvent } from './events.ts';
import { type Advance, appendFeed } from './feed.ts';
import { insertRejected, type RejectedRow } from './rejected.ts';
import type { Tx } from './sql.ts';
import type { Delivery, IngestOutcome, Rejection } from './store.ts';
import { lockStreams, type StreamRow, saveStreams } from './streams.ts';

/** An agent has at most `windowEvents` unacked; ten times that is room enough for a cloud restored from a backup. */
const AHEAD_MAX = LIMITS.windowEvents * 10;
/** A hole that resends have not filled for so long never will be: the agent must begin a new stream. */
const HOLE_MAX_MS = 300_000;
/** Longer than the longest wait of an agent between two resends: it was not sending, so nothing can be said to be missing. */
const SILENT_MS = 60_000;

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
  const advances: Advance[] = [];
  const hidden = await loadHidden(tx, [...works.values()]);
  for (const work of works.values()) {
    const from = work.row.through + 1;
    const { rows: waited, rejected: refusedSeqs } = hidden;
    const id = work.row.streamId;
    const {
      visible: shown,
      storedFrom,
      storedTo,
    } = advance(work, waited.get(id) ?? [], refusedSeqs.get(id) ?? [], storedWallMs);
    visible.push(...shown);
    const { streamId, through: toSeq } = work.row;
    if (toSeq >= from) advances.push({ streamId, fromSeq: from, toSeq, storedFrom, storedTo });
  }
  await saveStreams(
    tx,
    [...works.values()].map((work) => work.row),
  );
  // The feed's head is locked from here to the commit: positions are given in the order of commits, and folds of one
  // episode never run side by side.
  await appendFeed(tx, advances, storedWallMs);
  await insertRejected(tx, await foldVisible(tx, visible), storedWallMs);

  for (const { row } of works.values()) acks.push({ roomId: row.roomId, ack: ackOf(row) });
  return {
    acks,
    stored,
    repeated: [...works.values()].reduce((sum, work) => sum + work.repeated, 0),
    rejected: rejected.length,
    quarantined,
  };
}

export function ackOf(row: Pick<StreamRow, 'streamId' | 'through' | 'throughEventId' | 'chain' | 'quarantined'>): Ack {
  const { streamId, through, throughEventId, chain, quarantined } = row;
  return {
    v: PROTOCOL_VERSION,
    streamId,
    through,
    ...(throughEventId === undefined ? {} : { eventId: throughEventId }),
    ...(chain === undefined || through === 0 ? {} : { chain }),
    ...(quarantined === undefined ? {} : { quarantined }),
  };
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
  // Offline, or behind other streams: what comes first afterwards need not be what fills the hole.
  if (row.holeWallMs !== undefined && storedWallMs - row.lastWallMs > SILENT_MS) row.holeWallMs = storedWallMs;
  if (row.holeWallMs !== undefined && storedWallMs - row.holeWallMs > HOLE_MAX_MS && !fills(work))
    return `hole: seq ${row.through + 1} has not come for ${HOLE_MAX_MS / 1000} s`;
  return undefined;
}

const fills = ({ row, fresh, bad }: Work) => fresh.has(row.through + 1) || bad.has(row.through + 1);

/**
 * Takes out what is stored already, and compares eventIds: a seq that comes twice with two events is a restored disk.
 * A seq at or below `through` that is no longer stored has been retired with its day: it was stored, and is not again.
 */
async function compareWithStored(tx: Tx, work: Work): Promise<void> {
  const { streamId, highest, through } = work.row;
  const old = [...work.fresh.values()].filter(({ seq }) => seq <= highest);
  const places = await findPlaces(
    tx,
    old.map(({ eventId }) => eventId),
  );
  for (const { eventId, seq } of old) {
    const place = places.get(eventId);
    if (place?.stream_id !== streamId || place.seq !== seq) continue;
    work.repeated++;
    work.fresh.delete(seq);
  }
  const seqs = [...work.fresh.keys(), ...work.bad.keys()].filter((seq) => seq <= highest);
  if (seqs.length === 0) return;
  // Beyond `through` lies only what hides, on few days; below it any day has to be looked into, which only a replay costs.
  const beyond = seqs.every((seq) => seq > through);
  const taken = await tx.all<{ seq: number; event_id: string | null }>(
    `select seq, event_id from events where stream_id = $1 and ${tx.among('seq', 2)} and stored_wall_ms >= $3
     union all select seq, null from rejected where stream_id = $1 and occupies = 1 and ${tx.among('seq', 2)}`,
    streamId,
    seqs,
    (beyond ? work.row.hiddenWallMs : undefined) ?? Number.MIN_SAFE_INTEGER,
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
  for (const seq of seqs) {
    if (seq > through) continue;
    if (work.fresh.delete(seq)) work.repeated++;
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
    payload: JSON.stringify(event.seq <= row.through ? wordless(event) : event),
  }));
  work.fresh.clear();
  work.bad.clear();
  await removeBeyond(tx, row.streamId, row.through);
  await tx.all('update rejected set occupies = 0 where stream_id = $1 and seq > $2', row.streamId, row.through);
  row.highest = row.through;
  row.holeWallMs = undefined;
  row.hiddenWallMs = undefined;
  return rows;
}

async function insertEvents(tx: Tx, works: readonly Work[], storedWallMs: number): Promise<number> {
  const all = works.flatMap((work) =>
    [...work.fresh.values()].map((event) => ({ event, roomId: work.row.roomId, streamId: work.row.streamId, work })),
  );
  if (all.length === 0) return 0;
  const left = await insertRows(tx, all, storedWallMs);
  if (left.length === 0) return all.length;

  // The slots were free, so an eventId is taken: the same event under another stream, or somebody else's id. That
  // stream's row is locked too: its `through` must not pass the event while it is being moved.
  const places = await findPlaces(
    tx,
    left.map(({ event }) => event.eventId),
  );
  const owners = await tx.all<{ stream_id: string; room_id: string; through: number }>(
    `select stream_id, room_id, through from streams where ${tx.among('stream_id', 1)} order by stream_id${tx.forUpdate}`,
    [...new Set([...places.values()].map((place) => place.stream_id))],
  );
  const again: (typeof all)[number][] = [];
  for (const item of left) {
    const place = places.get(item.event.eventId);
    const owner = owners.find((candidate) => candidate.stream_id === place?.stream_id);
    const sameRoom = owner?.room_id === item.roomId;
    const hidden = owner !== undefined && owner.stream_id !== item.streamId && place!.seq > owner.through;
    if (sameRoom && hidden) {
      // Stored behind a hole of an older stream and never shown: it moves to where the agent now sends it.
      await removeEvent(tx, place!);
      again.push(item);
      continue;
    }
    item.work.fresh.delete(item.event.seq);
    item.work.bad.set(item.event.seq, {
      seq: item.event.seq,
      code: sameRoom ? 'event_id_stored' : 'event_id_of_other_room',
      reason: sameRoom ? 'this event is stored already, under another place' : 'this eventId belongs to another room',
      json: JSON.stringify(sameRoom ? wordless(item.event) : item.event),
    });
  }
  if (again.length > 0) await insertRows(tx, again, storedWallMs);
  return all.length - left.length + again.length;
}

/** What was stored before has its words there, or had them: a resend does not bring them back. */
function wordless(event: RoomEvent): RoomEvent {
  const { body } = event;
  return body.kind === 'episode' && wordsIn(body) ? { ...event, body: withoutWords(body) } : event;
}

/** What became visible, in order, and between which wall times it was stored. */
interface Shown {
  readonly visible: readonly Visible[];
  readonly storedFrom: number;
  readonly storedTo: number;
}

/** An event that waited beyond a hole. */
interface Hidden {
  readonly stream_id: string;
  readonly seq: number;
  readonly json: string;
  readonly stored_wall_ms: number;
}

/** A refused event that stands for its seq beyond a hole. */
interface Refused {
  readonly seq: number;
  readonly payload: string;
}

/** What waits in the streams whose hole this transaction fills: two questions for all of them together. */
async function loadHidden(
  tx: Tx,
  works: readonly Work[],
): Promise<{ readonly rows: Map<string, Hidden[]>; readonly rejected: Map<string, Refused[]> }> {
  const filled = works.filter((work) => work.row.highest > work.row.through && fills(work));
  if (filled.length === 0) return { rows: new Map(), rejected: new Map() };
  const ids = filled.map(({ row }) => row.streamId);
  // The rows of the streams still say what was so before; what has just been written is at hand.
  const rows = await tx.all<Hidden>(
    `select e.stream_id, e.seq, e.json, e.stored_wall_ms from streams s
     join events e on e.stream_id = s.stream_id and e.seq > s.through and e.seq <= s.highest
     where ${tx.among('s.stream_id', 1)} and e.stored_wall_ms >= $2`,
    ids,
    Math.min(...filled.map(({ row }) => row.hiddenWallMs ?? Number.MIN_SAFE_INTEGER)),
  );
  const rejected = await tx.all<Refused & { readonly stream_id: string }>(
    `select r.stream_id, r.seq, r.payload from streams s
     join rejected r on r.stream_id = s.stream_id and r.seq > s.through and r.seq <= s.highest and r.occupies = 1
     where ${tx.among('s.stream_id', 1)}`,
    ids,
  );
  return { rows: Map.groupBy(rows, (row) => row.stream_id), rejected: Map.groupBy(rejected, (row) => row.stream_id) };
}

/** Moves `through` to the highest seq without a hole. */
function advance(
  { row, fresh, bad }: Work,
  hidden: readonly Hidden[],
  rejected: readonly Refused[],
  storedWallMs: number,
): Shown {
  const seqs = [...fresh.keys(), ...bad.keys()];
  const before = row.through;
  const unknown = row.highest > before && row.hiddenWallMs === undefined;
  row.highest = seqs.reduce((max, seq) => Math.max(max, seq), row.highest);
  const waited = new Map(hidden.map((one) => [one.seq, one]));
  const occupied = new Set([...seqs, ...waited.keys(), ...rejected.map(({ seq }) => seq)]);
  while (occupied.has(row.through + 1)) row.through++;
  if (row.highest === row.through) {
    row.holeWallMs = undefined;
    row.hiddenWallMs = undefined;
  } else {
    if (row.through > before || row.holeWallMs === undefined) row.holeWallMs = storedWallMs;
    if (!unknown) row.hiddenWallMs = Math.min(row.hiddenWallMs ?? storedWallMs, storedWallMs);
  }
  const visible: Visible[] = [];
  const ids: (string | undefined)[] = [];
  let [storedFrom, storedTo] = [storedWallMs, storedWallMs];
  for (let seq = before + 1; seq <= row.through; seq++) {
    const one = waited.get(seq);
    const event = fresh.get(seq) ?? (one && (JSON.parse(one.json) as RoomEvent));
    if (event) visible.push({ event, roomId: row.roomId, storedWallMs });
    ids.push(event?.eventId ?? idIn(bad.get(seq)?.json ?? rejected.find((one) => one.seq === seq)?.payload));
    if (!one) continue;
    storedFrom = Math.min(storedFrom, one.stored_wall_ms);
    storedTo = Math.max(storedTo, one.stored_wall_ms);
  }
  if (ids.length > 0) {
    row.throughEventId = ids.at(-1);
    row.chain = row.chain === undefined || ids.includes(undefined) ? undefined : crc32(ids.join(''), row.chain);
  }
  return { visible, storedFrom, storedTo };
}

/** The eventId of a refused event, where it can be read. */
function idIn(json: string | undefined): string | undefined {
  try {
    const { eventId } = JSON.parse(json ?? '{}') as { eventId?: unknown };
    return typeof eventId === 'string' && /^[A-Za-z0-9_-]{1,64}$/.test(eventId) ? eventId : undefined;
  } catch {
    return undefined;
  }
}
