/** A PostgreSQL of its own for benchmarks, storms and tests: own data folder, free port, user postgres when run as root. */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Unavailable } from '../protocol/errors.ts';
import { answers, createDatabase } from './store/client.ts';

const ROOT = '/usr/lib/postgresql';

/** Folder of initdb and postgres, newest version; undefined when the Debian package is absent. */
export function postgresBin(): string | undefined {
  if (!existsSync(ROOT)) return undefined;
  return readdirSync(ROOT)
    .sort((a, b) => Number(b) - Number(a))
    .map((version) => join(ROOT, version, 'bin'))
    .find((bin) => existsSync(join(bin, 'postgres')));
}

export interface OwnPostgres {
  readonly pid: number;
  /** Address of a new empty database. */
  database(): Promise<string>;
  /** SIGKILL to the server, for storms; resolves when it is gone. */
  kill(): Promise<void>;
  /** After `kill`: resolves when it answers again on the same data. Throws Unavailable `postgres_failed`. */
  revive(): Promise<void>;
  stop(): Promise<void>;
}

/** `durable` keeps fsync on, as a real server has it. Throws Unavailable `postgres_failed` when it does not start. */
export async function startPostgres(
  bin: string,
  { durable = false, settings = {} }: { durable?: boolean; settings?: Readonly<Record<string, string>> } = {},
): Promise<OwnPostgres> {
  const folder = mkdtempSync(join(tmpdir(), 'evalroom-pg-'));
  const root = process.getuid?.() === 0;
  // PostgreSQL refuses to run as root.
  const [uid, gid] = root ? ['-u', '-g'].map((flag) => Number(execFileSync('id', [flag, 'postgres']))) : [];
  const as = uid === undefined || gid === undefined ? {} : { uid, gid };
  if (root) execFileSync('chown', ['postgres:postgres', folder]);
  const data = join(folder, 'data');
  execFileSync(
    join(bin, 'initdb'),
    ['-D', data, '-A', 'trust', '-U', 'postgres', '--no-sync', '-E', 'UTF8', '--locale', 'C'],
    { ...as, stdio: 'pipe', cwd: folder },
  );
  const port = await freePort();
  const all = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: folder,
    fsync: durable ? 'on' : 'off',
    ...settings,
  };
  const args = [
    '-D',
    data,
    '-p',
    String(port),
    ...Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
  ];
  const launch = () => {
    const child = spawn(join(bin, 'postgres'), args, { ...as, stdio: 'ignore', cwd: folder });
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    return { child, ended, over: () => child.exitCode !== null || child.signalCode !== null };
  };
  let server = launch();
  const url = (name: string) => `postgres://postgres@127.0.0.1:${port}/${name}`;
  const end = async (signal: NodeJS.Signals) => {
    server.child.kill(signal);
    await server.ended;
  };
  const stop = async () => {
    if (!server.over()) await end('SIGINT');
    rmSync(folder, { recursive: true, force: true });
  };
  const ready = async (again: boolean) => {
    for (let attempt = 0; !(await answers(url('postgres'))); attempt++) {
      if (attempt > (again ? 600 : 100) || (server.over() && !again))
        throw new Unavailable('postgres_failed', `starting PostgreSQL in ${folder}: exit ${server.child.exitCode}`);
      // After a kill the first tries may find backends of the old server still ending.
      if (server.over()) server = launch();
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  };
  try {
    await ready(false);
  } catch (error) {
    await stop();
    throw error;
  }
  let count = 0;
  return {
    pid: server.child.pid!,
    stop,
    kill: () => end('SIGKILL'),
    revive: () => ready(true),
    async database() {
      const name = `test_${++count}`;
      await createDatabase(url('postgres'), name);
      return url(name);
    },
  };
}

/** A TCP port of 127.0.0.1 that nobody has at this moment. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() =>
        typeof address === 'object' && address
          ? resolve(address.port)
          : reject(new Unavailable('no_port', 'looking for a free port: none was given')),
      );
    });
  });
}
