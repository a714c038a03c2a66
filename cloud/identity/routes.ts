/** The routes of identity: what supervisors do about boxes, and what boxes ask for by code or by their certificate. */
import { readFile } from 'node:fs/promises';
import type { TLSSocket } from 'node:tls';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Unavailable } from '../../protocol/errors.ts';
import type { DeviceCodeView } from '../http/api.ts';
import { requireSupervisor } from '../review/access.ts';
import type { Identity, Peer } from './identity.ts';

/** Routes of boxes begin with this; they need no session, each has its own proof. */
export const DEVICE_ROUTES = '/api/device/';

const TRIES = { config: { rateLimit: { max: 30, timeWindow: 60_000 } } };

/** Who is at the other end of a TLS line; undefined where the line is in clear. */
export function peerOf(request: FastifyRequest): Peer | undefined {
  const socket = request.raw.socket as TLSSocket;
  if (!socket.encrypted) return undefined;
  const { serialNumber, subject } = socket.getPeerCertificate() as {
    serialNumber?: string;
    subject?: { CN?: unknown };
  };
  const reason = socket.authorizationError as Error | string | undefined;
  return {
    address: request.ip,
    authorized: socket.authorized,
    ...(serialNumber === undefined ? {} : { serial: serialNumber }),
    ...(typeof subject?.CN === 'string' ? { commonName: subject.CN } : {}),
    ...(reason ? { reason: typeof reason === 'string' ? reason : reason.message } : {}),
  };
}

/** `identity` absent: the cloud speaks on its own machine alone, and the routes say so. `mqttFor`: the broker's address as seen from a host. */
export function routeIdentity(
  app: FastifyInstance,
  { identity, mqttFor }: { readonly identity?: Identity; readonly mqttFor: (host: string) => string | undefined },
): void {
  const needed = (): Identity => {
    if (identity) return identity;
    throw new Unavailable(
      'identity_off',
      'giving a certificate: this cloud speaks on its own machine alone; set http.tls and mqtt.tls to auto in cloud.yaml',
    );
  };
  const body = (request: FastifyRequest) => (request.body ?? {}) as Readonly<Record<string, unknown>>;
  const text = (value: unknown) => (typeof value === 'string' ? value : '');
  const peer = (request: FastifyRequest): Peer =>
    peerOf(request) ?? { address: request.ip, authorized: false, reason: 'no TLS' };

  app.post('/api/devices/codes', async (request, reply) => {
    requireSupervisor(request.viewer);
    const { deviceId, roomId } = body(request);
    const code = await needed().offerBy(request.viewer, { deviceId: text(deviceId), roomId: text(roomId) });
    return reply.code(201).send(code satisfies DeviceCodeView);
  });
  app.post('/api/devices/:deviceId/revoke', async (request, reply) => {
    requireSupervisor(request.viewer);
    const { deviceId } = request.params as { deviceId: string };
    await needed().revokeBy(request.viewer, deviceId, text(body(request).reason));
    return reply.code(204).send();
  });

  app.post(`${DEVICE_ROUTES}enrol`, TRIES, async (request) => {
    const { code, csr } = body(request);
    const answer = await needed().enrol({ code: text(code), csr: text(csr) }, request.ip);
    const mqtt = mqttFor(request.hostname);
    return { ...answer, ...(mqtt === undefined ? {} : { mqtt }) };
  });
  app.post(`${DEVICE_ROUTES}renew`, TRIES, async (request) => needed().renew(peer(request), text(body(request).csr)));
  app.post(`${DEVICE_ROUTES}confirm`, TRIES, async (request, reply) => {
    await needed().confirm(peer(request));
    return reply.code(204).send();
  });
  // No secret: an outside broker fetches it as it would from any authority.
  app.get(`${DEVICE_ROUTES}revoked.pem`, TRIES, async (_request, reply) =>
    reply.type('application/x-pem-file').send(await readFile(needed().trust.servedListFile)),
  );
}
