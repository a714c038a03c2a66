/** Beside the path: makes a folder of the box, and finds out at once whether it can be written. */
import { closeSync, existsSync, mkdirSync, openSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * The folder, made where it is missing, and written to once. One level after the other: asked for all of them Node never
 * returns where the system lets nobody make any, as under /proc. Throws what the file system says.
 */
export function makeFolder(folder: string, options: { readonly mode?: number } = {}): void {
  const missing: string[] = [];
  for (let at = folder; !existsSync(at) && dirname(at) !== at; at = dirname(at)) missing.unshift(at);
  for (const one of missing) mkdirSync(one, options);
  const probe = join(folder, '.writable');
  try {
    closeSync(openSync(probe, 'w', 0o600));
    rmSync(probe);
  } catch (error) {
    // A full disk is met by what is held back for it.
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOSPC' && code !== 'EDQUOT') throw error;
  }
}
