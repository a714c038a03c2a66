/** /metrics of a running cloud: on a port of its own, for whoever has the token, and nowhere unless it is asked for. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { request as secureRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectAsync } from 'mqtt';
import { pino } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../cloud/clock.ts';
import { parseCloudConfig } from '../../../cloud/config.ts';
import { type Cloud, startCloud } from '../../../cloud/main.ts';
import { type RoomState, topics } from '../../../protocol/stream.ts';
import { EMPTY_ROOM } from '../../fixtures/empty-room.ts';
import { figureOf, readExposition } from '../../unit/cloud/metrics/exposition.ts';
import { eventually } from './cloud.ts';

const TOKEN = 'a-token-that-nobody-guesses-0123456789';
const ending: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0).reverse()) await end();
});

async function start(metrics: string): Promise<Cloud> {
  const folder = mkdtempSync(join(tmpdir(), 'evalroom-metrics-'));
  writeFileSync(join(folder, 'token'), `${TOKEN}\n`);
  const config = parseCloudConfig(`{ data: ${folder}, http: { port: 0 }${metrics} }`, folder);
  const cloud = await startCloud(config, { log: pino({ level: 'silent' }), clock: systemClock() });
  ending.push(async () => {
    await cloud.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return cloud;
}

const state: RoomState = {
  v: 1,
  roomId: EMPTY_ROOM.roomId,
  at: { wallMs: Date.UTC(2026, 0, 1), monoMs: 1, bootId: 'b', clock: 'sure' },
  layout: EMPTY_ROOM,
  seats: [],
  rulePack: { name: 'demo', version: '1' },
  health: {
    cameras: [],
    ears: [
      {
        microphoneId: 'm',
        language: 'zh-CN',
        state: 'deaf',
        reason: 'too slow',
        slow: true,
        rmsDb: -40,
        rtf: 5,
        dropped: 420,
        restarts: 0,
      },
    ],
    outbox: { events: 3, oldestMs: 10, full: false },
    clipsWaiting: 0,
    disk: { freeBytes: 1e9, low: false },
    modelSet: 'none',
    rssBytes: 1e8,
  },
};

describe('/metrics', () => {
  it('is nowhere unless it is configured, and never on the port of the page', async () => {
    const cloud = await start('');
    expect(cloud.metricsUrl).toBeUndefined();
    const other = await start(', metrics: { port: 0 }');
    for (const { url } of [cloud, other]) {
      const found = await fetch(`${url}/metrics`);
      expect(await found.text()).not.toContain('evalroom_');
    }
    expect(new URL(other.metricsUrl!).port).not.toBe(new URL(other.url).port);
    expect((await fetch(other.metricsUrl!.replace('/metrics', '/healthz'))).status).toBe(404);
  });

  it('shows the rooms as they are heard, in the format of Prometheus', async () => {
    const cloud = await start(', metrics: { port: 0 }');
    const read = async () => {
      const answer = await fetch(cloud.metricsUrl!);
      expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
      return readExposition(await answer.text());
    };
    expect(figureOf(await read(), 'evalroom_rooms', { state: 'heard' })).toBe(0);
    expect(figureOf(await read(), 'evalroom_alerts_to_judge', { state: 'open' })).toBe(0);
    const secret = await cloud.addDevice({ deviceId: 'box', roomId: EMPTY_ROOM.roomId });
    const box = await connectAsync(cloud.mqttUrl, { username: 'box', password: secret, reconnectPeriod: 0 });
    ending.push(() => box.endAsync());
    await eventually(async () => {
      await box.publishAsync(topics.state(EMPTY_ROOM.roomId), JSON.stringify(state));
      return figureOf(await read(), 'evalroom_room_up', { room: EMPTY_ROOM.roomId });
    }).toBe(1);
    const samples = await read();
    const labels = { room: EMPTY_ROOM.roomId, microphone: 'm', language: 'zh-CN' };
    expect(figureOf(samples, 'evalroom_ear_too_slow', labels)).toBe(1);
    expect(figureOf(samples, 'evalroom_ear_blocks_dropped_total', labels)).toBe(420);
    expect(figureOf(samples, 'evalroom_outbox_events')).toBe(3);
    expect(figureOf(samples, 'evalroom_ingest_connected')).toBe(1);
  });

  it('wants the token where there is one, and another name than this machine has is refused where there is none', async () => {
    const guarded = await start(', metrics: { port: 0, tokenFile: token, perRoom: false }');
    const status = async (authorization?: string) =>
      (await fetch(guarded.metricsUrl!, authorization === undefined ? {} : { headers: { authorization } })).status;
    expect(await status()).toBe(401);
    expect(await status('Bearer wrong')).toBe(401);
    expect(await status(`Basic ${TOKEN}`)).toBe(401);
    expect(await status(`Bearer ${TOKEN}`)).toBe(200);
    const open = await start(', metrics: { port: 0 }');
    const asked = (host: string) =>
      new Promise<number | undefined>((resolve, reject) => {
        request(open.metricsUrl!, { headers: { host } }, (answer) => {
          answer.resume();
          resolve(answer.statusCode);
        })
          .on('error', reject)
          .end();
      });
    expect(await asked('evil.example')).toBe(403);
    expect(await asked('localhost:9464')).toBe(200);
  });

  it('is not begun beyond this machine without TLS and a token, nor with a token that is missing or short', () => {
    const folder = mkdtempSync(join(tmpdir(), 'evalroom-metrics-'));
    ending.push(async () => rmSync(folder, { recursive: true, force: true }));
    writeFileSync(join(folder, 'token'), TOKEN);
    writeFileSync(join(folder, 'short'), 'secret');
    const parse = (metrics: string) => parseCloudConfig(`{ data: ${folder}, metrics: ${metrics} }`, folder).metrics;
    expect(() => parse('{ port: 9464, host: 0.0.0.0 }')).toThrow('metrics.tls');
    expect(() => parse('{ port: 9464, host: 0.0.0.0, tokenFile: token }')).toThrow('metrics.tls');
    expect(() => parse('{ port: 9464, host: 0.0.0.0, tls: auto }')).toThrow('metrics.tokenFile');
    expect(parse('{ port: 9464, host: 0.0.0.0, tls: auto, tokenFile: token }')).toMatchObject({ token: TOKEN });
    expect(() => parse('{ port: 9464, tokenFile: none }')).toThrow('openssl rand');
    expect(() => parse('{ port: 9464, tokenFile: short }')).toThrow('20 to 256');
    expect(parse('{ port: 9464 }')).toEqual({ host: '127.0.0.1', port: 9464, perRoom: true });
  });

  it('is served over TLS of our own authority', async () => {
    const cloud = await start(
      ", metrics: { port: 0, tls: auto, tokenFile: token }, identity: { names: ['desk.example'] }",
    );
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const headers = { authorization: `Bearer ${TOKEN}` };
      secureRequest(cloud.metricsUrl!, { headers, rejectUnauthorized: false }, (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      })
        .on('error', reject)
        .end();
    });
    expect(status).toBe(200);
    await expect(fetch(cloud.metricsUrl!.replace('https', 'http'))).rejects.toThrow();
  });
});
