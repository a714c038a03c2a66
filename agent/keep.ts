/** Beside the path: the one way in which a small file of the box is written, so that a power cut leaves the old one or the new one. */
import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Writes `content` to `path` whole or not at all: on the disk before its name is, its name on the disk before this
 * returns. Readable by nobody else, as is a folder that it makes. Throws what the disk says.
 */
export function keepFile(path: string, content: string): void {
  const folder = dirname(path);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  synced(`${path}.new`, 'w', (file) => writeFileSync(file, content));
  renameSync(`${path}.new`, path);
  synced(folder, 'r', () => {});
}

function synced(path: string, flags: 'w' | 'r', write: (file: number) => void): void {
  const file = openSync(path, flags, 0o600);
  try {
    write(file);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
