/** What supervisors and installers draw: a room's layout, checked as the box checks it, into its orders. */
import { InvalidInput } from '../../protocol/errors.ts';
import { layoutProblems } from '../../protocol/layout.ts';
import type { RoomOrders } from '../../protocol/orders.ts';
import { parseLayout } from '../../protocol/orders-schema.ts';
import type { LayoutView } from '../http/api.ts';
import type { Rooms } from '../ingest/rooms.ts';
import { layoutTag } from '../store/orders.ts';
import { requireSupervisor, type Viewer } from './access.ts';
import type { Orders } from './orders.ts';

type Who = Viewer | undefined;

export interface Layouts {
  /** What is ordered; without `layout` the box runs by its own room.yaml. */
  ordered(who: Who, roomId: string): Promise<LayoutView>;
  /**
   * Orders a layout; null: the box's own room.yaml counts again. `was` is the tag of the one that it was made from. Throws
   * InvalidInput `layout_shape` for what is no layout, `layout_faults` with every fault in words, `layout_no_cameras` for a
   * room that was never heard, `layout_changed` where somebody else was faster.
   */
  order(who: Who, roomId: string, layout: unknown, was: string): Promise<LayoutView>;
}

export function createLayouts({
  orders,
  rooms,
}: {
  readonly orders: Pick<Orders, 'order' | 'current'>;
  readonly rooms: Pick<Rooms, 'state'>;
}): Layouts {
  const view = ({ revision, layout }: RoomOrders): LayoutView => ({
    revision,
    tag: layoutTag(layout),
    ...(layout ? { layout } : {}),
  });
  return {
    async ordered(who, roomId) {
      requireSupervisor(who);
      return view(await orders.current(roomId));
    },
    async order(who, roomId, value, was) {
      const { user } = requireSupervisor(who);
      const by = { actor: user.name, object: roomId };
      if (value === null)
        return view(await orders.order(roomId, { layout: null, layoutWas: was }, { ...by, action: 'withdraw_layout' }));
      const parsed = parseLayout(value);
      if (!parsed.ok) throw new InvalidInput('layout_shape', `ordering a layout for ${roomId}: ${parsed.reason}`);
      const cameras = rooms.state(roomId)?.health.cameras.map(({ cameraId }) => cameraId) ?? [];
      if (cameras.length === 0)
        throw new InvalidInput('layout_no_cameras', `ordering a layout for ${roomId}: its box was not heard yet`);
      const problems = layoutProblems(parsed.layout, cameras);
      if (problems.length > 0)
        throw new InvalidInput(
          'layout_faults',
          `ordering a layout for ${roomId}: ${problems.map(({ words }) => words.en).join(' ')}`,
        );
      const change = { layout: parsed.layout, layoutWas: was };
      return view(await orders.order(roomId, change, { ...by, action: 'order_layout' }));
    },
  };
}
