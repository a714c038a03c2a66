/** Words on their way out: captions in overlays on the disk, the box that sends one again, and a store of before there was a time for words. */
import { createHash, randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { foldEvent } from '../../../cloud/alerts/fold.ts';
import { localClipFiles } from '../../../cloud/review/clip-files.ts';
import { createOverlayWords, withoutCaptions } from '../../../cloud/review/overlay-words.ts';
import { migrate } from '../../../cloud/store/migrate.ts';
import { openStore, type StoreConfig } from '../../../cloud/store/open.ts';
import { openPostgres } from '../../../cloud/store/postgres.ts';
import { openSqlite } from '../../../cloud/store/sqlite.ts';
import type { Store } from '../../../cloud/store/store.ts';
import type { EpisodeBody } from '../../../protocol/event.ts';
import { placesOf } from '../../contract/every-text.ts';
import { DRIVERS, standOn } from '../../contract/store-stand.ts';
import { clipBody, delivery, episodeBody, roomEvent, WALL } from './events.ts';
import { postgresBin, startPostgres } from './postgres.ts';

const DAY = 86_400_000;
const SAID = '评审费今天就要给';
const user = { userId: 'u', name: '王监督', role: 'supervisor' } as const;
const removed = { afterDays: 7, wallMs: WALL + 9 * DAY, by: 'cloud' } as const;
const sha = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const spoken: EpisodeBody = {
  ...episodeBody('e1', 'end'),
  behaviour: 'speech_fee',
  sentence: { zh: `听到“${SAID}”`, en: `Heard “${SAID}”` },
  transcript: { language: 'zh-CN', engine: 'fsmn', text: SAID, hit: [0, 3] },
};
const overlay = (clipId: string, words: readonly object[]) => ({
  version: 1,
  clipId,
  cameraId: 'cam-a',
  seats: [{ seatId: '3', name: '3号席', zone: [[0, 0]] }],
  frames: [{ tMs: 40, persons: [], seats: { 3: 'yes' } }],
  words,
});

describe.each(DRIVERS)('captions of clips on %s', (driver) => {
  let store: Store;
  standOn(driver, (fresh) => {
    store = fresh;
  });

  it('leave the overlay, whose pictures stay; a kill in between costs a second look', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'evalroom-overlay-'));
    try {
      const files = localClipFiles(join(folder, 'clips'));
      const put = async (bytes: Buffer) => {
        const path = join(folder, randomUUID());
        writeFileSync(path, bytes);
        await files.keep(path, sha(bytes));
      };
      const bytes = (['c1', 'c2', 'c3'] as const).map((clipId) =>
        Buffer.from(
          clipId === 'c3'
            ? `no overlay: ${SAID}`
            : JSON.stringify(overlay(clipId, clipId === 'c1' ? [{ tMs: 1, text: SAID, hit: true }] : [])),
        ),
      );
      await store.ingest([delivery([roomEvent('s1', 1, spoken)])], WALL);
      for (const [i, one] of bytes.entries()) {
        const file = { name: 'overlay.json', sha256: sha(one), bytes: one.length } as const;
        await store.ingest([delivery([roomEvent('s1', i + 2, clipBody('e1', `c${i + 1}`, 'room-1', [file]))])], WALL);
        await put(one);
        await store.clipFileArrived({ clipId: `c${i + 1}`, ...file, storedWallMs: WALL });
      }
      await store.act({ actionId: 'a1', episodeId: 'e1', kind: 'confirm', wallMs: WALL }, user);
      // The process dies when the new file stands in the row, before the old one is gone.
      const dying = { ...files, remove: () => Promise.reject(new Error('killed')) };
      const look = (of: typeof files) =>
        createOverlayWords({ store, files: of, folder: join(folder, 'uploads') }).look(WALL + 2 * DAY, removed);
      expect(await look(dying)).toMatchObject({ emptied: 0, faults: [{ message: 'killed' }, { message: 'killed' }] });
      expect(await look(files)).toMatchObject({ faults: [] });
      expect(await look(files)).toEqual({ emptied: 0, faults: [] });

      const left = readdirSync(join(folder, 'clips'), { recursive: true, withFileTypes: true }).filter((one) =>
        one.isFile(),
      );
      expect(left.filter((one) => readFileSync(join(one.parentPath, one.name)).includes(SAID))).toEqual([]);
      expect(left).toHaveLength(3);
      expect(readdirSync(join(folder, 'uploads'))).toEqual([]);
      const stored = (await store.clip('c1'))!.files[0]!;
      await files.verify(stored.sha256);
      const path = join(folder, 'clips', stored.sha256.slice(0, 2), stored.sha256);
      expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({ ...overlay('c1', []), wordsRemoved: removed });
      expect((await store.clip('c2'))!.files[0]).toMatchObject({ sha256: sha(bytes[1]!) });
      expect(existsSync(join(folder, 'clips', sha(bytes[0]!).slice(0, 2), sha(bytes[0]!)))).toBe(false);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('leave what was stored days after one whose bytes are damaged, which is named every time', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'evalroom-overlay-'));
    try {
      const files = localClipFiles(join(folder, 'clips'));
      await store.ingest([delivery([roomEvent('s1', 1, spoken)])], WALL);
      const shas: string[] = [];
      for (const [i, clipId] of ['c1', 'c2', 'c3'].entries()) {
        const bytes = Buffer.from(JSON.stringify(overlay(clipId, [{ tMs: 1, text: SAID, hit: true }])));
        const file = { name: 'overlay.json', sha256: sha(bytes), bytes: bytes.length } as const;
        await store.ingest([delivery([roomEvent('s1', i + 2, clipBody('e1', clipId, 'room-1', [file]))])], WALL);
        const path = join(folder, randomUUID());
        writeFileSync(path, bytes);
        await files.keep(path, file.sha256);
        await store.clipFileArrived({ clipId, ...file, storedWallMs: WALL + i * 3 * DAY });
        shas.push(file.sha256);
      }
      await store.act({ actionId: 'a1', episodeId: 'e1', kind: 'confirm', wallMs: WALL }, user);
      const pathOf = (sha256: string) => join(folder, 'clips', sha256.slice(0, 2), sha256);
      writeFileSync(pathOf(shas[0]!), 'damaged');
      const { look } = createOverlayWords({ store, files, folder: join(folder, 'uploads') });
      // Still no more than a day's worth at once.
      for (const rest of [
        [false, true],
        [false, false],
      ] as const) {
        expect(await look(WALL + 30 * DAY, removed)).toMatchObject({ emptied: 1, faults: [{ code: 'clip_corrupt' }] });
        expect(shas.slice(1).map((one) => existsSync(pathOf(one)))).toEqual(rest);
      }
      expect(await look(WALL + 30 * DAY, removed)).toMatchObject({ emptied: 0, faults: [{ code: 'clip_corrupt' }] });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe('an overlay', () => {
  it.each([
    ['without words', overlay('c1', []), undefined],
    ['with words', overlay('c1', [{ tMs: 1, text: SAID, hit: true }]), { ...overlay('c1', []), wordsRemoved: removed }],
    ['that is none', SAID, { ...overlay('c1', []), cameraId: '', seats: [], frames: [], wordsRemoved: removed }],
    ['of another version', { version: 2, words: [] }, expect.objectContaining({ words: [], frames: [] })],
  ])('%s', (_what, content, left) => {
    expect(withoutCaptions(content, 'c1', removed)).toEqual(left);
  });
});

it.for(DRIVERS)('a store of before on %s knows after its upgrade which events hold words', async (driver, ctx) => {
  const bin = postgresBin();
  if (driver === 'postgres' && !bin) return ctx.skip('needs the Debian package postgresql');
  const folder = mkdtempSync(join(tmpdir(), 'evalroom-before-'));
  const server = driver === 'postgres' ? await startPostgres(bin!) : undefined;
  try {
    const config: StoreConfig = server
      ? { kind: 'postgres', url: await server.database() }
      : { kind: 'sqlite', path: join(folder, 'cloud.db') };
    const sql = config.kind === 'sqlite' ? openSqlite(config.path) : openPostgres(config.url);
    await migrate(sql, 12);
    const day = Math.floor(WALL / DAY) * DAY;
    await sql.write(async (tx) => {
      if (server) {
        await tx.all(`create table events_old partition of events for values from (${day}) to (${day + DAY})`);
        await tx.all('alter table events_old rename to events_20251009');
      }
      await tx.all(
        "insert into streams (stream_id, room_id, lane, through, highest, opened_wall_ms, heard_wall_ms) values ('s1', 'room-1', 'alert', 2, 2, $1, $1)",
        WALL,
      );
      for (const [seq, body] of [
        [1, spoken],
        [2, { ...episodeBody('e1'), behaviour: 'outside_contact', transcript: spoken.transcript! }],
      ] as const) {
        const event = roomEvent('s1', seq, body as EpisodeBody);
        await tx.all(
          'insert into events values ($1, $2, $3, $4, $5, $6, $7, $8, $9)',
          's1',
          seq,
          event.eventId,
          'room-1',
          'episode',
          'e1',
          WALL,
          WALL,
          JSON.stringify(event),
        );
      }
      const fold = foldEvent(undefined, { roomId: 'room-1', wallMs: WALL, storedWallMs: WALL, body: spoken });
      await tx.all(
        "insert into alerts (episode_id, room_id, state, last_stored_wall_ms, view) values ('e1', 'room-1', 'closed', $1, $2)",
        WALL,
        JSON.stringify({ ...fold, state: 'closed' }),
      );
      await tx.all("insert into rejected values ('r1', 'room-1', null, null, 0, 'bad_shape', 'x', $1, $2)", SAID, WALL);
    });
    await sql.close();
    const store = await openStore(config);
    expect(await store.removeWords({ days: { fee: 7 }, wallMs: WALL + 9 * DAY })).toEqual({
      events: { fee: 1, other: 1 },
      alerts: 1,
      refused: 1,
    });
    expect(await placesOf(config, SAID)).toEqual([]);
    await store.close();
  } finally {
    await server?.stop();
    rmSync(folder, { recursive: true, force: true });
  }
});
