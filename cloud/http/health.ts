/** The HTTP server of a process without the page: an ingest worker or a broker tells its supervisor how it is, and no more. */
import { readFileSync } from 'node:fs';
import Fastify, { type FastifyInstance, LogController } from 'fastify';
import type { Logger } from 'pino';
import type { Tls } from '../config.ts';
import type { HealthView } from './api.ts';

/** `GET /healthz` alone; everything else is 404. Builds; main.ts listens. */
export function createHealthApp(health: () => Promise<HealthView>, log: Logger, tls?: Tls): FastifyInstance {
  const app = Fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: 1024,
    forceCloseConnections: true,
    ...(tls ? { https: { cert: readFileSync(tls.certFile), key: readFileSync(tls.keyFile) } } : {}),
  }) as unknown as FastifyInstance;
  app.get('/healthz', async (_request, reply) => {
    const view = await health();
    return reply.code(view.ok ? 200 : 503).send(view);
  });
  return app;
}
