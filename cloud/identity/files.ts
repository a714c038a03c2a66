/** Files that hold keys and certificates: whole or not at all, on the disk before their name is, readable by nobody else. */
import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, linkSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { makeFolder } from '../folder.ts';

/** Writes `name` in `folder` (made when absent, mode 0700) with mode 0600; returns its path. */
export function writeSecret(folder: string, name: string, content: string): string {
  const path = join(folder, name);
  renameSync(written(path, content), path);
  return path;
}

/** The same, unless the file is there: of several processes that do so at once one is first, and its bytes stay. */
export function writeSecretOnce(folder: string, name: string, content: string): void {
  const path = join(folder, name);
  const made = written(path, content);
  try {
    linkSync(made, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(made, { force: true });
  }
}

function written(path: string, content: string): string {
  makeFolder(dirname(path), 'identity of cloud.yaml');
  const made = `${path}.${randomBytes(6).toString('hex')}`;
  const file = openSync(made, 'wx', 0o600);
  try {
    writeSync(file, content);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  return made;
}
