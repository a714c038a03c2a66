/** Opens the store that the configuration names and puts its parts together behind the Store interface. */
import { InvalidInput } from '../../protocol/errors.ts';
import { countToJudge, readAlert, readAlerts, readOverview, readSessionAlerts } from './alerts.ts';
import { addAction, addClipFile, readClip } from './clips.ts';
import { dayKeeper } from './days.ts';
import * as evaluations from './evaluations.ts';
import { formatCursor, readCursor, readFeed, readHead, readNewestWallMs } from './feed.ts';
import * as identity from './identity.ts';
import { ingestIn } from './ingest.ts';
import { appendLog, readLog, verifyChain } from './log.ts';
import { migrate } from './migrate.ts';
import * as orders from './orders.ts';
import * as people from './people.ts';
import * as staff from './people-desk.ts';
import { openPostgres } from './postgres.ts';
import { insertRejected, readRefusals, readRejected } from './rejected.ts';
import { readRetentionClock, retire, writeRetentionClock } from './retire.ts';
import * as rules from './rules.ts';
import type { Reader, Sql } from './sql.ts';
import { openSqlite } from './sqlite.ts';
import type { Delivery, IngestOutcome, Position, Store } from './store.ts';
import { readReached } from './streams.ts';
import * as words from './words.ts';

export type StoreConfig =
  | { readonly kind: 'sqlite'; readonly path: string }
  | { readonly kind: 'postgres'; readonly url: string };

/** Opens, migrates, and hands out the store; `note` is told in words what takes its time. Throws Unavailable when the database cannot be reached. */
export async function openStore(config: StoreConfig, note?: (words: string) => void): Promise<Store> {
  const sql = config.kind === 'sqlite' ? openSqlite(config.path, note) : openPostgres(config.url);
  try {
    const { storeId, grantKey } = await migrate(sql);
    return assemble(sql, storeId, grantKey);
  } catch (error) {
    await sql.close();
    throw error;
  }
}

function assemble(sql: Sql, storeId: string, grantKey: string): Store {
  const cursorOf = (position: Position) => formatCursor(storeId, position);
  const read = <T>(work: (reader: Reader) => Promise<T>) => sql.read(work);
  const withDay = dayKeeper(sql);
  return {
    driver: sql.dialect,
    grantKey,
    ingest: (deliveries, wallMs) => withDay(Math.round(wallMs), () => ingestApart(sql, deliveries, Math.round(wallMs))),
    reached: (streamIds) => read((reader) => readReached(reader, streamIds)),
    watchFeed: (heard) => sql.watchFeed(heard),
    keepUnreadable: ({ roomId, code, reason, payload }, wallMs) =>
      sql.write(async (tx) => {
        const row = { roomId, streamId: null, seq: null, occupies: false, code, reason, payload };
        await insertRejected(tx, [row], Math.round(wallMs));
      }),
    counts: () =>
      read(async (reader) => {
        const rows = await reader.all<{ events: number; rejected: number; streams: number; quarantined: number }>(
          `select (select count(*) from events) as events, (select count(*) from rejected) as rejected,
             (select count(*) from streams) as streams,
             (select count(*) from streams where quarantined is not null) as quarantined`,
        );
        return rows[0]!;
      }),
    rejections: (limit) => read((reader) => readRejected(reader, limit)),
    refusals: (limit) => read((reader) => readRefusals(reader, limit)),

    parseCursor: (cursor) => readCursor(storeId, cursor),
    cursorOf,
    head: () => read(readHead),
    since: (position) => read((reader) => readFeed(reader, position, cursorOf)),
    toJudge: () => read(countToJudge),
    overview: () =>
      read(async (reader) => ({ cursor: cursorOf(await readHead(reader)), ...(await readOverview(reader)) })),
    alerts: (query) => read((reader) => readAlerts(reader, query)),
    sessionAlerts: (query) => read((reader) => readSessionAlerts(reader, query)),
    alert: (episodeId) => read((reader) => readAlert(reader, episodeId)),

    act: (action, user) => sql.write((tx) => addAction(tx, action, user)),
    newestWallMs: () => read(readNewestWallMs),
    retire: ({ beforeWallMs, wallMs }) => retire(sql, Math.round(beforeWallMs), Math.round(wallMs)),
    removeWords: ({ days, wallMs }) => words.removeWords(sql, days, Math.round(wallMs)),
    overlays: (query) => read((reader) => words.readOverlays(reader, query)),
    overlayEmptied: (overlay, by) => sql.write((tx) => words.replaceOverlay(tx, overlay, by)),
    overlayLooked: (clipId, wallMs) => sql.write((tx) => words.markOverlay(tx, clipId, wallMs)),
    retentionClock: () => read(readRetentionClock),
    keepRetentionClock: (clock) => sql.write((tx) => writeRetentionClock(tx, clock)),
    clip: (clipId) => read((reader) => readClip(reader, clipId)),
    clipFileArrived: (file) => sql.write((tx) => addClipFile(tx, file)),

    users: () => read(people.countUsers),
    userByName: (name) => read((reader) => people.findUser(reader, name)),
    setUpFirstUser: (user, tokenId, wallMs) => sql.write((tx) => people.addFirstUser(tx, user, tokenId, wallMs)),
    offerSetupToken: (tokenId, expiresWallMs) =>
      sql.write((tx) => people.replaceSetupToken(tx, tokenId, expiresWallMs)),
    beginSession: (session) => sql.write((tx) => people.addSession(tx, session)),
    session: (sessionId, wallMs) => read((reader) => people.findSession(reader, sessionId, wallMs)),
    endSession: (sessionId) =>
      sql.write(async (tx) => {
        await tx.all('delete from sessions where session_id = $1', sessionId);
      }),

    staff: {
      list: (wallMs) => read((reader) => staff.listStaff(reader, wallMs)),
      invite: (user, link, by) => sql.write((tx) => staff.inviteStaff(tx, user, link, by)),
      offerLink: (userId, link, by) => sql.write((tx) => staff.offerStaffLink(tx, userId, link, by)),
      link: (tokenId, wallMs) => read((reader) => staff.findStaffLink(reader, tokenId, wallMs)),
      accept: (tokenId, password, wallMs) => sql.write((tx) => staff.acceptStaffLink(tx, tokenId, password, wallMs)),
      setPassword: (userId, password, keep, by) =>
        sql.write((tx) => staff.setStaffPassword(tx, userId, password, keep, by)),
      disable: (userId, by) => sql.write((tx) => staff.disableStaff(tx, userId, by)),
      enable: (userId, by) => sql.write((tx) => staff.enableStaff(tx, userId, by)),
    },
    putDevice: (device, by) => sql.write((tx) => people.upsertDevice(tx, device, by)),
    devices: () => read(people.listDevices),
    device: (deviceId) => read((reader) => people.findDevice(reader, deviceId)),

    identity: {
      offerCode: (code, by, wallMs) => sql.write((tx) => identity.addCode(tx, code, by, wallMs)),
      code: (codeId, wallMs) => read((reader) => identity.findCode(reader, codeId, wallMs)),
      enrol: (codeId, certificate, secretHash) =>
        sql.write((tx) => identity.enrolDevice(tx, codeId, certificate, secretHash)),
      renew: (certificate) => sql.write((tx) => identity.addRenewal(tx, certificate)),
      confirm: (certificate, wallMs) => sql.write((tx) => identity.confirmRenewal(tx, certificate, wallMs)),
      revokeDevice: (deviceId, reason, by, wallMs) =>
        sql.write((tx) => identity.revokeDevice(tx, deviceId, reason, by, wallMs)),
      certificate: (serial) => read((reader) => identity.findCertificate(reader, serial)),
      certificates: (wallMs) => read((reader) => identity.listCertificates(reader, wallMs)),
      clones: (sinceWallMs) => read((reader) => identity.listClones(reader, sinceWallMs)),
    },

    orders: (roomId) => read((reader) => orders.findOrders(reader, roomId)),
    order: (roomId, change, by) => sql.write((tx) => orders.addOrder(tx, roomId, change, by)),
    orderRevisions: () => read(orders.listRevisions),
    evaluations: {
      begin: (change, by) => sql.write((tx) => evaluations.beginEvaluation(tx, change, by)),
      change: (sessionId, next, by) => sql.write((tx) => evaluations.changeEvaluation(tx, sessionId, next, by)),
      find: (sessionId) => read((reader) => evaluations.findEvaluation(reader, sessionId)),
      open: (roomIds) => read((reader) => evaluations.openEvaluations(reader, roomIds)),
      past: (query) => read((reader) => evaluations.pastEvaluations(reader, query)),
      steps: (sessionId) => read((reader) => evaluations.listSteps(reader, sessionId)),
    },

    rules: {
      addVersion: (version, order, by) => sql.write((tx) => rules.addVersion(tx, version, order, by)),
      versions: () => read(rules.listVersions),
      version: (name, version) => read((reader) => rules.findVersion(reader, name, version)),
      place: (placements, by) => sql.write((tx) => rules.addPlacements(tx, placements, by)),
      placements: () => read(rules.listPlacements),
      episodes: (query) => read((reader) => rules.listEpisodes(reader, query)),
    },

    appendLog: (entry) => sql.write((tx) => appendLog(tx, entry)),
    log: ({ beforeSeq, limit }) => read((reader) => readLog(reader, beforeSeq ?? Number.MAX_SAFE_INTEGER, limit)),
    chainHolds: () => verifyChain(read),
    close: () => sql.close(),
  };
}

/**
 * One transaction for all; when the database refuses a value in it, each delivery alone, then each event alone, and the
 * one that it refuses by itself becomes a rejected row. So no content, foreseen or not, can hold up a stream.
 */
async function ingestApart(sql: Sql, deliveries: readonly Delivery[], wallMs: number): Promise<IngestOutcome> {
  try {
    return await sql.write((tx) => ingestIn(tx, deliveries, wallMs));
  } catch (error) {
    if (!(error instanceof InvalidInput)) throw error;
    const parts = apart(deliveries, error.message);
    if (parts.length === 0) throw error;
    const outcomes: IngestOutcome[] = [];
    for (const part of parts) outcomes.push(await ingestApart(sql, [part], wallMs));
    return outcomes.reduce((sum, next) => ({
      acks: [...sum.acks, ...next.acks],
      stored: sum.stored + next.stored,
      repeated: sum.repeated + next.repeated,
      rejected: sum.rejected + next.rejected,
      quarantined: [...sum.quarantined, ...next.quarantined],
    }));
  }
}

function apart(deliveries: readonly Delivery[], reason: string): Delivery[] {
  if (deliveries.length > 1) return [...deliveries];
  return deliveries.flatMap((delivery) => {
    const { good, bad } = delivery;
    if (good.length + bad.length > 1)
      return [
        ...good.map((event) => ({ ...delivery, good: [event], bad: [] })),
        ...bad.map((one) => ({ ...delivery, good: [], bad: [one] })),
      ].sort((a, b) => (a.good[0] ?? a.bad[0]!).seq - (b.good[0] ?? b.bad[0]!).seq);
    const event = good[0];
    if (!event) return [];
    const text = reason.replaceAll('\u0000', '\uFFFD').slice(0, 300);
    return [
      { ...delivery, good: [], bad: [{ seq: event.seq, code: 'store_refused', reason: text, json: '"kept out"' }] },
    ];
  });
}
