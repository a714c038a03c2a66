/** The brokers that the contract is held against: each lets two boxes in and keeps strangers out. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { askWithNewKey } from '../../agent/identity.ts';
import { type Broker, type BrokerLogin, outsideBroker } from '../../cloud/broker/broker.ts';
import { INGEST_USER } from '../../cloud/broker/files.ts';
import { startMosquitto } from '../../cloud/broker/mosquitto.ts';
import { hashSecret, newSecret } from '../../cloud/broker/secret.ts';
import { systemClock } from '../../cloud/clock.ts';
import { openAuthority } from '../../cloud/identity/authority.ts';
import { topics } from '../../protocol/stream.ts';
import { freePort } from '../medium/agent/mosquitto.ts';
import { type Pair, startNats } from './nats.ts';

const log = pino({ level: 'silent' });
const clock = systemClock();
/** Where Debian has mosquitto. */
export const searchPath = '/usr/sbin:/usr/bin';
/** Of the boxes, where they log in by password. */
export const secrets = { 'box-1': newSecret(), 'box-2': newSecret() };
/** As the cloud would have entered them. */
export const devices = [
  { deviceId: 'box-1', roomId: 'room-1', secretHash: hashSecret(secrets['box-1']) },
  { deviceId: 'box-2', roomId: 'room-2', secretHash: hashSecret(secrets['box-2']) },
];

/** The two that are let in. */
export type Device = 'box-1' | 'box-2';

/** A broker with two boxes that it lets in. */
export interface World {
  readonly broker: Broker;
  readonly version: 4 | 5;
  /** What the ingest subscribes to. */
  readonly filter: string;
  device(deviceId: Device): BrokerLogin;
  /** Who must stay outside. */
  readonly strangers: readonly BrokerLogin[];
  close(): Promise<void>;
}

async function mosquitto(folder: string, kind: 'child' | 'outside'): Promise<World> {
  const listener = { host: '127.0.0.1', port: 0 };
  const server = await startMosquitto({ listener, folder, devices, log, clock, searchPath });
  const passwordFile = join(folder, 'ingest.password');
  writeFileSync(passwordFile, `${server.login.password}\n`);
  const { url } = server;
  return {
    broker: kind === 'child' ? server : outsideBroker({ url, user: server.login.username!, passwordFile }),
    version: 5,
    filter: topics.ingestFilter,
    device: (deviceId) => ({ url, username: deviceId, password: secrets[deviceId] }),
    strangers: [
      { url },
      { url, username: 'box-1', password: secrets['box-2'] },
      { url, username: 'nobody', password: 'x' },
    ],
    close: () => server.close(),
  };
}

/** As on a machine of its own: boxes come in on one port, workers on another, and nobody without a certificate. */
async function mosquittoElsewhere(folder: string): Promise<World> {
  const wallMs = Date.now();
  const authority = await openAuthority({ folder: join(folder, 'identity'), wallMs });
  const life = { wallMs, lifetimeMs: 86_400_000 };
  const keep = (name: string, text: string) => {
    writeFileSync(join(folder, name), text, { mode: 0o600 });
    return join(folder, name);
  };
  const server = await authority.issueServer({ names: ['localhost', '127.0.0.1'], ...life });
  const issue = async (deviceId: string, roomId?: string): Promise<Pair> => {
    const { key, csr } = await askWithNewKey();
    const of = { csr, deviceId, ...(roomId === undefined ? {} : { roomId }), ...life };
    return { cert: (await authority.issueDevice(of)).certificate, key };
  };
  const other = await openAuthority({ folder: join(folder, 'other'), wallMs });
  const foreign = await other.issueServer({ names: ['box-1'], ...life });
  const [pairs, ingest] = [
    { 'box-1': await issue('box-1', 'room-1'), 'box-2': await issue('box-2', 'room-2') },
    await issue(INGEST_USER),
  ];
  const workersPort = await freePort();
  const broker = await startMosquitto({
    listener: {
      host: '127.0.0.1',
      port: 0,
      tls: {
        certFile: keep('server.pem', server.certificate),
        keyFile: keep('server.key', server.key),
        caFile: keep('ca.pem', authority.caPem),
        listFile: keep('revoked.pem', await authority.revocationList([], wallMs)),
        workersPort,
        onNotice: () => undefined,
      },
    },
    folder: join(folder, 'broker'),
    devices,
    log,
    clock,
    searchPath,
  });
  const by = (url: string, { cert, key }: Pair): BrokerLogin => ({
    url,
    ca: Buffer.from(authority.caPem),
    cert: Buffer.from(cert),
    key: Buffer.from(key),
  });
  const workers = `mqtts://127.0.0.1:${workersPort}`;
  return {
    broker: outsideBroker({
      url: workers,
      caFile: join(folder, 'ca.pem'),
      certFile: keep('ingest.pem', ingest.cert),
      keyFile: keep('ingest.key', ingest.key),
    }),
    version: 5,
    filter: topics.ingestFilter,
    device: (deviceId) => by(broker.url, pairs[deviceId]),
    strangers: [broker.url, workers].flatMap((url) => [
      { url, ca: Buffer.from(authority.caPem) },
      by(url, { cert: foreign.certificate, key: foreign.key }),
      { url: url.replace('mqtts:', 'mqtt:'), username: 'box-1', password: secrets['box-1'] },
    ]),
    close: () => broker.close(),
  };
}

async function nats(folder: string): Promise<World> {
  const server = await startNats(folder);
  const { url, ca, pairs } = server;
  const keep = (name: string, text: string) => {
    writeFileSync(join(folder, name), text, { mode: 0o600 });
    return join(folder, name);
  };
  const by = ({ cert, key }: Pair): BrokerLogin => ({
    url,
    ca: Buffer.from(ca),
    cert: Buffer.from(cert),
    key: Buffer.from(key),
  });
  const other = await openAuthority({ folder: join(folder, 'other'), wallMs: Date.now() });
  const names = { names: ['box-1'], wallMs: Date.now(), lifetimeMs: 1e7 };
  const foreign = await other.issueServer(names);
  return {
    broker: outsideBroker({
      url,
      caFile: keep('ca.pem', ca),
      certFile: keep('ingest.pem', pairs.ingest.cert),
      keyFile: keep('ingest.key', pairs.ingest.key),
      shared: false,
    }),
    version: 4,
    filter: topics.eventsFilter,
    device: (deviceId) => by(pairs[deviceId]),
    strangers: [
      { url, ca: Buffer.from(ca) },
      by({ cert: foreign.certificate, key: foreign.key }),
      by(pairs['box-9']),
      { url: url.replace('mqtts:', 'mqtt:'), username: 'urn:evalroom:device:box-1', password: '' },
    ],
    close: () => server.close(),
  };
}

/** By name; each makes its broker in a folder of the caller's. */
export const WORLDS = {
  'Mosquitto as child': (folder: string) => mosquitto(folder, 'child'),
  'Mosquitto outside': (folder: string) => mosquitto(folder, 'outside'),
  'Mosquitto elsewhere': mosquittoElsewhere,
  'NATS outside': nats,
} as const;
