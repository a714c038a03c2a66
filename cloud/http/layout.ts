/** `GET` and `POST /api/rooms/:roomId/layout`: what the room editor reads and saves. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { InvalidInput } from '../../protocol/errors.ts';
import { requireSupervisor } from '../review/access.ts';
import type { Layouts } from '../review/layout.ts';

/** 64 seats in 16 cameras with 64 corners each come to less. */
const BODY_BYTES = 512 * 1024;

export function routeLayout(app: FastifyInstance, { layouts }: { readonly layouts: Layouts }): void {
  const roomOf = (request: FastifyRequest) => (request.params as { readonly roomId: string }).roomId;
  app.get('/api/rooms/:roomId/layout', async (request) => layouts.ordered(request.viewer, roomOf(request)));
  app.post('/api/rooms/:roomId/layout', { bodyLimit: BODY_BYTES }, async (request) => {
    // Who asks is answered before what they ask.
    requireSupervisor(request.viewer);
    const body = request.body as { readonly layout?: unknown; readonly was?: unknown } | null;
    if (typeof body !== 'object' || body === null || body.layout === undefined || typeof body.was !== 'string')
      throw new InvalidInput(
        'bad_request',
        'ordering a layout: the body needs layout, and was: the tag of the one read',
      );
    return layouts.order(request.viewer, roomOf(request), body.layout, body.was);
  });
}
