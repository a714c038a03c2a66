/** `POST /api/clips/:clipId/export`: an MP4 copy with blurred heads; the answer says that it is not the evidence. */
import { createReadStream } from 'node:fs';
import type { FastifyInstance } from 'fastify';
import { Unavailable } from '../../protocol/errors.ts';
import type { Exports } from '../review/export.ts';

export function routeExport(app: FastifyInstance, { exports }: { readonly exports: Exports }): void {
  app.post('/api/clips/:clipId/export', async (request, reply) => {
    const { clipId } = request.params as { readonly clipId: string };
    // Before the wait: a browser may leave while the copy is made.
    const gone = new AbortController();
    reply.raw.once('close', () => gone.abort());
    const { name, path, bytes, evidenceSha256, remove } = await exports.blurred(request.viewer, clipId, gone.signal);
    const tidy = () =>
      void remove().catch((error: unknown) =>
        request.log.warn({ err: error, clipId }, 'a copy that was sent could not be removed'),
      );
    if (gone.signal.aborted) {
      tidy();
      throw new Unavailable('export_given_up', `exporting clip ${clipId}: nobody waits for it any more`);
    }
    gone.signal.addEventListener('abort', tidy, { once: true });
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
