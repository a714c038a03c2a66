/** Inside the storm: processes that are killed, frozen and started again, and the two that are not our own. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Unavailable } from '../../protocol/errors.ts';
import type { Child } from '../children.ts';
import { freePort, postgresBin, startPostgres } from '../postgres.ts';
import type { Target } from './plan.ts';

/** How long a part may take to come back while the parts that it needs are down too. */
export const START_MS = 120_000;

/** A process that is there, or on its way back. */
export interface Part {
  pid: number | undefined;
  up: Promise<void>;
  kill(): Promise<void>;
}

export interface Parts {
  readonly all: Map<Target, Part>;
  /** What is to be done at the end, the last one first. */
  readonly ending: (() => Promise<void>)[];
  /** Starts it, and again after each kill, until the storm is over. */
  keep(target: Target, start: () => Promise<Child>): Promise<Child>;
  /** Ends every process. */
  close(): Promise<void>;
}

export function createParts(): Parts {
  const ending: (() => Promise<void>)[] = [];
  const all = new Map<Target, Part>();
  let closing = false;
  return {
    all,
    ending,
    async keep(target, start) {
      let child = await start();
      const part: Part = {
        pid: child.pid,
        up: Promise.resolve(),
        kill: async () => {
          child.kill('SIGKILL');
          await child.ended;
          part.pid = undefined;
          part.up = (async () => {
            // What it needs may be down too: the supervisor of a real machine tries again as well.
            for (const deadline = performance.now() + START_MS; ; await pause(200)) {
              if (closing) return;
              try {
                child = await start();
                part.pid = child.pid;
                return;
              } catch (error) {
                if (performance.now() > deadline) throw error;
              }
            }
          })();
          part.up.catch(() => undefined);
        },
      };
      all.set(target, part);
      ending.push(async () => {
        await part.up.catch(() => undefined);
        await child.close();
      });
      return child;
    },
    async close() {
      closing = true;
      const faults: unknown[] = [];
      for (const end of ending.reverse()) await end().catch((error: unknown) => faults.push(error));
      if (faults.length > 0) throw new AggregateError(faults, 'ending the storm: some parts failed to end');
    },
  };
}

/** False where the process is gone. */
export function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    process.kill(pid, name);
    return true;
  } catch {
    return false;
  }
}

/** A broker whose files lie in `folder` and whom somebody else starts again. */
export function brokerOf(folder: string): Part {
  const find = (): number | undefined => {
    try {
      const pid = Number(readFileSync(join(folder, 'pid'), 'utf8'));
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(join(folder, 'mosquitto.conf'))
        ? pid
        : undefined;
    } catch {
      // Between two starts there is none.
      return undefined;
    }
  };
  return {
    get pid() {
      return find();
    },
    set pid(_) {},
    up: Promise.resolve(),
    async kill() {
      for (const deadline = performance.now() + START_MS; ; await pause(20)) {
        const pid = find();
        if (pid !== undefined && signal(pid, 'SIGKILL')) return;
        if (performance.now() > deadline)
          throw new Unavailable('storm_no_broker', `looking for the broker of ${folder}: the cloud does not start it`);
      }
    },
  };
}

/** A PostgreSQL with an empty database. Throws Unavailable `postgres_missing`. */
export async function ownDatabase({ ending }: Parts): Promise<{ readonly url: string; readonly part: Part }> {
  const bin = postgresBin();
  if (bin === undefined)
    throw new Unavailable('postgres_missing', 'this storm needs PostgreSQL 15 or later: apt-get install postgresql');
  const server = await startPostgres(bin, { durable: true, settings: { max_connections: '60' } });
  ending.push(() => server.stop());
  const part: Part = {
    pid: server.pid,
    up: Promise.resolve(),
    async kill() {
      await server.kill();
      part.pid = undefined;
      part.up = server.revive();
      part.up.catch(() => undefined);
    },
  };
  ending.push(() => part.up.catch(() => undefined));
  return { url: await server.database(), part };
}

/** Below the ports that outgoing connections take: a server that comes back must find its port free. */
export async function quietPort(): Promise<number> {
  for (let tries = 0; tries < 100; tries++) {
    const port = 15_000 + Math.floor(Math.random() * 15_000);
    const free = await new Promise<boolean>((resolve) => {
      const server = createServer();
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
    });
    if (free) return port;
  }
  return freePort();
}
