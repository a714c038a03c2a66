/** A whole cloud with TLS of its own authority, and ways in for people and boxes: right ones and wrong ones. */
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type MqttClient } from 'mqtt';
import { pino } from 'pino';
import { expect } from 'vitest';
import { type Credentials, enroll } from '../../../agent/identity.ts';
import { loadX509 } from '../../../agent/identity-line.ts';
import { systemClock } from '../../../cloud/clock.ts';
import { parseCloudConfig } from '../../../cloud/config.ts';
import type { LogEntryView, LogView } from '../../../cloud/http/api.ts';
import { openAuthority } from '../../../cloud/identity/authority.ts';
import { type Cloud, startCloud } from '../../../cloud/main.ts';
import type { RoomState } from '../../../protocol/stream.ts';
import { EMPTY_ROOM } from '../../fixtures/empty-room.ts';

export interface SecureCloud {
  readonly folder: string;
  readonly cloud: Cloud;
  /** The first supervisor's session. */
  readonly cookie: string;
  /** PEM of the cloud's authority. */
  readonly ca: string;
  stop(): Promise<void>;
}

export interface Answer {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: answers of every kind
  readonly json: any;
}

/** A request over TLS with exactly these credentials, on a connection of its own. */
export function ask(
  url: string,
  options: {
    readonly method?: string;
    readonly body?: unknown;
    readonly headers?: Record<string, string>;
    readonly tls?: Partial<Credentials>;
  } = {},
): Promise<Answer> {
  const { method = 'GET', body, headers = {}, tls = {} } = options;
  const text = body === undefined ? undefined : JSON.stringify(body);
  const type = text === undefined ? {} : { 'content-type': 'application/json' };
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, headers: { ...type, ...headers }, agent: false, ...tls }, (response) => {
      let answer = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        answer += part;
      });
      response.on('end', () => {
        const isJson = String(response.headers['content-type']).includes('json');
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text: answer,
          json: isJson ? JSON.parse(answer) : undefined,
        });
      });
    });
    sent.on('error', reject).end(text);
  });
}

/** By default with its own authority; `ca` is the PEM of another one that signed `tls`, both as cloud.yaml writes them. */
export async function startSecureCloud(
  outside: { readonly tls: string; readonly identity: string; readonly ca: string } | undefined = undefined,
): Promise<SecureCloud> {
  const folder = mkdtempSync(join(tmpdir(), 'evalroom-secure-'));
  const { tls = 'auto', identity = '{}' } = outside ?? {};
  const text = `{ data: data, http: { port: 0, tls: ${tls} }, mqtt: { tls: ${tls} }, identity: ${identity} }`;
  const cloud = await startCloud(parseCloudConfig(text, folder), {
    log: pino({ level: 'silent' }),
    clock: systemClock(),
  });
  const own = () => openAuthority({ folder: join(folder, 'data/identity'), wallMs: Date.now() });
  const ca = outside?.ca ?? (await own()).caPem;
  return {
    folder,
    cloud,
    ca,
    cookie: await firstSupervisor(cloud, ca),
    async stop() {
      await cloud.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The session of the first supervisor, made with the one-time token. */
export async function firstSupervisor(cloud: Cloud, ca: string): Promise<string> {
  const token = cloud.setupUrl!.split('#token=')[1];
  const body = { token, name: '王监督', password: 'correct horse' };
  const setup = await ask(`${cloud.url}/api/setup`, { method: 'POST', body, tls: { ca } });
  return (setup.headers['set-cookie'] as string[])[0]!.split(';')[0]!;
}

/** The desk's own requests. */
export const desk = ({ cloud, ca, cookie }: SecureCloud, method: string, path: string, body?: unknown) =>
  ask(cloud.url + path, { method, headers: { cookie }, tls: { ca }, ...(body === undefined ? {} : { body }) });

/** A device enrolled as a box does it; its key and certificate. */
export async function enrolled(
  world: SecureCloud,
  deviceId: string,
  roomId = `room-${deviceId}`,
): Promise<Credentials> {
  const { code } = (await desk(world, 'POST', '/api/devices/codes', { deviceId, roomId })).json;
  return (await enroll({ cloud: world.cloud.url, code, folder: join(world.folder, deviceId) })).credentials;
}

/** Credentials signed by the authority of `folder` (made when absent), as an attacker or a careless owner has them. */
export async function signedBy(
  folder: string,
  device: { deviceId: string; roomId?: string; beganWallMs?: number; lifetimeMs?: number },
): Promise<Credentials & { readonly serial: string }> {
  const wallMs = device.beganWallMs ?? Date.now();
  const authority = await openAuthority({ folder, wallMs });
  const { key, csr } = await newRequest();
  const issued = await authority.issueDevice({
    csr,
    deviceId: device.deviceId,
    roomId: device.roomId ?? 'room-1',
    wallMs,
    lifetimeMs: device.lifetimeMs ?? 86_400_000,
  });
  return { key, cert: issued.certificate, ca: authority.caPem, serial: issued.serial };
}

/** A key of the given curve and a request signed by it. */
export async function newRequest(curve: 'P-256' | 'P-384' = 'P-256'): Promise<{ key: string; csr: string }> {
  const x509 = await loadX509();
  const pair = generateKeyPairSync('ec', { namedCurve: curve });
  const algorithm = { name: 'ECDSA', namedCurve: curve, hash: 'SHA-256' } as const;
  const csr = await x509.Pkcs10CertificateRequestGenerator.create({
    name: 'CN=whatever',
    keys: {
      privateKey: pair.privateKey.toCryptoKey(algorithm, false, ['sign']),
      publicKey: pair.publicKey.toCryptoKey(algorithm, true, ['verify']),
    },
    signingAlgorithm: algorithm,
  });
  return { key: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), csr: csr.toString('pem') };
}

export interface Entered {
  readonly client: MqttClient;
  /** Resolves with the reason when the broker ends the connection. */
  readonly ended: Promise<string>;
}

/** Into the broker with these credentials; rejects when it does not let them in. */
export function enter(world: SecureCloud, tls: Partial<Credentials>, url = world.cloud.mqttUrl): Promise<Entered> {
  const client = connect(url, { protocolVersion: 5, reconnectPeriod: 0, connectTimeout: 5000, ca: world.ca, ...tls });
  let reason = 'closed';
  client.on('error', (error) => {
    reason = error.message;
  });
  client.on('disconnect', (packet) => {
    reason = `code ${packet.reasonCode}`;
  });
  const ended = new Promise<string>((resolve) => client.once('close', () => resolve(reason)));
  return new Promise((resolve, reject) => {
    client.once('connect', () => resolve({ client, ended }));
    void ended.then((why) => reject(new Error(why)));
  });
}

/** Waits for an entry in the log, at most the five seconds that are promised. */
export async function logged(world: SecureCloud, what: Partial<Record<keyof LogEntryView, unknown>>): Promise<void> {
  await expect
    .poll(async () => ((await desk(world, 'GET', '/api/log')).json as LogView).entries, {
      timeout: 5000,
      interval: 100,
    })
    .toContainEqual(expect.objectContaining(what));
}

/** The state of an empty room, sent by a machine of this boot. */
export const roomState = (roomId: string, bootId: string): RoomState => ({
  v: 1,
  roomId,
  at: { wallMs: Date.now(), monoMs: 1, bootId, clock: 'sure' },
  layout: { ...EMPTY_ROOM, roomId, name: roomId },
  seats: [],
  rulePack: { name: 'demo', version: '1' },
  health: {
    cameras: [],
    ears: [],
    outbox: { events: 0, oldestMs: 0, full: false },
    clipsWaiting: 0,
    disk: { freeBytes: 1, low: false },
    modelSet: 'none',
    rssBytes: 1,
  },
});
