/** Inside the storm: the cloud's side of a deployment, as one process, as two on one database, or as a process for each role. */
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { startMosquitto } from '../../cloud/broker/mosquitto.ts';
import { hashSecret, newSecret, sharedSecret } from '../../cloud/broker/secret.ts';
import { systemClock } from '../../cloud/clock.ts';
import type { Role } from '../../cloud/config.ts';
import { createLog } from '../../cloud/log.ts';
import type { StoreConfig } from '../../cloud/store/open.ts';
import { startChild } from '../children.ts';
import { type CommitTrap, startCommitTrap } from './commit-trap.ts';
import { brokerOf, ownDatabase, type Parts, quietPort } from './parts.ts';
import type { Target } from './plan.ts';

export interface Box {
  readonly device: string;
  readonly room: string;
  readonly secret: string;
}

/** The cloud of a storm, running. */
export interface Clouds {
  readonly brokerPort: number;
  readonly boxes: readonly Box[];
  /** Where each process that has a page listens. */
  readonly bases: readonly string[];
  readonly setupUrl: string;
  readonly store: StoreConfig;
  /** Of the ingest workers that are processes of their own. */
  readonly traps: ReadonlyMap<Target, CommitTrap>;
}

export interface CloudsOptions {
  readonly folder: string;
  readonly rooms: number;
  readonly store: 'sqlite' | 'postgres';
}

const names = (rooms: number) =>
  Array.from({ length: rooms }, (_, index) => ({ device: `box-${index}`, room: `room-${index}` }));

/** `evalroom cloud` with its own broker; on PostgreSQL a second one beside it. */
export async function startWhole({ folder, rooms, store }: CloudsOptions, parts: Parts): Promise<Clouds> {
  const database = store === 'postgres' ? await ownDatabase(parts) : undefined;
  const url = database?.url;
  const boxes = names(rooms).map((box) => ({ ...box, secretFile: join(folder, `${box.device}.secret`) }));
  const brokerPort = await quietPort();
  const ingestPassword = join(folder, 'ingest.password');
  const bases: string[] = [];
  let setupUrl = '';
  for (let index = 0; index < (url ? 2 : 1); index++) {
    const first = index === 0;
    const config = join(folder, `cloud-${index}.yaml`);
    await writeFile(
      config,
      stringify({
        data: join(folder, `cloud-${index}`),
        http: { port: await quietPort() },
        mqtt: first
          ? { port: brokerPort, ...(url ? { passwordFile: ingestPassword } : {}) }
          : { broker: `mqtt://127.0.0.1:${brokerPort}`, user: 'evalroom-ingest', passwordFile: ingestPassword },
        ...(url ? { store: url } : {}),
      }),
    );
    const known = first ? boxes.flatMap((box) => ['--box', `${box.device}:${box.room}:${box.secretFile}`]) : [];
    const args = ['cloud', '--config', config, ...known];
    const cloud = await parts.keep(`cloud-${index}`, () => startChild({ name: `cloud-${index}`, args }));
    bases.push(String(cloud.ready.url));
    // The newest token is the one that holds.
    setupUrl = String(cloud.ready.setupUrl ?? setupUrl);
  }
  if (database) parts.all.set('database', database.part);
  parts.all.set('broker', brokerOf(join(folder, 'cloud-0', 'broker')));
  return {
    brokerPort,
    boxes: boxes.map(({ device, room, secretFile }) => ({
      device,
      room,
      secret: readFileSync(secretFile, 'utf8').trim(),
    })),
    bases,
    setupUrl,
    store: url ? { kind: 'postgres', url } : { kind: 'sqlite', path: join(folder, 'cloud-0', 'cloud.db') },
    traps: new Map(),
  };
}

/** As in production: two workers on the shared subscription, two web processes, an outside broker, PostgreSQL. */
export async function startSplit({ folder, rooms }: CloudsOptions, parts: Parts): Promise<Clouds> {
  const { url, part } = await ownDatabase(parts);
  parts.all.set('database', part);
  const boxes = names(rooms).map((box) => ({ ...box, secret: newSecret() }));
  const brokerPort = await quietPort();
  const passwordFile = join(folder, 'ingest.password');
  const broker = await startMosquitto({
    listener: { host: '127.0.0.1', port: brokerPort },
    folder: join(folder, 'broker'),
    devices: boxes.map(({ device, room, secret }) => ({
      deviceId: device,
      roomId: room,
      secretHash: hashSecret(secret),
    })),
    ingestSecret: sharedSecret(passwordFile),
    log: createLog({ level: 'silent', pretty: false }),
    clock: systemClock(),
    searchPath: '/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin',
  });
  parts.ending.push(() => broker.close());
  parts.all.set('broker', brokerOf(join(folder, 'broker')));
  const launch = async (role: Role, index: number, store: string) => {
    const name = `${role}-${index}`;
    const config = join(folder, `${name}.yaml`);
    const mqtt = { broker: broker.url, user: broker.login.username, passwordFile };
    const http = { port: await quietPort() };
    await writeFile(config, stringify({ roles: [role], data: join(folder, name), http, mqtt, store }));
    return parts.keep(name as Target, () => startChild({ name, args: ['cloud', '--config', config] }));
  };
  const traps = new Map<Target, CommitTrap>();
  const bases: string[] = [];
  let setupUrl = '';
  for (const index of [0, 1]) {
    const trap = await startCommitTrap(Number(new URL(url).port));
    parts.ending.push(() => trap.close());
    traps.set(`ingest-${index}`, trap);
    const through = new URL(url);
    through.port = String(trap.port);
    await launch('ingest', index, through.href);
  }
  for (const index of [0, 1]) {
    const { ready } = await launch('web', index, url);
    bases.push(String(ready.url));
    setupUrl = String(ready.setupUrl ?? setupUrl);
  }
  return { brokerPort, boxes, bases, setupUrl, store: { kind: 'postgres', url }, traps };
}
