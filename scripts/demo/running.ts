/** What the demo has running, as its screen and its smoke test see it. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Child } from '../children.ts';

const SETUP = fileURLToPath(new URL('../../.data/setup.json', import.meta.url));

/** All that runs, newest last; closed in reverse. */
export interface Running {
  readonly children: Child[];
  readonly url: string;
  readonly setupUrl?: string;
  readonly roomId: string;
  readonly agent: Child;
  readonly startedMs: number;
}

/** How long the set-up before this process took, as scripts/setup.mjs left it; 0 when it was not run. */
export async function setupMs(): Promise<number> {
  try {
    return Number(JSON.parse(await readFile(SETUP, 'utf8')).tookMs);
  } catch {
    return 0;
  }
}
