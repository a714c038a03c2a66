/** Beside the outbox, in the same file: rows of clips, so that a clip and the event that announces it change together. */
import type { Database } from 'better-sqlite3';
import type { ClipManifest } from '../../protocol/clip.ts';
import { Full } from '../../protocol/errors.ts';
import type { ClipRequest } from '../record/plan.ts';
import type { ClipRow, ClipRows, ClipState } from './outbox.ts';
import { asOurs } from './schema.ts';

interface StoredClip {
  readonly manifest: string;
  readonly state: ClipState;
  readonly folder: string;
  readonly attempts: number;
  readonly uploads: string;
}

/**
 * `needed` runs a change that must work on a full disk: whatever takes a clip further on its way out. `announce` and `released` run inside the outbox's own transactions: the event of a clip was accepted under `key`;
 * the events with keys in (from, to] were acked.
 */
export function createClipRows(
  database: Database,
  quotaBytes: number,
  needed: <T>(doing: string, change: () => T) => T,
): {
  readonly rows: ClipRows;
  announce(clipId: string, key: number): void;
  released(from: number, to: number): void;
} {
  const announceRow = database.prepare(
    `update clip set state = 'announced', event_key = ? where clip_id = ? and state = 'cut'`,
  );
  const releaseRows = database.prepare(
    `update clip set state = 'uploading', event_key = null where event_key > ? and event_key <= ?`,
  );
  const savePlan = database.prepare('insert or replace into clip_plan (clip_id, request) values (?, ?)');
  const dropPlan = database.prepare('delete from clip_plan where clip_id = ?');
  const readPlans = database.prepare('select request from clip_plan order by rowid').pluck();
  const insert = database.prepare(
    `insert into clip (clip_id, episode_id, state, folder, bytes, manifest) values (?, ?, 'cut', ?, ?, ?)`,
  );
  const columns = 'manifest, state, folder, attempts, uploads';
  const byState = database.prepare(`select ${columns} from clip where state = ? order by number desc`);
  const byEpisode = database.prepare(`select ${columns} from clip where episode_id = ? order by number`);
  const attempt = database.prepare('update clip set attempts = attempts + 1 where clip_id = ?');
  const readUploads = database.prepare('select uploads from clip where clip_id = ?').pluck();
  const saveUploads = database.prepare('update clip set uploads = ? where clip_id = ?');
  const saveAcked = database.prepare(`update clip set state = 'acked' where clip_id = ? and state = 'uploading'`);
  const drop = database.prepare('delete from clip where clip_id = ?');
  const count = database.prepare(
    `select count(*) filter (where state <> 'acked') as waiting, coalesce(sum(bytes) filter (where state <> 'acked'), 0) as bytes from clip`,
  );

  const toRow = ({ manifest, state, folder, attempts, uploads }: StoredClip): ClipRow => ({
    manifest: JSON.parse(manifest) as ClipManifest,
    state,
    folder,
    attempts,
    uploads: JSON.parse(uploads) as ClipRow['uploads'],
  });
  const stats = () => count.get() as { waiting: number; bytes: number };
  const run = (doing: string, change: () => unknown): void => {
    try {
      change();
    } catch (error) {
      throw asOurs(error, doing);
    }
  };

  const rows: ClipRows = {
    plan: (request) =>
      run(`Planning clip ${request.clipId}`, () => savePlan.run(request.clipId, JSON.stringify(request))),
    plans: () => (readPlans.all() as string[]).map((request) => JSON.parse(request) as ClipRequest),
    unplan: (clipId) => void needed(`Dropping the plan of clip ${clipId}`, () => dropPlan.run(clipId)),
    add: (manifest, folder) => {
      const bytes = manifest.files.reduce((sum, file) => sum + file.bytes, 0);
      if (stats().bytes + bytes > quotaBytes)
        throw new Full('clips_full', `Keeping clip ${manifest.clipId}: the quota of ${quotaBytes} bytes is used up`);
      run(`Keeping clip ${manifest.clipId}`, () =>
        database.transaction(() => {
          insert.run(manifest.clipId, manifest.episodeId, folder, bytes, JSON.stringify(manifest));
          dropPlan.run(manifest.clipId);
        })(),
      );
    },
    list: (state) => (byState.all(state) as StoredClip[]).map(toRow),
    ofEpisode: (episodeId) => (byEpisode.all(episodeId) as StoredClip[]).map(toRow),
    attempted: (clipId) => void needed(`Counting an attempt of clip ${clipId}`, () => attempt.run(clipId)),
    upload: (clipId, name, at) =>
      needed(`Saving the upload of clip ${clipId}`, () => {
        const stored = readUploads.get(clipId) as string | undefined;
        if (stored === undefined) return;
        const { [name]: _, ...others } = JSON.parse(stored) as ClipRow['uploads'];
        saveUploads.run(JSON.stringify(at === undefined ? others : { ...others, [name]: at }), clipId);
      }),
    acked: (clipId) => void needed(`Saving the ack of clip ${clipId}`, () => saveAcked.run(clipId)),
    remove: (clipId) => void needed(`Dropping clip ${clipId}`, () => drop.run(clipId)),
    stats,
  };
  return {
    rows,
    announce: (clipId, key) => void announceRow.run(key, clipId),
    released: (from, to) => void releaseRows.run(from, to),
  };
}
