/** What the contract suites of the cloud store stand on: a fresh store for each test, of either driver. */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { openStore, type StoreConfig } from '../../cloud/store/open.ts';
import type { FeedItem, Position, Store } from '../../cloud/store/store.ts';
import { postgresBin, startPostgres, type TestPostgres } from '../medium/cloud/postgres.ts';

export const DRIVERS = ['sqlite', 'postgres'] as const;

/**
 * Inside a `describe`: `ready` is called with each test's store before it; without PostgreSQL its tests skip with the
 * reason. A suite that opens its store again returns a function that gives the one to be closed after the test.
 */
export function standOn(driver: (typeof DRIVERS)[number], ready: (store: Store, config: StoreConfig) => void): void {
  const bin = postgresBin();
  let folder: string;
  let server: TestPostgres | undefined;
  let last: (() => Store) | undefined;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'evalroom-store-'));
    if (driver === 'postgres' && bin) server = await startPostgres(bin);
  }, 60_000);
  afterAll(async () => {
    await server?.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  beforeEach(async (ctx) => {
    if (driver === 'postgres' && !server) return ctx.skip('needs the Debian package postgresql');
    const config: StoreConfig = server
      ? { kind: 'postgres', url: await server.database() }
      : { kind: 'sqlite', path: join(folder, `${randomUUID()}.db`) };
    const store = await openStore(config);
    last = ready(store, config) ?? (() => store);
  });
  afterEach(async () => {
    await last?.().close();
    last = undefined;
  });
}

/** All that the feed has beyond a position, and the position behind it. */
export async function readAll(store: Store, from: Position): Promise<{ items: FeedItem[]; position: Position }> {
  const items: FeedItem[] = [];
  let position = from;
  for (;;) {
    const page = await store.since(position);
    items.push(...page.items);
    position = page.position;
    if (!page.more) return { items, position };
  }
}
