/** Identity beyond one process with an authority of its own: an outside authority, and a broker and a page that share one. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { systemClock as cloudClock } from '../../../cloud/clock.ts';
import { parseCloudConfig } from '../../../cloud/config.ts';
import { openAuthority } from '../../../cloud/identity/authority.ts';
import { startCloud } from '../../../cloud/main.ts';
import { topics } from '../../../protocol/stream.ts';
import { ask, desk, enrolled, enter, firstSupervisor, logged, signedBy, startSecureCloud } from './identity-world.ts';
import { freePort } from './postgres.ts';

const log = pino({ level: 'silent' });

describe('an outside authority', () => {
  it('is trusted without its key: its devices come in, those on its list do not, and nothing is signed here', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'evalroom-outside-'));
    const made = async (deviceId: string) => signedBy(folder, { deviceId, roomId: 'room-1' });
    const [good, listed, unknown] = [await made('box-1'), await made('box-1'), await made('box-2')];
    const authority = await openAuthority({ folder, wallMs: Date.now() });
    const listFile = join(folder, 'list.pem');
    const writeList = async (serials: string[], backMs: number) =>
      writeFileSync(
        listFile,
        await authority.revocationList(
          serials.map((serial) => ({ serial, wallMs: Date.now() })),
          Date.now() - backMs,
        ),
      );
    await writeList([], 7_200_000);
    const server = await authority.issueServer({ names: ['127.0.0.1'], wallMs: Date.now(), lifetimeMs: 86_400_000 });
    writeFileSync(join(folder, 'server.pem'), server.certificate + server.key);
    const tls = `{ certFile: ${join(folder, 'server.pem')}, keyFile: ${join(folder, 'server.pem')} }`;
    const ca = `{ certFile: ${join(folder, 'ca.pem')}, listFile: ${listFile} }`;
    const world = await startSecureCloud({ tls, identity: `{ ca: ${ca} }`, ca: authority.caPem });
    try {
      await world.cloud.addDevice({ deviceId: 'box-1', roomId: 'room-1' });
      for (const credentials of [good, listed]) (await enter(world, credentials)).client.end(true);
      const body = { deviceId: 'box-3', roomId: 'room-3' };
      expect((await desk(world, 'POST', '/api/devices/codes', body)).json.code).toBe('enrol_elsewhere');
      const upload = (credentials: Partial<typeof good>) =>
        ask(`${world.cloud.url}/api/upload/`, {
          method: 'POST',
          tls: { ca: world.ca, ...credentials },
          headers: { 'tus-resumable': '1.0.0', 'upload-length': '5' },
        });
      expect([(await upload(good)).status, (await upload(unknown)).status]).toEqual([404, 401]);
      await writeList([listed.serial], 3_600_000);
      await world.cloud.refresh();
      await expect(enter(world, listed)).rejects.toThrow();
      expect([(await upload(good)).status, (await upload(listed)).status]).toEqual([404, 401]);
      await logged(world, { object: 'https from 127.0.0.1: certificate revoked' });
      (await enter(world, good)).client.end(true);
    } finally {
      await world.stop();
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe('a broker and a page in processes of their own', () => {
  it('share one authority: who is enrolled or revoked at the page is so at the broker within five seconds', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'evalroom-split-'));
    const port = await freePort();
    const shared = `identity: { folder: ${folder}/identity }, store: ${folder}/cloud.db`;
    const start = (text: string) => startCloud(parseCloudConfig(text, folder), { log, clock: cloudClock() });
    const password = `passwordFile: ${folder}/ingest.password`;
    const broker = await start(
      `{ roles: [broker], data: a, http: { port: 0 }, mqtt: { tls: auto, ingestPort: ${port}, ${password} }, ${shared} }`,
    );
    const page = await start(
      `{ roles: [ingest, web], data: b, http: { port: 0, tls: auto }, mqtt: { broker: 'mqtt://127.0.0.1:${port}', user: evalroom-ingest, ${password} }, ${shared} }`,
    );
    try {
      const ca = readFileSync(join(folder, 'identity/ca.pem'), 'utf8');
      const world = { folder, cloud: page, ca, cookie: await firstSupervisor(page, ca), stop: async () => undefined };
      const box = await enrolled(world, 'box-1');
      const { client, ended } = await enter(world, box, broker.mqttUrl);
      await logged(world, { action: 'enrol_device' });
      await client.publishAsync(topics.ack('room-box-1'), '{}', { qos: 1 }).catch(() => undefined);
      await logged(world, { actor: 'device:box-1', action: 'refuse_topic' });
      expect((await desk(world, 'POST', '/api/devices/box-1/revoke', { reason: 'x' })).status).toBe(204);
      await ended;
      await expect(enter(world, box, broker.mqttUrl)).rejects.toThrow();
      await logged(world, { action: 'refuse_connection' });
    } finally {
      await page.close();
      await broker.close();
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
