/** Beside the outbox: a file that takes up room, to be let go when the disk is full, since even a delete needs a little. */
import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, rmSync, statfsSync, statSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

export interface Ballast {
  /** True while the file has its full size. */
  held(): boolean;
  /** Gives the room back to the disk. False when there was nothing to give. */
  release(): boolean;
  /** Takes the room again where the disk has half as much again to spare. Returns `held()`. */
  restore(): boolean;
}

/** A ballast of `bytes` at `path`. Random bytes, so that no file system compresses them away. */
export function createBallast({ path, bytes }: { readonly path: string; readonly bytes: number }): Ballast {
  const size = (): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  let held = size() >= bytes;
  const restore = (): boolean => {
    if (held || bytes === 0) return true;
    const { bavail, bsize } = statfsSync(dirname(path));
    if (bavail * bsize < 1.5 * bytes) return false;
    let file: number | undefined;
    try {
      file = openSync(path, 'w', 0o600);
      const block = randomBytes(Math.min(bytes, 1024 * 1024));
      for (let left = bytes; left > 0; ) left -= writeSync(file, block, 0, Math.min(left, block.length));
      fsyncSync(file);
      held = true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      rmSync(path, { force: true });
    } finally {
      if (file !== undefined) closeSync(file);
    }
    return held;
  };
  return {
    held: () => held || bytes === 0,
    release: () => {
      if (size() === 0) return false;
      rmSync(path, { force: true });
      held = false;
      return true;
    },
    restore,
  };
}
