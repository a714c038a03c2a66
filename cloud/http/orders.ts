/** `GET /api/device/orders`: a box asks what its room is to do, and waits here until there is something new. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Forbidden, InvalidInput } from '../../protocol/errors.ts';
import { DEVICE_ROUTES, peerOf } from '../identity/routes.ts';
import type { Devices, NewDevice } from '../review/devices.ts';
import { type Orders, WAIT_MAX_MS } from '../review/orders.ts';
import { errorView } from './errors.ts';

/** The room is the device's own, whatever is asked. Answers RoomOrders, or 204 when nothing is new after `wait` seconds. */
export function routeOrders(
  app: FastifyInstance,
  { devices, orders }: { readonly devices: Devices; readonly orders: Orders },
): void {
  app.get(`${DEVICE_ROUTES}orders`, async (request, reply) => {
    const device = await deviceOf(devices, request, reply);
    if (!device) return reply;
    const { revision, wait } = request.query as { readonly revision?: string; readonly wait?: string };
    const gone = new AbortController();
    reply.raw.once('close', () => gone.abort());
    const found = await orders.next(device, {
      revision: whole(revision, 'revision', Number.MAX_SAFE_INTEGER),
      waitMs: whole(wait, 'wait', WAIT_MAX_MS / 1000) * 1000,
      signal: gone.signal,
    });
    // It may have been revoked while it waited.
    if (found && !(await deviceOf(devices, request, reply))) return reply;
    reply.header('cache-control', 'no-store');
    return found ? reply.send(found) : reply.code(204).send();
  });
}

async function deviceOf(
  devices: Devices,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<NewDevice | undefined> {
  const [peer, { authorization }] = [peerOf(request), request.headers];
  const proof = { ...(peer ? { peer } : {}), ...(authorization === undefined ? {} : { authorization }) };
  try {
    return await devices.authenticate(proof);
  } catch (error) {
    if (!(error instanceof Forbidden)) throw error;
    void reply.code(401).send(errorView(error).view);
    return undefined;
  }
}

function whole(text: string | undefined, name: string, max: number): number {
  const value = Number(text ?? 0);
  if (!Number.isSafeInteger(value) || value < 0)
    throw new InvalidInput('bad_request', `asking for orders: ${name} must be a whole number`);
  return Math.min(value, max);
}
