/** Listens: the one place where the HTTP server meets the network. */
import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { Unavailable } from '../../protocol/errors.ts';

/** Address on which it listens. Throws Unavailable `port_in_use` or `listen_failed`. */
export async function listen(
  app: FastifyInstance,
  at: { readonly host: string; readonly port: number; readonly tls?: unknown },
): Promise<string> {
  try {
    await app.listen({ host: at.host, port: at.port });
  } catch (cause) {
    const where = `${at.host}:${at.port}`;
    if ((cause as NodeJS.ErrnoException).code === 'EADDRINUSE')
      throw new Unavailable(
        'port_in_use',
        `listening on ${where}: another program has this port; stop it, or give http.port in cloud.yaml or --port another number (0 picks a free one)`,
        cause,
      );
    throw new Unavailable('listen_failed', `listening on ${where}: ${(cause as Error).message}`, cause);
  }
  const { port } = app.server.address() as AddressInfo;
  return `${at.tls ? 'https' : 'http'}://${at.host.includes(':') ? `[${at.host}]` : at.host}:${port}`;
}
