/** The box's identity while its cloud says nothing or nonsense, or the disk is not to be written. */

import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttp } from 'node:http';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { systemClock } from '../../../agent/clock.ts';
import { enroll, openIdentity } from '../../../agent/identity.ts';
import { formatCode } from '../../../protocol/enrol.ts';
import { signedBy } from '../cloud/identity-world.ts';

let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'evalroom-identity-'));
  const made = await signedBy(join(folder, 'ca'), { deviceId: 'box-1', roomId: 'room-1' });
  mkdirSync(join(folder, 'identity'));
  writeFileSync(join(folder, 'identity/box.pem'), made.key + made.cert);
  writeFileSync(join(folder, 'identity/ca.pem'), made.ca);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('does not hold up the end of the agent, and says nothing of a question that it gave up itself', async () => {
  const connected = Promise.withResolvers<Socket>();
  const silent = createServer(connected.resolve);
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const lines: string[] = [];
  const identity = openIdentity({
    folder: join(folder, 'identity'),
    cloud: `http://127.0.0.1:${(silent.address() as AddressInfo).port}`,
    clock: systemClock(),
    log: pino({ level: 'warn' }, { write: (line: string) => void lines.push(line) }),
  });
  await identity.start(new AbortController().signal);
  const socket = await connected.promise;
  // Ends when the question is given up: else only after the half minute that an answer may take.
  await identity.close();
  expect(lines).toEqual([]);
  socket.destroy();
  silent.close();
}, 20_000);

it('spends no code on a folder that it can not write, and says what is wrong with an answer', async () => {
  const block = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
  let asked = 0;
  const cloud = createHttp((request, response) => {
    asked += 1;
    request.resume();
    response.end(JSON.stringify({ deviceId: 'box-1', roomId: 'room-1', certificate: block, ca: block }));
  });
  await new Promise<void>((resolve) => cloud.listen(0, '127.0.0.1', resolve));
  const code = formatCode(new Uint8Array(10), '0'.repeat(64));
  const enrolIn = (place: string) =>
    enroll({ cloud: `http://127.0.0.1:${(cloud.address() as AddressInfo).port}`, code, folder: place });
  writeFileSync(join(folder, 'file'), '');
  await expect(enrolIn(join(folder, 'file'))).rejects.toMatchObject({ code: 'identity_folder' });
  await expect(enrolIn(join(folder, 'file', 'deeper'))).rejects.toMatchObject({ code: 'identity_folder' });
  expect(asked).toBe(0);
  await expect(enrolIn(join(folder, 'new'))).rejects.toMatchObject({ code: 'cloud_unavailable' });
  expect([asked, readdirSync(join(folder, 'new'))]).toEqual([1, []]);
  cloud.close();
});
