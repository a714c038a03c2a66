/** Who may ask for what: every route of the cloud, as nobody, as a viewer and as a supervisor. A route without a row fails. */
import diagnostics from 'node:diagnostics_channel';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PersonLinkView } from '../../../cloud/http/people-api.ts';
import { Browser, startTestCloud, type TestCloud } from './cloud.ts';

type Row = readonly [method: string, path: string, nobody: number, viewer: number, supervisor: number];

/** Asked with an empty body, and `x` for each part of the address: whoever is let in hears what is wrong with that. */
const ROWS: readonly Row[] = [
  ['GET', '/healthz', 200, 200, 200],
  // The door, and links of invited people: good for whoever has the password or the token.
  ['GET', '/api/session', 200, 200, 200],
  ['POST', '/api/setup', 400, 400, 400],
  ['POST', '/api/login', 400, 400, 400],
  ['POST', '/api/invitation', 400, 400, 400],
  ['POST', '/api/invitation/accept', 400, 400, 400],
  // For whoever has a session: to look.
  ['GET', '/api/feed', 401, 200, 200],
  ['GET', '/api/overview', 401, 200, 200],
  ['GET', '/api/alerts', 401, 200, 200],
  ['GET', '/api/alerts/:episodeId', 401, 404, 404],
  ['GET', '/api/rooms/:roomId/snapshot/:cameraId', 401, 404, 404],
  ['POST', '/api/clips/:clipId/view', 401, 404, 404],
  // A file wants a grant, which is logged.
  ['GET', '/api/clips/:clipId/files/:name', 401, 403, 403],
  ['POST', '/api/clips/:clipId/export', 401, 404, 404],
  ['GET', '/api/sessions', 401, 200, 200],
  ['GET', '/api/sessions/:sessionId', 401, 404, 404],
  ['GET', '/api/sessions/:sessionId/alerts', 401, 404, 404],
  ['GET', '/api/log', 401, 200, 200],
  ['GET', '/api/devices', 401, 200, 200],
  ['POST', '/api/password', 401, 400, 400],
  // For supervisors: to act and to administer.
  ['POST', '/api/alerts/:episodeId/actions', 401, 403, 400],
  ['GET', '/api/rooms/:roomId/layout', 401, 403, 200],
  ['POST', '/api/rooms/:roomId/layout', 401, 403, 400],
  ['POST', '/api/rooms/:roomId/picture/:cameraId', 401, 403, 404],
  ['POST', '/api/rooms/:roomId/session', 401, 403, 400],
  ['POST', '/api/sessions/:sessionId/phase', 401, 403, 400],
  ['POST', '/api/sessions/:sessionId/permits', 401, 403, 400],
  ['POST', '/api/sessions/:sessionId/permits/:permitId/revoke', 401, 403, 404],
  ['POST', '/api/sessions/:sessionId/end', 401, 403, 404],
  ['GET', '/api/refused', 401, 403, 200],
  ['GET', '/api/people', 401, 403, 200],
  ['POST', '/api/people', 401, 403, 400],
  ['POST', '/api/people/:userId/link', 401, 403, 404],
  ['POST', '/api/people/:userId/disable', 401, 403, 404],
  ['POST', '/api/people/:userId/enable', 401, 403, 404],
  ['POST', '/api/devices', 401, 403, 400],
  ['POST', '/api/devices/codes', 401, 403, 409],
  ['POST', '/api/devices/:deviceId/revoke', 401, 403, 409],
  ['GET', '/api/rules', 401, 403, 200],
  ['GET', '/api/rules/packs/:name/:version', 401, 403, 404],
  ['GET', '/api/rules/packs/:name/:version/file', 401, 403, 404],
  ['POST', '/api/rules/check', 401, 403, 200],
  ['POST', '/api/rules/sentence', 401, 403, 400],
  ['POST', '/api/rules/listen', 401, 403, 400],
  ['POST', '/api/rules/rerun', 401, 403, 400],
  ['POST', '/api/rules/packs', 401, 403, 400],
  ['POST', '/api/rules/publish', 401, 403, 400],
  ['POST', '/api/rules/sounds', 401, 403, 400],
  // For boxes: each has its own proof, and a person's session is none. Certificates are off on one machine alone.
  ['GET', '/api/device/orders', 401, 401, 401],
  ['POST', '/api/device/enrol', 409, 409, 409],
  ['POST', '/api/device/renew', 409, 409, 409],
  ['POST', '/api/device/confirm', 409, 409, 409],
  ['GET', '/api/device/revoked.pem', 409, 409, 409],
  ['POST', '/api/upload', 401, 401, 401],
  ['POST', '/api/upload/', 401, 401, 401],
  ['HEAD', '/api/upload/:id', 401, 401, 401],
  ['PATCH', '/api/upload/:id', 401, 401, 401],
  // Last: it ends the session.
  ['POST', '/api/logout', 401, 200, 200],
];

describe('the routes of the cloud', () => {
  const routes = new Set<string>();
  const listen = (message: unknown) => {
    (message as { fastify: FastifyInstance }).fastify.addHook('onRoute', ({ method, url }) => {
      for (const one of [method].flat()) routes.add(`${one} ${url}`);
    });
  };
  let test: TestCloud;
  let page: string;
  const people: Record<'nobody' | 'viewer' | 'supervisor', Browser> = {} as never;

  beforeAll(async () => {
    page = mkdtempSync(join(tmpdir(), 'evalroom-no-page-'));
    diagnostics.subscribe('fastify.initialization', listen);
    test = await startTestCloud('sqlite', page);
    const browser = () => new Browser(test.cloud().url);
    const [nobody, viewer, supervisor] = [browser(), browser(), browser()];
    await supervisor.setUp(test.cloud().setupUrl!);
    const { token } = await supervisor.json<PersonLinkView>('POST', '/api/people', { name: '李', role: 'viewer' });
    await viewer.json('POST', '/api/invitation/accept', { token, password: 'own password' });
    Object.assign(people, { nobody, viewer, supervisor });
  });
  afterAll(async () => {
    diagnostics.unsubscribe('fastify.initialization', listen);
    await test?.stop();
    rmSync(page, { recursive: true });
  });

  const ask = async (who: Browser, method: string, path: string): Promise<number> => {
    const bare = method === 'GET' || method === 'HEAD';
    const response = await who.send(method, path.replace(/:\w+/g, 'x'), bare ? undefined : {});
    // The feed would go on.
    await response.body?.cancel();
    return response.status;
  };

  it('each have a row here', () => {
    // A route to look with answers HEAD as well.
    const own = [...routes].filter((route) => !route.startsWith('HEAD ') || !routes.has(route.replace('HEAD', 'GET')));
    expect(own.sort()).toEqual(ROWS.map(([method, path]) => `${method} ${path}`).sort());
  });

  it('each stand in the table of docs/protocol.md', () => {
    const page = readFileSync(new URL('../../../docs/protocol.md', import.meta.url), 'utf8');
    const named = [...page.matchAll(/`(GET|HEAD|POST|PATCH) (\/[^`?\s]*)[^`]*`/g)].map(
      ([, method, path]) => `${method} ${path}`,
    );
    const ours = ROWS.map(([method, path]) => `${method} ${path}`);
    expect([...new Set(named)].sort()).toEqual(ours.sort());
  });

  it.each(ROWS)('%s %s: nobody %i, viewer %i, supervisor %i', async (method, path, ...expected) => {
    const { nobody, viewer, supervisor } = people;
    const found: number[] = [];
    for (const who of [nobody, viewer, supervisor]) found.push(await ask(who, method, path));
    expect(found).toEqual(expected);
    if (method === 'GET') expect(await ask(nobody, 'HEAD', path)).toBe(expected[0]);
  });
});
