/** A clip from a box's outbox to the cloud's disk, with nothing but the box's certificate on both lines. */
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../../agent/clock.ts';
import { createForward } from '../../../agent/forward.ts';
import { openOrders } from '../../../agent/orders.ts';
import { memoryOutbox } from '../../../agent/store/memory.ts';
import { createUploader } from '../../../agent/upload.ts';
import { eventually } from './cloud.ts';
import { clipBody } from './events.ts';
import { desk, enrolled, logged, type SecureCloud, startSecureCloud } from './identity-world.ts';

const log = pino({ level: 'silent' });
const clock = systemClock();
const sha = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

describe('clips and orders by certificate', () => {
  let world: SecureCloud;
  beforeAll(async () => {
    world = await startSecureCloud();
  });
  afterAll(async () => {
    await world?.stop();
  });

  it('orders come to the box that has its certificate, and not to one that was revoked while it waited', async () => {
    const [credentials, roomId] = [await enrolled(world, 'box-2'), 'room-box-2'];
    let shown: Partial<typeof credentials> = { ca: credentials.ca };
    const connection = { url: world.cloud.url, deviceId: 'box-2', tls: () => shown };
    const orders = openOrders({ folder: join(world.folder, 'box-2'), roomId, connection, clock, log });
    await orders.start(new AbortController().signal);
    await eventually(() => orders.health().reason).toContain('401');
    shown = credentials;
    const roster = [{ seatId: '1', expertId: 'E-1' }];
    const begun = await desk(world, 'POST', `/api/rooms/${roomId}/session`, { title: 'x', roster });
    expect(begun.status).toBe(201);
    await eventually(() => orders.current().session?.phase).toBe('evaluating');
    const { sessionId } = orders.current().session!;
    const answers = orders.health().answers;
    await desk(world, 'POST', '/api/devices/box-2/revoke', { reason: 'lost' });
    await desk(world, 'POST', `/api/sessions/${sessionId}/phase`, { phase: 'break' });
    await eventually(() => orders.health().reason).toContain('401');
    expect([orders.current().session?.phase, orders.health().answers]).toEqual(['evaluating', answers]);
    await orders.close();
  });

  it('clips go to the cloud of the box, and a box without its certificate sends none', async () => {
    const [credentials, roomId] = [await enrolled(world, 'box-1'), 'room-box-1'];
    let shown: Partial<typeof credentials> = { ca: credentials.ca };
    const store = memoryOutbox({ roomId, clock, quotaEvents: 100 });
    const stop = new AbortController();
    const forward = createForward({
      outbox: store,
      connection: { url: world.cloud.mqttUrl, clientId: 'box-1', username: 'box-1', tls: () => credentials },
      roomId,
      clock,
      log,
    });
    const uploader = createUploader({
      store,
      connection: { url: world.cloud.url, deviceId: 'box-1', tls: () => shown },
      roomId,
      clock,
      log,
    });
    const place = join(world.folder, 'clip');
    mkdirSync(place);
    const [film, overlay] = [randomBytes(300_000), Buffer.from('{"version":1}')];
    writeFileSync(join(place, 'clip.mp4'), film);
    writeFileSync(join(place, 'overlay.json'), overlay);
    const body = clipBody('e1', 'clip-1', roomId, [
      { name: 'clip.mp4', sha256: sha(film), bytes: film.length },
      { name: 'overlay.json', sha256: sha(overlay), bytes: overlay.length },
    ]);
    if (body.kind !== 'clip') throw new TypeError('clipBody made no clip');
    store.clips.add(body.clip, place);
    store.accept([{ at: clock.now(), body }]);
    await Promise.all([forward.start(stop.signal), uploader.start(stop.signal)]);
    await logged(world, { action: 'refuse_device', object: 'https from 127.0.0.1: no certificate' });
    expect(existsSync(place)).toBe(true);
    shown = credentials;
    await eventually(() => store.clips.list('acked').length).toBe(1);
    const stored = join(world.folder, 'data/clips', sha(film).slice(0, 2), sha(film));
    expect(readFileSync(stored)).toEqual(film);
    await uploader.close();
    await forward.close();
    stop.abort();
  });
});
