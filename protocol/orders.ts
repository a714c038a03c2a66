/** What the cloud wants of a room: its session, its rule pack, its layout. The box asks for it; the newest revision counts. */
import type { RoomLayout } from './room.ts';
import type { Session } from './session.ts';

/** Bytes of all orders of a room as JSON: the cloud takes no more in, the box reads no more. */
export const ORDERS_BYTES = 1024 * 1024;

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
export interface LayoutOrder extends Pick<RoomLayout, 'seats' | 'zones' | 'doorLines' | 'floor'> {
  /** Cameras of which a person has said, and when, that the picture is right again: shifts count from the next one. */
  readonly references?: readonly { readonly cameraId: string; readonly confirmedWallMs: number }[];
}

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
export const ORDER_PARTS = ['session', 'rulePack', 'layout'] as const;
export type OrderPart = (typeof ORDER_PARTS)[number];

/** What the box made of its orders: a part that is refused leaves the one that ran before; part of the room's state, so that the desk sees it. */
export interface OrdersReport {
  readonly revision: number;
  readonly refused: readonly { readonly part: OrderPart; readonly code: string; readonly reason: string }[];
}
