/** The real store in SQLite for the simulation, in memory where the machine offers a folder there: a sync costs nothing. */
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore } from '../../../cloud/store/open.ts';
import type { Store } from '../../../cloud/store/store.ts';

const MEMORY = '/dev/shm';

export interface SimStore {
  readonly store: Store;
  close(): Promise<void>;
}

const NAME = 'evalroom-sim-';

/** A run that was killed leaves gigabytes in memory that nobody else would ever free. */
function sweep(place: string): void {
  for (const name of readdirSync(place)) {
    const pid = name.startsWith(NAME) ? Number(name.slice(NAME.length).split('-')[0]) : Number.NaN;
    if (pid > 0 && !existsSync(`/proc/${pid}`)) rmSync(join(place, name), { recursive: true, force: true });
  }
}

export async function openSimStore(): Promise<SimStore> {
  const place = existsSync(MEMORY) ? MEMORY : tmpdir();
  if (existsSync('/proc/self')) sweep(place);
  const folder = mkdtempSync(join(place, `${NAME}${process.pid}-`));
  const store = await openStore({ kind: 'sqlite', path: join(folder, 'cloud.db') });
  return {
    store,
    close: async () => {
      await store.close();
      rmSync(folder, { recursive: true });
    },
  };
}
