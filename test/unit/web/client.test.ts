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

  it('is waited for three minutes; a copy of a clip as long as the cloud may take to make it, and then to send it', async () => {
    vi.useFakeTimers();
    try {
      const MINUTE = 60_000;
      const slow = (afterMs: number, begin: (signal: AbortSignal) => Response) =>
        vi.stubGlobal('fetch', (_path: string, { signal }: { signal: AbortSignal }) => {
          return new Promise<Response>((resolve, reject) => {
            signal.addEventListener('abort', () => reject(signal.reason));
            setTimeout(() => resolve(begin(signal)), afterMs);
          });
        });
      const client = createClient({ onUnauthorised() {} });
      slow(4 * MINUTE, () => Response.json({ people: [] }));
      const people = client.people();
      await vi.advanceTimersByTimeAsync(4 * MINUTE);
      expect(await people).toEqual({ ok: false, refusal: { kind: 'unreachable' } });
      // Two others before it, and a line that takes half an hour.
      const sent = (signal: AbortSignal) =>
        new ReadableStream({
          start(controller) {
            signal.addEventListener('abort', () => controller.error(signal.reason));
            setTimeout(() => controller.close(), 30 * MINUTE);
          },
        });
      slow(14 * MINUTE, (signal) => new Response(sent(signal), { headers: { 'content-type': 'video/mp4' } }));
      const copy = client.exportClip('c1');
      await vi.advanceTimersByTimeAsync(45 * MINUTE);
      expect(await copy).toMatchObject({ ok: true });
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
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
