/** `POST /api/clips/:clipId/export`: an MP4 copy with blurred heads; the answer says that it is not the evidence. */
import { createReadStream } from 'node:fs';
import type { FastifyInstance } from 'fastify';
import type { Exports } from '../review/export.ts';

export function routeExport(app: FastifyInstance, { exports }: { readonly exports: Exports }): void {
  app.post('/api/clips/:clipId/export', async (request, reply) => {
    const { clipId } = request.params as { readonly clipId: string };
    const { name, path, bytes, evidenceSha256, remove } = await exports.blurred(request.viewer, clipId);
    reply.raw.once('close', () => void remove());
    return reply
      .headers({
        'content-type': 'video/mp4',
        'content-length': bytes,
        'content-disposition': `attachment; filename="${name}"`,
        'cache-control': 'no-store',
        'x-evalroom-copy': `heads blurred; not the evidence, which is sha256 ${evidenceSha256}`,
      })
      .send(createReadStream(path));
  });
}
