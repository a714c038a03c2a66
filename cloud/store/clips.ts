/** Clips as rows: what was announced, which files have arrived, and what people did about an alert. */
import type { ClipManifest } from '../../protocol/clip.ts';
import { foldAction } from '../alerts/fold.ts';
import type { ActionKind, ActionView, UserView } from '../http/api.ts';
import { loadFolds, saveFolds } from './alerts.ts';
import { appendFeedRef, lockFeed } from './feed.ts';
import { appendLog } from './log.ts';
import type { Reader, Tx } from './sql.ts';
import type { StoredClip } from './store.ts';

export async function readClip(reader: Reader, clipId: string): Promise<StoredClip | undefined> {
  const rows = await reader.all<{ manifest: string }>('select manifest from clips where clip_id = $1', clipId);
  if (!rows[0]) return undefined;
  const files = await reader.all<{ name: string; sha256: string; bytes: number; stored_wall_ms: number }>(
    'select name, sha256, bytes, stored_wall_ms from clip_files where clip_id = $1 order by name',
    clipId,
  );
  return {
    clip: JSON.parse(rows[0].manifest) as ClipManifest,
    files: files.map(({ stored_wall_ms: storedWallMs, ...file }) => ({ ...file, storedWallMs })),
  };
}

/** See Store.clipFileArrived. */
export async function addClipFile(
  tx: Tx,
  file: { clipId: string; name: string; sha256: string; bytes: number; storedWallMs: number },
): Promise<boolean> {
  const added = await tx.insertMany<{ clip_id: string }>({
    table: 'clip_files',
    columns: { clip_id: 'text', name: 'text', sha256: 'text', bytes: 'int', stored_wall_ms: 'int' },
    conflict: 'on conflict do nothing',
    returning: 'clip_id',
    rows: [[file.clipId, file.name, file.sha256, file.bytes, file.storedWallMs]],
  });
  if (added.length === 0) return false;
  await appendFeedRef(tx, 'clip', file.clipId, file.storedWallMs);
  return true;
}

/** See Store.act. */
export async function addAction(
  tx: Tx,
  action: { actionId: string; episodeId: string; kind: ActionKind; note?: string; wallMs: number },
  user: UserView,
): Promise<ActionView | undefined> {
  await lockFeed(tx);
  const fold = (await loadFolds(tx, [action.episodeId])).get(action.episodeId);
  if (!fold) return undefined;
  await saveFolds(tx, [foldAction(fold, action.kind)]);
  await tx.insertMany({
    table: 'actions',
    columns: {
      action_id: 'text',
      episode_id: 'text',
      kind: 'text',
      user_id: 'text',
      user_name: 'text',
      wall_ms: 'int',
      note: 'text',
    },
    rows: [
      [action.actionId, action.episodeId, action.kind, user.userId, user.name, action.wallMs, action.note ?? null],
    ],
  });
  await appendFeedRef(tx, 'action', action.actionId, action.wallMs);
  await appendLog(tx, {
    wallMs: action.wallMs,
    actor: user.name,
    action: `alert_${action.kind}`,
    object: action.episodeId,
  });
  return {
    actionId: action.actionId,
    episodeId: action.episodeId,
    kind: action.kind,
    userName: user.name,
    wallMs: action.wallMs,
    ...(action.note === undefined ? {} : { note: action.note }),
  };
}
