/** Evidence in S3-compatible storage: the same promises as on disk, for a cloud of more than one machine. */
import { createReadStream, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { Agent } from 'node:https';
import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  GetObjectLockConfigurationCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { Corrupt, EvalroomError, Full, Unavailable } from '../../protocol/errors.ts';
import type { Clock } from '../../protocol/time.ts';
import type { S3Config } from '../config-clips.ts';
import { type ClipFiles, hashOf, measureFile, requireSha256, setAsideIn, sizeOf } from './clip-files.ts';

const quiet = () => undefined;
const CONNECT_MS = 5000;
/** After so long without a byte or a word the storage counts as away. */
const PATIENCE_MS = 20_000;
/**
 * When the last byte has left the file, so many times as long: the last megabytes lie in buffers of this machine, where their way is
 * not seen, and the storage may take its time to commit. Given up too early, the next try would end the same.
 */
const COMMIT_PATIENCE = 30;
/** A file that lies there already is sent again when its lock ends sooner by more than this than the lock it is to have. */
const LOCK_SHORT_MS = 86_400_000;

/**
 * Objects `<prefix><first two digits>/<sha256>`, each sent whole: the upload that can be gone on with is the box's, and lies on
 * this machine until the storage has said yes. The storage is given the hash with the bytes and refuses others; what is
 * shown is hashed again on the way out. `aside` is a folder on this machine for bytes whose hash was wrong on arrival. `closing`
 * gives up what is being sent; it lies here still.
 */
export function s3ClipFiles({
  config,
  aside,
  clock,
  closing,
  patienceMs = PATIENCE_MS,
}: {
  readonly config: S3Config;
  readonly aside: string;
  readonly clock: Clock;
  readonly closing?: AbortSignal;
  readonly patienceMs?: number;
}): ClipFiles {
  const { bucket } = config;
  const client = new S3Client({
    region: config.region,
    endpoint: config.endpoint,
    credentials: { accessKeyId: config.accessKeyId, secretAccessKey: config.secretAccessKey },
    // `https://storage/bucket/key`: what every compatible server understands.
    forcePathStyle: true,
    // The SDK's checksums are unknown to many servers, some of which take the bytes and look at nothing.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    maxAttempts: 3,
    requestHandler: {
      connectionTimeout: CONNECT_MS,
      // Only where a request is given one: a large file may take its time as long as it moves.
      throwOnRequestTimeout: true,
      ...(config.caFile === undefined
        ? {}
        : { httpsAgent: new Agent({ keepAlive: true, maxSockets: 50, ca: readFileSync(config.caFile) }) }),
    },
    // It would write to the console; what fails is thrown, and logged where the task ends.
    logger: { trace: quiet, debug: quiet, info: quiet, warn: quiet, error: quiet },
  });
  const keyOf = (sha256: string) => `${config.prefix}${requireSha256(sha256).slice(0, 2)}/${sha256}`;
  /** Calls `giveUp` when `count` has stood still for so long, times `patience()`; NaN never does. Returns how to end it. */
  const watch = (count: () => number, giveUp: () => void, patience = () => 1) => {
    let [before, still] = [-1, 0];
    const timer = setInterval(() => {
      const now = count();
      still = now === before ? still + 1 : 0;
      if (still >= patience()) giveUp();
      before = now;
    }, patienceMs);
    return () => clearInterval(timer);
  };
  const openObject = async (sha256: string, range?: { readonly start: number; readonly end: number }) => {
    const Key = keyOf(sha256);
    const doing = `reading clip file ${sha256} from bucket ${bucket}`;
    const Range = range && `bytes=${range.start}-${range.end}`;
    const found = await client
      .send(new GetObjectCommand({ Bucket: bucket, Key, ...(Range === undefined ? {} : { Range }) }), {
        requestTimeout: patienceMs,
      })
      .catch((cause: unknown) => {
        throw kindOf(cause, doing);
      });
    const part = found.ContentRange;
    const lockedUntil = found.ObjectLockMode === 'COMPLIANCE' ? found.ObjectLockRetainUntilDate : undefined;
    const body = found.Body as IncomingMessage;
    if (range && !part?.startsWith(`bytes ${range.start}-${range.end}/`)) {
      body.destroy();
      throw new Unavailable('clip_storage', `${doing}: asked for ${Range}, the storage gives ${part ?? 'all of it'}`);
    }
    return { body, lockedUntil };
  };
  const hashBody = async (sha256: string, body: IncomingMessage): Promise<string> => {
    const unwatch = watch(
      () => body.socket.bytesRead,
      () => body.destroy(),
    );
    const found = await hashOf(body)
      .catch((cause: unknown) => {
        throw brokeOff(sha256, bucket, cause);
      })
      .finally(unwatch);
    return found.sha256;
  };
  /**
   * Whether the very bytes lie there, locked for as long as they are to be: an answer that was lost, or another clip with the same
   * file. Each time it is sent it may become one more version, under lock one that nobody can remove.
   */
  const liesThere = async (sha256: string, lock: { readonly ObjectLockRetainUntilDate?: Date }): Promise<boolean> => {
    try {
      const { body, lockedUntil } = await openObject(sha256);
      const { ObjectLockRetainUntilDate: until } = lock;
      if (until && (lockedUntil?.getTime() ?? 0) < until.getTime() - LOCK_SHORT_MS) {
        body.destroy();
        return false;
      }
      return (await hashBody(sha256, body)) === sha256;
    } catch (error) {
      // Gone, or a storage that does not tell a writer what it lacks: sending it says the rest.
      const { code } = error as EvalroomError;
      if (code === 'clip_corrupt' || code === 'clip_storage_refused') return false;
      throw error;
    }
  };
  /** A storage that knows no lock takes the clip and says nothing: only asking tells. Once it has said yes it is believed. */
  let locks = false;
  const lockOf = async (lockMs: number) => {
    if (!locks) {
      const doing = `asking whether bucket ${bucket} has object lock (clips.lockDays)`;
      const found = await client
        .send(new GetObjectLockConfigurationCommand({ Bucket: bucket }), { requestTimeout: patienceMs })
        .catch((cause: unknown) => {
          throw kindOf(cause, doing);
        });
      if (found.ObjectLockConfiguration?.ObjectLockEnabled !== 'Enabled')
        throw new Unavailable('clip_storage_refused', `${doing}: it has not; nothing is kept there without`);
      locks = true;
    }
    return {
      ObjectLockMode: 'COMPLIANCE' as const,
      ObjectLockRetainUntilDate: new Date(clock.wallMs() + lockMs),
    };
  };
  return {
    measure: measureFile,
    async keep(path, sha256) {
      const Key = keyOf(sha256);
      const lock = config.lockMs === undefined ? {} : await lockOf(config.lockMs);
      if (await liesThere(sha256, lock)) return rm(path, { force: true });
      const put = new PutObjectCommand({
        Bucket: bucket,
        Key,
        ContentLength: (await sizeOf(path)) ?? 0,
        ChecksumSHA256: Buffer.from(sha256, 'hex').toString('base64'),
        ...lock,
      });
      // Part of the signature itself, so that every server looks at it; over TLS the SDK would leave the bytes unsigned.
      put.middlewareStack.add(
        (next) => (args) => {
          (args.request as { headers: Record<string, string> }).headers['x-amz-content-sha256'] = sha256;
          return next(args);
        },
        { step: 'build', name: 'signBytes' },
      );
      const body = createReadStream(path);
      put.input.Body = body;
      const stuck = new AbortController();
      // The SDK does not listen: a file that can not be read would end the process.
      body.on('error', (error) => stuck.abort(error));
      const unwatch = watch(
        () => body.bytesRead,
        () => stuck.abort(),
        () => (body.readableEnded ? COMMIT_PATIENCE : 1),
      );
      try {
        await client.send(put, { abortSignal: AbortSignal.any([stuck.signal, ...(closing ? [closing] : [])]) });
      } catch (cause) {
        if (body.errored)
          throw new Unavailable('clip_not_kept', `keeping clip file ${sha256}: ${body.errored.message}`, cause);
        throw kindOf(cause, `keeping clip file ${sha256} in bucket ${bucket}`);
      } finally {
        unwatch();
        // A request that never came about leaves it open.
        body.destroy();
      }
      // Only now: until the storage has said yes, these are the only bytes the cloud has.
      await rm(path, { force: true });
    },
    setAside: (path) => setAsideIn(aside, path),
    async verify(sha256) {
      const { body } = await openObject(sha256);
      if ((await hashBody(sha256, body)) !== sha256)
        throw new Corrupt(
          'clip_corrupt',
          `verifying clip file ${sha256}: the bytes in bucket ${bucket} have another hash; they are kept, not shown`,
        );
    },
    async remove(sha256) {
      const Key = keyOf(sha256);
      try {
        await client.send(new DeleteObjectCommand({ Bucket: bucket, Key }), { requestTimeout: patienceMs });
      } catch (cause) {
        throw kindOf(cause, `removing clip file ${sha256} from bucket ${bucket}`);
      }
    },
    read(sha256, range) {
      const out = new PassThrough();
      // Whoever reads it sees the fault as the stream's own.
      void openObject(sha256, range)
        .then(({ body }) => {
          const unwatch = watch(
            // While the reader is the slow one the storage is not waited for.
            () => (out.writableNeedDrain || out.writableEnded ? Number.NaN : body.socket.bytesRead),
            () => body.destroy(brokeOff(sha256, bucket)),
          );
          return pipeline(body, out).finally(unwatch);
        })
        .catch((cause: Error) => out.destroy(cause instanceof EvalroomError ? cause : brokeOff(sha256, bucket, cause)));
      return out;
    },
  };
}

const brokeOff = (sha256: string, bucket: string, cause?: unknown) =>
  new Unavailable('clip_storage', `reading clip file ${sha256} from bucket ${bucket}: it broke off`, cause);

/** What the storage does not do because of how it or the cloud is set up, by the names of the S3 API. */
const SET_UP = new Set([
  'AuthorizationHeaderMalformed',
  'IllegalLocationConstraintException',
  'NoSuchBucket',
  'NotImplemented',
  'ObjectLockConfigurationNotFoundError',
  'PermanentRedirect',
]);

/** By status and name, as the S3 API defines them; servers differ in their texts. A person may mend each: worth another try. */
function kindOf(cause: unknown, doing: string): Error {
  const { name = '', message = '', $metadata } = cause as Error & { $metadata?: { httpStatusCode?: number } };
  const status = $metadata?.httpStatusCode;
  if (name === 'NoSuchKey') return new Corrupt('clip_corrupt', `${doing}: the object is gone`, cause);
  if (status === 401 || status === 403 || SET_UP.has(name))
    return new Unavailable(
      'clip_storage_refused',
      `${doing}: the storage refuses it (${name}: ${message}); check clips in cloud.yaml and the clock`,
      cause,
    );
  // WebDAV's word for it, which storages without a name of their own take; MinIO and Ceph have one each.
  if (status === 507 || name === 'XMinioStorageFull' || name === 'QuotaExceeded')
    return new Full('clip_storage_full', `${doing}: the storage is full (${name}); clips wait on their boxes`, cause);
  return new Unavailable('clip_storage', `${doing}: ${name} ${message}`, cause);
}
