/** Only the right device may speak: a real cloud with TLS, a real Mosquitto, real boxes, and those that are none. */
import { execFile, execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { connect as connectTcp, createServer } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../../agent/clock.ts';
import { createForward } from '../../../agent/forward.ts';
import { enroll, openIdentity, readIdentity } from '../../../agent/identity.ts';
import { openOutbox } from '../../../agent/store/sqlite.ts';
import { parseRoomState } from '../../../protocol/schema.ts';
import { topics } from '../../../protocol/stream.ts';
import { eventually } from './cloud.ts';
import { gapBody } from './events.ts';
import {
  ask,
  desk,
  type Entered,
  enrolled,
  enter,
  logged,
  roomState,
  type SecureCloud,
  signedBy,
  startSecureCloud,
} from './identity-world.ts';

const log = pino({ level: 'silent' });

describe('identity of devices', () => {
  let world: SecureCloud;
  const open: Entered[] = [];
  const enterAs = async (...args: Parameters<typeof enter>) => {
    const entered = await enter(...args);
    open.push(entered);
    return entered;
  };
  const codeFor = async (deviceId: string, roomId = `room-${deviceId}`): Promise<string> =>
    (await desk(world, 'POST', '/api/devices/codes', { deviceId, roomId })).json.code;
  const upload = (tls: Parameters<typeof ask>[1] & object) =>
    ask(`${world.cloud.url}/api/upload/`, {
      method: 'POST',
      ...tls,
      headers: { 'tus-resumable': '1.0.0', 'upload-length': '5', ...tls.headers },
    });

  beforeAll(async () => {
    world = await startSecureCloud();
  });
  afterAll(async () => {
    for (const { client } of open) client.end(true);
    await world?.stop();
  });

  it('gives a box its certificate for one code, once, and keeps the key where it was made', async () => {
    const code = await codeFor('box-1');
    const folder = join(world.folder, 'box-1');
    const done = await enroll({ cloud: world.cloud.url, code: code.toLowerCase().replaceAll('-', ' '), folder });
    expect(done).toMatchObject({ deviceId: 'box-1', roomId: 'room-box-1', mqtt: world.cloud.mqttUrl });
    expect(readIdentity(folder)).toMatchObject({ deviceId: 'box-1', credentials: { ca: world.ca } });
    // What it will check rule packs with comes by the same line.
    expect(readFileSync(join(folder, 'rules.pem'), 'utf8')).toBe(world.cloud.rulesKey);
    for (const file of [join(folder, 'box.pem'), join(world.folder, 'data/identity/ca.key')])
      expect(statSync(file).mode & 0o777).toBe(0o600);
    await logged(world, { actor: '王监督', action: 'offer_code', object: 'box-1 → room-box-1' });
    await logged(world, { actor: 'device:box-1', action: 'enrol_device' });
    await expect(enroll({ cloud: world.cloud.url, code, folder })).rejects.toMatchObject({ code: 'cloud_refused' });
    await logged(world, { action: 'refuse_code', object: 'from 127.0.0.1' });
    expect(readIdentity(folder).credentials).toEqual(done.credentials);
  });

  it('lets the code go to nobody but the cloud that made it', async () => {
    const other = await startSecureCloud();
    try {
      const code = await codeFor('box-pin');
      const folder = join(world.folder, 'pin');
      await expect(enroll({ cloud: other.cloud.url, code, folder })).rejects.toMatchObject({
        code: 'cloud_not_pinned',
      });
      // Nothing was sent: the code is as good as before.
      await expect(enroll({ cloud: world.cloud.url, code, folder })).resolves.toMatchObject({ deviceId: 'box-pin' });
    } finally {
      await other.stop();
    }
  });

  it('says what to do when the cloud is called by a name that its certificate does not have', async () => {
    const code = await codeFor('box-name');
    const proxy = createServer((socket) => {
      const onward = connectTcp(Number(new URL(world.cloud.url).port), '127.0.0.1');
      socket.pipe(onward).pipe(socket);
      for (const end of [socket, onward]) end.on('error', () => socket.destroy());
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.2', resolve));
    const cloud = `https://127.0.0.2:${(proxy.address() as { port: number }).port}`;
    await expect(enroll({ cloud, code, folder: join(world.folder, 'name') })).rejects.toMatchObject({
      code: 'cloud_unavailable',
      message: expect.stringContaining('add 127.0.0.2 to identity.names'),
    });
    proxy.close();
  });

  it('gives codes and takes revocations from supervisors alone', async () => {
    const body = { deviceId: 'box-x', roomId: 'room-x' };
    for (const path of ['/api/devices/codes', '/api/devices/box-1/revoke'])
      expect((await ask(world.cloud.url + path, { method: 'POST', body, tls: { ca: world.ca } })).status).toBe(401);
    expect((await desk(world, 'POST', '/api/devices/codes', { deviceId: 'evalroom-ingest', roomId: 'r' })).status).toBe(
      400,
    );
    expect((await desk(world, 'POST', '/api/devices/codes', { deviceId: 'box-1', roomId: 'other' })).status).toBe(409);
    expect((await desk(world, 'POST', '/api/devices/nobody/revoke', { reason: 'x' })).status).toBe(404);
  });

  it('carries events with the certificate, renews it while they flow, and ends the old one', async () => {
    await enrolled(world, 'box-2');
    const folder = join(world.folder, 'box-2');
    const real = systemClock();
    let aheadMs = 0;
    const clock = { ...real, wallMs: () => real.wallMs() + aheadMs };
    const before = readIdentity(folder);
    const outbox = openOutbox({
      path: join(world.folder, 'o.db'),
      roomId: 'room-box-2',
      clock: real,
      log,
      quotaEvents: 1e6,
      ballastBytes: 0,
    });
    const stop = new AbortController();
    const start = () => openIdentity({ folder, cloud: world.cloud.url, clock, log });
    const first = start();
    const forward = createForward({
      outbox,
      connection: {
        url: world.cloud.mqttUrl,
        clientId: 'box-2',
        username: 'box-2',
        tls: () => readIdentity(folder).credentials,
      },
      roomId: 'room-box-2',
      clock: real,
      log,
    });
    const accept = (count: number) => {
      outbox.accept(Array.from({ length: count }, () => ({ at: real.now(), body: gapBody() })));
      forward.poke();
    };
    const empty = () => eventually(() => outbox.stats().events).toBe(0);
    await forward.start(stop.signal);
    accept(120);
    await empty();
    await first.start(stop.signal);
    await first.close();

    aheadMs = 61 * 86_400_000;
    const second = start();
    second.onChange(() => forward.reconnect());
    accept(60);
    await second.start(stop.signal);
    await eventually(() => readIdentity(folder).credentials.cert).not.toBe(before.credentials.cert);
    accept(60);
    await empty();
    await logged(world, { actor: 'device:box-2', action: 'renew_certificate' });
    await logged(world, { actor: 'device:box-2', action: 'confirm_certificate' });
    await second.close();
    await forward.close();
    outbox.close();
    stop.abort();
    const old = await upload({ tls: { ca: world.ca, cert: before.credentials.cert, key: before.credentials.key } });
    expect(old.status).toBe(401);
    await logged(world, { action: 'refuse_device', object: 'https from 127.0.0.1: certificate revoked (superseded)' });
    const devices = (await desk(world, 'GET', '/api/devices')).json.devices as { deviceId: string }[];
    expect(devices).toContainEqual(expect.objectContaining({ deviceId: 'box-2', certificate: expect.anything() }));
  });

  it('refuses every wrong certificate at the broker and at the upload, and writes each down', async () => {
    const authority = join(world.folder, 'data/identity');
    const foreign = await signedBy(join(world.folder, 'other-ca'), { deviceId: 'box-1' });
    const expired = await signedBy(authority, { deviceId: 'box-1', beganWallMs: Date.now() - 9e8, lifetimeMs: 1e6 });
    const unknown = await signedBy(authority, { deviceId: 'box-1' });
    const bad = 'certificate of another authority, expired or revoked';
    for (const [tls, words, word] of [
      [{}, 'no certificate', 'no certificate'],
      [{ cert: foreign.cert, key: foreign.key }, bad, 'certificate of another authority'],
      [{ cert: expired.cert, key: expired.key }, bad, 'certificate expired'],
    ] as const) {
      await expect(enterAs(world, tls)).rejects.toThrow();
      await logged(world, { action: 'refuse_connection', object: `mqtt from 127.0.0.1: ${words}` });
      const answer = await upload({ tls: { ca: world.ca, ...tls } });
      expect([answer.status, answer.json.code]).toEqual([401, 'device_refused']);
      await logged(world, { action: 'refuse_device', object: `https from 127.0.0.1: ${word}` });
    }
    expect((await upload({ tls: { ca: world.ca, cert: unknown.cert, key: unknown.key } })).status).toBe(401);
    await logged(world, { object: 'https from 127.0.0.1: certificate not issued here' });
    // A secret counts for nothing over TLS, and plaintext for nothing at all.
    const secret = await world.cloud.addDevice({ deviceId: 'box-s', roomId: 'room-s' });
    expect((await upload({ headers: { authorization: `Device box-s:${secret}` }, tls: { ca: world.ca } })).status).toBe(
      401,
    );
    await expect(enterAs(world, {}, world.cloud.mqttUrl.replace('mqtts:', 'mqtt:'))).rejects.toThrow();
    await logged(world, { action: 'refuse_connection', object: 'mqtt from 127.0.0.1: no TLS, or a version too old' });
    const server = readFileSync(join(authority, 'server.pem'), 'utf8');
    const key = server.slice(server.indexOf('-----BEGIN PRIVATE'));
    expect((await upload({ tls: { ca: world.ca, cert: server, key } })).status).toBe(401);
    await logged(world, { object: 'https from 127.0.0.1: certificate is not for a device' });
  });

  it('keeps a box with the right certificate to its own topics', async () => {
    const [one, two] = [await enrolled(world, 'box-3'), await enrolled(world, 'box-4')];
    const [a, b] = [await enterAs(world, one), await enterAs(world, two)];
    const heard: string[] = [];
    b.client.on('message', (topic) => heard.push(topic));
    await b.client.subscribeAsync([topics.ack('room-box-3'), topics.ack('room-box-4')]);
    await logged(world, {
      actor: 'device:box-4',
      action: 'refuse_topic',
      object: `subscribe ${topics.ack('room-box-3')}`,
    });
    for (const topic of [topics.events('room-box-4', 'alert'), topics.ack('room-box-3'), topics.ack('room-box-4')]) {
      await a.client.publishAsync(topic, '{}', { qos: 1 }).catch(() => undefined);
      await logged(world, { actor: 'device:box-3', action: 'refuse_topic', object: `publish ${topic}` });
    }
    expect(heard).toEqual([]);
    await a.client.publishAsync(topics.state('room-box-3'), 'x', { qos: 1 });
  });

  it('throws a revoked device out at once, keeps it out, and lets the others be', async () => {
    const [one, two] = [await enrolled(world, 'box-5'), await enrolled(world, 'box-6')];
    const [a, b] = [await enterAs(world, one), await enterAs(world, two)];
    expect((await desk(world, 'POST', '/api/devices/box-5/revoke', { reason: 'stolen' })).status).toBe(204);
    await a.ended;
    await logged(world, { actor: '王监督', action: 'revoke_device', object: 'box-5: stolen' });
    await expect(enterAs(world, one)).rejects.toThrow();
    await logged(world, { action: 'refuse_connection' });
    expect((await upload({ tls: one })).status).toBe(401);
    await logged(world, { action: 'refuse_device', object: 'https from 127.0.0.1: certificate revoked (stolen)' });
    await b.client.publishAsync(topics.state('room-box-6'), 'x', { qos: 1 });
    expect(b.client.connected).toBe(true);
    expect((await desk(world, 'POST', '/api/devices/codes', { deviceId: 'box-5', roomId: 'room-box-5' })).status).toBe(
      409,
    );
    const list = await ask(`${world.cloud.url}/api/device/revoked.pem`, { tls: { ca: world.ca } });
    expect(list.text).toMatch(/^-----BEGIN X509 CRL-----/);
  });

  it('replaces a box: a new code ends the certificate of the old one', async () => {
    const old = await enrolled(world, 'box-7');
    const fresh = await enrolled(world, 'box-7');
    await expect(enterAs(world, old)).rejects.toThrow();
    const entered = await enterAs(world, fresh);
    expect(entered.client.connected).toBe(true);
    await logged(world, { actor: 'device:box-7', action: 'revoke_certificate' });
  });

  it('says that one certificate is used by two machines', async () => {
    const stolen = await enrolled(world, 'box-8');
    for (let turn = 0; turn < 5; turn++) await enterAs(world, stolen);
    await logged(world, {
      action: 'certificate_cloned',
      object: expect.stringMatching(/^box-8: threw itself out 4 times/),
    });
    const copied = await enrolled(world, 'box-9');
    const { client } = await enterAs(world, copied);
    // Two agents of one certificate in turn, each on its own boot. The page is told of a room five times a second at most.
    for (const bootId of ['boot-a', 'boot-b', 'boot-a']) {
      const payload = JSON.stringify(roomState('room-box-9', bootId));
      expect(parseRoomState(Buffer.from(payload), 'room-box-9')).toMatchObject({ ok: true });
      await client.publishAsync(topics.state('room-box-9'), payload, { qos: 1 });
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
    await logged(world, { action: 'certificate_cloned', object: 'box-9: two boots of it speak in turn' });
    const devices = (await desk(world, 'GET', '/api/devices')).json.devices as { deviceId: string }[];
    const fault = { code: 'certificate_cloned', words: 'two boots of it speak in turn', wallMs: expect.any(Number) };
    expect(devices).toContainEqual(expect.objectContaining({ deviceId: 'box-9', fault }));
  });

  it('takes certificates of its own for its names only', async () => {
    const port = Number(new URL(world.cloud.url).port);
    const verified = (host: string) =>
      new Promise<boolean>((resolve) => {
        const socket = connectTls({ host: '127.0.0.1', port, ca: world.ca, servername: host }, () => {
          socket.destroy();
          resolve(true);
        }).on('error', () => resolve(false));
      });
    expect([await verified('localhost'), await verified('elsewhere.example')]).toEqual([true, false]);
  });

  it('starts a broker again that nobody hears, and hears it', async () => {
    const own = (pid: string) => {
      try {
        const parent = Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')[1]);
        return parent === process.pid && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('--line-buffered');
      } catch {
        return false;
      }
    };
    const filter = readdirSync('/proc').find((name) => /^\d+$/.test(name) && own(name));
    process.kill(Number(filter), 'SIGKILL');
    const restarts = async () => (await ask(`${world.cloud.url}/healthz`, { tls: { ca: world.ca } })).json.broker;
    await eventually(restarts).toEqual({ running: true, restarts: 1 });
    const { client } = await enterAs(world, await enrolled(world, 'box-12'));
    await client.publishAsync(topics.state('elsewhere'), 'x', { qos: 1 }).catch(() => undefined);
    await logged(world, { actor: 'device:box-12', action: 'refuse_topic' });
  });

  it('lets an ingest worker in by a certificate for it, which may write acks and is no device', async () => {
    const { cert, key } = await signedBy(join(world.folder, 'data/identity'), { deviceId: 'evalroom-ingest' });
    const { client } = await enterAs(world, { cert, key });
    const box = await enterAs(world, await enrolled(world, 'box-13'));
    const acks: string[] = [];
    box.client.on('message', (topic) => acks.push(topic));
    await box.client.subscribeAsync(topics.ack('room-box-13'));
    await client.publishAsync(topics.ack('room-box-13'), '{}', { qos: 1 });
    await eventually(() => acks).toEqual([topics.ack('room-box-13')]);
    expect((await upload({ tls: { ca: world.ca, cert, key } })).status).toBe(401);
  });

  it('signs for an outside broker and for the ingest by the command', async () => {
    const [config, out] = [join(world.folder, 'cloud.yaml'), join(world.folder, 'signed')];
    writeFileSync(config, 'data: data\nhttp: { tls: auto }\n');
    const run = (...args: string[]) =>
      execFileSync(process.execPath, ['scripts/cli.ts', 'certify', '--config', config, '--out', out, ...args], {
        cwd: new URL('../../../', import.meta.url).pathname,
      });
    run('--server', 'broker.example,10.0.0.7');
    run('--ingest');
    const [top, server, ingest] = ['ca.pem', 'server.pem', 'ingest.pem'].map(
      (name) => new X509Certificate(readFileSync(join(out, name))),
    );
    expect([server!.verify(top!.publicKey), ingest!.verify(top!.publicKey)]).toEqual([true, true]);
    expect([server!.checkHost('broker.example'), server!.checkIP('10.0.0.7'), ingest!.subject]).toEqual([
      'broker.example',
      '10.0.0.7',
      'CN=evalroom-ingest',
    ]);
    expect(statSync(join(out, 'ingest.key')).mode & 0o777).toBe(0o600);
  });

  it('enrols by the command, and says what room.yaml has to say', async () => {
    const root = new URL('../../../', import.meta.url).pathname;
    const room = join(world.folder, 'room.yaml');
    const run = (code: string, ...more: string[]) =>
      new Promise<{ code: number; out: string; err: string }>((resolve) => {
        const args = ['scripts/cli.ts', 'enroll', '--cloud', world.cloud.url, '--code', code, '--room', room, ...more];
        execFile(process.execPath, args, { cwd: root }, (error, out, err) =>
          resolve({ code: error ? Number(error.code) : 0, out, err }),
        );
      });
    writeFileSync(room, 'room: { id: room-1 }\nidentity: { deviceId: box-10, certificate: ./id }\n');
    const wrong = await run(await codeFor('box-11', 'room-1'));
    expect([wrong.code, wrong.err]).toEqual([1, expect.stringContaining('box-11')]);
    const done = await run(await codeFor('box-10', 'room-1'), '--json');
    expect(done).toMatchObject({ code: 0, err: '' });
    expect(JSON.parse(done.out.trim().split('\n').at(-1)!)).toMatchObject({
      deviceId: 'box-10',
      roomId: 'room-1',
      folder: join(world.folder, 'id'),
      mqtt: world.cloud.mqttUrl,
      upload: world.cloud.url,
    });
    expect(readIdentity(join(world.folder, 'id')).deviceId).toBe('box-10');
  });
});
