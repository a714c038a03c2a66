/** Evidence of the cloud: content-addressed by SHA-256, kept whole or not at all, never served unverified; here on its disk. */
import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { Corrupt, Full, InvalidInput, Unavailable } from '../../protocol/errors.ts';

export interface ClipFiles {
  /** SHA-256 and size of any file, as hex. */
  measure(path: string): Promise<{ readonly sha256: string; readonly bytes: number }>;
  /** Moves a complete file to its place, on disk for good when it resolves. The same content again is replaced by itself. */
  keep(path: string, sha256: string): Promise<void>;
  /** Moves a file whose hash is wrong out of the way and keeps it. Returns the name it is kept under. */
  setAside(path: string): Promise<string>;
  /** Throws Corrupt `clip_corrupt` when the bytes are gone or are not what was stored. */
  verify(sha256: string): Promise<void>;
  /** Lets go of a file that no clip names any more; one that is gone already is no fault. */
  remove(sha256: string): Promise<void>;
  /** Bytes `start` to `end`, both included. */
  read(sha256: string, range: { readonly start: number; readonly end: number }): Readable;
}

const SHA256 = /^[0-9a-f]{64}$/;

/** `folder`/<first two digits>/<sha256>, and `folder`/aside/ for what did not match. */
export function localClipFiles(folder: string): ClipFiles {
  const placeOf = (sha256: string) => join(folder, requireSha256(sha256).slice(0, 2), sha256);
  return {
    measure: measureFile,
    keep: (path, sha256) => move(path, placeOf(sha256)),
    setAside: (path) => setAsideIn(join(folder, 'aside'), path),
    async verify(sha256) {
      const place = placeOf(sha256);
      const found = await measureFile(place).catch((cause: unknown) => {
        throw new Corrupt('clip_corrupt', `verifying clip file ${sha256}: its bytes can not be read`, cause);
      });
      if (found.sha256 !== sha256)
        throw new Corrupt(
          'clip_corrupt',
          `verifying clip file ${sha256}: the bytes on disk have another hash; they are kept, not shown`,
        );
    },
    remove: (sha256) => rm(placeOf(sha256), { force: true }),
    read: (sha256, range) => createReadStream(placeOf(sha256), range),
  };
}

/** Throws InvalidInput `bad_sha256` for what is no SHA-256 in hex: it becomes part of a path. */
export function requireSha256(sha256: string): string {
  if (SHA256.test(sha256)) return sha256;
  throw new InvalidInput('bad_sha256', `looking for a clip file: "${sha256.slice(0, 80)}" is no SHA-256`);
}

/** SHA-256 and size of all that a stream gives. */
export async function hashOf(stream: Readable): Promise<{ readonly sha256: string; readonly bytes: number }> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of stream) {
    hash.update(chunk as Buffer);
    bytes += (chunk as Buffer).length;
  }
  return { sha256: hash.digest('hex'), bytes };
}

export const measureFile = (path: string) => hashOf(createReadStream(path));

/** Moves a file into `folder` under a new name, which it returns. */
export async function setAsideIn(folder: string, path: string): Promise<string> {
  const name = randomUUID();
  await move(path, join(folder, name));
  return name;
}

/** On disk for good when it resolves. Throws Full or Unavailable. */
async function move(from: string, to: string): Promise<void> {
  try {
    await mkdir(dirname(to), { recursive: true, mode: 0o700 });
    await syncPath(from);
    await rename(from, to);
    await syncPath(dirname(to));
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const text = `keeping clip file ${to}: ${message}`;
    throw code === 'ENOSPC' || code === 'EDQUOT'
      ? new Full('disk_full', `${text}: free disk space`, cause)
      : new Unavailable('clip_not_kept', text, cause);
  }
}

async function syncPath(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Size of a file, undefined when there is none. */
export async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Removes a file that may be gone already. */
export const removeFile = (path: string): Promise<void> => rm(path, { force: true });
