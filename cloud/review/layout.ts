/** What supervisors and installers draw: a room's layout, checked as the box checks it, into its orders. */
import { InvalidInput } from '../../protocol/errors.ts';
import { layoutProblems } from '../../protocol/layout.ts';
import type { RoomOrders } from '../../protocol/orders.ts';
import { parseLayout } from '../../protocol/orders-schema.ts';
import type { LayoutView } from '../http/api.ts';
import type { Rooms } from '../ingest/rooms.ts';
import { requireSupervisor, type Viewer } from './access.ts';
import type { Orders } from './orders.ts';

type Who = Viewer | undefined;

export interface Layouts {
  /** What is ordered; without `layout` the box runs by its own room.yaml. */
  ordered(who: Who, roomId: string): Promise<LayoutView>;
  /**
   * Orders a layout; null: the box's own room.yaml counts again. Throws InvalidInput `layout_shape` for what is no
   * layout, `layout_faults` with every fault in words, `layout_no_cameras` for a room that was never heard.
   */
  order(who: Who, roomId: string, layout: unknown): Promise<LayoutView>;
}

export function createLayouts({
  orders,
  rooms,
}: {
  readonly orders: Pick<Orders, 'order' | 'current'>;
  readonly rooms: Rooms;
}): Layouts {
  const view = ({ revision, layout }: RoomOrders): LayoutView => ({ revision, ...(layout ? { layout } : {}) });
  return {
    async ordered(who, roomId) {
      requireSupervisor(who);
      return view(await orders.current(roomId));
    },
    async order(who, roomId, value) {
      const { user } = requireSupervisor(who);
      const by = { actor: user.name, object: roomId };
      if (value === null)
        return view(await orders.order(roomId, { layout: null }, { ...by, action: 'withdraw_layout' }));
      const parsed = parseLayout(value);
      if (!parsed.ok) throw new InvalidInput('layout_shape', `ordering a layout for ${roomId}: ${parsed.reason}`);
      const cameras = camerasOf(rooms, roomId);
      if (cameras.length === 0)
        throw new InvalidInput('layout_no_cameras', `ordering a layout for ${roomId}: its box was not heard yet`);
      const problems = layoutProblems(parsed.layout, cameras);
      if (problems.length > 0)
        throw new InvalidInput(
          'layout_faults',
          `ordering a layout for ${roomId}: ${problems.map(({ words }) => words.en).join(' ')}`,
        );
      return view(await orders.order(roomId, { layout: parsed.layout }, { ...by, action: 'order_layout' }));
    },
  };
}

function camerasOf(rooms: Rooms, roomId: string): string[] {
  const card = rooms.cards([]).find((one) => one.roomId === roomId);
  return card?.state?.health.cameras.map(({ cameraId }) => cameraId) ?? [];
}
