/** Between room.yaml and the parts that look: the layout in force, which an order of the cloud may replace while the agent runs. */
import { InvalidInput } from '../protocol/errors.ts';
import { layoutProblems } from '../protocol/layout.ts';
import type { LayoutOrder } from '../protocol/orders.ts';
import type { RoomLayout } from '../protocol/room.ts';

export interface LayoutHolder {
  /** What the room is watched by: the ordered layout where one is in force, else the file's. Roster and names are the file's. */
  current(): RoomLayout;
  /** When a person last said that a camera's picture is right; cameras of which nobody ever had to are not in it. */
  confirmedWallMs(): ReadonlyMap<string, number>;
  /**
   * Takes what the cloud orders; undefined: nothing, and the file counts again. Throws InvalidInput `layout_refused`
   * with every fault in words and leaves the layout as it was.
   */
  take(order: LayoutOrder | undefined): void;
  /** Called when another layout is in force. */
  onChange(listener: (layout: RoomLayout) => void): void;
}

/** `own` is what room.yaml says. Orders are kept on the disk by who receives them. */
export function createLayoutHolder({
  own,
  cameraIds,
}: {
  readonly own: RoomLayout;
  readonly cameraIds: readonly string[];
}): LayoutHolder {
  const listeners: ((layout: RoomLayout) => void)[] = [];
  let order: LayoutOrder | undefined;
  let current = own;
  return {
    current: () => current,
    confirmedWallMs: () => new Map(order?.references?.map((one) => [one.cameraId, one.confirmedWallMs])),
    take(next) {
      if (next) checkLayout(next, cameraIds);
      order = next;
      current = next ? laidOut(own, next) : own;
      for (const listener of listeners) listener(current);
    },
    onChange: (listener) => void listeners.push(listener),
  };
}

/** What has to be said of a room in which nobody can be missed; undefined: seats are drawn, by whomever. */
export function seatsWarning({ seats }: Pick<RoomLayout, 'seats'>): string | undefined {
  if (seats.length > 0) return undefined;
  return 'room.yaml draws no seats, and none have come from the desk so far: nobody can be missed until some are drawn';
}

/** Throws InvalidInput `layout_refused` with every fault of the order in words. */
export function checkLayout(order: LayoutOrder, cameraIds: readonly string[]): void {
  const problems = layoutProblems(order, cameraIds);
  if (problems.length > 0)
    throw new InvalidInput('layout_refused', problems.map(({ words }) => `${words.zh} ${words.en}`).join('\n'));
}

const laidOut = (own: RoomLayout, { seats, zones, doorLines, floor }: LayoutOrder): RoomLayout => ({
  ...own,
  seats,
  zones,
  doorLines,
  floor,
});
