/** Parts as processes: one that fails to start ends, although its parent listens to it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startChild } from '../../../scripts/children.ts';

it('a part that cannot start ends by itself and is reported at once with its reason', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'evalroom-children-'));
  try {
    // The store's file is no database: the cloud fails after its channel to the parent is in use.
    writeFileSync(join(folder, 'cloud.db'), 'no database at all, but a text that is long enough to be looked at');
    const starting = startChild({ name: 'cloud', args: ['cloud', '--data', folder, '--port', '0'], readyMs: 50_000 });
    await expect(starting).rejects.toThrow(/it ended with 1/);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
