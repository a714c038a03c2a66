/** A Mosquitto of its own for a test, on a free port of the loopback, and the smallest ingest that acks. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect as connectTcp, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type MqttClient } from 'mqtt';
import type { RoomEvent } from '../../../protocol/event.ts';
import { parseBatch } from '../../../protocol/schema.ts';
import { parseTopic, topics } from '../../../protocol/stream.ts';

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export interface TestBroker {
  readonly url: string;
  /** SIGKILL, and back on the same port. */
  kill(): Promise<void>;
  start(): Promise<void>;
  close(): Promise<void>;
}

export async function testBroker(): Promise<TestBroker> {
  const folder = mkdtempSync(join(tmpdir(), 'evalroom-broker-'));
  const port = await freePort();
  const conf = join(folder, 'mosquitto.conf');
  writeFileSync(
    conf,
    `listener ${port} 127.0.0.1\nallow_anonymous true\npersistence false\nuser root\nlog_dest none\nmessage_size_limit 1200000\n`,
  );
  let child: ChildProcess | undefined;
  const listening = () =>
    new Promise<boolean>((resolve) => {
      const socket = connectTcp(port, '127.0.0.1', () => {
        socket.destroy();
        resolve(true);
      });
      socket.once('error', () => resolve(false));
    });
  const broker: TestBroker = {
    url: `mqtt://127.0.0.1:${port}`,
    async kill() {
      if (!child) return;
      const ended = new Promise((resolve) => child?.once('close', resolve));
      child.kill('SIGKILL');
      await ended;
      child = undefined;
    },
    async start() {
      child = spawn('mosquitto', ['-c', conf], {
        stdio: 'ignore',
        env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` },
      });
      for (let tries = 0; tries < 200 && !(await listening()); tries++)
        await new Promise((resolve) => setTimeout(resolve, 25));
    },
    async close() {
      await broker.kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  await broker.start();
  return broker;
}

export interface TestIngest {
  /** By eventId, in the order of arrival. */
  readonly events: Map<string, RoomEvent>;
  /** Events received, repeats included. */
  received(): number;
  readonly states: unknown[];
  readonly snapshots: Buffer[];
  /** Share of acks that are swallowed. */
  loseAcks: boolean;
  /** Streams that are answered with a quarantine. */
  readonly refuse: Set<string>;
  publishAck(roomId: string, payload: string): void;
  close(): Promise<void>;
}

/** Keeps events in memory and answers with the highest seq without a hole, as the real one does after its commit. */
export async function testIngest(url: string): Promise<TestIngest> {
  const client: MqttClient = connect(url, { protocolVersion: 5, reconnectPeriod: 50, connectTimeout: 2000 });
  client.on('error', () => {});
  const events = new Map<string, RoomEvent>();
  const seqs = new Map<string, Set<number>>();
  const states: unknown[] = [];
  const snapshots: Buffer[] = [];
  const refuse = new Set<string>();
  let received = 0;
  const ingest: TestIngest = {
    events,
    received: () => received,
    states,
    snapshots,
    loseAcks: false,
    refuse,
    publishAck: (roomId, payload) => void client.publish(topics.ack(roomId), payload, { qos: 1 }),
    close: () => client.endAsync(true),
  };
  client.on('message', (topic, payload) => {
    const parts = parseTopic(topic)!;
    if (parts.kind === 'state') states.push(JSON.parse(payload.toString()));
    if (parts.kind === 'snapshot') snapshots.push(payload);
    if (parts.kind !== 'events') return;
    const parsed = parseBatch(payload, parts.roomId);
    if (!parsed.ok) throw new Error(`${parsed.code}: ${parsed.reason}`);
    const { streamId } = parsed.batch;
    received += parsed.batch.events.length;
    const known = seqs.get(streamId) ?? new Set();
    seqs.set(streamId, known);
    let through = 0;
    if (!refuse.has(streamId))
      for (const event of parsed.batch.events) {
        known.add(event.seq);
        events.set(event.eventId, event);
      }
    while (known.has(through + 1)) through += 1;
    if (ingest.loseAcks) return;
    const ack = { v: 1, streamId, through, ...(refuse.has(streamId) ? { quarantined: 'refused by the test' } : {}) };
    client.publish(topics.ack(parts.roomId), JSON.stringify(ack), { qos: 1 });
  });
  await client.subscribeAsync({
    [topics.ingestFilter]: { qos: 1 },
    [topics.stateFilter]: { qos: 0 },
    [topics.snapshotFilter]: { qos: 0 },
  });
  return ingest;
}

/** Polls until it holds; fails with the last value after ten seconds. */
export async function until(what: string, holds: () => boolean): Promise<void> {
  for (let tries = 0; tries < 1000; tries++) {
    if (holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`did not come true in 10 s: ${what}`);
}
