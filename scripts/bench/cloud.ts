/** The parts of a cloud for the benchmarks: a broker with many boxes, a database, and workers as processes of their own. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { Broker } from '../../cloud/broker/broker.ts';
import { startMosquitto } from '../../cloud/broker/mosquitto.ts';
import { hashSecret, newSecret } from '../../cloud/broker/secret.ts';
import { systemClock } from '../../cloud/clock.ts';
import type { Role } from '../../cloud/config.ts';
import { createLog } from '../../cloud/log.ts';
import { Unavailable } from '../../protocol/errors.ts';
import { type Child, startChild } from '../children.ts';
import { type OwnPostgres, postgresBin, startPostgres } from '../postgres.ts';

export interface BenchBox {
  readonly deviceId: string;
  readonly roomId: string;
  readonly secret: string;
}

export interface BenchBroker {
  readonly url: string;
  /** Folder with the file `ingest.password`; everything of the benchmark lies in it. */
  readonly folder: string;
  readonly boxes: readonly BenchBox[];
  /** Starts one process of the cloud with these roles beside this broker. */
  launch(roles: readonly Role[], store: string): Promise<Child>;
  pid(): Promise<number>;
  close(): Promise<void>;
}

/** A PostgreSQL that keeps its promises (fsync on). Throws Unavailable `postgres_missing` without the Debian package. */
export async function benchPostgres(): Promise<OwnPostgres> {
  const bin = postgresBin();
  if (!bin)
    throw new Unavailable('postgres_missing', 'this benchmark needs PostgreSQL (Debian: apt install postgresql)');
  return startPostgres(bin, { durable: true, settings: { shared_buffers: '256MB', max_wal_size: '4GB' } });
}

/** The product's own Mosquitto with its own configuration, and `boxes` rooms that may connect. */
export async function startBenchBroker(boxes: number): Promise<BenchBroker> {
  const folder = await mkdtemp(join(tmpdir(), 'evalroom-bench-'));
  const log = createLog({ level: 'warn', pretty: false });
  const all = Array.from({ length: boxes }, (_, i) => {
    const id = String(i + 1).padStart(5, '0');
    return { deviceId: `box-${id}`, roomId: `room-${id}`, secret: newSecret() };
  });
  const ingestSecret = newSecret();
  let broker: Broker;
  try {
    broker = await startMosquitto({
      listener: { host: '127.0.0.1', port: 0 },
      folder: join(folder, 'broker'),
      devices: all.map(({ deviceId, roomId, secret }) => ({ deviceId, roomId, secretHash: hashSecret(secret) })),
      ingestSecret,
      log,
      clock: systemClock(),
      searchPath: '/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin',
    });
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
  const passwordFile = join(folder, 'ingest.password');
  await writeFile(passwordFile, `${ingestSecret}\n`, { mode: 0o600 });
  let started = 0;
  const children: Child[] = [];
  return {
    url: broker.url,
    folder,
    boxes: all,
    async launch(roles, store) {
      const name = `${roles.join('-')}-${++started}`;
      const data = join(folder, name);
      await mkdir(data, { recursive: true });
      const config = join(data, 'cloud.yaml');
      const mqtt = { broker: broker.url, user: broker.login.username, passwordFile };
      await writeFile(config, stringify({ roles, data, http: { port: 0 }, mqtt, store }));
      const child = await startChild({ name, args: ['cloud', '--config', config] });
      children.push(child);
      return child;
    },
    async pid() {
      return Number(await readFile(join(folder, 'broker', 'pid'), 'utf8'));
    },
    async close() {
      for (const child of children) await child.close();
      await broker.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
