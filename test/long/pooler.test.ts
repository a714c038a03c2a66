/** PgBouncer between the cloud and PostgreSQL: by session it serves, by transaction the cloud does not start and says why. */
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openStore } from '../../cloud/store/open.ts';
import type { Store } from '../../cloud/store/store.ts';
import { eventually } from '../medium/cloud/cloud.ts';
import { delivery, episodeBody, roomEvent, WALL } from '../medium/cloud/events.ts';
import { freePort, postgresBin, startPostgres, type TestPostgres } from '../medium/cloud/postgres.ts';

const PROGRAM = '/usr/sbin/pgbouncer';

describe('PgBouncer', () => {
  const folder = mkdtempSync(join(tmpdir(), 'evalroom-pooler-'));
  const running: ChildProcess[] = [];
  let postgres: TestPostgres | undefined;
  beforeAll(async () => {
    const bin = postgresBin();
    if (bin && existsSync(PROGRAM)) postgres = await startPostgres(bin);
  }, 60_000);
  beforeEach((ctx) => {
    if (!postgres)
      ctx.skip('needs the Debian packages pgbouncer and postgresql: apt-get install --no-install-recommends pgbouncer');
  });
  afterAll(async () => {
    for (const child of running) child.kill('SIGKILL');
    await postgres?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Address of a new database behind it, with these lines more. */
  const behind = async (lines: readonly string[]): Promise<string> => {
    const { port: at, pathname } = new URL(await postgres!.database());
    const port = await freePort();
    const file = join(folder, `${port}.ini`);
    const conf = [
      '[databases]',
      `${pathname.slice(1)} = host=127.0.0.1 port=${at} user=postgres`,
      '[pgbouncer]',
      'listen_addr = 127.0.0.1',
      `listen_port = ${port}`,
      'unix_socket_dir =',
      'auth_type = any',
      ...lines,
    ];
    writeFileSync(file, `${conf.join('\n')}\n`);
    chmodSync(folder, 0o755);
    const as = process.getuid?.() === 0 ? ['-u', 'nobody'] : [];
    const child = spawn(PROGRAM, [...as, file], { stdio: ['ignore', 'ignore', 'pipe'] });
    running.push(child);
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString('utf8');
    });
    await eventually(() => said).toContain('process up');
    return `postgres://postgres@127.0.0.1:${port}${pathname}`;
  };

  it('by session, with our start-up options let through, serves several processes and tells them of commits', async () => {
    const kind = 'postgres' as const;
    const lines = ['pool_mode = session', 'default_pool_size = 40', 'ignore_startup_parameters = options'];
    const url = await behind(lines);
    const stores: Store[] = [await openStore({ kind, url }), await openStore({ kind, url })];
    let heard = 0;
    const stop = stores[1]!.watchFeed(() => heard++);
    await eventually(() => heard).toBe(1);
    const fill = async (room: number) => {
      for (let seq = 1; seq <= 20; seq++) {
        const event = roomEvent(`stream-${room}`, seq, episodeBody(`e-${room}-${seq}`), `room-${room}`);
        await stores[room % 2]!.ingest([delivery([event])], WALL);
      }
    };
    await Promise.all([1, 2, 3, 4, 5, 6].map(fill));
    expect((await stores[0]!.counts()).events).toBe(120);
    await eventually(() => heard).toBeGreaterThan(1);
    await stop();
    for (const store of stores) await store.close();
  }, 60_000);

  it('by session, as it comes, takes none of our start-up options: the cloud says so', async () => {
    const url = await behind(['pool_mode = session']);
    await expect(openStore({ kind: 'postgres', url })).rejects.toMatchObject({
      code: 'store_unavailable',
      message: expect.stringContaining('options'),
    });
  });

  it('by transaction is refused: it hands a connection on with our statements in it', async () => {
    const url = await behind([
      'pool_mode = transaction',
      'default_pool_size = 2',
      'ignore_startup_parameters = options',
    ]);
    const work = async () => {
      const stores = await Promise.all([0, 1, 2].map(() => openStore({ kind: 'postgres', url })));
      await Promise.all(stores.map((store) => store.counts()));
    };
    await expect(work()).rejects.toMatchObject({ kind: 'Unavailable', code: 'store_pooler' });
  }, 60_000);
});
