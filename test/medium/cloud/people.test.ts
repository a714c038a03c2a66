/** People and evaluations over HTTP: roles, links that are good once, lines that end at once, and what supervisors do in a room. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LogView, OverviewView, SessionView } from '../../../cloud/http/api.ts';
import type { PeopleView, PersonLinkView } from '../../../cloud/http/people-api.ts';
import type { EvaluationDetailView, EvaluationsView, EvaluationView } from '../../../cloud/http/sessions-api.ts';
import type { RoomOrders } from '../../../protocol/orders.ts';
import { Browser, eventually, startTestCloud, type TestCloud } from './cloud.ts';

describe('people and evaluations', () => {
  let test: TestCloud;
  let boss: Browser;
  const anyone = () => new Browser(test.cloud().url);
  const invite = async (name: string, role: string) => {
    const made = await boss.json<PersonLinkView>('POST', '/api/people', { name, role });
    const browser = anyone();
    await browser.json('POST', '/api/invitation/accept', { token: made.token, password: 'own password' });
    return { browser, made };
  };
  const cursor = async (browser: Browser) => (await browser.json<OverviewView>('GET', '/api/overview')).cursor;
  const code = async (response: Response) => [response.status, ((await response.json()) as { code: string }).code];

  beforeAll(async () => {
    test = await startTestCloud();
    boss = anyone();
    await boss.setUp(test.cloud().setupUrl!);
  });
  afterAll(async () => {
    await test?.stop();
  });

  it.each([
    ['GET', '/api/people'],
    ['POST', '/api/people'],
    ['POST', '/api/people/u/link'],
    ['POST', '/api/people/u/disable'],
    ['POST', '/api/people/u/enable'],
    ['POST', '/api/password'],
    ['GET', '/api/sessions'],
    ['GET', '/api/sessions/s'],
    ['GET', '/api/sessions/s/alerts'],
    ['POST', '/api/rooms/room-1/session'],
    ['POST', '/api/sessions/s/phase'],
    ['POST', '/api/sessions/s/permits'],
    ['POST', '/api/sessions/s/permits/p/revoke'],
    ['POST', '/api/sessions/s/end'],
  ])('%s %s answers 401 without a session', async (method, path) => {
    expect((await anyone().send(method, path, method === 'GET' ? undefined : {})).status).toBe(401);
  });

  it('lets somebody in by a link that is good once, and shows a link that is not', async () => {
    const made = await boss.json<PersonLinkView>('POST', '/api/people', { name: ' 赵监督 ', role: 'supervisor' });
    expect(made.person).toMatchObject({ name: '赵监督', role: 'supervisor', invited: true });
    expect(await code(await boss.send('POST', '/api/people', { name: '赵监督', role: 'viewer' }))).toEqual([
      409,
      'name_taken',
    ]);
    // Nobody may be called what the log calls a machine.
    for (const name of ['cloud', ' Cloud ', 'unknown', 'device:box-1', 'device:box-1\nand more'])
      expect(await code(await boss.send('POST', '/api/people', { name, role: 'viewer' }))).toEqual([
        400,
        'name_reserved',
      ]);
    expect(await code(await boss.send('POST', '/api/people', { name: '长'.repeat(65), role: 'viewer' }))).toEqual([
      400,
      'name_long',
    ]);
    expect(await code(await boss.send('POST', '/api/people', { name: 'x', role: 'admin' }))).toEqual([
      400,
      'bad_request',
    ]);
    const browser = anyone();
    expect(await code(await browser.send('POST', '/api/login', { name: '赵监督', password: '' }))).toEqual([
      400,
      'bad_request',
    ]);
    expect(await browser.json('POST', '/api/invitation', { token: made.token })).toEqual({
      name: '赵监督',
      role: 'supervisor',
    });
    const accept = (token: string, password: string) =>
      browser.send('POST', '/api/invitation/accept', { token, password });
    expect(await code(await accept(made.token, 'short'))).toEqual([400, 'password_short']);
    expect((await accept(made.token, 'own password')).status).toBe(200);
    expect(await browser.json<SessionView>('GET', '/api/session')).toMatchObject({ user: { name: '赵监督' } });
    expect(
      await code(await anyone().send('POST', '/api/invitation/accept', { token: made.token, password: 'other word' })),
    ).toEqual([403, 'link_invalid']);
    expect(await code(await anyone().send('POST', '/api/invitation', { token: 'guess' }))).toEqual([
      403,
      'link_invalid',
    ]);
    const { people } = await browser.json<PeopleView>('GET', '/api/people');
    expect(people.find(({ name }) => name === '赵监督')).toMatchObject({
      invited: false,
      lastLoginWallMs: expect.any(Number),
    });
    expect(JSON.stringify(people)).not.toMatch(/scrypt|token/);
  });

  it('a viewer looks at everything and changes nothing', async () => {
    const { browser } = await invite('李监管', 'viewer');
    for (const path of ['/api/overview', '/api/alerts', '/api/log', '/api/devices', '/api/sessions'])
      expect((await browser.send('GET', path)).status).toBe(200);
    for (const [path, body] of [
      ['/api/alerts/e1/actions', { kind: 'confirm' }],
      ['/api/devices', { deviceId: 'b', roomId: 'r' }],
      ['/api/devices/codes', { deviceId: 'b', roomId: 'r' }],
      ['/api/devices/b/revoke', { reason: 'x' }],
      ['/api/people', { name: 'x', role: 'supervisor' }],
      ['/api/people/u/link', {}],
      ['/api/people/u/disable', {}],
      ['/api/people/u/enable', {}],
      ['/api/rooms/room-1/session', { title: 'x', roster: [{ seatId: '1', expertId: 'E' }] }],
      ['/api/sessions/s/phase', { phase: 'break' }],
      ['/api/sessions/s/permits', { kind: 'staff', minutes: 5 }],
      ['/api/sessions/s/permits/p/revoke', {}],
      ['/api/sessions/s/end', {}],
    ] as const)
      expect([path, ...(await code(await browser.send('POST', path, body)))]).toEqual([path, 403, 'role_forbidden']);
    expect(await code(await browser.send('GET', '/api/people'))).toEqual([403, 'role_forbidden']);
  });

  it('ends the live line with the session, at once: at logging out, disabling, and another password', async () => {
    const { browser, made } = await invite('钱监督', 'supervisor');
    const other = anyone();
    await other.json('POST', '/api/login', { name: '钱监督', password: 'own password' });
    const [mine, theirs, bosses] = await Promise.all(
      [browser, other, boss].map(async (one) => one.feed(await cursor(one))),
    );
    const ended = async (line: typeof mine) =>
      Promise.race([line!.ended.then(() => 'ended'), new Promise((r) => setTimeout(() => r('open'), 20))]);
    expect(
      await code(await browser.send('POST', '/api/password', { password: 'wrong one', next: 'next password' })),
    ).toEqual([403, 'password_wrong']);
    expect(
      (await browser.send('POST', '/api/password', { password: 'own password', next: 'next password' })).status,
    ).toBe(204);
    await theirs!.ended;
    expect((await other.send('GET', '/api/overview')).status).toBe(401);
    expect(await ended(mine!)).toBe('open');
    const { userId } = made.person;
    expect(await boss.json('POST', `/api/people/${userId}/disable`)).toMatchObject({
      disabledWallMs: expect.any(Number),
    });
    await mine!.ended;
    expect((await browser.send('GET', '/api/overview')).status).toBe(401);
    expect((await anyone().send('POST', '/api/login', { name: '钱监督', password: 'next password' })).status).toBe(401);
    await boss.json('POST', `/api/people/${userId}/enable`);
    await browser.json('POST', '/api/login', { name: '钱监督', password: 'next password' });
    const again = await browser.feed(await cursor(browser));
    expect((await browser.send('POST', '/api/logout')).status).toBe(200);
    await again.ended;
    expect(await ended(bosses!)).toBe('open');
    await bosses!.stop();
    const me = (await boss.json<SessionView>('GET', '/api/session')).user!;
    expect(await code(await boss.send('POST', `/api/people/${me.userId}/disable`))).toEqual([409, 'own_account']);
    const { entries } = await boss.json<LogView>('GET', '/api/log?limit=20');
    expect(entries.map(({ action }) => action)).toEqual(
      expect.arrayContaining([
        'invite_person',
        'accept_link',
        'change_password',
        'password_refused',
        'disable_person',
        'enable_person',
      ]),
    );
    expect(JSON.stringify(entries)).not.toMatch(/own password|next password|wrong one/);
  });

  it('begins an evaluation, tells box and browsers of every change, and keeps its history', async () => {
    const secret = await test.cloud().addDevice({ deviceId: 'box-1', roomId: 'room-1' });
    const line = await boss.feed(await cursor(boss));
    const told = () => line.lines.filter(({ event }) => event === 'session').map(({ data }) => data);
    const request = {
      title: '市政道路养护项目',
      project: 'ZB-2026-118',
      roster: [
        { seatId: '1', expertId: 'E-1', name: '张三' },
        { seatId: '2', expertId: 'E-2' },
      ],
      bidders: [['甲建设集团', '甲']],
    };
    expect(await code(await boss.send('POST', '/api/rooms/nowhere/session', request))).toEqual([404, 'room_unknown']);
    for (const bad of [
      {},
      { title: '' },
      { roster: [] },
      { roster: [{ seatId: '1' }] },
      { roster: [...request.roster, ...request.roster] },
      { startWallMs: 1.5 },
      { bidders: [[]] },
      { bidders: ['甲'] },
      { bidders: [undefined] },
    ])
      expect(
        (
          await boss.send('POST', '/api/rooms/room-1/session', {
            ...request,
            ...bad,
            ...('title' in bad || 'roster' in bad || 'startWallMs' in bad || 'bidders' in bad ? {} : { title: 7 }),
          })
        ).status,
      ).toBe(400);
    const begun = await boss.json<EvaluationView>('POST', '/api/rooms/room-1/session', request);
    expect(begun).toMatchObject({ ...request, phase: 'evaluating', begunBy: '王监督', permits: [] });
    expect(await code(await boss.send('POST', '/api/rooms/room-1/session', request))).toEqual([409, 'session_open']);
    await eventually(told).toMatchObject([{ roomId: 'room-1', evaluation: { phase: 'evaluating' } }]);
    const act = (path: string, body?: unknown) =>
      boss.json<EvaluationView>('POST', `/api/sessions/${begun.sessionId}/${path}`, body);
    const ordered = async () => {
      const answer = await fetch(`${test.cloud().url}/api/device/orders?revision=0&wait=0`, {
        headers: { authorization: `Device box-1:${secret}` },
      });
      return ((await answer.json()) as RoomOrders).session!;
    };
    await act('phase', { phase: 'break' });
    expect(await ordered()).toMatchObject({ sessionId: begun.sessionId, phase: 'break', roster: request.roster });
    for (const bad of [
      { kind: 'holiday', seatId: '1', minutes: 5 },
      { kind: 'absence', minutes: 5 },
      { kind: 'absence', seatId: '1', minutes: 0 },
    ])
      expect((await boss.send('POST', `/api/sessions/${begun.sessionId}/permits`, bad)).status).toBe(400);
    const { permits } = await act('permits', { kind: 'absence', seatId: '2', minutes: 10 });
    expect((await ordered()).permits).toMatchObject([{ kind: 'absence', seatId: '2', permitId: permits[0]!.permitId }]);
    await act(`permits/${permits[0]!.permitId}/revoke`);
    expect((await ordered()).permits).toEqual([]);
    expect((await boss.send('POST', `/api/sessions/${begun.sessionId}/phase`, { phase: 'idle' })).status).toBe(400);
    await act('end');
    expect((await ordered()).phase).toBe('idle');
    expect(await code(await boss.send('POST', `/api/sessions/${begun.sessionId}/end`))).toEqual([409, 'session_over']);
    await eventually(() => told().at(-1)).toEqual({ roomId: 'room-1', revision: expect.any(Number) });
    await line.stop();
    const { evaluation, steps } = await boss.json<EvaluationDetailView>('GET', `/api/sessions/${begun.sessionId}`);
    expect(evaluation.endedWallMs).toEqual(expect.any(Number));
    expect(steps.map(({ what }) => what)).toEqual(['begin', 'phase', 'permit', 'revoke', 'end']);
    expect(await boss.json<EvaluationsView>('GET', '/api/sessions')).toMatchObject({
      open: [],
      past: [{ sessionId: begun.sessionId }],
    });
    const { entries } = await boss.json<LogView>('GET', '/api/log?limit=10');
    expect(JSON.stringify(entries)).not.toContain('张三');
  });
});
