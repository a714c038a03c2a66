/** The box's identity while its cloud takes the connection and says nothing. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { systemClock } from '../../../agent/clock.ts';
import { openIdentity } from '../../../agent/identity.ts';
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
