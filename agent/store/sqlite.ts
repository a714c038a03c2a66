/** Middle of the path: the outbox in SQLite. What `accept` returned is on disk; what is deleted was acked by the cloud. */
import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import { Bug, Full } from '../../protocol/errors.ts';
import type { DraftEvent, GapBody, RoomEvent } from '../../protocol/event.ts';
import { draftJson } from '../../protocol/schema.ts';
import { LANES, type Lane, LIMITS, laneOf } from '../../protocol/stream.ts';
import type { Clock } from '../../protocol/time.ts';
import { createBallast } from './ballast.ts';
import { createClipRows } from './clips.ts';
import { readOpenEpisodes } from './episodes.ts';
import { judgeAck, type Progress } from './judge-ack.ts';
import { makeFolderOf, openFile } from './open.ts';
import type { Outbox, OutboxStream } from './outbox.ts';
import { asOurs, eventCrc, isDiskFull, isIntact, KEYS_PER_STREAM } from './schema.ts';
import { readLeft, type StreamRow } from './streams.ts';
import { createWordsLook } from './words.ts';

export interface OutboxOptions {
  /** The database file; its folder is made where missing. `…-ballast` lies beside it. */
  readonly path: string;
  readonly roomId: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** Unacked events beyond which nothing is accepted. */
  readonly quotaEvents: number;
  /** Bytes of clips on disk beyond which none is cut; default 5 GiB. */
  readonly quotaClipBytes?: number;
  /** Room kept for deletes on a full disk; default 16 MiB. */
  readonly ballastBytes?: number;
}

const RESTORE_EVERY_MS = 1000;

interface EventRow {
  readonly key: number;
  readonly eventId: string;
  readonly crc: number;
  readonly json: string;
}

/**
 * Opens the outbox for this incarnation of the agent: a new stream for each lane, older streams kept until drained.
 * Throws Unavailable `outbox_in_use` when another process has it open. A damaged file is renamed aside and replaced
 * by an empty one, with a gap event that says so.
 */
export function openOutbox(options: OutboxOptions): Outbox {
  const { path, roomId, clock, log, quotaEvents } = options;
  makeFolderOf(path);
  const ballast = createBallast({ path: `${path}-ballast`, bytes: options.ballastBytes ?? 16 * 1024 * 1024 });
  const { database, opening } = openFile(path, clock, ballast, log);

  const insertStream = database.prepare(
    'insert into stream (stream_id, lane, opened_wall_ms, chain) values (?, ?, ?, 0)',
  );
  // Bytes, so that they are encoded once: for their length, their crc and the row.
  const insertEvent = database.prepare(
    'insert into event (key, event_id, crc, json, taken) values (?, ?, ?, cast(? as text), ?)',
  );
  const saveThrough = database.prepare('update stream set through = ?, chain = ? where number = ?');
  const dropStream = database.prepare('delete from stream where number = ?');
  const dropEvents = database.prepare('delete from event where key > ? and key <= ?');
  const moveEvents = database.prepare('update event set key = key + ? where key > ? and key <= ?');
  const moveClips = database.prepare(
    'update clip set event_key = event_key + ? where event_key > ? and event_key <= ?',
  );
  const readIds = database.prepare('select event_id from event where key > ? and key <= ? order by key').pluck();
  const readEvents = database.prepare(
    'select key, event_id as eventId, crc, json from event where key > ? and key <= ? order by key limit ?',
  );
  const episodes = readOpenEpisodes(database);

  /** Oldest first. Mirrors the table: nobody else can write while this process holds the lock. */
  const streams = new Map<string, StreamRow>();
  const current = new Map<Lane, StreamRow>();
  let held = 0;
  /** How many events this file has ever accepted: their order over all streams. */
  let taken = episodes.newest;
  let diskFull = false;
  let triedRestoreMonoMs = Number.NEGATIVE_INFINITY;

  /** Runs a change that must work on a full disk: when it does not fit, the ballast goes overboard. */
  const needed = <T>(doing: string, change: () => T): T => {
    try {
      return change();
    } catch (first) {
      if (!isDiskFull(first) || !ballast.release()) throw asOurs(first, doing);
      diskFull = true;
      log.warn({ path }, 'disk full: ballast released so that acked events can be deleted');
      try {
        return change();
      } catch (second) {
        throw asOurs(second, doing);
      }
    }
  };
  const quotaClipBytes = options.quotaClipBytes ?? 5 * 1024 ** 3;
  const { rows: clips, announce, released } = createClipRows(database, quotaClipBytes, needed);
  const removeWords = createWordsLook(database, clock, needed);
  const restoreBallast = (): boolean => {
    if (ballast.held()) return true;
    if (clock.monoMs() - triedRestoreMonoMs < RESTORE_EVERY_MS) return false;
    triedRestoreMonoMs = clock.monoMs();
    try {
      // The file keeps the pages of deleted events: hand them back first, or it would occupy the disk for ever.
      database.pragma('incremental_vacuum(2000)');
      database.pragma('wal_checkpoint(TRUNCATE)');
    } catch (error) {
      if (!isDiskFull(error)) throw asOurs(error, `Shrinking ${path}`);
    }
    return ballast.restore();
  };

  const openStream = (lane: Lane): StreamRow => {
    const streamId = `s-${randomUUID()}`;
    const { lastInsertRowid } = insertStream.run(streamId, lane, clock.wallMs());
    return {
      number: Number(lastInsertRowid),
      streamId,
      lane,
      lastSeq: 0,
      through: 0,
      chain: 0,
      offered: 0,
      left: false,
    };
  };
  const install = (row: StreamRow): void => {
    streams.set(row.streamId, row);
    current.set(row.lane, row);
  };
  const readRows = (from: number, to: number, limit: number): EventRow[] => {
    try {
      return readEvents.all(from, to, limit) as EventRow[];
    } catch (error) {
      throw asOurs(error, `Reading events of ${path}`);
    }
  };
  const first = (row: StreamRow): number => row.number * KEYS_PER_STREAM;
  const isCurrent = (row: StreamRow): boolean => current.get(row.lane) === row;

  /** The bytes that are kept of a draft. */
  const bytesOf = (draft: DraftEvent): Buffer => {
    const checked = draftJson(draft);
    if (!checked.ok) throw new Bug('draft_unfit', `Accepting a ${draft.body.kind} event: ${checked.reason}`);
    const bytes = Buffer.from(checked.json);
    if (bytes.length > LIMITS.eventBytes - 512)
      throw new Bug('draft_too_large', `Accepting a ${draft.body.kind} event: ${bytes.length} bytes`);
    return bytes;
  };
  const insertAll = (drafts: readonly DraftEvent[], bytes: readonly Buffer[]): RoomEvent[] => {
    const offset = { alert: 0, routine: 0 };
    return drafts.map((draft, index): RoomEvent => {
      const lane = laneOf(draft.body);
      const row = current.get(lane)!;
      const seq = row.lastSeq + ++offset[lane];
      const eventId = randomUUID();
      const key = first(row) + seq;
      insertEvent.run(key, eventId, eventCrc(eventId, bytes[index]!), bytes[index], taken + index + 1);
      if (draft.body.kind === 'clip') announce(draft.body.clip.clipId, key);
      return { at: draft.at, body: draft.body, eventId, streamId: row.streamId, seq, roomId };
    });
  };
  const insertTogether = database.transaction(insertAll);

  const accept = (drafts: readonly DraftEvent[]): RoomEvent[] => {
    if (drafts.length === 0) return [];
    if (held + drafts.length > quotaEvents)
      throw new Full(
        'outbox_full',
        `Accepting ${drafts.length} event(s): ${held} wait for the cloud, the quota is ${quotaEvents}`,
      );
    if (!restoreBallast())
      throw new Full(
        'disk_full',
        `Accepting ${drafts.length} event(s): the disk is full; free space, nothing accepted is lost`,
      );
    const bytes = drafts.map(bytesOf);
    // One statement is a transaction by itself; a clip's event changes the clip's row too.
    const alone = drafts.length === 1 && drafts[0]!.body.kind !== 'clip';
    let events: RoomEvent[];
    try {
      events = alone ? insertAll(drafts, bytes) : insertTogether(drafts, bytes);
    } catch (error) {
      if (isDiskFull(error)) diskFull = true;
      throw asOurs(error, `Accepting ${drafts.length} event(s) into ${path}`);
    }
    diskFull = false;
    held += events.length;
    for (const [index, event] of events.entries()) {
      current.get(laneOf(event.body))!.lastSeq = event.seq;
      episodes.follow(drafts[index]!, ++taken);
    }
    return events;
  };

  const reportGap = (reason: string): void => {
    const at = clock.now();
    const body: GapBody = {
      kind: 'gap',
      sourceId: 'outbox',
      role: 'record',
      fromWallMs: at.wallMs,
      toWallMs: at.wallMs,
      reason: reason.slice(0, 900),
    };
    try {
      accept([{ at, body }]);
    } catch (error) {
      if (!(error instanceof Full)) throw error;
      // The log line of the caller is then the only report; a full outbox must not stop a quarantine.
    }
  };

  const ackAll = database.transaction((row: StreamRow, { through, chain }: Progress): number => {
    episodes.save();
    const { changes } = dropEvents.run(first(row), first(row) + through);
    saveThrough.run(through, chain, row.number);
    released(first(row), first(row) + through);
    if (through === row.lastSeq && !isCurrent(row)) dropStream.run(row.number);
    return changes;
  });

  const succeed = (old: StreamRow): void => {
    install(needed(`Opening a stream in ${path}`, () => openStream(old.lane)));
    if (old.through < old.lastSeq) return;
    needed(`Dropping stream ${old.streamId}`, () => dropStream.run(old.number));
    streams.delete(old.streamId);
  };

  /** Moves what is unacked of `row` behind the lane's current stream, in the order of its seqs and without holes. */
  const rehome = (row: StreamRow): number => {
    if (isCurrent(row)) succeed(row);
    const target = current.get(row.lane)!;
    const rows = readRows(first(row), first(row) + row.lastSeq, -1);
    needed(`Moving stream ${row.streamId}`, () =>
      database.transaction(() => {
        for (const [index, { key }] of rows.entries()) {
          const by = first(target) + target.lastSeq + index + 1 - key;
          moveClips.run(by, key - 1, key);
          moveEvents.run(by, key - 1, key);
        }
        dropStream.run(row.number);
      })(),
    );
    target.lastSeq += rows.length;
    streams.delete(row.streamId);
    return rows.length;
  };

  const quarantine = (streamId: string, reason: string): number => {
    const row = streams.get(streamId);
    if (!row) return 0;
    const moved = rehome(row);
    log.error({ streamId, reason, moved }, 'a stream can not go on; its unacked events go on in a new one');
    reportGap(`stream ${streamId} can not go on (${reason}); ${moved} events moved to a new stream`);
    return moved;
  };

  /** A row whose crc does not hold is set aside with its bytes; the rest of its stream moves on without it. */
  const setAside = (row: StreamRow, key: number): void => {
    needed(`Setting a damaged event of ${row.streamId} aside`, () =>
      database.transaction(() => {
        episodes.save();
        database
          .prepare('insert into damaged select ?, ?, event_id, cast(json as blob), ? from event where key = ?')
          .run(row.streamId, key - first(row), clock.wallMs(), key);
        dropEvents.run(key - 1, key);
      })(),
    );
    episodes.saved();
    held -= 1;
    rehome(row);
    log.error({ streamId: row.streamId, seq: key - first(row) }, 'a stored event is damaged: set aside, not sent');
    reportGap(`event ${key - first(row)} of stream ${row.streamId} was damaged on disk and cannot be sent`);
  };

  const events = (streamId: string, afterSeq: number, limit: number): RoomEvent[] => {
    const row = streams.get(streamId);
    if (!row) return [];
    const from = first(row) + Math.max(afterSeq, row.through);
    const rows = readRows(from, first(row) + row.lastSeq, limit);
    const found: RoomEvent[] = [];
    for (const { key, eventId, crc, json } of rows) {
      if (!isIntact(eventId, json, crc)) {
        setAside(row, key);
        return [];
      }
      found.push({ ...(JSON.parse(json) as DraftEvent), eventId, streamId, seq: key - first(row), roomId });
    }
    return found;
  };

  const ack: Outbox['ack'] = (told) => {
    const { streamId } = told;
    const row = streams.get(streamId);
    if (!row) return 'unknown_stream';
    const judged = judgeAck(row, told, (seq) => readIds.all(first(row), first(row) + seq) as string[]);
    if (typeof judged === 'string') return judged;
    const { through, chain } = judged;
    held -= needed(`Deleting acked events of ${streamId}`, () => ackAll(row, judged));
    row.chain = chain;
    episodes.saved();
    row.through = through;
    if (through === row.lastSeq && !isCurrent(row)) streams.delete(streamId);
    restoreBallast();
    return 'progress';
  };

  const oldestMs = (): number => {
    const now = clock.now();
    let oldest = 0;
    for (const lane of LANES) {
      const row = [...streams.values()].find((each) => each.lane === lane && each.through < each.lastSeq);
      const at = row && events(row.streamId, row.through, 1)[0]?.at;
      if (at) oldest = Math.max(oldest, at.bootId === now.bootId ? now.monoMs - at.monoMs : now.wallMs - at.wallMs);
    }
    return oldest;
  };

  const left = readLeft(database);
  needed(`Opening ${path}`, () =>
    database.transaction(() => {
      for (const row of left)
        if (row.through === row.lastSeq) dropStream.run(row.number);
        else streams.set(row.streamId, { ...row, left: true });
      for (const lane of LANES) install(openStream(lane));
      // The next opening then asks the events of this one alone.
      episodes.save();
    })(),
  );
  episodes.saved();
  held = Number(database.prepare('select count(*) from event').pluck().get());
  ballast.restore();
  if (opening.kind === 'replaced' || opening.kind === 'shortened') {
    const { kind, keptAs, reason } = opening;
    log.error(
      { path, keptAs, reason },
      `the outbox was damaged: ${kind}, its bytes are kept; evalroom outbox salvage brings back what is intact`,
    );
    reportGap(`the outbox was damaged and has been ${kind} (${reason}); its bytes are kept in the room`);
  }

  return {
    roomId,
    opening,
    accept,
    openEpisodes: episodes.list,
    streams: () =>
      [...streams.values()]
        .filter((row) => isCurrent(row) || row.through < row.lastSeq)
        .map(
          (row): OutboxStream => ({
            streamId: row.streamId,
            lane: row.lane,
            lastSeq: row.lastSeq,
            through: row.through,
            current: isCurrent(row),
          }),
        )
        .reverse(),
    events,
    sent: (streamId, seq) => {
      const row = streams.get(streamId);
      if (!row) return;
      row.offered = Math.max(row.offered, Math.min(seq, row.lastSeq));
    },
    ack,
    quarantine,
    rollOver: (lane) => {
      const row = current.get(lane)!;
      if (row.lastSeq > 0) succeed(row);
    },
    removeWords,
    stats: () => ({
      events: held,
      oldestMs: held === 0 ? 0 : Math.max(0, oldestMs()),
      full: held >= quotaEvents || diskFull || !ballast.held(),
    }),
    clips,
    close: () => database.close(),
  };
}
