/** The part of cloud.yaml about clips in S3-compatible storage: without it they lie on this machine. */
import { readFileSync } from 'node:fs';
import { z } from 'zod';

/** S3-compatible storage for clips. */
export interface S3Config {
  readonly endpoint: string;
  readonly bucket: string;
  readonly region: string;
  /** Before every object's name: '' or ends with a slash. */
  readonly prefix: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Whom its certificate must come from, where that is none of the public authorities. */
  readonly caFile?: string;
  /** Object lock in compliance mode for so long; the bucket must have it switched on. */
  readonly lockMs?: number;
}

const DAY_MS = 86_400_000;

export const clipsShape = z.strictObject({
  endpoint: z.string().min(1),
  bucket: z.string().regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'a bucket name'),
  region: z.string().min(1).default('us-east-1'),
  prefix: z
    .string()
    .regex(/^(?:[A-Za-z0-9._-]+\/)*$/, 'nothing, or folders that each end with a slash')
    .default(''),
  keyFile: z.string().min(1),
  caFile: z.string().min(1).exactOptional(),
  lockDays: z.int().min(1).max(36_500).exactOptional(),
});

/** Undefined where clips lie on this machine. Adds to `faults`. */
export function clipsOf(
  clips: z.output<typeof clipsShape> | undefined,
  parts: {
    /** Of `retention`, where anything leaves. */
    readonly days: number | undefined;
    readonly at: (file: string) => string;
    readonly isLoopback: (host: string) => boolean;
    readonly faults: string[];
  },
): S3Config | undefined {
  if (clips === undefined) return undefined;
  const { days, at, isLoopback, faults } = parts;
  const { keyFile, caFile, lockDays, endpoint, ...rest } = clips;
  const url = URL.parse(endpoint);
  if (!url || !/^https?:$/.test(url.protocol)) faults.push('clips.endpoint: must be a url such as https://s3.example');
  else if (url.protocol === 'http:' && !isLoopback(url.hostname))
    faults.push('clips.endpoint: must be https:// beyond this machine');
  if (lockDays !== undefined && days !== undefined && lockDays > days)
    faults.push('clips.lockDays: longer than retention.days, so that the storage would refuse to let go');
  let lines: string[] = [];
  try {
    lines = readFileSync(at(keyFile), 'utf8')
      .split('\n')
      .map((line) => line.trim());
    if (!lines[0] || !lines[1])
      faults.push('clips.keyFile: must have the access key id in its first line, the secret in its second');
  } catch (cause) {
    faults.push(`clips.keyFile: ${(cause as Error).message}`);
  }
  try {
    if (caFile !== undefined) readFileSync(at(caFile));
  } catch (cause) {
    faults.push(`clips.caFile: ${(cause as Error).message}`);
  }
  return {
    ...rest,
    endpoint,
    accessKeyId: lines[0] ?? '',
    secretAccessKey: lines[1] ?? '',
    ...(caFile === undefined ? {} : { caFile: at(caFile) }),
    ...(lockDays === undefined ? {} : { lockMs: lockDays * DAY_MS }),
  };
}
