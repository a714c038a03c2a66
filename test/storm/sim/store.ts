/** The real store in SQLite for the simulation, in memory where the machine offers a folder there: a sync costs nothing. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore } from '../../../cloud/store/open.ts';
import type { Store } from '../../../cloud/store/store.ts';

const MEMORY = '/dev/shm';

export interface SimStore {
  readonly store: Store;
  close(): Promise<void>;
}

export async function openSimStore(): Promise<SimStore> {
  const folder = mkdtempSync(join(existsSync(MEMORY) ? MEMORY : tmpdir(), 'evalroom-sim-'));
  const store = await openStore({ kind: 'sqlite', path: join(folder, 'cloud.db') });
  return {
    store,
    close: async () => {
      await store.close();
      rmSync(folder, { recursive: true });
    },
  };
}
