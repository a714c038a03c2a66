/** What the cloud wants of each room as rows: parts are replaced, the revision only grows, and the log entry commits with it. */
import { createHash } from 'node:crypto';
import { InvalidInput } from '../../protocol/errors.ts';
import { type LayoutOrder, ORDERS_BYTES, type RoomOrders, type RulePackOrder } from '../../protocol/orders.ts';
import type { Session } from '../../protocol/session.ts';
import { appendLog } from './log.ts';
import type { Reader, Tx } from './sql.ts';
import type { LogEntry } from './store.ts';

/** What tells one layout from another; '' where none is ordered. */
export function layoutTag(layout: LayoutOrder | undefined): string {
  return layout ? createHash('sha256').update(JSON.stringify(layout)).digest('hex') : '';
}

/** Parts to be replaced; `null` takes one back, and the box is left with what its own files say. */
export interface OrderChange {
  readonly session?: Session | null;
  readonly rulePack?: RulePackOrder | null;
  readonly layout?: LayoutOrder | null;
  /** `layoutTag` of the layout that whoever orders has seen: where another one is ordered meanwhile, nothing is changed. */
  readonly layoutWas?: string;
}

interface OrderRow {
  readonly room_id: string;
  readonly revision: number;
  readonly session: string | null;
  readonly rule_pack: string | null;
  readonly layout: string | null;
}

const SELECT = 'select room_id, revision, session, rule_pack, layout from room_orders where room_id = $1';

const view = (row: OrderRow): RoomOrders => ({
  roomId: row.room_id,
  revision: row.revision,
  ...(row.session === null ? {} : { session: JSON.parse(row.session) as Session }),
  ...(row.rule_pack === null ? {} : { rulePack: JSON.parse(row.rule_pack) as RulePackOrder }),
  ...(row.layout === null ? {} : { layout: JSON.parse(row.layout) as LayoutOrder }),
});

/** See Store.orders. */
export async function findOrders(reader: Reader, roomId: string): Promise<RoomOrders> {
  const row = (await reader.all<OrderRow>(SELECT, roomId))[0];
  return row ? view(row) : { roomId, revision: 0 };
}

/** See Store.orderRevisions. */
export async function listRevisions(reader: Reader): Promise<ReadonlyMap<string, number>> {
  const rows = await reader.all<{ room_id: string; revision: number }>('select room_id, revision from room_orders');
  return new Map(rows.map((row) => [row.room_id, row.revision]));
}

/** See Store.order; for what else has to commit together with an order. */
export async function addOrder(tx: Tx, roomId: string, change: OrderChange, by: LogEntry): Promise<RoomOrders> {
  const wallMs = Math.round(by.wallMs);
  await tx.all(
    `insert into room_orders (room_id, revision, ordered_wall_ms) values ($1, 0, $2) on conflict do nothing`,
    roomId,
    wallMs,
  );
  const before = (await tx.all<OrderRow>(`${SELECT}${tx.forUpdate}`, roomId))[0]!;
  if (change.layoutWas !== undefined && change.layoutWas !== layoutTag(view(before).layout))
    throw new InvalidInput(
      'layout_changed',
      `ordering a layout for ${roomId}: somebody else has ordered another one since it was read; read it again`,
    );
  const part = (value: object | null | undefined, old: string | null) =>
    value === undefined ? old : value === null ? null : JSON.stringify(value);
  const row: OrderRow = {
    room_id: roomId,
    // By the clock and not by counting: a store that was restored from a backup must not give a number again for other orders.
    revision: Math.max(before.revision + 1, wallMs),
    session: part(change.session, before.session),
    rule_pack: part(change.rulePack, before.rule_pack),
    layout: part(change.layout, before.layout),
  };
  const orders = view(row);
  const bytes = Buffer.byteLength(JSON.stringify(orders));
  if (bytes > ORDERS_BYTES)
    throw new InvalidInput(
      'orders_large',
      `ordering for room ${roomId}: all orders together are ${bytes} bytes, a box reads at most ${ORDERS_BYTES}`,
    );
  await tx.all(
    `update room_orders set revision = $2, session = $3, rule_pack = $4, layout = $5, ordered_wall_ms = $6
     where room_id = $1`,
    roomId,
    row.revision,
    row.session,
    row.rule_pack,
    row.layout,
    wallMs,
  );
  await appendLog(tx, by);
  return orders;
}
