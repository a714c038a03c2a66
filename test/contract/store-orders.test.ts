/** One suite over both drivers of the cloud store: orders of a room, their revision, and the entry in the log with them or not at all. */
import { describe, expect, it } from 'vitest';
import { layoutTag } from '../../cloud/store/orders.ts';
import type { Store } from '../../cloud/store/store.ts';
import type { LayoutOrder, RulePackOrder } from '../../protocol/orders.ts';
import type { Session } from '../../protocol/session.ts';
import { WALL } from '../medium/cloud/events.ts';
import { DRIVERS, standOn } from './store-stand.ts';

const session: Session = { sessionId: 's-1', phase: 'evaluating', permits: [] };
const layout: LayoutOrder = { seats: [], zones: [], doorLines: [], floor: [] };
const rulePack: RulePackOrder = {
  name: 'eval',
  version: '2',
  files: { 'pack.yaml': '名称: 试' },
  sha256: '0'.repeat(64),
  signature: 's',
  keyId: 'k',
};
const by = (wallMs: number) => ({ wallMs, actor: '王监督', action: 'order', object: 'room-1' });

describe.each(DRIVERS)('orders in the store on %s', (driver) => {
  let store: Store;
  standOn(driver, (fresh) => {
    store = fresh;
    return undefined;
  });

  it('keeps each part until it is replaced or taken back, and the revision only grows', async () => {
    expect(await store.orders('room-1')).toEqual({ roomId: 'room-1', revision: 0 });
    const first = await store.order('room-1', { session }, by(WALL));
    expect(first).toEqual({ roomId: 'room-1', revision: WALL, session });
    const second = await store.order('room-1', { layout, rulePack }, by(WALL));
    expect(second).toEqual({ roomId: 'room-1', revision: WALL + 1, session, layout, rulePack });
    // A clock that was set back does not take the revision with it.
    const third = await store.order('room-1', { session: null }, by(WALL - 60_000));
    expect(third).toEqual({ roomId: 'room-1', revision: WALL + 2, layout, rulePack });
    expect(await store.orders('room-1')).toEqual(third);
    expect(await store.orders('room-2')).toEqual({ roomId: 'room-2', revision: 0 });
    expect(await store.orderRevisions()).toEqual(new Map([['room-1', WALL + 2]]));
    const entries = await store.log({ limit: 10 });
    expect(entries.map(({ actor, action, object }) => [actor, action, object])).toEqual(
      Array.from({ length: 3 }, () => ['王监督', 'order', 'room-1']),
    );
    expect(await store.chainHolds()).toBe(true);
  });

  it('replaces a layout only for who has seen the one that counts', async () => {
    const first = await store.order('room-1', { layout, layoutWas: '' }, by(WALL));
    const other = {
      ...layout,
      doorLines: [
        {
          cameraId: 'c',
          line: [
            [0, 0],
            [1, 1],
          ],
          inside: [0.5, 0],
        },
      ],
    } as LayoutOrder;
    await expect(store.order('room-1', { layout: other, layoutWas: '' }, by(WALL))).rejects.toMatchObject({
      code: 'layout_changed',
    });
    // An evaluation that begins meanwhile is no other layout.
    await store.order('room-1', { session }, by(WALL));
    expect((await store.orders('room-1')).layout).toEqual(layout);
    // Of two at once who have seen the same, one is told.
    const both = await Promise.allSettled(
      [other, null].map((one) => store.order('room-1', { layout: one, layoutWas: layoutTag(first.layout) }, by(WALL))),
    );
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(await store.log({ limit: 10 })).toHaveLength(3);
  });

  it('gives every one of many orders at once a revision of its own', async () => {
    const all = await Promise.all(
      Array.from({ length: 8 }, (_, n) =>
        store.order('room-1', { session: { ...session, sessionId: `s-${n}` } }, by(WALL)),
      ),
    );
    expect(new Set(all.map(({ revision }) => revision)).size).toBe(8);
    const last = all.find(({ revision }) => revision === WALL + 7);
    expect(await store.orders('room-1')).toEqual(last);
  });

  it('refuses more than a box would read, and nothing of it is stored or logged', async () => {
    const large = { ...rulePack, files: { 'pack.yaml': '字'.repeat(400_000) } };
    await expect(store.order('room-1', { rulePack: large }, by(WALL))).rejects.toMatchObject({ code: 'orders_large' });
    expect(await store.orders('room-1')).toEqual({ roomId: 'room-1', revision: 0 });
    expect(await store.log({ limit: 10 })).toEqual([]);
  });
});
