/** Starting and ending the cloud: what is in the way is said clearly and leaves nothing running; TLS beyond this machine. */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { connectAsync } from 'mqtt';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../cloud/clock.ts';
import { parseCloudConfig } from '../../../cloud/config.ts';
import { startCloud } from '../../../cloud/main.ts';
import { topics } from '../../../protocol/stream.ts';
import { eventually } from './cloud.ts';
import { freePort } from './postgres.ts';

const machine = { log: pino({ level: 'silent' }), clock: systemClock() };

describe('starting the cloud', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'evalroom-start-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const start = (text: string, searchPath?: string) =>
    startCloud(parseCloudConfig(text, folder), { ...machine, ...(searchPath === undefined ? {} : { searchPath }) });
  const brokerLives = () => {
    const pid = Number(readFileSync(join(folder, '.data/cloud/broker/pid'), 'utf8'));
    return existsSync(`/proc/${pid}`);
  };

  it('says that the port of the page is in use, and leaves no broker behind', async () => {
    const server = createServer();
    const port = await new Promise<number>((resolve) =>
      server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port)),
    );
    await expect(start(`http: { port: ${port} }`)).rejects.toMatchObject({
      kind: 'Unavailable',
      code: 'port_in_use',
      message: expect.stringContaining(String(port)),
    });
    expect(brokerLives()).toBe(false);
    server.close();
  });

  it('says which folder it can not have, also where nobody may make one', async () => {
    for (const what of ['data: /proc/evalroom', 'data: /proc/self/evalroom/data', 'store: /proc/evalroom/cloud.db'])
      await expect(start(`{ http: { port: 0 }, ${what} }`)).rejects.toMatchObject({
        kind: 'InvalidInput',
        code: 'data_folder',
        message: expect.stringContaining('of cloud.yaml must name a folder that this user may make and write'),
      });
  });

  it('says that Mosquitto is missing, and what to do', async () => {
    await expect(start('http: { port: 0 }', '/nowhere')).rejects.toMatchObject({
      code: 'mosquitto_missing',
      message: expect.stringContaining('apt install mosquitto'),
    });
  });

  it('says that a store is no database, and that a database does not answer', async () => {
    writeFileSync(join(folder, 'broken.db'), 'x'.repeat(5000));
    await expect(start('{ http: { port: 0 }, store: broken.db }')).rejects.toMatchObject({ kind: 'Corrupt' });
    expect(readFileSync(join(folder, 'broken.db'), 'utf8')).toBe('x'.repeat(5000));
    const port = await freePort();
    await expect(start(`{ http: { port: 0 }, store: 'postgres://127.0.0.1:${port}/x' }`)).rejects.toMatchObject({
      kind: 'Unavailable',
      code: 'store_unavailable',
    });
  });

  it('runs without its outside broker, says so, and goes on when it is there', async () => {
    const port = await freePort();
    const cloud = await start(`{ http: { port: 0 }, mqtt: { broker: 'mqtt://127.0.0.1:${port}' } }`);
    const health = await fetch(`${cloud.url}/healthz`);
    expect([health.status, await health.json()]).toMatchObject([503, { ok: false, ingest: { connected: false } }]);
    expect((await fetch(`${cloud.url}/api/session`)).status).toBe(200);
    const conf = join(folder, 'outside.conf');
    writeFileSync(conf, `listener ${port} 127.0.0.1\nallow_anonymous true\nuser ${userInfo().username}\n`);
    const broker = spawn('/usr/sbin/mosquitto', ['-c', conf], { stdio: 'ignore' });
    const gone = new Promise((resolve) => broker.once('exit', resolve));
    await eventually(async () => (await fetch(`${cloud.url}/healthz`)).status).toBe(200);
    await cloud.close();
    broker.kill();
    await gone;
  });

  it('closes twice without harm', async () => {
    const cloud = await start('http: { port: 0 }');
    await Promise.all([cloud.close(), cloud.close()]);
    await cloud.close();
    expect(brokerLives()).toBe(false);
  });

  it('speaks TLS to browsers and boxes', async (ctx) => {
    if (!existsSync('/usr/bin/openssl')) return ctx.skip('needs the program openssl');
    const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
    const subject = ['-subj', '/CN=desk.example', '-addext', 'subjectAltName=DNS:desk.example,IP:127.0.0.1'];
    const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
    execFileSync('openssl', ['req', ...kind, ...subject, '-keyout', key, '-out', cert], { stdio: 'pipe' });
    const tls = `{ certFile: cert.pem, keyFile: key.pem }`;
    const cloud = await start(`{ http: { port: 0, host: 127.0.0.1, tls: ${tls} }, mqtt: { tls: ${tls} } }`);
    try {
      expect([cloud.url, cloud.mqttUrl]).toEqual([expect.stringMatching(/^https:/), expect.stringMatching(/^mqtts:/)]);
      const ca = readFileSync(cert);
      const headers = await new Promise<NodeJS.Dict<string | string[]>>((resolve, reject) =>
        request(`${cloud.url}/api/session`, { ca }, (response) => resolve(response.resume().headers))
          .on('error', reject)
          .end(),
      );
      expect(headers['strict-transport-security']).toBeDefined();
      const { code } = await cloud.offerCode({ deviceId: 'box-1', roomId: 'room-1' });
      const [csr, boxKey] = [join(folder, 'box.csr'), join(folder, 'box.key')];
      const asked = [
        'req',
        '-new',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:P-256',
        '-nodes',
        '-subj',
        '/CN=any',
      ];
      execFileSync('openssl', [...asked, '-keyout', boxKey, '-out', csr], { stdio: 'pipe' });
      const answer = await new Promise<{ certificate: string }>((resolve, reject) =>
        request(
          `${cloud.url}/api/device/enrol`,
          { ca, method: 'POST', headers: { 'content-type': 'application/json' } },
          (response) => {
            let body = '';
            response.on('data', (text) => (body += text)).on('end', () => resolve(JSON.parse(body)));
          },
        )
          .on('error', reject)
          .end(JSON.stringify({ code, csr: readFileSync(csr, 'utf8') })),
      );
      const box = await connectAsync(cloud.mqttUrl, {
        ca,
        cert: answer.certificate,
        key: readFileSync(boxKey),
        protocolVersion: 5,
        reconnectPeriod: 0,
      });
      await box.publishAsync(topics.state('room-1'), 'x', { qos: 1 });
      box.end(true);
    } finally {
      await cloud.close();
    }
  });
});
