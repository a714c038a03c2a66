/** Rule packs as rows: versions that are never changed, where each was published, and the stored episodes that a draft is tried on. */
import { type StoredWords, withWords } from '../../models/rules/stored.ts';
import type { EpisodeBody, RoomEvent } from '../../protocol/event.ts';
import type { RulePackOrder } from '../../protocol/orders.ts';
import type { AlertFold } from '../alerts/fold.ts';
import type { EvaluationView } from '../http/sessions-api.ts';
import { appendLog } from './log.ts';
import type { Reader, Tx } from './sql.ts';
import type { LogEntry } from './store.ts';

/** One version as lists show it. */
export interface RuleVersion {
  readonly name: string;
  readonly version: string;
  readonly title: { readonly zh: string; readonly en: string };
  readonly phrases: number;
  readonly rules: number;
  readonly sha256: string;
  readonly keyId: string;
  readonly madeWallMs: number;
  readonly madeBy: string;
  /** What the maker wrote about it. */
  readonly note?: string;
  /** `name version` that it began from. */
  readonly basedOn?: string;
}

/** Where a version counts: everywhere, in a province, in a centre, or in one room. The narrowest place that covers a room counts. */
export interface RulePlacement {
  readonly kind: 'all' | 'province' | 'centre' | 'room';
  /** Name of the province or the centre, id of the room, '' for all. */
  readonly of: string;
  /** Absent: the rooms' own files count. */
  readonly pack?: { readonly name: string; readonly version: string };
  /** This place has nothing of its own any more: the next wider one counts. Then without `pack`. */
  readonly follows?: true;
  /** Placed before places had an order: of all such that cover a room the newest alone has a say. */
  readonly byAge?: true;
  readonly placedWallMs: number;
  readonly placedBy: string;
}

/** An episode with what was written down around its words. */
export interface EpisodeWithWords {
  readonly episodeId: string;
  readonly roomId: string;
  readonly behaviour: EpisodeBody['behaviour'];
  readonly level: EpisodeBody['level'];
  readonly beganWallMs: number;
  readonly durationMs: number;
  readonly fault?: string;
  readonly transcripts: readonly StoredWords[];
  /** Of its evaluation, where it had one that named any. */
  readonly bidders?: readonly (readonly string[])[];
}

export interface StoredEpisodes {
  readonly episodes: readonly EpisodeWithWords[];
  /** Events of words that were left out, since there are more of them than are read at one time. */
  readonly leftOut: number;
}

export interface RulesStore {
  /** False when this version exists already: it then stays as it is. */
  addVersion(version: RuleVersion, order: RulePackOrder, by: LogEntry): Promise<boolean>;
  /** Oldest first. */
  versions(): Promise<readonly RuleVersion[]>;
  version(name: string, version: string): Promise<{ version: RuleVersion; order: RulePackOrder } | undefined>;
  place(placements: readonly RulePlacement[], by: LogEntry): Promise<void>;
  /** Oldest first; of each place the newest, and the newest one `byAge` where that is another. */
  placements(): Promise<readonly RulePlacement[]>;
  /** The newest episodes, at most `limit`, of one room where it is named; newest first. */
  episodes(query: { readonly roomId?: string; readonly limit: number }): Promise<StoredEpisodes>;
}

/** Episodes whose events are read at one time, and how many of those events. */
const EPISODES_SLICE = 200;
const EVENTS_SLICE = 5000;

interface VersionRow {
  readonly name: string;
  readonly version: string;
  readonly summary: string;
}

export async function addVersion(tx: Tx, version: RuleVersion, order: RulePackOrder, by: LogEntry): Promise<boolean> {
  const added = await tx.all<{ name: string }>(
    `insert into rule_versions (name, version, made_wall_ms, summary, travelling) values ($1, $2, $3, $4, $5)
     on conflict do nothing returning name`,
    version.name,
    version.version,
    Math.round(version.madeWallMs),
    JSON.stringify(version),
    JSON.stringify(order),
  );
  if (added.length === 0) return false;
  await appendLog(tx, by);
  return true;
}

export async function listVersions(reader: Reader): Promise<RuleVersion[]> {
  const rows = await reader.all<VersionRow>(
    'select name, version, summary from rule_versions order by made_wall_ms, name, version',
  );
  return rows.map(({ summary }) => JSON.parse(summary) as RuleVersion);
}

export async function findVersion(
  reader: Reader,
  name: string,
  version: string,
): Promise<{ version: RuleVersion; order: RulePackOrder } | undefined> {
  const rows = await reader.all<{ summary: string; travelling: string }>(
    'select summary, travelling from rule_versions where name = $1 and version = $2',
    name,
    version,
  );
  const row = rows[0];
  return row && { version: JSON.parse(row.summary) as RuleVersion, order: JSON.parse(row.travelling) as RulePackOrder };
}

export async function addPlacements(tx: Tx, placements: readonly RulePlacement[], by: LogEntry): Promise<void> {
  // The log's head is locked from here on: two who publish at once are one after the other, and so are their numbers.
  await appendLog(tx, by);
  const last = await tx.all<{ n: number | null }>('select max(n) as n from rule_placements');
  let n = last[0]?.n ?? 0;
  await tx.insertMany({
    table: 'rule_placements',
    columns: {
      n: 'int',
      kind: 'text',
      place: 'text',
      name: 'text',
      version: 'text',
      placed_wall_ms: 'int',
      placed_by: 'text',
      way: 'text',
    },
    rows: placements.map(({ kind, of, pack, follows, placedWallMs, placedBy }) => [
      ++n,
      kind,
      of,
      pack?.name ?? null,
      pack?.version ?? null,
      Math.round(placedWallMs),
      placedBy,
      follows ? 'follow' : 'own',
    ]),
  });
}

export async function listPlacements(reader: Reader): Promise<RulePlacement[]> {
  const rows = await reader.all<{
    kind: RulePlacement['kind'];
    place: string;
    name: string | null;
    version: string | null;
    placed_wall_ms: number;
    placed_by: string;
    way: 'own' | 'follow' | 'newest';
  }>(
    // The others say nothing any more. One by age says at least that older ones of other places are superseded.
    `select p.kind, p.place, p.name, p.version, p.placed_wall_ms, p.placed_by, p.way from rule_placements p
     where p.n = (select max(q.n) from rule_placements q where q.kind = p.kind and q.place = p.place)
        or p.n = (select max(q.n) from rule_placements q where q.kind = p.kind and q.place = p.place and q.way = 'newest')
     order by p.n`,
  );
  return rows.map((row) => ({
    kind: row.kind,
    of: row.place,
    ...(row.name === null || row.version === null ? {} : { pack: { name: row.name, version: row.version } }),
    ...(row.way === 'follow' ? { follows: true } : row.way === 'newest' ? { byAge: true } : {}),
    placedWallMs: row.placed_wall_ms,
    placedBy: row.placed_by,
  }));
}

export async function listEpisodes(
  reader: Reader,
  { roomId, limit }: { readonly roomId?: string; readonly limit: number },
): Promise<StoredEpisodes> {
  const alerts = await reader.all<{ view: string }>(
    `select view from alerts ${roomId === undefined ? '' : 'where room_id = $2'}
     order by last_stored_wall_ms desc, episode_id limit $1`,
    limit,
    ...(roomId === undefined ? [] : [roomId]),
  );
  const folds = alerts.map(({ view }) => JSON.parse(view) as AlertFold);
  const spoken = folds.filter(({ behaviour }) => behaviour.startsWith('speech_'));
  const words = new Map<string, readonly StoredWords[]>();
  let leftOut = 0;
  // In slices: an episode may go on for hours, and its events would not all fit into memory.
  for (let at = 0; at < spoken.length; at += EPISODES_SLICE) {
    // Only what its stream's `through` has passed, as everywhere.
    const from = `from events e join streams s on s.stream_id = e.stream_id and e.seq <= s.through
       where e.kind = 'episode' and ${reader.among('e.episode_id', 1)}`;
    const ids = spoken.slice(at, at + EPISODES_SLICE).map(({ episodeId }) => episodeId);
    const events = await reader.all<{ json: string }>(
      `select e.json ${from} order by e.wall_ms, e.seq limit $2`,
      ids,
      EVENTS_SLICE,
    );
    if (events.length === EVENTS_SLICE) {
      const all = await reader.all<{ n: number }>(`select count(*) as n ${from}`, ids);
      leftOut += Math.max(0, (all[0]?.n ?? 0) - EVENTS_SLICE);
    }
    for (const { json } of events) {
      const { body, roomId: room } = JSON.parse(json) as RoomEvent;
      if (body.kind !== 'episode') continue;
      const key = `${room} ${body.episodeId}`;
      words.set(key, withWords(words.get(key) ?? [], body));
    }
  }
  const bidders = await biddersOf(reader, spoken);
  const episodes = folds.map(
    ({ episodeId, roomId: room, behaviour, level, beganWallMs, durationMs, fault, sessionId }) => ({
      episodeId,
      roomId: room,
      behaviour,
      level,
      beganWallMs,
      durationMs,
      ...(fault === undefined ? {} : { fault }),
      transcripts: words.get(`${room} ${episodeId}`) ?? [],
      ...(sessionId !== undefined && bidders.has(sessionId) ? { bidders: bidders.get(sessionId)! } : {}),
    }),
  );
  return { episodes, leftOut };
}

/** Who bid, by evaluation: phrases with a name in them are read with these. */
async function biddersOf(
  reader: Reader,
  folds: readonly AlertFold[],
): Promise<ReadonlyMap<string, readonly (readonly string[])[]>> {
  const ids = [...new Set(folds.flatMap(({ sessionId }) => sessionId ?? []))];
  const found = new Map<string, readonly (readonly string[])[]>();
  for (let at = 0; at < ids.length; at += EPISODES_SLICE) {
    const rows = await reader.all<{ json: string }>(
      `select json from evaluations where ${reader.among('session_id', 1)}`,
      ids.slice(at, at + EPISODES_SLICE),
    );
    for (const { json } of rows) {
      const { sessionId, bidders } = JSON.parse(json) as EvaluationView;
      if (bidders.length > 0) found.set(sessionId, bidders);
    }
  }
  return found;
}
