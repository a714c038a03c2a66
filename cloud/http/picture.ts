/** `POST /api/rooms/:roomId/picture/:cameraId`: a larger picture, made by the box when the room editor asks for it. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Pictures } from '../review/pictures.ts';
import { PICTURE_AGE } from './api.ts';

/** Not a GET: it is written down who looked. */
export function routePicture(app: FastifyInstance, { pictures }: { readonly pictures: Pictures }): void {
  app.post('/api/rooms/:roomId/picture/:cameraId', async (request: FastifyRequest, reply) => {
    const { roomId, cameraId } = request.params as { readonly roomId: string; readonly cameraId: string };
    const { jpeg, wallMs } = await pictures.fresh(request.viewer, roomId, cameraId);
    return (
      reply
        .headers({
          'content-type': 'image/jpeg',
          'cache-control': 'no-store',
          [PICTURE_AGE]: String(Math.round(wallMs)),
        })
        // Not a copy: many may have asked for the same one.
        .send(Buffer.from(jpeg.buffer, jpeg.byteOffset, jpeg.byteLength))
    );
  });
}
