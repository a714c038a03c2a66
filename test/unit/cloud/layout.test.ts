/** Who may draw a room, and what is refused before a box hears of it. */
import { describe, expect, it } from 'vitest';
import { errorView } from '../../../cloud/http/errors.ts';
import { createRooms } from '../../../cloud/ingest/rooms.ts';
import { createLayouts } from '../../../cloud/review/layout.ts';
import { layoutTag, type OrderChange } from '../../../cloud/store/orders.ts';
import { InvalidInput } from '../../../protocol/errors.ts';
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
      const { layoutWas } = change;
      if (layoutWas !== undefined && layoutWas !== layoutTag(now.layout)) throw new InvalidInput('layout_changed', 'x');
      log.push(by);
      const { layout: _before, ...rest } = now;
      now = { ...rest, revision: now.revision + 1, ...(change.layout ? { layout: change.layout } : {}) };
      return now;
    },
  };
  return { layouts: createLayouts({ orders, rooms }), log };
}

describe('a layout drawn at the desk', () => {
  it('is refused where another one was ordered since it was read, and says so', async () => {
    const { layouts, log } = desk();
    const { tag } = await layouts.ordered(supervisor, roomId);
    const mine = await layouts.order(supervisor, roomId, structuredClone(layout), tag);
    const late = layouts.order(supervisor, roomId, { ...layout, seats: [] }, tag);
    await expect(late).rejects.toMatchObject({ code: 'layout_changed' });
    expect(errorView(await late.catch((error: unknown) => error)).status).toBe(409);
    expect(await layouts.ordered(supervisor, roomId)).toEqual(mine);
    expect(log).toHaveLength(1);
    // By who has read the other one it can be replaced.
    await layouts.order(supervisor, roomId, { ...layout, seats: [] }, mine.tag);
  });

  it('is ordered, logged under the name of who drew it, and can be taken back', async () => {
    const { layouts, log } = desk();
    expect(await layouts.ordered(supervisor, roomId)).toEqual({ revision: 0, tag: '' });
    const first = await layouts.order(supervisor, roomId, structuredClone(layout), '');
    expect(first).toEqual({ revision: 1, layout, tag: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(await layouts.order(supervisor, roomId, null, first.tag)).toEqual({ revision: 2, tag: '' });
    expect(log).toEqual([
      { actor: '王监督', action: 'order_layout', object: roomId },
      { actor: '王监督', action: 'withdraw_layout', object: roomId },
    ]);
  });

  it('is refused from anybody but a supervisor', async () => {
    const { layouts, log } = desk();
    await expect(layouts.order(undefined, roomId, layout, '')).rejects.toMatchObject({ code: 'no_session' });
    await expect(layouts.order(person('viewer'), roomId, layout, '')).rejects.toMatchObject({ code: 'role_forbidden' });
    expect(log).toEqual([]);
  });

  it('is refused with its faults in words, and for a room whose cameras nobody knows', async () => {
    const { layouts, log } = desk();
    const [seat] = layout.seats;
    const gone = { ...layout, seats: [{ ...seat!, views: [{ ...seat!.views[0]!, cameraId: 'cam-z' }] }] };
    const refused = layouts.order(supervisor, roomId, gone, '');
    await expect(refused).rejects.toMatchObject({ code: 'layout_faults' });
    await expect(refused).rejects.toThrow(/cam-z/);
    for (const wrong of [undefined, 7, 'x', {}, { ...layout, seats: 1 }, { ...layout, zones: [{}] }])
      await expect(layouts.order(supervisor, roomId, wrong, '')).rejects.toMatchObject({ code: 'layout_shape' });
    await expect(desk({ heard: false }).layouts.order(supervisor, roomId, layout, '')).rejects.toMatchObject({
      code: 'layout_no_cameras',
    });
    expect(log).toEqual([]);
  });
});
