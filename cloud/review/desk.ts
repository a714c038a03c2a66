/** What supervisors may do, and what regulators may see, of stored alerts, clips and the log; access is the first line of each function. */
import { createHmac, randomUUID, timingSafeEqual } from 'node:crypto';
import type { Readable } from 'node:stream';
import { Corrupt, Forbidden, InvalidInput } from '../../protocol/errors.ts';
import type { Clock } from '../../protocol/time.ts';
import {
  type ActionRequest,
  type ActionView,
  type AlertDetailView,
  type AlertListView,
  type ClipGrantView,
  type LogView,
  NOTE_MAX,
  type OverviewView,
  type RefusedView,
} from '../http/api.ts';
import type { Rooms, Snapshot } from '../ingest/rooms.ts';
import type { Position, Store, StoredClip } from '../store/store.ts';
import { requireSupervisor, requireViewer, type Viewer } from './access.ts';
import type { ClipFiles } from './clip-files.ts';

const GRANT_MS = 600_000;
const CHAIN_CHECK_MS = 60_000;
const REFUSED_SHOWN = 100;
const PAYLOAD_SHOWN = 4000;

type Who = Viewer | undefined;

export interface ServedFile {
  readonly sha256: string;
  readonly bytes: number;
  readonly type: string;
  /** Bytes from `start` to `end`, both included. */
  open(start: number, end: number): Readable;
}

export interface Desk {
  overview(who: Who): Promise<OverviewView>;
  /** Where a feed begins; the newest place for a viewer without a cursor. */
  feedFrom(who: Who, cursor: string | undefined): Promise<Position>;
  alerts(
    who: Who,
    query: { readonly room?: string; readonly before?: number; readonly limit: number },
  ): Promise<AlertListView>;
  alert(who: Who, episodeId: string): Promise<AlertDetailView>;
  act(who: Who, episodeId: string, request: ActionRequest): Promise<ActionView>;
  /** The log entry is written before anything is granted; bytes that no longer match their hash are not granted. */
  grantClip(who: Who, clipId: string): Promise<ClipGrantView>;
  clipFile(who: Who, clipId: string, name: string, grant: string): Promise<ServedFile>;
  snapshot(who: Who, roomId: string, cameraId: string): Promise<Snapshot>;
  refused(who: Who): Promise<RefusedView>;
  log(who: Who, query: { readonly before?: number; readonly limit: number }): Promise<LogView>;
}

const notFound = (what: string) => new InvalidInput('not_found', `looking for ${what}: there is none`);

export function createDesk(parts: {
  readonly store: Store;
  readonly files: ClipFiles;
  readonly rooms: Rooms;
  /** Called after what adds to the feed. */
  readonly onCommit: () => void;
  readonly clock: Clock;
}): Desk {
  const { store, files, rooms, onCommit, clock } = parts;
  let chain = { holds: true, checkedMonoMs: Number.NEGATIVE_INFINITY };
  let checking: Promise<void> | undefined;

  /** The whole chain is read, so not for every click, and once for all who ask meanwhile; a break stays visible until the process ends. */
  async function checkChain(): Promise<void> {
    const holds = await store.chainHolds();
    chain = { holds: chain.holds && holds, checkedMonoMs: clock.monoMs() };
  }

  const sign = (clipId: string, sessionId: string, expires: number) =>
    createHmac('sha256', store.grantKey)
      .update(JSON.stringify([clipId, sessionId, expires]))
      .digest('base64url');

  const fileOf = (clip: StoredClip, name: string) => clip.files.find((file) => file.name === name);

  return {
    async overview(who) {
      requireViewer(who);
      const devices = await store.devices();
      const { alerts, unlisted, cursor } = await store.overview();
      const sessions = await store.evaluations.open();
      const cards = rooms.cards(devices.map(({ roomId }) => roomId));
      return {
        serverWallMs: clock.wallMs(),
        rooms: cards,
        alerts,
        ...(unlisted > 0 ? { unlisted } : {}),
        sessions,
        cursor,
      };
    },
    async feedFrom(who, cursor) {
      requireViewer(who);
      return cursor === undefined || cursor === '' ? store.head() : store.parseCursor(cursor);
    },
    async alerts(who, { room, before, limit }) {
      requireViewer(who);
      return {
        alerts: await store.alerts({
          limit,
          ...(room === undefined ? {} : { roomId: room }),
          ...(before === undefined ? {} : { beforeWallMs: before }),
        }),
      };
    },
    async alert(who, episodeId) {
      requireViewer(who);
      const detail = await store.alert(episodeId);
      if (!detail) throw notFound(`alert ${episodeId}`);
      const layout = rooms.layout(detail.alert.roomId);
      return { ...detail, ...(layout ? { layout } : {}) };
    },
    async act(who, episodeId, { kind, note }) {
      const { user } = requireSupervisor(who);
      if (note !== undefined && note.length > NOTE_MAX)
        throw new InvalidInput('note_long', `acting on ${episodeId}: the note has more than ${NOTE_MAX} characters`);
      const wallMs = clock.wallMs();
      const action = { actionId: randomUUID(), episodeId, kind, wallMs, ...(note === undefined ? {} : { note }) };
      const stored = await store.act(action, user);
      if (!stored) throw notFound(`alert ${episodeId}`);
      onCommit();
      return stored;
    },
    async grantClip(who, clipId) {
      const { user, sessionId } = requireViewer(who);
      const clip = await store.clip(clipId);
      if (!clip) throw notFound(`clip ${clipId}`);
      const video = fileOf(clip, 'clip.mp4');
      if (!video) throw new InvalidInput('clip_not_here', `viewing clip ${clipId}: it has not arrived yet`);
      const wallMs = clock.wallMs();
      await store.appendLog({ wallMs, actor: user.name, action: 'view_clip', object: clipId });
      try {
        for (const file of clip.files) await files.verify(file.sha256);
      } catch (error) {
        // Storage that is out of reach says nothing about the clip.
        if (error instanceof Corrupt)
          await store.appendLog({ wallMs, actor: 'cloud', action: 'clip_corrupt', object: clipId });
        throw error;
      }
      const expiresWallMs = wallMs + GRANT_MS;
      const url = (name: string) =>
        `/api/clips/${clipId}/files/${name}?grant=${expiresWallMs}.${sign(clipId, sessionId, expiresWallMs)}`;
      return {
        clip: clip.clip,
        mp4Url: url('clip.mp4'),
        ...(fileOf(clip, 'overlay.json') ? { overlayUrl: url('overlay.json') } : {}),
        expiresWallMs,
      };
    },
    async clipFile(who, clipId, name, grant) {
      const { sessionId } = requireViewer(who);
      const [expires, signature] = grant.split('.');
      const expected = Buffer.from(sign(clipId, sessionId, Number(expires)));
      const found = Buffer.from(signature ?? '');
      if (found.length !== expected.length || !timingSafeEqual(found, expected) || Number(expires) <= clock.wallMs())
        throw new Forbidden(
          'grant_invalid',
          `reading clip ${clipId}: the grant is over or not of this session; open the clip again`,
        );
      const clip = await store.clip(clipId);
      const file = clip && fileOf(clip, name);
      if (!file) throw notFound(`file ${name} of clip ${clipId}`);
      return {
        sha256: file.sha256,
        bytes: file.bytes,
        type: name.endsWith('.mp4') ? 'video/mp4' : 'application/json',
        open: (start, end) => files.read(file.sha256, { start, end }),
      };
    },
    async snapshot(who, roomId, cameraId) {
      requireViewer(who);
      const snapshot = rooms.snapshot(roomId, cameraId);
      if (!snapshot) throw notFound(`a picture of ${cameraId} in ${roomId}`);
      return snapshot;
    },
    async refused(who) {
      requireSupervisor(who);
      const { rows, total, quarantined } = await store.refusals(REFUSED_SHOWN);
      const refused = rows.map(({ roomId, streamId, storedWallMs, code, reason, payload }) => {
        // What could not be read at all is kept as its bytes, in base64.
        const text = streamId === null ? Buffer.from(payload, 'base64').toString('utf8') : payload;
        return { roomId, storedWallMs, code, reason, payload: text.slice(0, PAYLOAD_SHOWN) };
      });
      return { refused, total, quarantined };
    },
    async log(who, { before, limit }) {
      requireViewer(who);
      if (chain.holds && clock.monoMs() - chain.checkedMonoMs > CHAIN_CHECK_MS) {
        checking ??= checkChain().finally(() => {
          checking = undefined;
        });
        await checking;
      }
      const entries = await store.log({ limit, ...(before === undefined ? {} : { beforeSeq: before }) });
      return { entries, chainHolds: chain.holds };
    },
  };
}
