/** Who may draw a room, and what is refused before a box hears of it. */
import { describe, expect, it } from 'vitest';
import { createRooms } from '../../../cloud/ingest/rooms.ts';
import { createLayouts } from '../../../cloud/review/layout.ts';
import type { OrderChange } from '../../../cloud/store/orders.ts';
import type { LayoutOrder, RoomOrders } from '../../../protocol/orders.ts';
import { layoutOf, plainZone, stateOf } from '../../e2e/web-world.ts';

const person = (role: 'supervisor' | 'viewer') => ({
  user: { userId: 'u', name: '王监督', role },
  sessionId: 's',
});
const supervisor = person('supervisor');
const { roomId, ...drawn } = layoutOf(1, plainZone);
const layout: LayoutOrder = { seats: drawn.seats, zones: [], doorLines: [], floor: [] };

function desk({ heard = true } = {}) {
  const rooms = createRooms();
  if (heard) rooms.heardState(roomId, stateOf({ roomId, ...drawn }, {}), 1);
  const log: { actor: string; action: string; object: string }[] = [];
  let now: RoomOrders = { roomId, revision: 0 };
  const orders = {
    current: async () => now,
    order: async (_room: string, change: OrderChange, by: { actor: string; action: string; object: string }) => {
      log.push(by);
      const { layout: _before, ...rest } = now;
      now = { ...rest, revision: now.revision + 1, ...(change.layout ? { layout: change.layout } : {}) };
      return now;
    },
  };
  return { layouts: createLayouts({ orders, rooms }), log };
}

describe('a layout drawn at the desk', () => {
  it('is ordered, logged under the name of who drew it, and can be taken back', async () => {
    const { layouts, log } = desk();
    expect(await layouts.ordered(supervisor, roomId)).toEqual({ revision: 0 });
    expect(await layouts.order(supervisor, roomId, structuredClone(layout))).toEqual({ revision: 1, layout });
    expect(await layouts.order(supervisor, roomId, null)).toEqual({ revision: 2 });
    expect(log).toEqual([
      { actor: '王监督', action: 'order_layout', object: roomId },
      { actor: '王监督', action: 'withdraw_layout', object: roomId },
    ]);
  });

  it('is refused from anybody but a supervisor', async () => {
    const { layouts, log } = desk();
    await expect(layouts.order(undefined, roomId, layout)).rejects.toMatchObject({ code: 'no_session' });
    await expect(layouts.order(person('viewer'), roomId, layout)).rejects.toMatchObject({ code: 'role_forbidden' });
    expect(log).toEqual([]);
  });

  it('is refused with its faults in words, and for a room whose cameras nobody knows', async () => {
    const { layouts, log } = desk();
    const [seat] = layout.seats;
    const gone = { ...layout, seats: [{ ...seat!, views: [{ ...seat!.views[0]!, cameraId: 'cam-z' }] }] };
    const refused = layouts.order(supervisor, roomId, gone);
    await expect(refused).rejects.toMatchObject({ code: 'layout_faults' });
    await expect(refused).rejects.toThrow(/cam-z/);
    for (const wrong of [undefined, 7, 'x', {}, { ...layout, seats: 1 }, { ...layout, zones: [{}] }])
      await expect(layouts.order(supervisor, roomId, wrong)).rejects.toMatchObject({ code: 'layout_shape' });
    await expect(desk({ heard: false }).layouts.order(supervisor, roomId, layout)).rejects.toMatchObject({
      code: 'layout_no_cameras',
    });
    expect(log).toEqual([]);
  });
});
