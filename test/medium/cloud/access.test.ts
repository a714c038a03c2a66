/** Who may see what: nothing without a session, one token for the first supervisor, and a log that can not be changed. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LogView, SessionView } from '../../../cloud/http/api.ts';
import { Browser, startTestCloud, type TestCloud } from './cloud.ts';

describe('access', () => {
  let test: TestCloud;
  let page: string;
  let setupUrl: string;
  const anyone = () => new Browser(test.cloud().url);

  beforeAll(async () => {
    page = mkdtempSync(join(tmpdir(), 'evalroom-page-'));
    mkdirSync(join(page, 'assets'));
    writeFileSync(join(page, 'index.html'), '<!doctype html><title>desk</title>');
    writeFileSync(join(page, 'assets', 'main.js'), '1');
    test = await startTestCloud('sqlite', page);
    setupUrl = test.cloud().setupUrl!;
  });
  afterAll(async () => {
    await test?.stop();
    rmSync(page, { recursive: true, force: true });
  });

  it.each([
    ['GET', '/api/overview'],
    ['GET', '/api/feed'],
    ['GET', '/api/feed?cursor=x'],
    ['GET', '/api/alerts'],
    ['GET', '/api/alerts/e1'],
    ['POST', '/api/alerts/e1/actions'],
    ['GET', '/api/rooms/room-1/snapshot/cam-a'],
    ['POST', '/api/clips/c1/view'],
    ['GET', '/api/clips/c1/files/clip.mp4?grant=1.x'],
    ['POST', '/api/clips/c1/export'],
    ['GET', '/api/rooms/room-1/layout'],
    ['POST', '/api/rooms/room-1/layout'],
    ['GET', '/api/log'],
    ['GET', '/api/refused'],
    ['GET', '/api/devices'],
    ['POST', '/api/devices'],
    ['POST', '/api/logout'],
    ['POST', '/api/upload/'],
    ['PATCH', '/api/upload/room-1.00000000-0000-0000-0000-000000000000'],
    ['GET', '/api/nothing'],
  ])('%s %s answers 401 without a session', async (method, path) => {
    const answer = await anyone().send(
      method,
      path,
      method === 'GET' ? undefined : path.startsWith('/api/upload') ? undefined : {},
    );
    expect(answer.status).toBe(401);
    expect(await answer.json()).toMatchObject({
      code: expect.any(String),
      message: { zh: expect.any(String), en: expect.any(String) },
    });
  });

  it('answers 401 before it reads what it is sent', async () => {
    const send = (contentType: string, body: string, path = '/api/devices') =>
      fetch(`${test.cloud().url}${path}`, { method: 'POST', headers: { 'content-type': contentType }, body });
    for (const [contentType, body] of [
      ['text/xml', '<a/>'],
      ['application/json', '{'],
      ['application/json', 'x'.repeat(100_000)],
    ] as const)
      expect((await send(contentType, body)).status).toBe(401);
    // The same route, written in another way.
    expect((await send('text/xml', '<a/>', '/%61pi/devices')).status).toBe(401);
    expect((await send('application/json', '{', '/ap%69/devices')).status).toBe(401);
  });

  it('shows the page to all, at any of its addresses, and nothing else from the disk', async () => {
    for (const path of ['/', '/index.html', '/queue/e1']) {
      const answer = await anyone().send('GET', path);
      expect([answer.status, await answer.text()]).toEqual([200, '<!doctype html><title>desk</title>']);
      expect(answer.headers.get('content-security-policy')).toContain("default-src 'self'");
      expect(answer.headers.get('content-security-policy')).not.toContain('unsafe');
      expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    }
    expect((await anyone().send('GET', '/assets/main.js')).status).toBe(200);
    for (const path of ['/assets/none.js', '/..%2fcloud.db', '/%2e%2e/%2e%2e/etc/passwd', '/assets/..%2f..%2fcloud.db'])
      expect(await (await anyone().send('GET', path)).text()).not.toMatch(/SQLite|root:/);
  });

  it('lets the first supervisor in by the token, once, over an own page only', async () => {
    const browser = anyone();
    expect(await browser.json<SessionView>('GET', '/api/session')).toEqual({ setupNeeded: true });
    const token = setupUrl.split('#token=')[1]!;
    const request = { token, name: '李监督', password: 'correct horse' };
    expect((await browser.send('POST', '/api/setup', { ...request, password: 'short' })).status).toBe(400);
    expect((await browser.send('POST', '/api/setup', { ...request, token: 'guess' })).status).toBe(403);
    expect((await browser.send('POST', '/api/setup', request, { origin: 'http://elsewhere.example' })).status).toBe(
      403,
    );
    expect((await browser.send('POST', '/api/setup', { name: 'x' })).status).toBe(400);
    const done = await browser.send('POST', '/api/setup', request);
    expect(done.status).toBe(200);
    expect(done.headers.getSetCookie()[0]).toMatch(/HttpOnly.*SameSite=Strict/);
    expect(await browser.json<SessionView>('GET', '/api/session')).toMatchObject({
      setupNeeded: false,
      user: { name: '李监督', role: 'supervisor' },
    });
    expect((await anyone().send('POST', '/api/setup', { ...request, name: 'b' })).status).toBe(409);
    expect((await browser.send('POST', '/api/logout', undefined, { origin: 'http://elsewhere.example' })).status).toBe(
      403,
    );
    expect((await browser.send('POST', '/api/logout')).status).toBe(200);
    expect((await browser.send('GET', '/api/overview')).status).toBe(401);
  });

  it('logs in by password, and slows guessing down', async () => {
    const browser = anyone();
    const login = { name: '李监督', password: 'correct horse' };
    await browser.json('POST', '/api/login', login);
    expect((await browser.send('GET', '/api/nothing')).status).toBe(404);
    expect((await browser.send('GET', '/api/feed?cursor=garbage')).status).toBe(410);
    expect((await browser.send('GET', '/api/alerts?limit=-1')).status).toBe(400);
    expect((await browser.send('POST', '/api/alerts/e1/actions', { kind: 'delete' })).status).toBe(400);
    expect((await browser.send('POST', '/api/alerts/e1/actions', { kind: 'close' })).status).toBe(404);
    const statuses: number[] = [];
    for (let i = 0; i < 12; i++)
      statuses.push((await anyone().send('POST', '/api/login', { ...login, password: `wrong ${i}` })).status);
    expect(statuses[0]).toBe(401);
    expect(statuses.at(-1)).toBe(429);
    const { entries, chainHolds } = await browser.json<LogView>('GET', '/api/log?limit=50');
    expect(chainHolds).toBe(true);
    // Below them stand the rule packs that the product brings.
    const byPeople = entries.map(({ action }) => action).filter((action) => action !== 'add_rules');
    expect(byPeople.slice(-3)).toEqual(['login', 'logout', 'setup']);
    expect(entries[0]).toMatchObject({ actor: '李监督', action: 'login_refused' });
    expect(JSON.stringify(entries)).not.toMatch(/wrong|horse/);
  });

  it('can not change its log, and notices when somebody else did', async () => {
    const db = new Database(join(test.folder, 'cloud.db'));
    for (const change of ["update log set actor = 'nobody'", 'delete from log', 'delete from log where seq = 1'])
      expect(() => db.exec(change)).toThrow(/append-only/);
    db.exec("drop trigger log_no_update; update log set actor = 'nobody' where seq = 2");
    db.close();
    await test.restart();
    const browser = new Browser(test.cloud().url);
    await browser.json('POST', '/api/login', { name: '李监督', password: 'correct horse' });
    expect((await browser.json<LogView>('GET', '/api/log')).chainHolds).toBe(false);
  });
});
