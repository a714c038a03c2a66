/** Evidence in S3-compatible storage: the same promises as on disk, for a cloud of more than one machine. */
import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { PassThrough, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { DeleteObjectCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { Corrupt, EvalroomError, Forbidden, Unavailable } from '../../protocol/errors.ts';
import type { Clock } from '../../protocol/time.ts';
import type { S3Config } from '../config.ts';
import { type ClipFiles, hashOf, measureFile, requireSha256, setAsideIn, sizeOf } from './clip-files.ts';

const quiet = () => undefined;

/**
 * Objects `<prefix><first two digits>/<sha256>`. The storage is given the hash with the bytes and refuses others; what is
 * shown is hashed again on the way out. `aside` is a folder on this machine for bytes whose hash was wrong on arrival.
 */
export function s3ClipFiles({
  config,
  aside,
  clock,
}: {
  readonly config: S3Config;
  readonly aside: string;
  readonly clock: Clock;
}): ClipFiles {
  const { bucket } = config;
  const client = new S3Client({
    region: config.region,
    endpoint: config.endpoint,
    credentials: { accessKeyId: config.accessKeyId, secretAccessKey: config.secretAccessKey },
    // `https://storage/bucket/key`: what every compatible server understands.
    forcePathStyle: true,
    // Our own SHA-256 goes with every object; the SDK's further checksums are not known to all servers.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    maxAttempts: 3,
    // It would write to the console; what fails is thrown, and logged where the task ends.
    logger: { trace: quiet, debug: quiet, info: quiet, warn: quiet, error: quiet },
  });
  const keyOf = (sha256: string) => `${config.prefix}${requireSha256(sha256).slice(0, 2)}/${sha256}`;
  const bytesOf = async (sha256: string, range?: string): Promise<Readable> => {
    const Key = keyOf(sha256);
    try {
      const { Body } = await client.send(
        new GetObjectCommand({ Bucket: bucket, Key, ...(range === undefined ? {} : { Range: range }) }),
      );
      return Body as Readable;
    } catch (cause) {
      throw kindOf(cause, `reading clip file ${sha256} from bucket ${bucket}`);
    }
  };
  return {
    measure: measureFile,
    async keep(path, sha256) {
      const lock =
        config.lockMs === undefined
          ? {}
          : {
              ObjectLockMode: 'COMPLIANCE' as const,
              ObjectLockRetainUntilDate: new Date(clock.wallMs() + config.lockMs),
            };
      try {
        await client.send(
          new PutObjectCommand({
            Bucket: bucket,
            Key: keyOf(sha256),
            Body: createReadStream(path),
            ContentLength: (await sizeOf(path)) ?? 0,
            ChecksumSHA256: Buffer.from(sha256, 'hex').toString('base64'),
            ...lock,
          }),
        );
      } catch (cause) {
        throw kindOf(cause, `keeping clip file ${sha256} in bucket ${bucket}`);
      }
      // Only now: until the storage has said yes, these are the only bytes the cloud has.
      await rm(path, { force: true });
    },
    setAside: (path) => setAsideIn(aside, path),
    async verify(sha256) {
      const found = await hashOf(await bytesOf(sha256)).catch((cause: unknown) => {
        if (cause instanceof EvalroomError) throw cause;
        throw new Unavailable('clip_storage', `reading clip file ${sha256} from bucket ${bucket}: it broke off`, cause);
      });
      if (found.sha256 !== sha256)
        throw new Corrupt(
          'clip_corrupt',
          `verifying clip file ${sha256}: the bytes in bucket ${bucket} have another hash; they are kept, not shown`,
        );
    },
    async remove(sha256) {
      try {
        await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: keyOf(sha256) }));
      } catch (cause) {
        throw kindOf(cause, `removing clip file ${sha256} from bucket ${bucket}`);
      }
    },
    read(sha256, { start, end }) {
      const out = new PassThrough();
      // Whoever reads it sees the fault as the stream's own.
      void bytesOf(sha256, `bytes=${start}-${end}`)
        .then((body) => pipeline(body, out))
        .catch((error: Error) => out.destroy(error));
      return out;
    },
  };
}

/** By status and name, as the S3 API defines them; servers differ in their texts. */
function kindOf(cause: unknown, doing: string): Error {
  const { name = '', message = '', $metadata } = cause as Error & { $metadata?: { httpStatusCode?: number } };
  const status = $metadata?.httpStatusCode;
  if (name === 'NoSuchKey') return new Corrupt('clip_corrupt', `${doing}: the object is gone`, cause);
  if (status === 401 || status === 403)
    return new Forbidden(
      'clip_storage_refused',
      `${doing}: the storage refuses the key (${name}); check clips in cloud.yaml`,
      cause,
    );
  return new Unavailable('clip_storage', `${doing}: ${name} ${message}`, cause);
}
