/** Clips come in by tus: only announced ones, only from a device of their room, taken only when the hash holds. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { FileStore } from '@tus/file-store';
import { Server, type Upload } from '@tus/server';
import type { Logger } from 'pino';
import { Bug, EvalroomError, InvalidInput } from '../../protocol/errors.ts';
import type { Clock } from '../../protocol/time.ts';
import { makeFolder } from '../folder.ts';
import { type ClipFiles, removeFile, sizeOf } from '../review/clip-files.ts';
import type { NewDevice } from '../review/devices.ts';
import type { Store } from '../store/store.ts';
import { errorView } from './errors.ts';

/** The cloud's word that it has these bytes for good; only then may the box let go of them. */
const SHA_HEADER = 'Evalroom-Sha256';
const MAX_BYTES = 512 * 1024 * 1024;
/** Unfinished uploads that nobody went on with. */
const EXPIRE_MS = 7 * 24 * 3_600_000;
const UPLOAD_ID = /^([A-Za-z0-9_-]{1,64})\.[0-9a-f-]{36}$/;

export interface UploadHandler {
  /** `uploadId` is the last part of the path, undefined when an upload is created. */
  handle(
    request: IncomingMessage,
    response: ServerResponse,
    device: NewDevice,
    uploadId: string | undefined,
  ): Promise<void>;
  /** Removes uploads that were given up. */
  cleanUp(): Promise<void>;
  counts(): UploadCounts;
}

/** Files since the start: stored with their bytes, refused as something else than what was announced, failed here. */
export interface UploadCounts {
  readonly stored: number;
  readonly bytes: number;
  readonly refused: number;
  readonly failed: number;
}

export function createUpload(parts: {
  readonly store: Pick<Store, 'clip' | 'clipFileArrived' | 'appendLog'>;
  readonly files: ClipFiles;
  /** Where unfinished uploads lie: on the same file system as the clips. */
  readonly folder: string;
  readonly onCommit: () => void;
  readonly log: Logger;
  readonly clock: Clock;
}): UploadHandler {
  const { store, files, folder, onCommit, log, clock } = parts;
  const devices = new WeakMap<IncomingMessage, NewDevice>();
  const finishing = new Map<string, Promise<string>>();
  const counts = { stored: 0, bytes: 0, refused: 0, failed: 0 };
  makeFolder(folder, 'data of cloud.yaml');
  const datastore = new FileStore({ directory: folder, expirationPeriodInMilliseconds: EXPIRE_MS });

  /** What the clip's event announced for this file; refuses everything else. */
  const announced = async (metadata: Upload['metadata'], roomId: string) => {
    const { clipId, name, sha256 } = metadata ?? {};
    const clip = clipId ? await store.clip(clipId) : undefined;
    if (!clip || clip.clip.roomId !== roomId || metadata?.roomId !== roomId)
      throw new InvalidInput('clip_unknown', 'no clip with this id was announced by this room; send its event first');
    const file = clip.clip.files.find((candidate) => candidate.name === name);
    if (!file || file.sha256 !== sha256)
      throw new InvalidInput('clip_differs', 'name or sha256 is not what the clip event announced');
    const stored = clip.files.find((candidate) => candidate.name === name);
    return { clipId: clip.clip.clipId, ...file, emptied: stored !== undefined && stored.sha256 !== sha256 };
  };

  /** Hash, keep, record. The same upload at once twice is finished once. */
  const finish = (upload: Upload, device: NewDevice): Promise<string> => {
    const running = finishing.get(upload.id);
    if (running) return running;
    const work = finishOnce(upload, device).finally(() => finishing.delete(upload.id));
    finishing.set(upload.id, work);
    return work;
  };
  const finishOnce = async (upload: Upload, { deviceId, roomId }: NewDevice): Promise<string> => {
    const file = await announced(upload.metadata, roomId);
    const path = join(folder, upload.id);
    const found = await files.measure(path);
    const wallMs = clock.wallMs();
    if (found.sha256 !== file.sha256 || found.bytes !== file.bytes) {
      const kept = await files.setAside(path);
      await removeFile(`${path}.json`);
      const object = `${file.clipId}/${file.name} kept as aside/${kept}`;
      await store.appendLog({ wallMs, actor: `device:${deviceId}`, action: 'clip_hash_mismatch', object });
      log.warn(
        { clipId: file.clipId, name: file.name, roomId },
        'an uploaded clip file has another hash than announced',
      );
      throw new InvalidInput('clip_hash_mismatch', 'the bytes received have another hash; send the file again');
    }
    if (file.emptied) {
      // Retention has taken the words out of it since: the box may let go of it, and they do not come back.
      await removeFile(path);
      await removeFile(`${path}.json`);
      return file.sha256;
    }
    await files.keep(path, file.sha256);
    const { clipId, name, sha256, bytes } = file;
    if (await store.clipFileArrived({ clipId, name, sha256, bytes, storedWallMs: wallMs })) onCommit();
    counts.stored++;
    counts.bytes += bytes;
    await removeFile(`${path}.json`);
    return sha256;
  };

  const deviceOf = (request: { runtime?: { node?: { req?: unknown } } | undefined }): NewDevice => {
    const device = devices.get(request.runtime?.node?.req as IncomingMessage);
    if (!device) throw new Bug('upload_without_device', 'receiving a clip: the request has no device');
    return device;
  };

  const server = new Server({
    path: '/api/upload',
    datastore,
    maxSize: MAX_BYTES,
    relativeLocation: true,
    allowedOrigins: [],
    exposedHeaders: [SHA_HEADER],
    namingFunction: (request) => `${deviceOf(request).roomId}.${randomUUID()}`,
    async onUploadCreate(request, upload) {
      const file = await announced(upload.metadata, deviceOf(request).roomId);
      if (upload.size !== file.bytes)
        throw new InvalidInput('clip_differs', `Upload-Length must be the ${file.bytes} bytes that were announced`);
      return {};
    },
    async onUploadFinish(request, upload) {
      return { headers: { [SHA_HEADER]: await finish(upload, deviceOf(request)) } };
    },
    onResponseError(_request, error) {
      if ('status_code' in error) return undefined;
      const { status, view } = errorView(error);
      counts[error instanceof InvalidInput ? 'refused' : 'failed']++;
      if (error instanceof InvalidInput) return { status_code: status, body: `${JSON.stringify(view)}\n` };
      const expected = error instanceof EvalroomError && error.kind !== 'Bug';
      log[expected ? 'warn' : 'error']({ err: error }, 'receiving a clip failed');
      return { status_code: status, body: `${JSON.stringify(view)}\n` };
    },
  });

  return {
    async handle(request, response, device, uploadId) {
      if (uploadId !== undefined && UPLOAD_ID.exec(uploadId)?.[1] !== device.roomId) {
        response.writeHead(404, { 'Tus-Resumable': '1.0.0' }).end();
        return;
      }
      devices.set(request, device);
      if (request.method === 'HEAD' && uploadId !== undefined && (await finishLeft(uploadId, device, response))) return;
      await server.handle(request, response);
    },
    async cleanUp() {
      await server.cleanUpExpiredUploads();
    },
    counts: () => ({ ...counts }),
  };

  /** All bytes were here when the cloud was killed before it could take the file: taken now, and said so. */
  async function finishLeft(uploadId: string, device: NewDevice, response: ServerResponse): Promise<boolean> {
    const bytes = await sizeOf(join(folder, uploadId));
    if (bytes === undefined) return false;
    const upload = await datastore.getUpload(uploadId);
    if (upload.size !== bytes) return false;
    const head = { 'Tus-Resumable': '1.0.0', 'Cache-Control': 'no-store' };
    try {
      const sha256 = await finish(upload, device);
      response.writeHead(200, { ...head, 'Upload-Offset': bytes, 'Upload-Length': bytes, [SHA_HEADER]: sha256 }).end();
    } catch (error) {
      counts[error instanceof InvalidInput ? 'refused' : 'failed']++;
      response.writeHead(errorView(error).status, head).end();
      if (!(error instanceof InvalidInput)) throw error;
    }
    return true;
  }
}
