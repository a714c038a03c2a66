/** What the page makes of an answer: ours, a refusal, or none at all; never an exception, and never a value that is not there. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createClient } from '../../../cloud/web/state/client.ts';

const answered = (response: () => Response | Promise<Response>) => {
  let out = 0;
  vi.stubGlobal('fetch', async () => response());
  const client = createClient({
    onUnauthorised() {
      out += 1;
    },
  });
  return { client, out: () => out };
};

describe('an answer', () => {
  afterEach(() => void vi.unstubAllGlobals());

  it('is its value, or nothing where nothing was said', async () => {
    expect(await answered(() => Response.json({ people: [] })).client.people()).toEqual({
      ok: true,
      value: { people: [] },
    });
    expect(await answered(() => new Response(null, { status: 204 })).client.password('a', 'b')).toEqual({
      ok: true,
      value: undefined,
    });
  });

  it.each([
    [200, '<html>', 'server'],
    [400, '', 'invalid'],
    [403, '', 'forbidden'],
    [413, '', 'invalid'],
    [502, '<html>', 'server'],
    [503, '', 'busy'],
  ] as const)('%s with %j is a refusal: %s', async (status, text, kind) => {
    const { client } = answered(() => new Response(text, { status }));
    expect(await client.people()).toEqual({ ok: false, refusal: { kind } });
  });

  it('that is cut off in the middle, or never comes, is a cloud that cannot be reached', async () => {
    const cut = new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode('{"people":'));
        controller.error(new Error('the line is down'));
      },
    });
    const unreachable = { ok: false, refusal: { kind: 'unreachable' } };
    expect(await answered(() => new Response(cut)).client.people()).toEqual(unreachable);
    expect(await answered(() => Promise.reject(new TypeError('failed to fetch'))).client.people()).toEqual(unreachable);
  });

  it('that there is no session is told, but not where somebody is just logging in', async () => {
    const said = { code: 'no_session', message: { zh: '请登录。', en: 'Log in.' } };
    const { client, out } = answered(() => Response.json(said, { status: 401 }));
    expect(await client.people()).toEqual({ ok: false, refusal: { kind: 'unauthorised', said } });
    expect(out()).toBe(1);
    await client.login('a', 'b');
    expect(out()).toBe(1);
  });
});
