/** Beside the path: makes the folders that the cloud keeps things in, and says at the start which of them cannot be used. */
import { closeSync, existsSync, mkdirSync, openSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Full, InvalidInput } from '../protocol/errors.ts';

/**
 * The folder, made where it is missing and readable by nobody else, and written to once. One level after the other: asked for
 * all of them Node never returns where the system lets nobody make any, as under /proc. Throws InvalidInput `data_folder`,
 * Full `disk_full`.
 */
export function makeFolder(folder: string, named: string): void {
  const missing: string[] = [];
  for (let at = folder; !existsSync(at) && dirname(at) !== at; at = dirname(at)) missing.unshift(at);
  try {
    for (const one of missing) made(one);
    const probe = join(folder, `.writable-${process.pid}`);
    closeSync(openSync(probe, 'w', 0o600));
    rmSync(probe);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === 'ENOSPC' || code === 'EDQUOT')
      throw new Full('disk_full', `making the folder ${folder}: the disk is full; free space`, cause);
    throw new InvalidInput(
      'data_folder',
      `making the folder ${folder}: ${message}; ${named} must name a folder that this user may make and write`,
      cause,
    );
  }
}

/** Another process of the same cloud may have been first. */
function made(folder: string): void {
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}
