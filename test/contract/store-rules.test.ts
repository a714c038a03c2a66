/** One suite over both drivers of the cloud store: versions of rule packs that nobody changes, where they count, and the episodes a draft is tried on. */
import { describe, expect, it } from 'vitest';
import { begun } from '../../cloud/review/evaluation.ts';
import { openPostgres } from '../../cloud/store/postgres.ts';
import type { RulePlacement, RuleVersion } from '../../cloud/store/rules.ts';
import type { Sql } from '../../cloud/store/sql.ts';
import { openSqlite } from '../../cloud/store/sqlite.ts';
import type { Store } from '../../cloud/store/store.ts';
import type { RoomEvent, Transcript } from '../../protocol/event.ts';
import type { RulePackOrder } from '../../protocol/orders.ts';
import { delivery, episodeBody, roomEvent, WALL } from '../medium/cloud/events.ts';
import { DRIVERS, standOn } from './store-stand.ts';

const order = (version: string): RulePackOrder => ({
  name: 'province',
  version,
  files: { 'pack.yaml': '名称: 试' },
  sha256: '0'.repeat(64),
  signature: 's',
  keyId: 'k',
});
const summary = (version: string, madeWallMs = WALL): RuleVersion => ({
  name: 'province',
  version,
  title: { zh: '某省', en: 'A province' },
  phrases: 3,
  rules: 2,
  sha256: '0'.repeat(64),
  keyId: 'k',
  madeWallMs,
  madeBy: '王监督',
  note: '第一版',
});
const by = (action: string) => ({ wallMs: WALL, actor: '王监督', action, object: 'o' });
const placed = (kind: RulePlacement['kind'], of: string, version?: string): RulePlacement => ({
  kind,
  of,
  ...(version === undefined ? {} : { pack: { name: 'province', version } }),
  placedWallMs: WALL,
  placedBy: '王监督',
});

describe.each(DRIVERS)('rule packs in the store on %s', (driver) => {
  let store: Store;
  let raw: () => Sql;
  standOn(driver, (fresh, config) => {
    store = fresh;
    raw = () => (config.kind === 'sqlite' ? openSqlite(config.path) : openPostgres(config.url));
    return undefined;
  });

  it('keeps each version as it was first stored, with its entry in the log', async () => {
    const { rules } = store;
    expect(await rules.addVersion(summary('1.0.0'), order('1.0.0'), by('save_rules'))).toBe(true);
    expect(await rules.addVersion(summary('1.1.0', WALL + 1), order('1.1.0'), by('save_rules'))).toBe(true);
    const other = { ...order('1.0.0'), signature: 'another' };
    expect(await rules.addVersion(summary('1.0.0'), other, by('save_rules'))).toBe(false);
    expect(await rules.versions()).toEqual([summary('1.0.0'), summary('1.1.0', WALL + 1)]);
    expect(await rules.version('province', '1.0.0')).toEqual({ version: summary('1.0.0'), order: order('1.0.0') });
    expect(await rules.version('province', '9.9.9')).toBeUndefined();
    expect((await store.log({ limit: 10 })).map(({ action }) => action)).toEqual(['save_rules', 'save_rules']);
    expect(await store.chainHolds()).toBe(true);
  });

  it('lets nobody change or remove a version or a placement, not even by SQL', async () => {
    await store.rules.addVersion(summary('1.0.0'), order('1.0.0'), by('save_rules'));
    await store.rules.place([placed('all', '', '1.0.0')], by('publish_rules'));
    const sql = raw();
    try {
      for (const statement of [
        "update rule_versions set travelling = '{}'",
        'delete from rule_versions',
        "update rule_placements set version = '2.0.0'",
        'delete from rule_placements',
      ])
        await expect(sql.write((tx) => tx.all(statement))).rejects.toThrow();
    } finally {
      await sql.close();
    }
    expect(await store.rules.version('province', '1.0.0')).toMatchObject({ order: order('1.0.0') });
  });

  it('knows the newest placement of each place, in the order in which they were made', async () => {
    const { rules } = store;
    await rules.place([placed('room', 'room-1', '1.0.0'), placed('all', '', '1.0.0')], by('publish_rules'));
    await rules.place([placed('centre', '省中心', '1.1.0')], by('publish_rules'));
    await rules.place([placed('room', 'room-1')], by('withdraw_rules'));
    expect(await rules.placements()).toEqual([
      placed('all', '', '1.0.0'),
      placed('centre', '省中心', '1.1.0'),
      placed('room', 'room-1'),
    ]);
    await Promise.all(
      ['a', 'b', 'c', 'd'].map((of) => rules.place([placed('room', of, '1.1.0')], by('publish_rules'))),
    );
    expect(await rules.placements()).toHaveLength(7);
  });

  it('knows a province, a place that follows the next wider one, and what was placed before places had an order', async () => {
    const { rules } = store;
    const follows = { ...placed('province', '浙江'), follows: true as const };
    await rules.place([placed('province', '浙江', '1.0.0'), placed('all', '', '1.0.0')], by('publish_rules'));
    await rules.place([follows], by('withdraw_rules'));
    expect(await rules.placements()).toEqual([placed('all', '', '1.0.0'), follows]);
    const sql = raw();
    try {
      await sql.write((tx) =>
        tx.all(
          `insert into rule_placements (n, kind, place, name, version, placed_wall_ms, placed_by)
           values (0, 'all', '', 'province', '0.9.0', ${WALL}, '王监督')`,
        ),
      );
    } finally {
      await sql.close();
    }
    expect(await rules.placements()).toEqual([
      { ...placed('all', '', '0.9.0'), byAge: true },
      placed('all', '', '1.0.0'),
      follows,
    ]);
  });

  it('gives the newest episodes with what was written down around their words', async () => {
    const words = (text: string): Transcript => ({ language: 'zh-CN', engine: 'fsmn', text, hit: [0, 2] });
    const spoken = (seq: number, phase: 'begin' | 'update', text: string): RoomEvent => {
      const body = episodeBody('e-1', phase, 'alarm');
      return roomEvent('s1', seq, { ...body, behaviour: 'speech_prohibited', transcript: words(text) });
    };
    const events = [
      spoken(1, 'begin', '改分'),
      spoken(2, 'update', '改分'),
      spoken(3, 'update', '给分'),
      // The same words with what was said after them.
      spoken(4, 'update', '给分 hou mian'),
      roomEvent('s1', 5, episodeBody('e-2')),
    ];
    await store.ingest([delivery(events)], WALL);
    // A word whose event waits beyond a hole is not known yet, as nowhere else.
    await store.ingest([delivery([spoken(7, 'update', '贿赂')])], WALL);
    const { episodes: found, leftOut } = await store.rules.episodes({ limit: 10 });
    expect(leftOut).toBe(0);
    expect(found).toHaveLength(2);
    expect(found.find(({ episodeId }) => episodeId === 'e-1')).toMatchObject({
      roomId: 'room-1',
      behaviour: 'speech_prohibited',
      transcripts: [words('改分'), words('给分 hou mian')],
    });
    expect(found.find(({ episodeId }) => episodeId === 'e-2')?.transcripts).toEqual([]);
    expect((await store.rules.episodes({ limit: 1 })).episodes).toHaveLength(1);
    expect(await store.rules.episodes({ roomId: 'room-9', limit: 10 })).toEqual({ episodes: [], leftOut: 0 });
  });

  it('gives each episode the bidders of its evaluation, by which its phrases are read again', async () => {
    const bidders = [['甲公司', '甲']];
    const evaluation = begun(
      { title: '采购一', roster: [], bidders },
      { sessionId: 'ev-1', roomId: 'room-1' },
      { by: '王监督', wallMs: WALL },
    );
    await store.evaluations.begin(evaluation, { actor: '王监督', wallMs: WALL });
    const words = { ...episodeBody('e-1'), behaviour: 'speech_prohibited' as const };
    const inside = roomEvent('s1', 1, { ...words, sessionId: 'ev-1' });
    const outside = roomEvent('s1', 2, { ...episodeBody('e-2'), behaviour: 'speech_prohibited' });
    await store.ingest([delivery([inside, outside])], WALL);
    const { episodes } = await store.rules.episodes({ limit: 10 });
    expect(episodes.find(({ episodeId }) => episodeId === 'e-1')?.bidders).toEqual(bidders);
    expect(episodes.find(({ episodeId }) => episodeId === 'e-2')).not.toHaveProperty('bidders');
  });
});
