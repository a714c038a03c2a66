/** Outbox to a real Mosquitto and back: acks, lost acks, killed brokers, forged acks, quarantine, volatile state. */
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, connect as connectTcp, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../agent/clock.ts';
import { createForward, type Forward } from '../../../agent/forward.ts';
import type { Outbox } from '../../../agent/store/outbox.ts';
import { openOutbox } from '../../../agent/store/sqlite.ts';
import type { DraftEvent } from '../../../protocol/event.ts';
import { askBytes, readAnswer } from '../../../protocol/picture.ts';
import type { RoomState } from '../../../protocol/stream.ts';
import { freePort, type TestBroker, type TestIngest, testBroker, testIngest, until } from './mosquitto.ts';

const clock = systemClock();
const lines: { level: number; msg: string }[] = [];
const log = pino({ level: 'debug' }, { write: (line: string) => void lines.push(JSON.parse(line)) });
let folder: string;
let broker: TestBroker;
let ingest: TestIngest;
let outbox: Outbox;
let forward: Forward;

const openBox = () =>
  openOutbox({ path: join(folder, 'outbox.db'), roomId: 'room-1', clock, log, quotaEvents: 1e6, ballastBytes: 0 });
const startForward = async (url = broker.url) => {
  forward = createForward({
    outbox,
    connection: { url, clientId: 'box-1', username: 'box-1', password: 'pass-word' },
    roomId: 'room-1',
    clock,
    log,
  });
  await forward.start(new AbortController().signal);
};
beforeEach(async () => {
  lines.length = 0;
  folder = mkdtempSync(join(tmpdir(), 'evalroom-forward-'));
  broker = await testBroker();
  ingest = await testIngest(broker.url);
  outbox = openBox();
});
afterEach(async () => {
  await forward.close();
  outbox.close();
  await ingest.close();
  await broker.close();
  rmSync(folder, { recursive: true });
});

const gap = (): DraftEvent => ({
  at: clock.now(),
  body: { kind: 'gap', sourceId: 'cam-a', role: 'record', fromWallMs: 1, toWallMs: 2, reason: 'x' },
});
const accept = (count: number) => {
  const events = outbox.accept(Array.from({ length: count }, gap));
  forward.poke();
  return events.map((event) => event.eventId);
};
const empty = () => until('the outbox is empty', () => outbox.stats().events === 0);
const current = () => outbox.streams().find((stream) => stream.lane === 'routine' && stream.current)!.streamId;

describe('forward', () => {
  it('carries events to the ingest and deletes them on its ack', async () => {
    await startForward();
    const ids = [...accept(1), ...accept(740)];
    await empty();
    expect([...ingest.events.keys()]).toEqual(ids);
    expect(forward.health()).toMatchObject({
      state: 'connected',
      publishedEvents: 741,
      resentEvents: 0,
      quarantines: 0,
    });
  });

  it('speaks MQTT 3.1.1 to a broker that knows no other, after its first refusal', async () => {
    const versions: number[] = [];
    const gate = createServer((line) => {
      line.on('error', () => undefined);
      line.once('data', (hello: Buffer) => {
        versions.push(hello[8]!);
        // As such a broker answers: return code 1, unacceptable protocol version.
        if (hello[8] !== 4) return void line.end(Buffer.from([0x20, 2, 0, 1]));
        const inner = connectTcp(Number(new URL(broker.url).port), '127.0.0.1');
        inner.on('error', () => undefined).write(hello);
        line.pipe(inner).pipe(line);
      });
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => gate.once('listening', resolve));
    await startForward(`mqtt://127.0.0.1:${(gate.address() as AddressInfo).port}`);
    const ids = accept(260);
    await empty();
    expect([...ingest.events.keys()]).toEqual(ids);
    expect(versions).toEqual([5, 4]);
    await forward.close();
    await new Promise((resolve) => gate.close(resolve));
  });

  it('keeps everything while acks are lost, and sends it again', async () => {
    await startForward();
    ingest.loseAcks = true;
    const ids = accept(120);
    await until('received once', () => ingest.received() >= 120);
    expect(outbox.stats().events).toBe(120);
    ingest.loseAcks = false;
    await empty();
    expect(ingest.received()).toBeGreaterThan(120);
    expect([...ingest.events.keys()]).toEqual(ids);
    expect(forward.health().resentEvents).toBeGreaterThan(0);
  });

  it('loses nothing when the broker is killed again and again, and says so once each time', async () => {
    await startForward();
    const ids: string[] = [];
    for (let round = 0; round < 3; round++) {
      ids.push(...accept(300));
      await broker.kill();
      ids.push(...accept(20));
      await until('noticed', () => forward.health().state === 'down');
      await new Promise((resolve) => setTimeout(resolve, 300));
      await broker.start();
      await until('back', () => forward.health().state === 'connected');
    }
    await empty();
    expect(new Set(ingest.events.keys())).toEqual(new Set(ids));
    expect(lines.filter((line) => /no connection/.test(line.msg)).length).toBeLessThanOrEqual(4);
    expect(JSON.stringify(lines)).not.toContain('pass-word');
  });

  it('starts with no broker at all, and drains what an earlier agent left, newest first', async () => {
    await startForward(`mqtt://127.0.0.1:${await freePort()}`);
    const left = accept(900);
    await until('down', () => forward.health().state === 'down');
    expect(forward.health().reason).toMatch(/ECONNREFUSED/);
    await forward.close();
    outbox.close();
    outbox = openBox();
    await startForward();
    const [fresh] = accept(1);
    await empty();
    expect(new Set(ingest.events.keys())).toEqual(new Set([...left, fresh]));
    expect([...ingest.events.keys()].indexOf(fresh!)).toBeLessThan(300);
  });

  it('ends at once although the broker takes the connection and says nothing', async () => {
    const silent = createServer(() => {}).listen(0, '127.0.0.1');
    await new Promise((resolve) => silent.once('listening', resolve));
    await startForward(`mqtt://127.0.0.1:${(silent.address() as AddressInfo).port}`);
    await new Promise((resolve) => silent.once('connection', resolve));
    const begin = clock.monoMs();
    await forward.close();
    expect(clock.monoMs() - begin).toBeLessThan(5000);
    expect(forward.health().state).toBe('connecting');
    silent.close();
  });

  it('refuses forged and unreadable acks', async () => {
    await startForward();
    await until('connected', () => forward.health().state === 'connected');
    ingest.loseAcks = true;
    accept(10);
    await until('received', () => ingest.received() >= 10);
    ingest.publishAck('room-1', JSON.stringify({ v: 1, streamId: current(), through: 5000 }));
    ingest.publishAck('room-1', '{"v":1,"through":-1}');
    ingest.publishAck('room-1', JSON.stringify({ v: 1, streamId: 's-nobody', through: 3 }));
    await until('both refused', () => forward.health().refusedAcks === 2);
    expect(outbox.stats().events).toBe(10);
    ingest.loseAcks = false;
    await empty();
  });

  it('moves on with a new stream when the ingest quarantines one', async () => {
    await startForward();
    ingest.refuse.add(current());
    const ids = accept(60);
    await empty();
    expect(forward.health().quarantines).toBe(1);
    expect([...ingest.events.keys()].slice(0, 60)).toEqual(ids);
    expect([...ingest.events.values()].at(-1)?.body).toMatchObject({
      kind: 'gap',
      sourceId: 'outbox',
      reason: /refused by the test/,
    });
  });

  it('publishes the newest state once a second and snapshots, and only while connected', async () => {
    await startForward();
    const state = (n: number) => ({ v: 1, roomId: 'room-1', n }) as unknown as RoomState;
    forward.publishState(() => state(0));
    await until('connected', () => forward.health().state === 'connected');
    for (let n = 1; n <= 5; n++) forward.publishState(() => state(n));
    forward.publishSnapshot('cam-a', Buffer.from([0xff, 0xd8, 0xff]));
    forward.publishSnapshot('cam-a', new Uint8Array(300 * 1024));
    await until('a state and a snapshot', () => ingest.states.length > 0 && ingest.snapshots.length > 0);
    expect(ingest.states).toEqual([{ v: 1, roomId: 'room-1', n: 5 }]);
    forward.publishState(() => state(6));
    await until('the next second', () => ingest.states.length === 2);
    expect(ingest.snapshots.map((jpeg) => jpeg.length)).toEqual([3]);
  });

  it('hears on its ack topic that a larger picture is wanted, and sends it on the topic of snapshots', async () => {
    await startForward();
    forward.onPictureAsk(({ askId, cameraId }) =>
      forward.publishPicture(cameraId, { askId, ageMs: 7, jpeg: Buffer.from([0xff, 0xd8, 0xff]) }),
    );
    await until('connected', () => forward.health().state === 'connected');
    ingest.publishAck('room-1', askBytes({ askId: 'a-1', cameraId: 'cam-a' }).toString());
    await until('an answer', () => ingest.snapshots.length === 1);
    expect(readAnswer(ingest.snapshots[0]!)).toMatchObject({ askId: 'a-1', ageMs: 7 });
    expect(forward.health().refusedAcks).toBe(0);
  });
});
