/** Where versions count, over a real store: rooms that are heard later, centres that change, and a database that fails in between. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../cloud/clock.ts';
import { createRooms, type Rooms } from '../../../cloud/ingest/rooms.ts';
import { createOrders, type Orders } from '../../../cloud/review/orders.ts';
import { openRulesKey } from '../../../cloud/review/rules-key.ts';
import { createPlacing, type Placing } from '../../../cloud/review/rules-place.ts';
import { openStore } from '../../../cloud/store/open.ts';
import type { RulePlacement } from '../../../cloud/store/rules.ts';
import type { Store } from '../../../cloud/store/store.ts';
import { loadRulePack } from '../../../models/rules/load.ts';
import { signRulePack } from '../../../models/rules/sign.ts';
import { writeRulePackFiles } from '../../../models/rules/write.ts';
import { InvalidInput, Unavailable } from '../../../protocol/errors.ts';
import type { RoomState } from '../../../protocol/stream.ts';
import { EMPTY_ROOM } from '../../fixtures/empty-room.ts';
import { eventually } from './cloud.ts';

const log = pino({ level: 'silent' });
const clock = systemClock();
const by = { wallMs: 1, actor: '王监督', action: 'publish_rules', object: 'o' };

describe('placing rule packs', () => {
  let folder: string;
  let store: Store;
  let rooms: Rooms;
  let orders: Orders;
  let placing: Placing;
  let failing: boolean;
  /** Rooms whose orders would be too large, and how often they were tried. */
  let full: Map<string, number>;
  const heard = (roomId: string, centre: string) =>
    rooms.heardState(
      roomId,
      {
        roomId,
        at: clock.now(),
        layout: { ...EMPTY_ROOM, roomId, name: roomId, centre },
        seats: [],
        rulePack: { name: 'default', version: '1.0.0' },
      } as unknown as RoomState,
      clock.wallMs(),
    );
  const ordered = async (roomId: string) => (await orders.current(roomId)).rulePack?.version;
  const publish = (kind: RulePlacement['kind'], of: string, version: string) =>
    store.rules.place([{ kind, of, pack: { name: 'p', version }, placedWallMs: 1, placedBy: '王监督' }], by);

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'evalroom-place-'));
    store = await openStore({ kind: 'sqlite', path: join(folder, 'cloud.db') });
    const { privateKey } = openRulesKey(folder);
    for (const version of ['1.0.0', '2.0.0']) {
      const order = signRulePack(writeRulePackFiles({ ...loadRulePack('demo'), name: 'p', version }), privateKey);
      const { sha256, keyId } = order;
      const about = { title: { zh: '试', en: 'try' }, phrases: 1, rules: 1, madeWallMs: 1, madeBy: 'a' };
      await store.rules.addVersion({ name: 'p', version, sha256, keyId, ...about }, order, by);
    }
    rooms = createRooms();
    orders = createOrders({ store, clock, log });
    failing = false;
    full = new Map();
    const order: Orders['order'] = (...args) => {
      const tried = full.get(args[0]);
      if (tried !== undefined) {
        full.set(args[0], tried + 1);
        return Promise.reject(new InvalidInput('orders_large', 'ordering'));
      }
      return failing ? Promise.reject(new Unavailable('store_down', 'ordering')) : orders.order(...args);
    };
    const provinceOf = (centre: string) => (centre === '市中心' ? '浙江' : undefined);
    placing = createPlacing({ store, rooms, orders: { order, current: orders.current }, provinceOf, log });
    await placing.start();
  });
  afterEach(async () => {
    await placing.close();
    await orders.close();
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('orders for a room when its box is heard for the first time, and when it moves to another centre', async () => {
    await publish('all', '', '1.0.0');
    await publish('centre', '市中心', '2.0.0');
    heard('room-1', '省中心');
    await eventually(() => ordered('room-1')).toBe('1.0.0');
    const { revision } = await orders.current('room-1');
    heard('room-1', '省中心');
    await placing.apply();
    expect((await orders.current('room-1')).revision).toBe(revision);
    // The rooms tell of a room at most five times a second.
    await clock.sleep(250, new AbortController().signal);
    heard('room-1', '市中心');
    await eventually(() => ordered('room-1')).toBe('2.0.0');
  });

  it('goes by the narrowest place, and by the next wider one where that has nothing of its own any more', async () => {
    for (const [roomId, centre] of [
      ['room-1', '市中心'],
      ['room-2', '省中心'],
    ] as const)
      heard(roomId, centre);
    await publish('province', '浙江', '2.0.0');
    await publish('all', '', '1.0.0');
    await placing.apply();
    expect([await ordered('room-1'), await ordered('room-2')]).toEqual(['2.0.0', '1.0.0']);
    expect((await placing.view()).map(({ province, placed }) => [province, placed?.place.kind])).toEqual([
      ['浙江', 'province'],
      [undefined, 'all'],
    ]);
    const follow = (kind: RulePlacement['kind'], of: string) =>
      store.rules.place([{ kind, of, follows: true, placedWallMs: 2, placedBy: '王监督' }], by);
    await follow('province', '浙江');
    await placing.apply();
    expect(await ordered('room-1')).toBe('1.0.0');
    await follow('all', '');
    await placing.apply();
    expect(await ordered('room-1')).toBeUndefined();
    expect((await placing.view()).map(({ placed }) => placed)).toEqual([undefined, undefined]);
  });

  it('tries again with the next state what the database has refused', async () => {
    heard('room-1', '省中心');
    // After it the room has been looked at.
    await placing.apply();
    await publish('room', 'room-1', '2.0.0');
    failing = true;
    await expect(placing.apply()).rejects.toMatchObject({ code: 'store_down' });
    failing = false;
    await clock.sleep(250, new AbortController().signal);
    heard('room-1', '省中心');
    await eventually(() => ordered('room-1')).toBe('2.0.0');
  });

  it('leaves no room without its pack because another one cannot take it, and does not ask that one again and again', async () => {
    full.set('room-1', 0);
    for (const room of ['room-1', 'room-2', 'room-3']) heard(room, '省中心');
    await placing.apply();
    await publish('all', '', '2.0.0');
    await expect(placing.apply()).rejects.toMatchObject({ code: 'orders_large' });
    expect([await ordered('room-1'), await ordered('room-2'), await ordered('room-3')]).toEqual([
      undefined,
      '2.0.0',
      '2.0.0',
    ]);
    expect(full.get('room-1')).toBe(1);
    await clock.sleep(250, new AbortController().signal);
    heard('room-1', '省中心');
    // Behind whatever that state has set in motion.
    await expect(placing.apply()).rejects.toMatchObject({ code: 'orders_large' });
    expect(full.get('room-1')).toBe(2);
  });

  it('writes into the log who published, and the cloud for what it does later by itself', async () => {
    await publish('all', '', '1.0.0');
    heard('room-1', '省中心');
    await eventually(() => ordered('room-1')).toBe('1.0.0');
    await publish('room', 'room-1', '2.0.0');
    await placing.apply();
    const entries = await store.log({ limit: 20 });
    const ours = entries.filter(({ action }) => action === 'order_rules');
    expect(ours.map(({ actor, object }) => `${actor} ${object}`)).toEqual([
      '王监督 room-1 ← p 2.0.0',
      'cloud room-1 ← p 1.0.0',
    ]);
  });
});
