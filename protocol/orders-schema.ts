/** Beside schema.ts: the cloud's orders as a box reads them. Each part is judged by itself, so that a new kind of phase does not hide a layout. */
import { z } from 'zod';
import { type LayoutOrder, ORDERS_BYTES, type OrdersReport, type RoomOrders, type RulePackOrder } from './orders.ts';
import { firstIssue, parseJson, type Refusal, refuse, unfitness } from './refusal.ts';
import { count, id, layout, name, sha256, text, wallMs } from './schema.ts';
import { SESSION_PHASES, type Session } from './session.ts';

const permit = z.object({
  permitId: id,
  kind: z.enum(['absence', 'escorted', 'staff', 'help', 'call', 'maintenance']),
  seatId: z.exactOptional(name),
  fromWallMs: wallMs,
  untilWallMs: wallMs,
  people: z.exactOptional(z.int().min(1).max(64)),
});

const session: z.ZodType<Session> = z.object({
  sessionId: id,
  phase: z.enum(SESSION_PHASES),
  startWallMs: z.exactOptional(wallMs),
  permits: z.array(permit).max(200),
  roster: z.exactOptional(layout.shape.roster),
  bidders: z.exactOptional(z.array(z.array(name).min(1).max(10)).max(50)),
});

const rulePack: z.ZodType<RulePackOrder> = z.object({
  name,
  version: name,
  files: z
    .record(z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/), text(512 * 1024))
    .refine((files) => Object.keys(files).length <= 32, 'more than 32 files'),
  sha256,
  signature: text(200),
  keyId: name,
});

const layoutOrder: z.ZodType<LayoutOrder> = layout
  .pick({ seats: true, zones: true, doorLines: true, floor: true })
  .extend({ references: z.exactOptional(z.array(z.object({ cameraId: id, confirmedWallMs: wallMs })).max(32)) });

export type ParsedLayout = { readonly ok: true; readonly layout: LayoutOrder } | Refusal;

/** A layout as a page sends it. Its shape only: `layoutProblems` says whether it can run. */
export function parseLayout(value: unknown): ParsedLayout {
  const unfit = unfitness(value);
  if (unfit) return refuse(unfit.code, unfit.reason);
  const parsed = layoutOrder.safeParse(value);
  return parsed.success ? { ok: true, layout: parsed.data } : refuse('bad_shape', firstIssue(parsed.error));
}

const frame = z.object({
  roomId: id,
  revision: count,
  session: z.unknown().optional(),
  rulePack: z.unknown().optional(),
  layout: z.unknown().optional(),
});

export type ParsedOrders =
  | { readonly ok: true; readonly orders: RoomOrders; readonly refused: OrdersReport['refused'] }
  | Refusal;

/** Answer of `GET /api/device/orders`. A part of another shape than this program knows is left out and named in `refused`. */
export function parseOrders(bytes: Uint8Array, roomId: string): ParsedOrders {
  const json = parseJson(bytes, ORDERS_BYTES);
  if (!json.ok) return json;
  const unfit = unfitness(json.value);
  if (unfit) return refuse(unfit.code, unfit.reason);
  const parsed = frame.safeParse(json.value);
  if (!parsed.success) return refuse('bad_shape', firstIssue(parsed.error));
  if (parsed.data.roomId !== roomId) return refuse('wrong_room', 'the orders name another room');
  const refused: OrdersReport['refused'][number][] = [];
  const part = <T>(what: OrdersReport['refused'][number]['part'], shape: z.ZodType<T>): { [key: string]: T } => {
    const value = parsed.data[what];
    if (value === undefined) return {};
    const found = shape.safeParse(value);
    if (found.success) return { [what]: found.data };
    refused.push({ part: what, code: 'bad_shape', reason: firstIssue(found.error).slice(0, 300) });
    return {};
  };
  const orders: RoomOrders = {
    roomId,
    revision: parsed.data.revision,
    ...part('session', session),
    ...part('rulePack', rulePack),
    ...part('layout', layoutOrder),
  };
  return { ok: true, orders, refused };
}
