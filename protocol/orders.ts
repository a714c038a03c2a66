/** What the cloud wants of a room: its session, its rule pack, its layout. The box asks for it; the newest revision counts. */
import type { RoomLayout } from './room.ts';
import type { Session } from './session.ts';

/** A rule pack as it travels: the files of its folder, and who vouches for them. */
export interface RulePackOrder {
  readonly name: string;
  readonly version: string;
  /** Text of each file by its path in the pack's folder (`pack.yaml`, `phrases-zh.yaml`). */
  readonly files: Readonly<Record<string, string>>;
  /** Lower-case hex SHA-256 over the files, as `ordersBytes` in models/rules puts them in order. */
  readonly sha256: string;
  /** Ed25519 over the same bytes, base64url, and which key made it. */
  readonly signature: string;
  readonly keyId: string;
}

/** What an installer drew: replaces these parts of room.yaml on the box. */
export type LayoutOrder = Pick<RoomLayout, 'seats' | 'zones' | 'doorLines' | 'floor'>;

/** Each part replaces the one before; a part that is absent leaves the box with what its own files say. */
export interface RoomOrders {
  readonly roomId: string;
  /** Grows with every change of any part; 0 where nothing was ever ordered. */
  readonly revision: number;
  readonly session?: Session;
  readonly rulePack?: RulePackOrder;
  readonly layout?: LayoutOrder;
}

/** Parts of an order that a box can refuse by itself. */
export type OrderPart = 'session' | 'rulePack' | 'layout';

/** What the box made of its orders; part of the room's state, so that the desk sees it. */
export interface OrdersReport {
  readonly revision: number;
  readonly refused: readonly { readonly part: OrderPart; readonly code: string; readonly reason: string }[];
}
