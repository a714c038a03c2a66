/** A cloud of several processes: two workers and two web processes on one PostgreSQL and one broker, and a worker that dies. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { openStore } from '../../../cloud/store/open.ts';
import type { RoomEvent } from '../../../protocol/event.ts';
import { topics } from '../../../protocol/stream.ts';
import { type BenchBroker, startBenchBroker } from '../../../scripts/bench/cloud.ts';
import { type Child, startChild } from '../../../scripts/children.ts';
import { Box, Browser, eventually, type FeedReader } from './cloud.ts';
import { batchBytes, delivery, episodeBody, roomEvent } from './events.ts';
import { freePort, postgresBin, startPostgres, type TestPostgres } from './postgres.ts';

const bin = postgresBin();
const JPEG = Buffer.from([0xff, 0xd8, 0xff, 0xd9]);

describe('several processes of one cloud', () => {
  let postgres: TestPostgres | undefined;
  let broker: BenchBroker | undefined;
  let url = '';
  let workers: Child[] = [];
  let feeds: FeedReader[] = [];
  let browsers: Browser[] = [];

  beforeAll(async () => {
    if (!bin) return;
    postgres = await startPostgres(bin);
    broker = await startBenchBroker(3);
    url = await postgres.database();
    // The first one makes the tables while the others wait for it.
    workers = await Promise.all([broker.launch(['ingest'], url), broker.launch(['ingest'], url)]);
    const first = await broker.launch(['web'], url);
    const second = await broker.launch(['web'], url);
    browsers = [first, second].map(({ ready }) => new Browser(String(ready.url)));
    // The token that holds is the last one given out; the session holds at every web process.
    await browsers[1]!.setUp(String(second.ready.setupUrl));
    browsers[0]!.cookie = browsers[1]!.cookie;
    feeds = await Promise.all(
      browsers.map(async (browser) => {
        const { cursor } = await browser.json<{ cursor: string }>('GET', '/api/overview');
        return browser.feed(cursor);
      }),
    );
  }, 120_000);
  afterAll(async () => {
    await Promise.all(feeds.map((feed) => feed.stop()));
    await broker?.close();
    await postgres?.stop();
  });

  const shown = (feed: FeedReader) =>
    feed
      .stored()
      .filter(({ event }) => event === 'event')
      .map(({ data }) => data.event as RoomEvent);

  it('shows every event once and in order at both web processes, although workers are killed', async (ctx) => {
    if (!broker) return ctx.skip('needs the Debian package postgresql');
    const rooms = broker.boxes.map(({ roomId }) =>
      Array.from({ length: 120 }, (_, i) => roomEvent(`stream-${roomId}`, i + 1, episodeBody(`e-${roomId}`), roomId)),
    );
    const sending = broker.boxes.map(async ({ deviceId, roomId, secret }, n) => {
      const box = await Box.enter({ mqttUrl: broker!.url }, deviceId, roomId, secret);
      const all = rooms[n]!;
      const through = () => box.acks.reduce((max, ack) => Math.max(max, ack.through), 0);
      for (let tries = 0; through() < all.length && tries < 200; tries++) {
        const from = through();
        for (let at = from; at < Math.min(from + 60, all.length); at += 10)
          await box.publish(batchBytes(all.slice(at, at + 10)));
        await expect
          .poll(through, { timeout: 400, interval: 10 })
          .toBeGreaterThan(from)
          .then(undefined, () => undefined);
      }
      expect(box.acks.every(({ quarantined }) => quarantined === undefined)).toBe(true);
      box.leave();
      return through();
    });
    for (let kill = 0; kill < 3; kill++) {
      await new Promise((resolve) => setTimeout(resolve, 150));
      workers[kill % 2]!.kill('SIGKILL');
      await workers[kill % 2]!.ended;
      workers[kill % 2] = await broker.launch(['ingest'], url);
    }
    expect(await Promise.all(sending)).toEqual([120, 120, 120]);
    for (const feed of feeds) {
      await eventually(() => shown(feed).length).toBeGreaterThanOrEqual(360);
      for (const [n, { roomId }] of broker.boxes.entries())
        expect(shown(feed).flatMap((event) => (event.roomId === roomId ? [event.eventId] : []))).toEqual(
          rooms[n]!.map(({ eventId }) => eventId),
        );
    }
  }, 120_000);

  it('shows what was committed by a worker that died before it could tell anybody', async (ctx) => {
    if (!broker) return ctx.skip('needs the Debian package postgresql');
    // It commits and is gone: no ack, no poke, no other event that would bring the feed forward.
    const dying = await openStore({ kind: 'postgres', url });
    const event = roomEvent('stream-dying', 1, episodeBody('e-dying'), 'room-00001');
    await dying.ingest([delivery([event])], Date.now());
    await dying.close();
    for (const feed of feeds)
      await eventually(() => shown(feed).filter(({ eventId }) => eventId === event.eventId).length).toBe(1);
  }, 60_000);

  it('gives states and pictures of rooms to every web process', async (ctx) => {
    if (!broker) return ctx.skip('needs the Debian package postgresql');
    const { deviceId, roomId, secret } = broker.boxes[0]!;
    const box = await Box.enter({ mqttUrl: broker.url }, deviceId, roomId, secret);
    await box.client.publishAsync(topics.snapshot(roomId, 'cam-a'), JPEG, { qos: 1 });
    for (const browser of browsers)
      await eventually(async () => (await browser.send('GET', `/api/rooms/${roomId}/snapshot/cam-a`)).status).toBe(200);
    box.leave();
  }, 60_000);

  it('answers for its health and nothing else where a process has no page', async (ctx) => {
    if (!broker) return ctx.skip('needs the Debian package postgresql');
    const base = String(workers[0]!.ready.url);
    expect((await fetch(`${base}/healthz`)).status).toBe(200);
    expect((await fetch(`${base}/api/overview`)).status).toBe(404);
    expect(workers[0]!.ready.setupUrl).toBeUndefined();
  });

  it('tells by a commit, so that nobody has to look', async (ctx) => {
    if (!broker) return ctx.skip('needs the Debian package postgresql');
    const [watching, other] = await Promise.all([1, 2].map(() => openStore({ kind: 'postgres', url })));
    let heard = 0;
    const stop = watching!.watchFeed(() => heard++);
    // Once when the line stands.
    await eventually(() => heard).toBeGreaterThan(0);
    const before = heard;
    await other!.ingest([delivery([roomEvent('stream-told', 1, episodeBody('e-told'), 'room-00001')])], Date.now());
    await eventually(() => heard).toBeGreaterThan(before);
    await stop();
    await watching!.close();
    await other!.close();
  }, 60_000);
});

describe('a broker in a process of its own', () => {
  it('lets the other processes of its machine in beside the boxes with certificates', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'evalroom-roles-'));
    const [port, ingestPort] = [await freePort(), await freePort()];
    const common = { store: join(folder, 'cloud.db'), http: { port: 0 } };
    const passwordFile = join(folder, 'ingest.password');
    const configs = {
      broker: {
        ...common,
        roles: ['broker'],
        data: 'broker',
        mqtt: { broker: 'child', port, tls: 'auto', ingestPort, passwordFile },
        identity: { folder: 'identity', names: ['localhost'] },
      },
      ingest: {
        ...common,
        roles: ['ingest'],
        data: 'ingest',
        mqtt: { broker: `mqtt://127.0.0.1:${ingestPort}`, user: 'evalroom-ingest', passwordFile },
      },
    };
    const children: Child[] = [];
    for (const [name, config] of Object.entries(configs)) {
      const file = join(folder, `${name}.yaml`);
      writeFileSync(file, stringify(config));
      children.push(await startChild({ name, args: ['cloud', '--config', file] }));
    }
    for (const { ready } of children) {
      const health = await fetch(`${String(ready.url)}/healthz`);
      expect([health.status, await health.json()]).toMatchObject([200, { ok: true }]);
    }
    expect(children[0]!.ready.mqttUrl).toMatch(/^mqtts:/);
    for (const child of children.reverse()) await child.close();
    rmSync(folder, { recursive: true, force: true });
  }, 60_000);
});
