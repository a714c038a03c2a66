/** One suite over the ways to have a broker: Mosquitto as the cloud's child, as an outside one, as one elsewhere by certificates, and NATS, no relative of it. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect as connectTcp, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type MqttClient } from 'mqtt';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type BrokerConnection, createForward } from '../../agent/forward.ts';
import { openOutbox } from '../../agent/store/sqlite.ts';
import type { BrokerLogin } from '../../cloud/broker/broker.ts';
import { startMosquitto } from '../../cloud/broker/mosquitto.ts';
import { hashSecret, secretMatches } from '../../cloud/broker/secret.ts';
import { systemClock } from '../../cloud/clock.ts';
import { createIngest } from '../../cloud/ingest/ingest.ts';
import { createRooms } from '../../cloud/ingest/rooms.ts';
import { openStore } from '../../cloud/store/open.ts';
import type { DraftEvent } from '../../protocol/event.ts';
import { topics } from '../../protocol/stream.ts';
import { freePort } from '../medium/agent/mosquitto.ts';
import { type Device, devices, searchPath, secrets, WORLDS, type World } from './broker-worlds.ts';
import { natsThere } from './nats.ts';

const log = pino({ level: 'silent' });
const clock = systemClock();
const enter = (login: BrokerLogin, version: 4 | 5 = 5): Promise<MqttClient> => {
  const { url, shared: _, ...credentials } = login;
  const client = connect(url, { protocolVersion: version, reconnectPeriod: 0, connectTimeout: 30_000, ...credentials });
  return new Promise((resolve, reject) => {
    client.once('connect', () => resolve(client));
    client.once('close', () => reject(new Error('not let in')));
    client.on('error', () => undefined);
  });
};

/** Topics that reach `client` until `last` does. */
function heard(client: MqttClient, last: string): Promise<string[]> {
  const found: string[] = [];
  return new Promise((resolve) =>
    client.on('message', (topic) => {
      found.push(topic);
      if (topic === last) resolve(found);
    }),
  );
}

/** Sent and not waited for: one broker answers what it refuses, another one says nothing. */
const forge = (client: MqttClient, topic: string) => client.publish(topic, 'forged', { qos: 1 }, () => undefined);
/** A broker may grant what it will not serve, or refuse. */
const beg = (client: MqttClient, topic: string) => client.subscribeAsync(topic).catch(() => undefined);

const gap = (): DraftEvent => ({
  at: clock.now(),
  body: { kind: 'gap', sourceId: 'cam-a', role: 'record', fromWallMs: 1, toWallMs: 2, reason: 'x' },
});

const listens = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connectTcp(port, '127.0.0.1', () => resolve(socket.destroy() !== undefined));
    socket.once('error', () => resolve(false));
  });

describe.each(Object.keys(WORLDS) as (keyof typeof WORLDS)[])('broker: %s', (kind) => {
  let folder: string;
  let world: World | undefined;
  const clients: MqttClient[] = [];
  const device = async (deviceId: Device) => {
    const client = await enter(world!.device(deviceId), world!.version);
    clients.push(client);
    return client;
  };
  const ingest = async () => {
    const client = await enter(world!.broker.login, world!.version);
    clients.push(client);
    return client;
  };

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'evalroom-broker-'));
    if (kind !== 'NATS outside' || natsThere()) world = await WORLDS[kind](folder);
  });
  beforeEach((ctx) => {
    if (!world) ctx.skip('needs the Debian package nats-server');
  });
  afterAll(async () => {
    for (const client of clients) client.end(true);
    await world?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('carries events, states and pictures of a room to the ingest', async () => {
    const worker = await ingest();
    await worker.subscribeAsync([world!.filter, topics.stateFilter, topics.snapshotFilter], { qos: 1 });
    const box = await device('box-1');
    const sent = [
      topics.events('room-1', 'alert'),
      topics.events('room-1', 'routine'),
      topics.snapshot('room-1', 'cam-a'),
      topics.state('room-1'),
    ];
    const found: string[] = [];
    const all = new Promise<void>((resolve) =>
      worker.on('message', (topic) => {
        if (found.push(topic) === sent.length) resolve();
      }),
    );
    for (const topic of sent) await box.publishAsync(topic, 'x', { qos: 1 });
    await all;
    expect(found.sort()).toEqual([...sent].sort());
    await worker.endAsync();
  });

  it('lets no stranger in', async () => {
    for (const stranger of world!.strangers)
      for (const version of [4, 5] as const) await expect(enter(stranger, version)).rejects.toThrow();
  });

  it('has room for several workers with one certificate, and shares the work among them where it can', async () => {
    const [one, two] = [await ingest(), await ingest()];
    const found: string[] = [];
    for (const [name, worker] of [['one', one] as const, ['two', two] as const]) {
      await worker.subscribeAsync(world!.filter, { qos: 1 });
      worker.on('message', () => found.push(name));
    }
    const box = await device('box-1');
    for (let i = 0; i < 8; i++) await box.publishAsync(topics.events('room-1', 'routine'), 'x', { qos: 1 });
    const shared = world!.filter.startsWith('$share/');
    await expect.poll(() => found.length, { timeout: 30_000 }).toBe(shared ? 8 : 16);
    expect([...new Set(found)].sort()).toEqual(['one', 'two']);
    expect([one.connected, two.connected]).toEqual([true, true]);
    await Promise.all([one.endAsync(), two.endAsync()]);
  });

  it('refuses a box that writes to another room, and that ear of another room', async () => {
    const worker = await ingest();
    await worker.subscribeAsync(world!.filter, { qos: 1 });
    const [one, two] = [await device('box-1'), await device('box-2')];
    for (const topic of [topics.ack('room-1'), topics.ack('room-2'), topics.ack('+'), '#']) await beg(two, topic);
    const [arrived, atTwo] = [heard(worker, topics.events('room-1', 'routine')), heard(two, topics.ack('room-2'))];
    for (const topic of [topics.events('room-2', 'alert'), topics.state('room-2'), 'evalroom/v1/else', 'other'])
      forge(one, topic);
    await one.publishAsync(topics.events('room-1', 'routine'), 'mine', { qos: 1 });
    expect(await arrived).toEqual([topics.events('room-1', 'routine')]);
    await worker.publishAsync(topics.ack('room-1'), 'not for two', { qos: 1 });
    await worker.publishAsync(topics.ack('room-2'), 'for two', { qos: 1 });
    expect(new Set(await atTwo)).toEqual(new Set([topics.ack('room-2')]));
    await worker.endAsync();
  });

  it('refuses an ack that is not written by the ingest', async () => {
    const [one, two, worker] = [await device('box-1'), await device('box-2'), await ingest()];
    await one.subscribeAsync(topics.ack('room-1'));
    await worker.subscribeAsync(world!.filter, { qos: 1 });
    const payloads: string[] = [];
    one.on('message', (_topic, payload) => payloads.push(payload.toString()));
    const arrived = heard(one, topics.ack('room-1'));
    for (const [forger, roomId] of [[one, 'room-1'] as const, [two, 'room-2'] as const]) {
      forge(forger, topics.ack('room-1'));
      // What comes behind it on the same line has arrived: so the forged one has been dealt with.
      const passed = heard(worker, topics.events(roomId, 'routine'));
      await forger.publishAsync(topics.events(roomId, 'routine'), 'x', { qos: 1 });
      await passed;
    }
    await worker.publishAsync(topics.ack('room-1'), 'true', { qos: 1 });
    await arrived;
    expect(payloads).toEqual(['true']);
    await worker.endAsync();
  });

  it('carries the outbox of a room into the store, by the ways that the product itself goes', async () => {
    const outbox = openOutbox({
      path: join(folder, 'outbox.db'),
      roomId: 'room-1',
      clock,
      log,
      quotaEvents: 1e6,
      ballastBytes: 0,
    });
    const store = await openStore({ kind: 'sqlite', path: join(folder, 'cloud.db') });
    const stop = new AbortController();
    const worker = createIngest({
      login: world!.broker.login,
      store,
      rooms: createRooms(),
      onCommit: () => undefined,
      log,
      clock,
    });
    const login = world!.device('box-1');
    const text = (bytes: Buffer | undefined) => bytes?.toString('utf8') ?? '';
    const connection: BrokerConnection = {
      url: login.url,
      clientId: 'box-1',
      username: 'box-1',
      ...(login.password === undefined ? {} : { password: login.password }),
      ...(login.cert === undefined
        ? {}
        : { tls: () => ({ ca: text(login.ca), cert: text(login.cert), key: text(login.key) }) }),
    };
    const forward = createForward({ outbox, connection, roomId: 'room-1', clock, log });
    try {
      await worker.start();
      await forward.start(stop.signal);
      const accepted = outbox.accept(Array.from({ length: 300 }, gap));
      forward.poke();
      await expect.poll(() => outbox.stats().events, { timeout: 30_000 }).toBe(0);
      expect((await store.counts()).events).toBe(accepted.length);
      expect(forward.health()).toMatchObject({ state: 'connected', refusedAcks: 0, quarantines: 0 });
    } finally {
      stop.abort();
      await forward.close();
      await worker.close();
      await store.close();
      outbox.close();
    }
  });
});

describe('Mosquitto as child', () => {
  const folder = mkdtempSync(join(tmpdir(), 'evalroom-broker-'));
  const start = (port: number, path = searchPath) =>
    startMosquitto({ listener: { host: '127.0.0.1', port }, folder, devices: [], log, clock, searchPath: path });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('takes a new device and forgets an old one without a restart, and keeps those inside connected', async () => {
    const broker = await start(0);
    try {
      await broker.setDevices([devices[0]!]);
      const one = await enter({ url: broker.url, username: 'box-1', password: secrets['box-1'] });
      await broker.setDevices(devices);
      const two = await enter({ url: broker.url, username: 'box-2', password: secrets['box-2'] });
      expect(one.connected).toBe(true);
      await broker.setDevices([devices[1]!]);
      await expect(enter({ url: broker.url, username: 'box-1', password: secrets['box-1'] })).rejects.toThrow();
      one.end(true);
      two.end(true);
      expect(broker.state().restarts).toBe(0);
    } finally {
      await broker.close();
    }
  });

  it('comes back on the same port when it is killed, and after a restart of the cloud', async () => {
    const broker = await start(0);
    const pid = Number(readFileSync(join(folder, 'pid'), 'utf8'));
    process.kill(pid, 'SIGKILL');
    await expect.poll(() => broker.state(), { timeout: 10_000 }).toEqual({ running: true, restarts: 1 });
    (await enter(broker.login)).end(true);
    await broker.close();
    expect(() => process.kill(Number(readFileSync(join(folder, 'pid'), 'utf8')), 0)).toThrow();
    const again = await start(0);
    expect(again.url).toBe(broker.url);
    await again.close();
  });

  it('says what is missing and what is in the way', async () => {
    await expect(start(0, folder)).rejects.toMatchObject({ kind: 'Unavailable', code: 'mosquitto_missing' });
    const server = createServer();
    const port = await new Promise<number>((resolve) =>
      server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port)),
    );
    await expect(start(port)).rejects.toMatchObject({ kind: 'Unavailable', code: 'port_in_use' });
    server.close();
  });

  it('is not taken in by a broker that has its port and lets everybody in', async () => {
    const port = await freePort();
    const stranger = spawn('/usr/sbin/mosquitto', ['-p', String(port)], { stdio: 'ignore' });
    try {
      await expect.poll(() => listens(port), { timeout: 10_000 }).toBe(true);
      await expect(start(port)).rejects.toMatchObject({ kind: 'Unavailable', code: 'port_in_use' });
    } finally {
      stranger.kill('SIGKILL');
    }
  });

  it('checks secrets', () => {
    const hash = hashSecret('abc');
    expect([secretMatches('abc', hash), secretMatches('abd', hash), secretMatches('abc', 'garbage')]).toEqual([
      true,
      false,
      false,
    ]);
  });
});
