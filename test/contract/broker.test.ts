/** One suite over the ways to have a broker: Mosquitto as the cloud's child, and the same server reached as an outside one. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectAsync, type MqttClient } from 'mqtt';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Broker, type BrokerLogin, outsideBroker } from '../../cloud/broker/broker.ts';
import { startMosquitto } from '../../cloud/broker/mosquitto.ts';
import { hashSecret, newSecret, secretMatches } from '../../cloud/broker/secret.ts';
import { systemClock } from '../../cloud/clock.ts';
import { topics } from '../../protocol/stream.ts';

const log = pino({ level: 'silent' });
const clock = systemClock();
const searchPath = '/usr/sbin:/usr/bin';
const secrets = { 'box-1': newSecret(), 'box-2': newSecret() };
const devices = [
  { deviceId: 'box-1', roomId: 'room-1', secretHash: hashSecret(secrets['box-1']) },
  { deviceId: 'box-2', roomId: 'room-2', secretHash: hashSecret(secrets['box-2']) },
];

const enter = (login: BrokerLogin): Promise<MqttClient> =>
  connectAsync(login.url, {
    protocolVersion: 5,
    reconnectPeriod: 0,
    connectTimeout: 3000,
    ...(login.username === undefined ? {} : { username: login.username }),
    ...(login.password === undefined ? {} : { password: login.password }),
  });

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

describe.each(['child', 'outside'] as const)('broker: Mosquitto as %s', (kind) => {
  let folder: string;
  let broker: Broker;
  let server: Broker;
  const clients: MqttClient[] = [];
  const device = async (deviceId: 'box-1' | 'box-2') => {
    const client = await enter({ url: broker.url, username: deviceId, password: secrets[deviceId] });
    clients.push(client);
    return client;
  };
  const ingest = async () => {
    const client = await enter(broker.login);
    clients.push(client);
    return client;
  };

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'evalroom-broker-'));
    server = await startMosquitto({
      listener: { host: '127.0.0.1', port: 0 },
      folder,
      devices,
      log,
      clock,
      searchPath,
    });
    if (kind === 'child') broker = server;
    else {
      const passwordFile = join(folder, 'ingest.password');
      writeFileSync(passwordFile, `${server.login.password}\n`);
      broker = outsideBroker({ url: server.url, user: server.login.username!, passwordFile });
    }
  });
  afterAll(async () => {
    for (const client of clients) client.end(true);
    await server?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('carries events, states and pictures of a room to the ingest, through a shared subscription too', async () => {
    const worker = await ingest();
    await worker.subscribeAsync([topics.ingestFilter, topics.stateFilter, topics.snapshotFilter], { qos: 1 });
    const box = await device('box-1');
    const sent = [
      topics.events('room-1', 'alert'),
      topics.events('room-1', 'routine'),
      topics.snapshot('room-1', 'cam-a'),
      topics.state('room-1'),
    ];
    const arrived = heard(worker, topics.state('room-1'));
    for (const topic of sent) await box.publishAsync(topic, 'x', { qos: 1 });
    expect((await arrived).sort()).toEqual([...sent].sort());
    await worker.endAsync();
  });

  it('lets nobody in without name and secret', async () => {
    await expect(enter({ url: broker.url })).rejects.toThrow();
    await expect(enter({ url: broker.url, username: 'box-1', password: secrets['box-2'] })).rejects.toThrow();
    await expect(enter({ url: broker.url, username: 'nobody', password: 'x' })).rejects.toThrow();
  });

  it('refuses a box that writes to another room, and that ear of another room', async () => {
    const worker = await ingest();
    await worker.subscribeAsync(topics.ingestFilter, { qos: 1 });
    const [one, two] = [await device('box-1'), await device('box-2')];
    await two.subscribeAsync([topics.ack('room-1'), topics.ack('room-2'), '#']);
    const [arrived, atTwo] = [heard(worker, topics.events('room-1', 'routine')), heard(two, topics.ack('room-2'))];
    await one.publishAsync(topics.events('room-2', 'alert'), 'forged', { qos: 1 }).catch(() => undefined);
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
    const payloads: string[] = [];
    one.on('message', (_topic, payload) => payloads.push(payload.toString()));
    const arrived = heard(one, topics.ack('room-1'));
    for (const forger of [one, two])
      await forger.publishAsync(topics.ack('room-1'), 'forged', { qos: 1 }).catch(() => undefined);
    await worker.publishAsync(topics.ack('room-1'), 'true', { qos: 1 });
    await arrived;
    expect(payloads).toEqual(['true']);
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

  it('checks secrets', () => {
    const hash = hashSecret('abc');
    expect([secretMatches('abc', hash), secretMatches('abd', hash), secretMatches('abc', 'garbage')]).toEqual([
      true,
      false,
      false,
    ]);
  });
});
