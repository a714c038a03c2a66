/** The whole cloud on real parts: a box publishes over Mosquitto, the store keeps, the ack comes, a browser sees it live. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AlertDetailView, LogView, OverviewView, RefusedView } from '../../../cloud/http/api.ts';
import { topics } from '../../../protocol/stream.ts';
import { Box, Browser, eventually, startTestCloud, type TestCloud } from './cloud.ts';
import { batchBytes, clipBody, episodeBody, gapBody, roomEvent } from './events.ts';
import { postgresBin, startPostgres, type TestPostgres } from './postgres.ts';

const bin = postgresBin();

describe.each(['sqlite', 'postgres'] as const)('cloud on %s', (driver) => {
  let server: TestPostgres | undefined;
  let running: TestCloud | undefined;
  let test: TestCloud;
  let browser: Browser;
  let box: Box;
  let secret: string;

  beforeAll(async () => {
    if (driver === 'postgres') {
      if (!bin) return;
      server = await startPostgres(bin);
    }
    running = await startTestCloud(server ? await server.database() : 'sqlite');
    test = running;
    secret = await test.cloud().addDevice({ deviceId: 'box-1', roomId: 'room-1' });
    browser = new Browser(test.cloud().url);
    await browser.setUp(test.cloud().setupUrl!);
    box = await Box.enter(test.cloud(), 'box-1', 'room-1', secret);
  });
  afterAll(async () => {
    box?.leave();
    await running?.stop();
    await server?.stop();
  });

  it('carries an event from the box to the browser, acked once stored', async (ctx) => {
    if (!running) return ctx.skip('needs the Debian package postgresql');
    const { cursor, rooms } = await browser.json<OverviewView>('GET', '/api/overview');
    expect(rooms).toMatchObject([{ roomId: 'room-1', snapshots: [] }]);
    const feed = await browser.feed(cursor);
    const events = [roomEvent('s1', 1, episodeBody('e1')), roomEvent('s1', 2, episodeBody('e1', 'update', 'alarm'))];
    await box.publish(batchBytes(events));
    await eventually(() => box.acks).toContainEqual(expect.objectContaining({ v: 1, streamId: 's1', through: 2 }));
    await eventually(() => feed.stored().length).toBe(2);
    expect(feed.stored()[0]).toMatchObject({
      event: 'event',
      data: { event: { eventId: events[0]!.eventId }, alert: { episodeId: 'e1' } },
    });
    await box.publish(batchBytes(events));
    await eventually(() => box.acks.length).toBe(2);
    const action = await browser.json('POST', '/api/alerts/e1/actions', { kind: 'acknowledge', note: '已派人查看' });
    await eventually(() => feed.stored().length).toBe(3);
    expect(feed.stored()[2]).toMatchObject({
      event: 'action',
      data: { action, alert: { state: 'acknowledged', level: 'alarm' } },
    });
    await feed.stop();
    const detail = await browser.json<AlertDetailView>('GET', '/api/alerts/e1');
    expect(detail.events.map(({ eventId }) => eventId)).toEqual(events.map(({ eventId }) => eventId));
    expect(detail.actions).toEqual([action]);
  });

  it('a reconnecting browser misses nothing and gets nothing twice', async (ctx) => {
    if (!running) return ctx.skip('needs the Debian package postgresql');
    let { cursor } = await browser.json<OverviewView>('GET', '/api/overview');
    const all = Array.from({ length: 60 }, (_, i) => roomEvent('s2', i + 1, gapBody()));
    const seen: string[] = [];
    for (let round = 0; round < 6; round++) {
      const feed = await browser.feed(cursor, round % 2 === 1);
      await box.publish(batchBytes(all.slice(round * 10, round * 10 + 10)), 'routine');
      await eventually(() => feed.stored().length).toBeGreaterThan(round);
      await feed.stop();
      seen.push(...feed.stored().map(({ data }) => data.event.eventId as string));
      cursor = feed.stored().at(-1)?.id ?? cursor;
    }
    const rest = await browser.feed(cursor);
    await eventually(() => seen.length + rest.stored().length).toBe(60);
    await rest.stop();
    seen.push(...rest.stored().map(({ data }) => data.event.eventId as string));
    expect(seen).toEqual(all.map(({ eventId }) => eventId));
  });

  it('keeps what it can not store, says why, and lives on', async (ctx) => {
    if (!running) return ctx.skip('needs the Debian package postgresql');
    const good = roomEvent('s3', 1, episodeBody('e3'));
    const poison = roomEvent('s3', 2, { ...episodeBody('e3', 'update'), from: 'A\u0000B' });
    await box.publish(Buffer.from('not json'));
    await box.publish(batchBytes([{ ...roomEvent('s3b', 1, episodeBody('e3')), roomId: 'room-2' }]));
    await box.publish(batchBytes([good, poison, roomEvent('s3', 3, episodeBody('e3', 'end'))]));
    await eventually(() => box.acks).toContainEqual(expect.objectContaining({ v: 1, streamId: 's3', through: 3 }));
    expect((await browser.json<AlertDetailView>('GET', '/api/alerts/e3')).events.map(({ seq }) => seq)).toEqual([1, 3]);
    await box.publish(batchBytes([{ ...good, eventId: crypto.randomUUID() }]));
    await eventually(() => box.acks.at(-1)).toMatchObject({
      streamId: 's3',
      through: 3,
      quarantined: expect.stringMatching(/^seq_reused/),
    });
    const health = (await (await fetch(`${browser.base}/healthz`)).json()) as {
      ok: boolean;
      ingest: Record<string, number>;
    };
    expect(health).toMatchObject({ ok: true, ingest: { unreadable: 1, quarantined: 1 } });
  });

  it('shows a supervisor what could not be stored, with the reason and the bytes', async (ctx) => {
    if (!running) return ctx.skip('needs the Debian package postgresql');
    await box.publish(Buffer.from('{"v":1,"no":"batch"'));
    const shown = () => browser.json<RefusedView>('GET', '/api/refused');
    await eventually(async () => (await shown()).refused).toContainEqual({
      roomId: 'room-1',
      storedWallMs: expect.any(Number),
      code: 'not_json',
      reason: expect.stringMatching(/\w/),
      payload: '{"v":1,"no":"batch"',
    });
    const { refused, total, quarantined } = await shown();
    expect([total, quarantined]).toEqual([refused.length, 1]);
    expect(refused.map(({ code }) => code)).toEqual(expect.arrayContaining(['wrong_room', 'seq_reused']));
  });

  it('shows the newest state and picture of a room, and refuses what is none', async (ctx) => {
    if (!running) return ctx.skip('needs the Debian package postgresql');
    const jpeg = Buffer.concat([Buffer.from([0xff, 0xd8, 0xff, 0xe0]), Buffer.alloc(100)]);
    await box.client.publishAsync(topics.snapshot('room-1', 'cam-a'), jpeg);
    await box.client.publishAsync(topics.snapshot('room-1', 'cam-b'), Buffer.from('<svg onload=alert(1)>'));
    await box.client.publishAsync(topics.state('room-1'), Buffer.from('{}'));
    await eventually(async () =>
      (await browser.json<OverviewView>('GET', '/api/overview')).rooms[0]!.snapshots.map(({ cameraId }) => cameraId),
    ).toEqual(['cam-a']);
    const picture = await browser.send('GET', '/api/rooms/room-1/snapshot/cam-a');
    expect(picture.headers.get('content-type')).toBe('image/jpeg');
    expect(Buffer.from(await picture.arrayBuffer())).toEqual(jpeg);
    expect((await browser.send('GET', '/api/rooms/room-1/snapshot/cam-b')).status).toBe(404);
  });

  it('a restart loses nothing: session, alerts, cursor, the box and its address', async (ctx) => {
    if (!running) return ctx.skip('needs the Debian package postgresql');
    const before = await browser.json<OverviewView>('GET', '/api/overview');
    const mqttUrl = test.cloud().mqttUrl;
    box.leave();
    await test.restart();
    expect(test.cloud().mqttUrl).toBe(mqttUrl);
    expect(test.cloud().setupUrl).toBeUndefined();
    const cookie = browser.cookie;
    browser = new Browser(test.cloud().url);
    browser.cookie = cookie;
    const after = await browser.json<OverviewView>('GET', '/api/overview');
    expect(after.alerts).toEqual(before.alerts);
    expect(after.cursor).toBe(before.cursor);
    box = await Box.enter(test.cloud(), 'box-1', 'room-1', secret);
    await box.publish(batchBytes([roomEvent('s1', 3, episodeBody('e1', 'end'))]));
    await eventually(() => box.acks).toContainEqual(expect.objectContaining({ v: 1, streamId: 's1', through: 3 }));
  });

  it('adds a box over HTTP, which may connect at once and only for its room', async (ctx) => {
    if (!running) return ctx.skip('needs the Debian package postgresql');
    const made = await browser.json<{ secret: string }>('POST', '/api/devices', {
      deviceId: 'box-2',
      roomId: 'room-2',
    });
    const other = await Box.enter(test.cloud(), 'box-2', 'room-2', made.secret);
    await other.publish(
      batchBytes([
        roomEvent(
          't1',
          1,
          clipBody('e1', 'c9', 'room-2', [{ name: 'clip.mp4', sha256: 'a'.repeat(64), bytes: 1 }]),
          'room-2',
        ),
      ]),
    );
    await eventually(() => other.acks).toContainEqual(expect.objectContaining({ v: 1, streamId: 't1', through: 1 }));
    expect((await browser.json<AlertDetailView>('GET', '/api/alerts/e1')).clips).toEqual([]);
    other.leave();
    expect((await browser.send('POST', '/api/devices', { deviceId: 'box-2', roomId: 'room-3' })).status).toBe(409);
    expect((await browser.send('POST', '/api/devices', { deviceId: '../x\n', roomId: 'room-3' })).status).toBe(400);
    const log = await browser.json<LogView>('GET', '/api/log');
    expect(log.chainHolds).toBe(true);
    // The rule packs that the product brings are taken in by the cloud itself.
    const actions = log.entries.map(({ action }) => action).filter((action) => action !== 'add_rules');
    expect(actions).toEqual(['add_device', 'alert_acknowledge', 'setup', 'add_device']);
  });

  it('leaves no broker behind', async (ctx) => {
    if (!running) return ctx.skip('needs the Debian package postgresql');
    const pid = Number(readFileSync(join(test.folder, 'broker', 'pid'), 'utf8'));
    await test.cloud().close();
    expect(() => process.kill(pid, 0)).toThrow();
  });
});
