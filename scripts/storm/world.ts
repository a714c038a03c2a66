/** Inside the storm: the processes of a whole deployment, each of which can be killed, frozen and started again. */
import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { stringify } from 'yaml';
import type { StoreConfig } from '../../cloud/store/open.ts';
import { Unavailable } from '../../protocol/errors.ts';
import { type Child, startChild } from '../children.ts';
import { freePort, type OwnPostgres, postgresBin, startPostgres } from '../postgres.ts';
import type { Sabotage, WriterOptions } from '../storm.ts';
import type { Dice } from './dice.ts';
import type { Target } from './plan.ts';
import { type FaultProxy, startProxy } from './proxy.ts';

const START_MS = 120_000;

export interface WorldOptions {
  readonly folder: string;
  readonly rooms: number;
  readonly store: 'sqlite' | 'postgres';
  readonly sabotage: readonly Sabotage[];
  readonly dice: Dice;
  readonly onAccepted: (ticket: string) => void;
}

export interface World {
  /** What can be killed. */
  readonly targets: readonly Target[];
  readonly proxy: FaultProxy;
  /** Where each cloud that has a page listens. */
  readonly bases: readonly string[];
  readonly setupUrl: string;
  readonly store: StoreConfig;
  /** SIGKILL to a living process, which is then started again in the background. Resolves when it is gone. */
  kill(target: Target): Promise<void>;
  /** SIGSTOP now, SIGCONT after `forMs`; nothing where it is down. */
  freeze(target: Target, forMs: number): void;
  /** Rooms begin to accept events; one that is started again does so by itself. */
  startWriting(): void;
  /** Rooms accept nothing more. */
  stopWriting(): Promise<void>;
  /** Events that wait in the outboxes; infinite until every room has said that it stopped. */
  left(): number;
  /** Ends every process. */
  close(): Promise<void>;
}

/** A process that is there, or on its way back. */
interface Part {
  pid: number | undefined;
  up: Promise<void>;
  kill(): Promise<void>;
}

/** Resolves when every part runs and every room is connected. Throws what the first one threw, with nothing left running. */
export async function startWorld(options: WorldOptions): Promise<World> {
  const { folder, store, rooms, dice } = options;
  await mkdir(folder, { recursive: true });
  const ending: (() => Promise<void>)[] = [];
  const parts = new Map<Target, Part>();
  const left = new Map<string, number>();
  let closing = false;
  const close = async () => {
    closing = true;
    const faults: unknown[] = [];
    for (const end of ending.reverse()) await end().catch((error: unknown) => faults.push(error));
    if (faults.length > 0) throw new AggregateError(faults, 'ending the storm: some parts failed to end');
  };
  /** Starts it, and again after each kill, until the storm is over. */
  const keep = async (target: Target, start: () => Promise<Child>): Promise<Child> => {
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
    parts.set(target, part);
    ending.push(async () => {
      await part.up.catch(() => undefined);
      await child.close();
    });
    return child;
  };

  try {
    const database = store === 'postgres' ? await ownDatabase(ending) : undefined;
    const storeConfig: StoreConfig = database
      ? { kind: 'postgres', url: database.url }
      : { kind: 'sqlite', path: join(folder, 'cloud-0', 'cloud.db') };
    const boxes = Array.from({ length: rooms }, (_, index) => ({
      device: `box-${index}`,
      room: `room-${index}`,
      secretFile: join(folder, `box-${index}.secret`),
    }));
    const brokerPort = await quietPort();
    const ingestPassword = join(folder, 'ingest.password');
    const cloudArgs = async (index: number) => {
      const data = join(folder, `cloud-${index}`);
      const config = join(folder, `cloud-${index}.yaml`);
      const first = index === 0;
      await writeFile(
        config,
        stringify({
          data,
          http: { port: await quietPort() },
          mqtt: first
            ? { port: brokerPort, ...(database ? { passwordFile: ingestPassword } : {}) }
            : { broker: `mqtt://127.0.0.1:${brokerPort}`, user: 'evalroom-ingest', passwordFile: ingestPassword },
          ...(database ? { store: database.url } : {}),
        }),
      );
      const known = first ? boxes.flatMap((box) => ['--box', `${box.device}:${box.room}:${box.secretFile}`]) : [];
      return ['cloud', '--config', config, ...known];
    };
    const bases: string[] = [];
    let setupUrl = '';
    for (let index = 0; index < (database ? 2 : 1); index++) {
      const args = await cloudArgs(index);
      const cloud = await keep(`cloud-${index}`, () => startChild({ name: `cloud-${index}`, args, onLine: () => {} }));
      bases.push(String(cloud.ready.url));
      // The newest token is the one that holds.
      setupUrl = String(cloud.ready.setupUrl ?? setupUrl);
    }
    if (database) parts.set('database', database.part);
    parts.set('broker', brokerOf(join(folder, 'cloud-0', 'broker')));

    const proxy = await startProxy(brokerPort, dice);
    ending.push(() => proxy.close());
    const writers: Child[] = [];
    for (const [index, box] of boxes.entries()) {
      const secret = readFileSync(box.secretFile, 'utf8').trim();
      let life = 0;
      const start = async () => {
        const child = await startChild({
          name: box.room,
          args: ['storm', 'writer'],
          env: {
            EVALROOM_STORM_WRITER: JSON.stringify({
              outbox: join(folder, box.device, 'outbox.db'),
              room: box.room,
              device: box.device,
              secret,
              port: proxy.port,
              life: `r${index}-l${life}`,
              waits: life++ === 0,
              seed: dice.between(0, 2 ** 31),
              sabotage: options.sabotage,
            } satisfies WriterOptions),
          },
          onLine: (line) => {
            const [mark, , , , ticket] = line.split(' ');
            if (mark === '+' && ticket !== undefined) options.onAccepted(ticket);
          },
        });
        child.onSaid((said) => {
          if (typeof said.left === 'number') left.set(box.room, said.left);
        });
        writers[index] = child;
        return child;
      };
      await keep(`writer-${index}`, start);
    }
    return {
      targets: [...parts.keys()],
      proxy,
      bases,
      setupUrl,
      store: storeConfig,
      async kill(target) {
        const part = parts.get(target)!;
        await part.up;
        await part.kill();
      },
      freeze(target, forMs) {
        const pid = parts.get(target)?.pid;
        if (pid === undefined || !signal(pid, 'SIGSTOP')) return;
        setTimeout(() => signal(pid, 'SIGCONT'), forMs);
      },
      startWriting() {
        for (const writer of writers) writer.send({ write: true });
      },
      async stopWriting() {
        for (const part of parts.values()) await part.up;
        for (const box of boxes) left.set(box.room, Number.POSITIVE_INFINITY);
        for (const writer of writers) writer.send({ stop: true });
      },
      left: () => [...left.values()].reduce((sum, events) => sum + events, 0),
      close,
    };
  } catch (error) {
    await close().catch(() => undefined);
    throw error;
  }
}

function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    process.kill(pid, name);
    return true;
  } catch {
    return false;
  }
}

/** The broker is the first cloud's child, which starts it again. */
function brokerOf(folder: string): Part {
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

async function ownDatabase(ending: (() => Promise<void>)[]): Promise<{ readonly url: string; readonly part: Part }> {
  const bin = postgresBin();
  if (bin === undefined)
    throw new Unavailable('postgres_missing', 'this storm needs PostgreSQL 15 or later: apt-get install postgresql');
  const server: OwnPostgres = await startPostgres(bin, { durable: true, settings: { max_connections: '60' } });
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
async function quietPort(): Promise<number> {
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
