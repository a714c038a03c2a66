/** The ingest when things go wrong: a full queue, a database that is away, a broker or a cloud that is killed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, connect as connectTcp, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Broker } from '../../../cloud/broker/broker.ts';
import { startMosquitto } from '../../../cloud/broker/mosquitto.ts';
import { hashSecret } from '../../../cloud/broker/secret.ts';
import { systemClock } from '../../../cloud/clock.ts';
import { createIngest, type Ingest } from '../../../cloud/ingest/ingest.ts';
import { createRooms } from '../../../cloud/ingest/rooms.ts';
import { openStore } from '../../../cloud/store/open.ts';
import type { Store } from '../../../cloud/store/store.ts';
import { Unavailable } from '../../../protocol/errors.ts';
import type { EventBody } from '../../../protocol/event.ts';
import { Box, eventually } from './cloud.ts';
import { batchBytes, gapBody, roomEvent } from './events.ts';

const log = pino({ level: 'silent' });
const clock = systemClock();
const searchPath = '/usr/sbin:/usr/bin';
const devices = [{ deviceId: 'box-1', roomId: 'room-1', secretHash: hashSecret('secret') }];
const batch = (from: number, n: number) =>
  batchBytes(Array.from({ length: n }, (_, i) => roomEvent('s1', from + i, gapBody())));

describe('ingest', () => {
  let folder: string;
  let broker: Broker;
  let store: Store;
  let ingest: Ingest;
  let box: Box;
  /** Awaited before each transaction. */
  let gate: () => Promise<void>;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'evalroom-ingest-'));
    broker = await startMosquitto({
      listener: { host: '127.0.0.1', port: 0 },
      folder: join(folder, 'broker'),
      devices,
      log,
      clock,
      searchPath,
    });
  });
  afterAll(async () => {
    await broker?.close();
    rmSync(folder, { recursive: true, force: true });
  });
  beforeEach(async () => {
    gate = async () => undefined;
    store = await openStore({ kind: 'sqlite', path: join(folder, `${crypto.randomUUID()}.db`) });
    const gated = {
      keepUnreadable: store.keepUnreadable,
      reached: store.reached,
      ingest: async (...args: Parameters<Store['ingest']>) => {
        await gate();
        return store.ingest(...args);
      },
    };
    ingest = createIngest({
      login: broker.login,
      store: gated,
      rooms: createRooms(),
      onCommit: () => undefined,
      log,
      clock,
    });
    await ingest.start();
    box = await Box.enter({ mqttUrl: broker.url }, 'box-1', 'room-1', 'secret');
  });
  afterEach(async () => {
    box.leave();
    await ingest.close();
    await store.close();
  });

  it('comes back to a broker that refuses it while it starts, and speaks MQTT 3.1.1 to one that knows no other', async () => {
    // What a broker in trouble says: server unavailable, server busy, not authorized. Then it is well again.
    const answers = [
      [0x20, 3, 0, 0x88, 0],
      [0x20, 3, 0, 0x89, 0],
      [0x20, 3, 0, 0x87, 0],
      [0x20, 2, 0, 1],
    ];
    const versions: number[] = [];
    const server = createServer((line) => {
      line.on('error', () => undefined);
      line.once('data', (first: Buffer) => {
        versions.push(first[8]!);
        const answer = answers.shift();
        if (answer) return void line.end(Buffer.from(answer));
        const inner = connectTcp(Number(new URL(broker.url).port), '127.0.0.1');
        inner.on('error', () => undefined).write(first);
        line.pipe(inner).pipe(line);
      });
    });
    server.listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const url = `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const refused = createIngest({
      login: { ...broker.login, url },
      store,
      rooms: createRooms(),
      onCommit: () => undefined,
      log,
      clock,
    });
    await refused.start();
    await eventually(() => refused.counts().connected).toBe(true);
    expect(versions).toEqual([5, 5, 5, 5, 4]);
    await refused.close();
    await new Promise((resolve) => server.close(resolve));
  });

  it('drops unacked what does not fit, counts it, and takes it when it is sent again', async () => {
    let open: () => void = () => undefined;
    const opened = new Promise<void>((resolve) => {
      open = resolve;
    });
    gate = () => opened;
    // 65 kB each, so that some 500 of them fill the queue.
    const large = { ...gapBody(), reason: 'x'.repeat(1000) } as EventBody;
    const batches = Array.from({ length: 540 }, (_, i) =>
      batchBytes(Array.from({ length: 50 }, (_, j) => roomEvent('s1', 1 + i * 50 + j, large))),
    );
    for (const bytes of batches) await box.publish(bytes, 'routine');
    const { length } = batches[100]!;
    // One batch is in the transaction; the queue holds 32 MiB.
    await eventually(() => ingest.counts().queued + ingest.counts().droppedFull).toBe(539);
    const { queued, droppedFull } = ingest.counts();
    expect(droppedFull).toBeGreaterThan(0);
    expect(queued * length).toBeLessThan(33 * 1024 * 1024);
    expect(box.acks).toEqual([]);
    const kept = 1 + queued;
    open();
    await eventually(() => box.acks.at(-1)?.through).toBe(kept * 50);
    let through = kept * 50;
    for (const bytes of batches.slice(kept)) {
      await box.publish(bytes, 'routine');
      through += 50;
      await eventually(() => box.acks.at(-1)?.through).toBe(through);
    }
    expect(through).toBe(540 * 50);
    expect(box.acks.every(({ quarantined }) => quarantined === undefined)).toBe(true);
    expect((await store.counts()).events).toBe(540 * 50);
  });

  it('acks nothing while the database is away, and everything after', async () => {
    gate = () => Promise.reject(new Unavailable('store_unavailable', 'away'));
    await box.publish(batch(1, 3), 'routine');
    await eventually(() => ingest.counts().failed).toBe(1);
    expect(box.acks).toEqual([]);
    gate = async () => undefined;
    await box.publish(batch(1, 3), 'routine');
    await eventually(() => box.acks).toMatchObject([{ v: 1, streamId: 's1', through: 3 }]);
  });

  it('takes what gathered behind a slow transaction in one, and acks each stream once', async () => {
    let calls = 0;
    gate = async () => {
      calls++;
      await clock.sleep(100);
    };
    for (let i = 0; i < 20; i++) await box.publish(batch(1 + i * 10, 10), 'routine');
    await eventually(() => box.acks.at(-1)?.through).toBe(200);
    expect(calls).toBeLessThan(20);
    expect((await store.counts()).events).toBe(200);
  });

  it('goes on by itself after the broker was killed', async () => {
    process.kill(Number(readFileSync(join(folder, 'broker', 'pid'), 'utf8')), 'SIGKILL');
    await eventually(() => ingest.counts().connected).toBe(false);
    await eventually(() => ingest.counts().connected && broker.state().running).toBe(true);
    box.leave();
    box = await Box.enter({ mqttUrl: broker.url }, 'box-1', 'room-1', 'secret');
    // Connected is not yet subscribed: an agent sends again what is not acked, and so does this.
    await eventually(async () => {
      await box.publish(batch(1, 1), 'routine');
      return box.acks.length > 0;
    }).toBe(true);
  });
});

describe('a cloud that is killed', () => {
  const folder = mkdtempSync(join(tmpdir(), 'evalroom-killed-'));
  const program = fileURLToPath(new URL('./cloud-process.ts', import.meta.url));
  let child: ChildProcess | undefined;
  afterAll(async () => {
    if (child?.exitCode === null && child.signalCode === null) {
      const gone = new Promise((resolve) => child?.once('exit', resolve));
      child.kill('SIGTERM');
      await gone;
    }
    rmSync(folder, { recursive: true, force: true });
  });

  const start = async () => {
    child = spawn(process.execPath, [program, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = await new Promise<string[]>((resolve) => {
      createInterface(child!.stdout!).once('line', (text) => resolve([text]));
      child!.once('exit', () => resolve([]));
    });
    return JSON.parse(line ?? '{}') as { url: string; mqttUrl: string; secret: string };
  };

  it('takes its broker with it, keeps what it acked, and is found again under the same address', async () => {
    let cloud = await start();
    const address = cloud.mqttUrl;
    let through = 0;
    for (let round = 0; round < 3; round++) {
      const box = await Box.enter(cloud, 'box-1', 'room-1', cloud.secret);
      await box.publish(batch(through + 1, 20), 'routine');
      await eventually(() => box.acks.at(-1)?.through).toBe(through + 20);
      through += 20;
      const broker = Number(readFileSync(join(folder, 'data', 'broker', 'pid'), 'utf8'));
      const gone = new Promise((resolve) => child!.once('exit', resolve));
      child!.kill('SIGKILL');
      await gone;
      box.leave();
      await eventually(() => alive(broker)).toBe(false);
      cloud = await start();
      expect(cloud.mqttUrl).toBe(address);
    }
    const store = await openStore({ kind: 'sqlite', path: join(folder, 'data', 'cloud.db') });
    expect((await store.counts()).events).toBe(60);
    await store.close();
  });
});

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
