/** The HTTP server of the figures: its own port, one route, for whoever has the token; never on the port of the page. */
import { createHash, timingSafeEqual } from 'node:crypto';
import Fastify, { type FastifyInstance, type FastifyRequest, LogController } from 'fastify';
import type { Logger } from 'pino';
import type { Tls } from '../config.ts';
import { EXPOSITION_TYPE } from '../metrics/exposition.ts';
import type { Metrics } from '../metrics/metrics.ts';
import { type ClientTrust, tlsOptions } from './app.ts';

const LOCAL = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/;

/**
 * `GET /metrics` alone. With a token 401 without it; without one, which only this machine reaches, 403 for a browser
 * that was led here under another name.
 */
export function createMetricsApp(parts: {
  readonly metrics: Metrics;
  readonly token: string | undefined;
  readonly tls: (Tls & ClientTrust) | undefined;
  readonly log: Logger;
}): FastifyInstance {
  const { metrics, token, tls, log } = parts;
  const app = Fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: 1024,
    forceCloseConnections: true,
    ...(tls ? { https: tlsOptions(tls) } : {}),
  }) as unknown as FastifyInstance;
  app.get('/metrics', async (request, reply) => {
    if (token !== undefined && !hasToken(request, token))
      return reply.code(401).header('www-authenticate', 'Bearer').type('text/plain').send('a bearer token is needed\n');
    if (token === undefined && !LOCAL.test(request.headers.host ?? ''))
      return reply.code(403).type('text/plain').send('ask for it by 127.0.0.1 or localhost\n');
    return reply
      .header('cache-control', 'no-store')
      .type(EXPOSITION_TYPE)
      .send(await metrics.read());
  });
  return app;
}

/** Hashes have one length, so that nothing is told by the time it takes. */
function hasToken({ headers }: FastifyRequest, token: string): boolean {
  const [, given] = /^Bearer ([^\s]{1,512})$/i.exec(headers.authorization ?? '') ?? [];
  const hash = (text: string) => createHash('sha256').update(text).digest();
  return given !== undefined && timingSafeEqual(hash(given), hash(token));
}
