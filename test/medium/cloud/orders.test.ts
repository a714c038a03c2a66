/** The whole way down: a real cloud and the box's own asking, over HTTP on this machine. */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../agent/clock.ts';
import { type Orders, openOrders } from '../../../agent/orders.ts';
import { openStore } from '../../../cloud/store/open.ts';
import type { Store } from '../../../cloud/store/store.ts';
import { InvalidInput } from '../../../protocol/errors.ts';
import type { RoomOrders } from '../../../protocol/orders.ts';
import type { Session } from '../../../protocol/session.ts';
import { eventually, startTestCloud, type TestCloud } from './cloud.ts';

const log = pino({ level: 'silent' });
const clock = systemClock();
const session = (sessionId: string): Session => ({ sessionId, phase: 'evaluating', permits: [] });

describe('orders from the cloud to the box', () => {
  let test: TestCloud;
  /** Another process on the same database. */
  let store: Store;
  let secret: string;
  let folder: string;
  let orders: Orders | undefined;
  const order = (change: Parameters<Store['order']>[1], roomId = 'room-1') =>
    store.order(roomId, change, { wallMs: clock.wallMs(), actor: 'a', action: 'order', object: roomId });
  const open = (over: { url?: string; secret?: string } = {}) => {
    orders = openOrders({
      folder,
      roomId: 'room-1',
      connection: { url: test.cloud().url, deviceId: 'box-1', secret, ...over },
      clock,
      log,
    });
    return orders;
  };
  const start = (over: Parameters<typeof open>[0] = {}) => {
    const opened = open(over);
    void opened.start(new AbortController().signal);
    return opened;
  };

  beforeAll(async () => {
    test = await startTestCloud();
    secret = await test.cloud().addDevice({ deviceId: 'box-1', roomId: 'room-1' });
    store = await openStore({ kind: 'sqlite', path: join(test.folder, 'cloud.db') });
  });
  afterAll(async () => {
    await store?.close();
    await test?.stop();
  });
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'evalroom-box-'));
  });
  afterEach(async () => {
    await orders?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('answers nobody but devices, and each for its own room alone', async () => {
    await order({ session: session('elsewhere') }, 'room-2');
    const { revision } = await order({ session: session('here') });
    const ask = (query: string, authorization?: string) =>
      fetch(`${test.cloud().url}/api/device/orders?${query}`, {
        headers: authorization === undefined ? {} : { authorization },
      });
    for (const authorization of [undefined, 'Device box-1:wrong', 'Device box-2:x', 'Bearer x']) {
      const answer = await ask('revision=0&wait=0', authorization);
      expect(answer.status).toBe(401);
      expect(await answer.json()).toMatchObject({ code: 'device_refused' });
    }
    const mine = await ask('revision=0&wait=0&room=room-2&roomId=room-2', `Device box-1:${secret}`);
    expect(await mine.json()).toMatchObject({ roomId: 'room-1', revision, session: { sessionId: 'here' } });
    expect((await ask(`revision=${revision}&wait=0`, `Device box-1:${secret}`)).status).toBe(204);
    for (const query of ['revision=-1', 'revision=x', 'revision=1&wait=-5', 'revision=1.5'])
      expect((await ask(query, `Device box-1:${secret}`)).status).toBe(400);
  });

  it('hears of each change, tells the part that it is for, and keeps it for a start without the cloud', async () => {
    await order({ session: session('s-1'), layout: null });
    const heard: RoomOrders['session'][] = [];
    const layouts: unknown[] = [];
    const opened = open();
    opened.on('session', (one) => void heard.push(one));
    opened.on('layout', (one) => void layouts.push(one));
    await opened.start(new AbortController().signal);
    await eventually(() => heard.at(-1)?.sessionId).toBe('s-1');
    const { revision } = await order({ session: session('s-2') });
    await eventually(() => opened.report()).toEqual({ revision, refused: [] });
    expect(heard.map((one) => one?.sessionId)).toEqual(['s-1', 's-2']);
    expect(layouts).toEqual([]);
    expect(statSync(join(folder, 'orders.json')).mode & 0o777).toBe(0o600);
    await opened.close();
    const again = open({ url: 'http://127.0.0.1:9' });
    expect(again.current()).toMatchObject({ revision, session: { sessionId: 's-2' } });
    await again.start(new AbortController().signal);
    await eventually(() => again.health().failures).toBeGreaterThan(0);
    expect(again.current().session?.sessionId).toBe('s-2');
  });

  it('says which part it refuses, goes on with what ran before, and tries it once more after a restart', async () => {
    const layout = { seats: [], zones: [], doorLines: [], floor: [] };
    await order({ session: session('s-3'), layout });
    const opened = start();
    await eventually(() => opened.current().session?.sessionId).toBe('s-3');
    opened.on('layout', () => {
      throw new InvalidInput('layout_unfit', 'no seat at all');
    });
    const zone = { zoneId: 'z', kind: 'door', cameraId: 'cam-a', polygon: [] } as const;
    const { revision } = await order({ session: session('s-4'), layout: { ...layout, zones: [zone] } });
    await eventually(() => opened.report().revision).toBe(revision);
    expect(opened.report().refused).toMatchObject([{ part: 'layout', code: 'layout_unfit' }]);
    expect(opened.current()).toMatchObject({ session: { sessionId: 's-4' }, layout });
    await opened.close();
    const again = open();
    expect(again.report().refused).toHaveLength(1);
    await again.start(new AbortController().signal);
    await eventually(() => again.report().refused).toEqual([]);
    expect(again.current().layout?.zones).toEqual([zone]);
  });

  it('does not hide the other parts behind one that it does not understand', async () => {
    await order({ session: { ...session('s-5'), phase: 'lunch' as never }, layout: null });
    const opened = start();
    await eventually(() => opened.report().refused).toMatchObject([{ part: 'session', code: 'bad_shape' }]);
    await order({ session: session('s-6') });
    await eventually(() => opened.current().session?.sessionId).toBe('s-6');
    expect(opened.report().refused).toEqual([]);
  });

  it('begins with its own files when what it kept is damaged, and asks again', async () => {
    writeFileSync(join(folder, 'orders.json'), '{"orders":{"roomId":"room-1","rev');
    const { revision } = await order({ session: session('s-7') });
    const opened = start();
    expect(opened.current()).toEqual({ roomId: 'room-1', revision: 0 });
    await eventually(() => opened.current().revision).toBe(revision);
    expect(JSON.parse(readFileSync(join(folder, 'orders.json'), 'utf8')).orders.session.sessionId).toBe('s-7');
  });

  it('goes on asking when the cloud is away for a while, or refuses it', async () => {
    // One address, as in a room: the cloud behind it comes back at another port.
    const front = createServer((box) => {
      const cloud = connect(Number(new URL(test.cloud().url).port), '127.0.0.1');
      for (const [side, other] of [
        [box, cloud],
        [cloud, box],
      ] as const)
        side.on('error', () => other.destroy()).on('close', () => other.destroy());
      box.pipe(cloud).pipe(box);
    });
    await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve));
    const opened = start({ url: `http://127.0.0.1:${(front.address() as AddressInfo).port}` });
    await eventually(() => opened.health().answers).toBeGreaterThan(0);
    await test.restart();
    await eventually(() => opened.health().failures).toBeGreaterThan(0);
    const { revision } = await order({ session: session('s-8') });
    await eventually(() => opened.report().revision).toBe(revision);
    await eventually(() => opened.health().reason).toBeUndefined();
    await opened.close();
    front.close();
    const refused = start({ secret: 'another' });
    await eventually(() => refused.health().reason).toContain('401');
    expect(refused.health().reason).not.toContain('another');
  });
});
