/** End of the path in the room: clips -> cloud, after their event, resumable, and kept here until the cloud has named their hash. */
import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { Agent } from 'node:https';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { DefaultHttpStack, type DetailedError, Upload } from 'tus-js-client';
import type { ClipFile } from '../protocol/clip.ts';
import { isRetryable, Unavailable } from '../protocol/errors.ts';
import type { DraftEvent } from '../protocol/event.ts';
import type { Clock, MonoMs } from '../protocol/time.ts';
import { withoutCredentials } from './log.ts';
import { described } from './record/clip.ts';
import type { ClipRow, Outbox } from './store/outbox.ts';

export interface UploadConnection {
  /** The cloud's address: `http://` on this machine, `https://` beyond it. */
  readonly url: string;
  readonly deviceId: string;
  /** Absent where the certificate says who it is. */
  readonly secret?: string;
  /** PEM contents, asked for at each upload: the authority of the cloud's certificate where it is not a public one, and the box's own. */
  readonly tls?: () => { readonly ca?: string; readonly cert?: string; readonly key?: string };
  /** Ceiling in kilobits per second, over a second or a chunk, whichever is longer. */
  readonly kbps?: number;
}

export interface UploaderParts {
  readonly store: Pick<Outbox, 'clips' | 'openEpisodes'>;
  readonly connection: UploadConnection;
  readonly roomId: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** Takes a gap event for a clip whose bytes are damaged on this disk. */
  readonly report?: (draft: DraftEvent) => void;
}

export interface UploaderHealth {
  readonly waiting: number;
  readonly sentBytes: number;
  readonly acked: number;
  readonly failures: number;
  /** The last failure while it lasts. */
  readonly reason?: string;
}

export interface Uploader {
  start(signal: AbortSignal): Promise<void>;
  /** Something may be ready to go; it is looked for twice a second anyway. */
  poke(): void;
  health(): UploaderHealth;
  close(): Promise<void>;
}

/** Waits after the first, second … failure in a row of the line to the cloud, and of one clip; the last holds on. */
const LINE_WAITS_MS = [500, 1000, 2000, 5000, 15_000, 30_000] as const;
const CLIP_WAITS_MS = [500, 2000, 10_000, 60_000, 600_000] as const;
/** A clip that the disk did not give back so many times, over half an hour, is damaged: the cloud must know in the end. */
const UNREAD_TIMES = 8;
const JITTER = 0.25;
const LOOK_MS = 500;
/** So much longer than the line does a clip that failed wait, so that another one is tried first. */
const TURN_MS = 100;
const STALLED_MS = 30_000;
const CHUNK_BYTES = 8 * 1024 * 1024;
const SHA_HEADER = 'Evalroom-Sha256';
/** The cloud's answer to bytes whose hash is not the announced one. */
const HASH_MISMATCH = 460;

type Outcome =
  | { readonly kind: 'stored' }
  | { readonly kind: 'stopped' }
  /** The cloud has other bytes than ours. */
  | { readonly kind: 'mismatch'; readonly reason: string }
  /** The disk does not give this clip back now; it may later. */
  | { readonly kind: 'unread'; readonly reason: string }
  /** This clip is refused, others may pass. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** The line or the cloud is down. */
  | { readonly kind: 'failed'; readonly reason: string };

/** The uploader of one room: one file at a time, clips of alarms first, then the newest. */
export function createUploader({ store, connection, roomId, clock, log, report }: UploaderParts): Uploader {
  const { url, deviceId, secret, tls, kbps } = connection;
  const endpoint = `${url.replace(/\/+$/, '')}/api/upload/`;
  const ending = new AbortController();
  const counts = { sentBytes: 0, acked: 0, failures: 0 };
  const clipWaits = new Map<string, { failures: number; untilMonoMs: MonoMs }>();
  /** How often the disk did not give a clip back. */
  const unread = new Map<string, number>();
  const chunkSize = kbps === undefined ? CHUNK_BYTES : Math.max(16_384, Math.min(CHUNK_BYTES, kbps * 125));
  let allowedMonoMs = 0;
  let reason: string | undefined;
  let lineFailures = 0;
  let running: Promise<void> | undefined;
  let wake = () => {};
  ending.signal.addEventListener('abort', () => wake());

  const waitMs = (waits: readonly number[], failures: number): number =>
    waits[Math.min(failures, waits.length) - 1]! * (1 + JITTER * (2 * Math.random() - 1));
  const rest = async (ms: number): Promise<void> => {
    const rested = new AbortController();
    wake = () => rested.abort();
    if (!ending.signal.aborted) await clock.sleep(ms, rested.signal);
    wake = () => {};
  };

  /** The next clip to go: of an alarm before of a notice, then newest first. */
  const choose = (): ClipRow | undefined => {
    const now = clock.monoMs();
    const rows = store.clips
      .list('uploading')
      .filter(({ manifest }) => (clipWaits.get(manifest.clipId)?.untilMonoMs ?? 0) <= now);
    if (rows.length < 2) return rows[0];
    const alarms = new Set<string>();
    for (const { body } of store.openEpisodes())
      if (body.kind === 'episode' && body.level === 'alarm') alarms.add(body.episodeId);
    for (const { manifest } of rows) if (manifest.cause === 'escalation') alarms.add(manifest.episodeId);
    return rows.find(({ manifest }) => alarms.has(manifest.episodeId)) ?? rows[0];
  };

  const send = (row: ClipRow, file: ClipFile): Promise<Outcome> =>
    new Promise((resolve) => {
      const { clipId } = row.manifest;
      const known = row.uploads[file.name];
      const watch = new AbortController();
      // With the credentials of this moment: a box that has renewed its certificate must not go on under the old one.
      const line = url.startsWith('https:') ? new Agent({ keepAlive: true, ...tls?.() }) : undefined;
      let movedMonoMs = clock.monoMs();
      const finish = (outcome: Outcome) => {
        watch.abort();
        ending.signal.removeEventListener('abort', stop);
        // tus closes it after a success alone: without this each attempt while the cloud is away keeps a file open.
        input.destroy();
        // Its idle connection would stay open until the cloud closes it, one for each file.
        line?.destroy();
        resolve(outcome);
      };
      const input = createReadStream(join(row.folder, file.name));
      // tus reads the path by itself; the stream is only how it is told, and is never read.
      input.on('error', () => {});
      const upload = new Upload(input as unknown as Buffer, {
        endpoint,
        // At the cloud's address of today: one that has moved would be looked for at its old one for ever.
        uploadUrl: typeof known === 'string' ? `${endpoint}${known.split('/').at(-1)}` : null,
        uploadSize: file.bytes,
        chunkSize,
        headers: secret === undefined ? {} : { Authorization: `Device ${deviceId}:${secret}` },
        metadata: { clipId, name: file.name, sha256: file.sha256, roomId },
        // The row remembers where to go on; tus's own memory would be a second truth.
        storeFingerprintForResuming: false,
        retryDelays: null,
        ...(line ? { httpStack: new DefaultHttpStack({ agent: line }) } : {}),
        onUploadUrlAvailable: () => {
          try {
            if (upload.url) store.clips.upload(clipId, file.name, upload.url);
          } catch (error) {
            // The place is only forgotten: a cut then costs the whole file again.
            log.warn({ err: error, clipId }, 'where the upload goes on could not be saved');
          }
        },
        onBeforeRequest: async (request) => {
          if (kbps !== undefined && request.getMethod() === 'PATCH')
            await clock.sleep(allowedMonoMs - clock.monoMs(), ending.signal);
          movedMonoMs = clock.monoMs();
        },
        onAfterResponse: (request, response) => {
          // At any answer but yes tus would begin anew, and a cloud in trouble collect one copy after the other.
          if (request.getMethod() === 'HEAD' && response.getStatus() >= 500)
            throw new Unavailable('upload_not_found_out', `the cloud answers ${response.getStatus()}`);
        },
        onProgress: () => {
          movedMonoMs = clock.monoMs();
        },
        onChunkComplete: (bytes) => {
          counts.sentBytes += bytes;
          if (kbps !== undefined) allowedMonoMs = Math.max(allowedMonoMs, movedMonoMs) + (bytes * 8) / kbps;
        },
        onSuccess: ({ lastResponse }) => {
          const answered = lastResponse.getHeader(SHA_HEADER);
          if (answered === file.sha256) finish({ kind: 'stored' });
          else finish({ kind: 'mismatch', reason: `the cloud answered with sha256 ${answered ?? '(none)'}` });
        },
        onError: (error) => finish(failureOf(error)),
      });
      const stop = () => {
        void upload.abort();
        finish({ kind: 'stopped' });
      };
      ending.signal.addEventListener('abort', stop, { once: true });
      void (async () => {
        while (!watch.signal.aborted) {
          await clock.sleep(STALLED_MS / 4, watch.signal);
          if (watch.signal.aborted || clock.monoMs() - Math.max(movedMonoMs, allowedMonoMs) < STALLED_MS) continue;
          void upload.abort();
          finish({ kind: 'failed', reason: `nothing moved for ${STALLED_MS / 1000} s` });
        }
      })();
      if (ending.signal.aborted) stop();
      else upload.start();
    });

  /** Bytes that rotted on this disk are no evidence: they are kept aside, and the cloud is told that nothing comes. */
  const damaged = (row: ClipRow, what: string): void => {
    const { clipId, cameraId, beginWallMs, endWallMs } = row.manifest;
    log.error({ clipId, folder: row.folder, what }, 'a clip is damaged on this disk: kept, not sent');
    const gap = {
      kind: 'gap',
      sourceId: cameraId,
      role: 'record',
      fromWallMs: beginWallMs,
      toWallMs: endWallMs,
    } as const;
    report?.({ at: clock.now(), body: { ...gap, reason: `clip ${clipId} was damaged on the box's disk (${what})` } });
    // Last: should the agent end in between, the gap is said twice and not never.
    store.clips.remove(clipId);
  };

  const sendClip = async (row: ClipRow): Promise<Outcome> => {
    const { clipId, files } = row.manifest;
    store.clips.attempted(clipId);
    // The small one first: when the picture is there, everything is.
    for (const file of [...files].sort((a, b) => a.bytes - b.bytes)) {
      if (row.uploads[file.name] === true) continue;
      const fault = await faultOf(row.folder, file);
      if (fault) {
        const what = `${file.name} ${fault.what}`;
        const times = (unread.get(clipId) ?? 0) + 1;
        unread.set(clipId, times);
        if (!fault.isFinal && times < UNREAD_TIMES) return { kind: 'unread', reason: `clip ${clipId}: ${what}` };
        damaged(row, what);
        return { kind: 'stored' };
      }
      const outcome = await send(row, file);
      if (outcome.kind === 'mismatch') store.clips.upload(clipId, file.name, undefined);
      if (outcome.kind !== 'stored') return outcome;
      store.clips.upload(clipId, file.name, true);
    }
    store.clips.acked(clipId);
    counts.acked += 1;
    await rm(row.folder, { recursive: true, force: true }).catch((error: unknown) =>
      log.warn({ err: error, clipId }, 'a clip that the cloud has could not be deleted here'),
    );
    return { kind: 'stored' };
  };

  const run = async (): Promise<void> => {
    while (!ending.signal.aborted) {
      const row = choose();
      if (!row) {
        await rest(LOOK_MS);
        continue;
      }
      const { clipId } = row.manifest;
      const outcome = await sendClip(row).catch((error: unknown): Outcome => {
        // A full disk: the row could not be written. Nothing is lost by waiting.
        if (!isRetryable(error)) throw error;
        return { kind: 'failed', reason: error instanceof Error ? error.message : String(error) };
      });
      if (outcome.kind === 'stopped') return;
      if (outcome.kind === 'stored') {
        if (lineFailures > 0) log.info({ roomId }, 'clips are going to the cloud again');
        lineFailures = 0;
        reason = undefined;
        clipWaits.delete(clipId);
        unread.delete(clipId);
        continue;
      }
      counts.failures += 1;
      const text = withoutCredentials(outcome.reason);
      if (outcome.kind === 'failed') {
        if (text !== reason) log.warn({ clipId, reason: text }, 'clips cannot be sent: they wait');
        reason = text;
        const lineMs = waitMs(LINE_WAITS_MS, ++lineFailures);
        // Another one has its turn then, where there is one: what fails may be this clip alone.
        const failures = clipWaits.get(clipId)?.failures ?? 0;
        clipWaits.set(clipId, { failures, untilMonoMs: clock.monoMs() + lineMs + TURN_MS });
        await rest(lineMs);
        continue;
      }
      const failures = (clipWaits.get(clipId)?.failures ?? 0) + 1;
      clipWaits.set(clipId, { failures, untilMonoMs: clock.monoMs() + waitMs(CLIP_WAITS_MS, failures) });
      reason = text;
      // The first refusal is often an event that the cloud is just about to store.
      if (outcome.kind === 'unread') {
        if (unread.get(clipId) === 1) log.warn({ clipId, reason: text }, 'a clip cannot be read now: it waits');
      } else if (outcome.kind === 'mismatch' || failures === 3)
        log.warn({ clipId, reason: text, failures }, 'a clip was refused');
    }
  };

  return {
    async start(signal) {
      signal.addEventListener('abort', () => ending.abort(), { once: true });
      running ??= run().catch((error: unknown) => {
        log.fatal({ err: error }, 'uploading ended by a fault of its own');
        throw error;
      });
    },
    poke: () => wake(),
    health: () => ({ waiting: store.clips.stats().waiting, ...counts, ...(reason === undefined ? {} : { reason }) }),
    async close() {
      ending.abort();
      await running;
    },
  };
}

/** What passes by itself says nothing of the file. */
const PASSING: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'ENOMEM', 'EAGAIN', 'EBUSY', 'EINTR']);

/**
 * What is wrong with a file of a clip on this disk, and whether it can still become right; undefined: nothing. Throws
 * Unavailable `clip_unread` for what passes by itself.
 */
async function faultOf(folder: string, file: ClipFile): Promise<{ what: string; isFinal: boolean } | undefined> {
  try {
    if ((await described(folder, file.name)).sha256 === file.sha256) return undefined;
    return { what: 'has another sha256', isFinal: true };
  } catch (cause) {
    const { code = '', message } = cause as NodeJS.ErrnoException;
    if (PASSING.has(code))
      throw new Unavailable('clip_unread', `reading ${join(folder, file.name)}: ${message}`, cause);
    if (code === 'ENOENT') return { what: 'is gone', isFinal: true };
    // A share that is away or a right that is missing comes back; one sector that is not read does not, and must not
    // keep all other clips from the cloud.
    return { what: `cannot be read (${code || message})`, isFinal: false };
  }
}

function failureOf(error: Error | DetailedError): Outcome {
  const response = 'originalResponse' in error ? error.originalResponse : null;
  const status = response?.getStatus() ?? 0;
  if (status === HASH_MISMATCH)
    return { kind: 'mismatch', reason: 'the cloud received other bytes than were announced' };
  if (status >= 400 && status < 500 && status !== 401 && status !== 403 && status !== 429)
    return {
      kind: 'refused',
      reason: `the cloud refuses the clip (${status}): ${response?.getBody().slice(0, 200) ?? ''}`,
    };
  if (status > 0) return { kind: 'failed', reason: `the cloud answers ${status}` };
  const cause = 'causingError' in error ? error.causingError : error;
  return { kind: 'failed', reason: (cause as NodeJS.ErrnoException | null)?.code ?? cause?.message ?? error.message };
}
