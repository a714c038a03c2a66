/** A store of an older version is brought up with everything in it; days are UTC whatever zone the database lives in. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { foldEvent } from '../../../cloud/alerts/fold.ts';
import { migrate } from '../../../cloud/store/migrate.ts';
import { openStore, type StoreConfig } from '../../../cloud/store/open.ts';
import { openPostgres } from '../../../cloud/store/postgres.ts';
import type { Tx } from '../../../cloud/store/sql.ts';
import { openSqlite } from '../../../cloud/store/sqlite.ts';
import { delivery, episodeBody, gapBody, roomEvent, WALL } from './events.ts';
import { postgresBin, startPostgres, type TestPostgres } from './postgres.ts';

const DAY = 86_400_000;
const bin = postgresBin();

const alertOf = (episodeId: string) =>
  foldEvent(undefined, { roomId: 'room-1', wallMs: WALL, storedWallMs: WALL, body: episodeBody(episodeId) });

/** Rows as version 4 wrote them: two days, one stream, two alerts, one of them of an evaluation. */
async function fillOld(tx: Tx): Promise<string[]> {
  const events = [
    { event: roomEvent('s1', 1, episodeBody('e1')), at: WALL },
    { event: roomEvent('s1', 2, episodeBody('e1', 'end')), at: WALL + DAY },
    { event: roomEvent('s1', 3, gapBody()), at: WALL + DAY + 1 },
    // Waits beyond a hole.
    { event: roomEvent('s9', 2, gapBody()), at: WALL },
  ];
  await tx.all("insert into streams values ('s9', 'room-1', 'routine', 0, 2, null, $1, $1, $1)", WALL + DAY);
  await tx.all("insert into streams values ('s1', 'room-1', 'alert', 3, 3, null, null, $1, $1)", WALL);
  for (const { event, at } of events)
    await tx.all(
      'insert into events values ($1, $2, $3, $4, $5, $6, $7, $8, $9)',
      event.streamId,
      event.seq,
      event.eventId,
      event.roomId,
      event.body.kind,
      'episodeId' in event.body ? event.body.episodeId : null,
      event.at.wallMs,
      at,
      JSON.stringify(event),
    );
  for (const [episodeId, sessionId] of [
    ['e1', 'ev-1'],
    ['e7', undefined],
  ] as const)
    await tx.all(
      'insert into alerts values ($1, $2, $3, $4, $5)',
      episodeId,
      'room-1',
      'open',
      WALL,
      JSON.stringify({ ...alertOf(episodeId), ...(sessionId ? { sessionId } : {}) }),
    );
  await tx.all("insert into feed values (1, 'events', 's1', 1, 2, null, $1)", WALL);
  await tx.all("insert into feed values (2, 'events', 's1', 3, 3, null, $1)", WALL);
  await tx.all('update feed_head set pos = 2');
  return events.filter(({ event }) => event.streamId === 's1').map(({ event }) => event.eventId);
}

describe.each(['sqlite', 'postgres'] as const)('a store of version 4 on %s', (driver) => {
  const folder = mkdtempSync(join(tmpdir(), 'evalroom-upgrade-'));
  let server: TestPostgres | undefined;
  beforeAll(async () => {
    if (driver === 'postgres' && bin) server = await startPostgres(bin, { settings: { timezone: 'Asia/Shanghai' } });
  }, 60_000);
  afterAll(async () => {
    await server?.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  beforeEach((ctx) => {
    if (driver === 'postgres' && !server) ctx.skip('needs the Debian package postgresql');
  });

  it('is brought up with its events, ids and feed, and goes on', async () => {
    const config: StoreConfig = server
      ? { kind: 'postgres', url: await server.database() }
      : { kind: 'sqlite', path: join(folder, 'old.db') };
    const sql = config.kind === 'sqlite' ? openSqlite(config.path) : openPostgres(config.url);
    await migrate(sql, 4);
    const ids = await sql.write(fillOld);
    await sql.close();

    const store = await openStore(config);
    const page = await store.since({ pos: 0, seq: 0 });
    expect(page.items.map((item) => item.kind === 'event' && item.event.eventId)).toEqual(ids);
    // The alerts of an evaluation are found by it, which older versions kept in the view only.
    const ofSession = await store.sessionAlerts({ sessionId: 'ev-1', roomId: 'room-1', limit: 10 });
    expect(ofSession).toMatchObject({ alerts: [{ episodeId: 'e1', sessionId: 'ev-1' }], total: 1 });
    // A resend of what the older version stored is known.
    const again = roomEvent('s1', 3, gapBody());
    const stolen = { ...again, eventId: ids[2]! };
    expect(await store.ingest([delivery([stolen], { lane: 'alert' })], WALL + 2 * DAY)).toMatchObject({
      stored: 0,
      repeated: 1,
      quarantined: [],
    });
    const next = roomEvent('s1', 4, episodeBody('e2'));
    expect((await store.ingest([delivery([next])], WALL + 2 * DAY)).acks[0]!.ack.through).toBe(4);
    expect((await store.since({ pos: 2, seq: 0 })).items).toHaveLength(1);
    // Not even seq 1 that is missing, then it: what hid since the older version is found, whatever day it is from.
    const late = [3, 1].map((seq) => delivery([roomEvent('s9', seq, gapBody())]));
    for (const one of late) await store.ingest([one], WALL + DAY + 2);
    const found = (await store.since({ pos: 3, seq: 0 })).items;
    expect(found.map((item) => item.kind === 'event' && item.event.seq)).toEqual([1, 2, 3]);
    await store.close();
    // And again: nothing is migrated twice.
    const reopened = await openStore(config);
    expect((await reopened.counts()).events).toBe(7);
    await reopened.close();
  });

  // SQLite has one table for all days.
  if (driver === 'sqlite') return;

  it('waits as long as it takes for another process that brings it up', async () => {
    const url = await server!.database();
    const other = new pg.Client(url);
    await other.connect();
    await other.query('select pg_advisory_lock(20837465)');
    const sql = openPostgres(url);
    let begun = () => {};
    const begins = new Promise<void>((resolve) => {
      begun = resolve;
    });
    const impatient: typeof sql = {
      ...sql,
      write: (work) =>
        sql.write(async (tx) => {
          await tx.all('set local statement_timeout = 200');
          begun();
          return work(tx);
        }),
    };
    const migrated = migrate(impatient).then(
      () => 'migrated',
      (error: unknown) => error,
    );
    await begins;
    // Five times the limit of the statement that waits.
    await new Promise((resolve) => setTimeout(resolve, 1000));
    await other.end();
    expect(await migrated).toBe('migrated');
    await sql.close();
  });

  it('splits the days at midnight UTC', async () => {
    const url = await server!.database();
    const store = await openStore({ kind: 'postgres', url });
    const midnight = Math.floor(WALL / DAY) * DAY;
    await store.ingest([delivery([roomEvent('s1', 1, gapBody())])], midnight - 1);
    await store.ingest([delivery([roomEvent('s1', 2, gapBody())])], midnight);
    await store.close();
    const client = new pg.Client(url);
    await client.connect();
    const { rows } = await client.query(
      'select tableoid::regclass::text as name, stored_wall_ms from events order by 2',
    );
    await client.end();
    expect(rows).toEqual([
      { name: 'events_20251008', stored_wall_ms: String(midnight - 1) },
      { name: 'events_20251009', stored_wall_ms: String(midnight) },
    ]);
  });

  it('makes a day anew that another process dropped, and refuses no event for it', async () => {
    const url = await server!.database();
    const [store, other] = [await openStore({ kind: 'postgres', url }), await openStore({ kind: 'postgres', url })];
    await store.ingest([delivery([roomEvent('s1', 1, gapBody())])], WALL);
    await other.retire({ beforeWallMs: WALL + 2 * DAY, wallMs: WALL + 3 * DAY });
    const outcome = await store.ingest([delivery([roomEvent('s1', 2, gapBody())])], WALL);
    expect(outcome).toMatchObject({ stored: 1, rejected: 0 });
    expect((await other.counts()).events).toBe(1);
    await store.close();
    await other.close();
  });
});

describe('a store from before deleted rows were overwritten', () => {
  it('is written anew once, and says so; nothing of what was deleted stays in its file', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'evalroom-upgrade-'));
    const path = join(folder, 'cloud.db');
    const said = '评审费今天就要给';
    const holds = () => ['', '-wal'].some((end) => readIf(`${path}${end}`).includes(said));
    const notes: string[] = [];
    const open = async () => (await openStore({ kind: 'sqlite', path }, (words) => notes.push(words))).close();
    await open();
    expect(notes).toEqual([]);
    const old = new Database(path);
    old.pragma('secure_delete = OFF');
    old.pragma('application_id = 0');
    const insert = old.prepare(
      "insert into rejected (rejected_id, room_id, occupies, code, reason, payload, stored_wall_ms) values (?, 'r', 0, 'c', 'w', ?, 0)",
    );
    for (let n = 0; n < 300; n++) insert.run(`r${n}`, `${said} ${'x'.repeat(200)}`);
    old.exec("delete from rejected where rejected_id <> 'r7'");
    old.exec("update rejected set payload = ''");
    old.close();
    expect(holds()).toBe(true);
    // In use by another process: said, and done at a later start.
    const other = new Database(path);
    other.exec('begin immediate');
    await open().catch(() => {});
    other.exec('rollback');
    other.close();
    expect(notes.at(-1)).toContain('until a later start succeeds');
    await open();
    expect(holds()).toBe(false);
    expect(notes.at(-1)).toBe('the store has been written anew');
    const before = notes.length;
    await open();
    expect(notes).toHaveLength(before);
    rmSync(folder, { recursive: true });
  }, 30_000);
});

function readIf(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch {
    return Buffer.alloc(0);
  }
}
