/** Hostile requests to every route of the cloud: an answer below 500 with a code, no crash, and the desk goes on. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Drill, startDrill } from '../drill.ts';

const CLOUD = fileURLToPath(new URL('../../../cloud', import.meta.url));
const RUNS = 25;

interface Route {
  readonly method: string;
  readonly path: string;
}

/** Every route that the source declares, so that a new one is attacked from its first day. */
function routesOfSource(): Route[] {
  const files = ['http', 'identity'].flatMap((folder) =>
    readdirSync(join(CLOUD, folder)).map((name) => join(CLOUD, folder, name)),
  );
  const found = files.flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/(?:app|scope)\.(get|post|put|patch|delete)\(\s*'(\/[^']*)'/g)].map(
      ([, method, path]) => ({ method: method!.toUpperCase(), path: path! }),
    ),
  );
  return [...found, { method: 'PATCH', path: '/api/upload/:id' }, { method: 'HEAD', path: '/api/upload/:id' }];
}

const text = fc.oneof(
  fc.constantFrom('', '\u0000', '../../etc/passwd', '%00', '%2e%2e%2f', "'; drop table events; --", 'x'.repeat(200)),
  fc.constantFrom('-1', '0', '9007199254740993', '1e9', 'NaN', '__proto__', '\ud83d\ude00'),
  fc.string({ maxLength: 80, unit: 'binary' }),
  fc.uuid(),
);
const field = fc.constantFrom(
  'token',
  'name',
  'password',
  'kind',
  'note',
  'deviceId',
  'roomId',
  'reason',
  'code',
  'csr',
);
const body = fc.oneof(
  fc
    .dictionary(field, fc.oneof(text, fc.jsonValue({ maxDepth: 3 }), fc.constantFrom('acknowledge', 'x'.repeat(5000))))
    .map((value) => JSON.stringify(value)),
  fc.json({ maxDepth: 6 }),
  fc.constantFrom(
    '',
    '{',
    'null',
    `${'['.repeat(20_000)}`,
    JSON.stringify('x'.repeat(70_000)),
    '{"__proto__":{"a":1}}',
  ),
  text,
);
const type = fc.constantFrom(
  'application/json',
  'text/plain',
  'application/x-www-form-urlencoded',
  'application/offset+octet-stream',
  'a/b; charset=\u00ff',
);
const query = fc.dictionary(fc.constantFrom('cursor', 'before', 'limit', 'room', 'grant', 'x'), text, { maxKeys: 3 });

describe('hostile requests', () => {
  let drill: Drill;
  beforeAll(async () => {
    drill = await startDrill();
  });
  afterAll(() => drill.close());

  const routes = routesOfSource();
  it('go to every route that there is', () => {
    expect(routes.length).toBeGreaterThan(15);
    expect(routes.map(({ path }) => path)).toContain('/api/alerts/:episodeId/actions');
  });

  it.each(routes.map((route) => [`${route.method} ${route.path}`, route] as const))('%s', async (_name, route) => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({ part: text, body, type, query, session: fc.boolean(), headers: text }),
        async (given) => {
          const path = route.path.replaceAll(/:\w+/g, () => encodeURIComponent(given.part.toWellFormed()) || 'x');
          const search = new URLSearchParams(
            Object.entries(given.query).map(([key, value]): [string, string] => [key, value.toWellFormed()]),
          );
          const stop = new AbortController();
          // The session is kept for the other routes.
          const session = given.session && route.path !== '/api/logout';
          const response = await fetch(`${drill.cloud.url}${path}?${search}`, {
            method: route.method,
            signal: stop.signal,
            redirect: 'manual',
            headers: {
              ...(session
                ? { cookie: drill.cookie }
                : { cookie: `evalroom_session=${encodeURIComponent(given.headers.toWellFormed())}` }),
              ...(route.method === 'GET' || route.method === 'HEAD' ? {} : { 'content-type': given.type }),
              origin: drill.cloud.url,
              'tus-resumable': '1.0.0',
              'upload-length': encodeURIComponent(given.headers.toWellFormed()).slice(0, 40) || '1',
              'upload-metadata': `clipId ${Buffer.from(given.headers).toString('base64')}`,
              'last-event-id': encodeURIComponent(given.headers.toWellFormed()),
            },
            ...(route.method === 'GET' || route.method === 'HEAD' ? {} : { body: given.body }),
          });
          expect(response.status, `${route.method} ${path}?${search}`).toBeLessThan(500);
          if (
            route.method !== 'HEAD' &&
            response.status >= 400 &&
            response.headers.get('content-type')?.startsWith('application/json')
          ) {
            const view = (await response.json()) as { code?: unknown };
            expect(typeof view.code).toBe('string');
          }
          stop.abort();
        },
      ),
      { seed: 20_261_124, numRuns: RUNS },
    );
  });

  it('with more bytes than any route takes are refused', async () => {
    const body = JSON.stringify({ name: 'x'.repeat(3 * 1024 * 1024) });
    for (const { method, path } of routes) {
      if (method === 'GET' || method === 'HEAD') continue;
      const response = await fetch(`${drill.cloud.url}${path.replaceAll(/:\w+/g, 'x')}`, {
        method,
        headers: { 'content-type': 'application/json', origin: drill.cloud.url, cookie: drill.cookie },
        body,
      }).catch((error: unknown) => error);
      // An answer, or a line that is cut while the bytes are still on their way.
      if (response instanceof Response) expect(response.status, `${method} ${path}`).toBeLessThan(500);
      else expect(response, `${method} ${path}`).toBeInstanceOf(TypeError);
      if (response instanceof Response) expect(response.status, `${method} ${path}`).toBeGreaterThanOrEqual(400);
    }
  });

  it('leave the desk as it was', async () => {
    const health = await fetch(`${drill.cloud.url}/healthz`);
    expect(health.status).toBe(200);
    const overview = await fetch(`${drill.cloud.url}/api/overview`, { headers: { cookie: drill.cookie } });
    expect(overview.status).toBe(200);
    expect(drill.screen.faults).toEqual([]);
  });
});
