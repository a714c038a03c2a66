/** Builds the HTTP server: sessions, the desk's routes, the live line, clips, uploads and the page; main.ts listens. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import cookie from '@fastify/cookie';
import helmet from '@fastify/helmet';
import rateLimit from '@fastify/rate-limit';
import fastifyStatic from '@fastify/static';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest, LogController } from 'fastify';
import type { Logger } from 'pino';
import { EvalroomError, Forbidden, InvalidInput, Unavailable } from '../../protocol/errors.ts';
import type { Clock } from '../../protocol/time.ts';
import type { Feed } from '../alerts/feed.ts';
import type { Tls } from '../config.ts';
import type { Identity } from '../identity/identity.ts';
import { DEVICE_ROUTES, peerOf, routeIdentity } from '../identity/routes.ts';
import type { Rooms } from '../ingest/rooms.ts';
import { requireViewer, type Viewer } from '../review/access.ts';
import type { Desk } from '../review/desk.ts';
import type { Devices } from '../review/devices.ts';
import type { Evaluations } from '../review/evaluations.ts';
import type { Exports } from '../review/export.ts';
import type { Layouts } from '../review/layout.ts';
import type { Orders } from '../review/orders.ts';
import type { People } from '../review/people.ts';
import type { Pictures } from '../review/pictures.ts';
import type { Rules } from '../review/rules.ts';
import { SESSION_MS, type Sessions } from '../review/sessions.ts';
import type { HealthView } from './api.ts';
import { errorView } from './errors.ts';
import { routeExport } from './export.ts';
import { changeWriter, openLine } from './feed-line.ts';
import { routeLayout } from './layout.ts';
import { routeOrders } from './orders.ts';
import { routePeople } from './people.ts';
import { PASSWORD_MAX } from './people-api.ts';
import { routePicture } from './picture.ts';
import { routeDesk } from './routes.ts';
import { routeRules } from './rules.ts';
import { routeSessions } from './sessions.ts';
import { createSessionLines } from './sessions-line.ts';
import type { UploadHandler } from './upload.ts';

const COOKIE = 'evalroom_session';
const TRIES_PER_MINUTE = 10;
const PUBLIC: ReadonlySet<string> = new Set([
  '/api/session',
  '/api/setup',
  '/api/login',
  '/api/invitation',
  '/api/invitation/accept',
]);

export interface AppParts {
  readonly people: {
    readonly sessions: Sessions;
    readonly devices: Devices;
    readonly desk: Desk;
    readonly orders: Orders;
    readonly evaluations: Evaluations;
    readonly staff: People;
    readonly layouts: Layouts;
    readonly exports: Exports;
    readonly pictures: Pictures;
    readonly rules: Rules;
    /** Absent where the cloud speaks on its own machine alone. */
    readonly identity?: Identity;
    /** The broker's address as a box on another machine has to write it. */
    readonly mqttFor: (host: string) => string | undefined;
  };
  readonly live: { readonly feed: Feed; readonly rooms: Rooms };
  readonly upload: UploadHandler;
  readonly health: () => Promise<HealthView>;
  readonly options: AppOptions;
  readonly machine: { readonly log: Logger; readonly clock: Clock };
}

/** Whose certificates count on a TLS line. Browsers have none and need none; boxes are asked for theirs. */
export interface ClientTrust {
  readonly ca?: string;
  /** Revocation list of an outside authority; our own revocations are looked up in the store. */
  readonly crl?: string;
}

/** What the TLS server reads; again whenever the files have changed. */
export function tlsOptions({ certFile, keyFile, ca, crl }: Tls & ClientTrust) {
  return {
    cert: readFileSync(certFile),
    key: readFileSync(keyFile),
    minVersion: 'TLSv1.2' as const,
    ...(ca === undefined ? {} : { ca }),
    ...(crl === undefined || crl === '' ? {} : { crl }),
  };
}

export interface AppOptions {
  readonly tls?: Tls & ClientTrust;
  /** Origin under which browsers reach the page, where it differs from the request's host. */
  readonly publicUrl?: string;
  /** Folder of the built page. */
  readonly page: string;
}

declare module 'fastify' {
  interface FastifyRequest {
    viewer: Viewer | undefined;
  }
}

export async function createApp({
  people,
  live,
  upload,
  health,
  options,
  machine,
}: AppParts): Promise<FastifyInstance> {
  const secure = options.tls !== undefined || options.publicUrl?.startsWith('https:') === true;
  const app = Fastify({
    loggerInstance: machine.log,
    logController: new LogController({ disableRequestLogging: true }),
    // Behind a proxy the guesser's address is what the proxy says; without one nobody is believed.
    trustProxy: options.publicUrl === undefined ? false : 'loopback',
    bodyLimit: 64 * 1024,
    forceCloseConnections: true,
    routerOptions: { maxParamLength: 128 },
    ...(options.tls
      ? { https: { ...tlsOptions(options.tls), requestCert: options.tls.ca !== undefined, rejectUnauthorized: false } }
      : {}),
  }) as unknown as FastifyInstance;

  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        'default-src': ["'self'"],
        'img-src': ["'self'", 'data:', 'blob:'],
        'media-src': ["'self'", 'blob:'],
        'object-src': ["'none'"],
        'base-uri': ["'none'"],
        'form-action': ["'self'"],
        'frame-ancestors': ["'none'"],
      },
    },
    hsts: secure ? { maxAge: 31_536_000 } : false,
    referrerPolicy: { policy: 'no-referrer' },
  });
  await app.register(cookie);
  await app.register(rateLimit, { global: false });

  app.decorateRequest('viewer', undefined);
  app.addHook('onRequest', async (request) => {
    // The route that was found, not the address as it was written: /%61pi/… is the same route.
    const path = request.routeOptions.url ?? request.url.split('?')[0]!;
    if (!path.startsWith('/api/') || path.startsWith('/api/upload')) return;
    if (request.method !== 'GET' && request.method !== 'HEAD') requireOwnOrigin(request, options.publicUrl);
    request.viewer = await people.sessions.viewer(request.cookies[COOKIE]);
    // The desk checks again in each function; here the check comes before a body is read or a route is looked up.
    if (!PUBLIC.has(path) && !path.startsWith(DEVICE_ROUTES)) requireViewer(request.viewer);
  });

  app.setErrorHandler(async (error, request, reply) => {
    const { status, view } = errorView(error);
    const ours = error instanceof EvalroomError && error.kind !== 'Bug' && error.kind !== 'Corrupt';
    if (status >= 500 && !ours) request.log.error({ err: error, route: request.routeOptions.url }, 'a request failed');
    if (view.waitMs !== undefined) void reply.header('retry-after', Math.ceil(view.waitMs / 1000));
    return reply.code(status).send(view);
  });

  const setCookie = (reply: FastifyReply, value: string) =>
    reply.setCookie(COOKIE, value, {
      path: '/',
      httpOnly: true,
      sameSite: 'strict',
      secure,
      maxAge: SESSION_MS / 1000,
    });
  const guarded = { config: { rateLimit: { max: TRIES_PER_MINUTE, timeWindow: 60_000 } } };

  app.get('/healthz', async (_request, reply) => {
    const view = await health();
    return reply.code(view.ok ? 200 : 503).send(view);
  });
  app.get('/api/session', async (request) => people.sessions.view(request.viewer));
  app.post(
    '/api/setup',
    { ...guarded, schema: bodySchema({ token: 200, name: 100, password: PASSWORD_MAX }) },
    async (request, reply) => {
      const { cookie: value, user } = await people.sessions.setUp(request.body as never);
      setCookie(reply, value);
      return { setupNeeded: false, user };
    },
  );
  app.post(
    '/api/login',
    { ...guarded, schema: bodySchema({ name: 100, password: PASSWORD_MAX }) },
    async (request, reply) => {
      const { cookie: value, user } = await people.sessions.logIn(request.body as never);
      setCookie(reply, value);
      return { setupNeeded: false, user };
    },
  );
  app.post('/api/logout', async (request, reply) => {
    await people.sessions.logOut(request.viewer);
    reply.clearCookie(COOKIE, { path: '/' });
    return { setupNeeded: false };
  });

  routePeople(app, { ...people, guarded, setCookie });
  const changeText = changeWriter();
  const joinLines = createSessionLines({ ...people, ...machine });
  app.get('/api/feed', async (request, reply) => {
    const last = request.headers['last-event-id'];
    const { cursor } = request.query as { cursor?: unknown };
    const asked = typeof last === 'string' && last !== '' ? last : typeof cursor === 'string' ? cursor : undefined;
    const from = await people.desk.feedFrom(request.viewer, asked);
    const token = request.cookies[COOKIE];
    await openLine(reply.raw, from, {
      ...live,
      changeText,
      join: (line) => joinLines(request.viewer!.sessionId, line),
      stillAllowed: async () => (await people.sessions.viewer(token)) !== undefined,
      clock: machine.clock,
    });
    reply.hijack();
    return reply;
  });

  routeDesk(app, people);
  routeIdentity(app, people);
  routeOrders(app, people);
  routeSessions(app, people);
  routeLayout(app, people);
  routeExport(app, people);
  routePicture(app, people);
  routeRules(app, people);
  await app.register(async (scope) => {
    // The bytes of an upload are for tus alone: nothing here may read them first.
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request, _payload, done) => done(null));
    const receive = async (request: FastifyRequest, reply: FastifyReply) => {
      const [peer, { authorization }] = [peerOf(request), request.headers];
      const proof = { ...(peer ? { peer } : {}), ...(authorization === undefined ? {} : { authorization }) };
      const device = await people.devices.authenticate(proof).catch((error: unknown) => {
        if (error instanceof Forbidden) void reply.code(401).send(errorView(error).view);
        else throw error;
      });
      if (!device) return reply;
      reply.hijack();
      await upload
        .handle(request.raw, reply.raw, device, (request.params as { id?: string }).id)
        .catch((error: unknown) => {
          request.log.error({ err: error }, 'an upload request failed');
          if (!reply.raw.headersSent) reply.raw.writeHead(errorView(error).status);
          reply.raw.end();
        });
      return reply;
    };
    scope.post('/api/upload', receive);
    scope.post('/api/upload/', receive);
    scope.route({ method: ['HEAD', 'PATCH'], url: '/api/upload/:id', handler: receive });
  });

  await servePage(app, options.page);
  return app;
}

/** A browser names the page that a request comes from; one of another site is refused. Programs send no Origin. */
function requireOwnOrigin(request: FastifyRequest, publicUrl: string | undefined): void {
  const { origin, host } = request.headers;
  const site = request.headers['sec-fetch-site'];
  const own =
    origin === undefined
      ? site === undefined || site === 'same-origin' || site === 'none'
      : sameHost(origin, host, publicUrl);
  if (!own) throw new Forbidden('wrong_origin', `refusing a ${request.method} from the page of another site`);
}

function sameHost(origin: string, host: string | undefined, publicUrl: string | undefined): boolean {
  if (publicUrl !== undefined && origin === publicUrl) return true;
  return URL.parse(origin)?.host === host;
}

/** Text fields, all of them required, each with its longest length. */
function bodySchema(fields: Readonly<Record<string, number>>) {
  return {
    body: {
      type: 'object',
      additionalProperties: false,
      required: Object.keys(fields),
      properties: Object.fromEntries(
        Object.entries(fields).map(([name, maxLength]) => [name, { type: 'string', minLength: 1, maxLength }]),
      ),
    },
  };
}

/** The page itself is public: it holds nothing. Any address of it is answered with index.html; the API never is. */
async function servePage(app: FastifyInstance, page: string): Promise<void> {
  const built = existsSync(join(page, 'index.html'));
  if (built) await app.register(fastifyStatic, { root: page, wildcard: false, index: ['index.html'] });
  app.setNotFoundHandler(async (request, reply) => {
    if (request.url.startsWith('/api/upload'))
      throw new Forbidden('no_session', 'asking the uploads for what they do not give');
    if (request.url.startsWith('/api/') || (request.method !== 'GET' && request.method !== 'HEAD'))
      throw new InvalidInput('not_found', `no such route: ${request.method}`);
    if (!built) throw new Unavailable('page_not_built', `serving the page: ${page} has no index.html`);
    // A file that is missing is missing: a script must not be answered with a page.
    if (/\.[a-z0-9]+$/i.test(request.url.split('?')[0]!)) throw new InvalidInput('not_found', 'no such file');
    return reply.header('cache-control', 'no-cache').sendFile('index.html');
  });
}
