/** One suite over both drivers of the cloud store: evaluations with their history and orders, and the people of the desk. */
import { describe, expect, it } from 'vitest';
import { begun, ended, permitted, phased, revoked } from '../../cloud/review/evaluation.ts';
import type { Store } from '../../cloud/store/store.ts';
import { WALL } from '../medium/cloud/events.ts';
import { DRIVERS, standOn } from './store-stand.ts';

const MINUTE = 60_000;
const by = (wallMs = WALL, actor = '王监督') => ({ actor, wallMs });
const doing = (wallMs = WALL) => ({ by: '王监督', wallMs });
const roster = [{ seatId: '1', expertId: 'E-1', name: '张三' }];
const first = (sessionId = 'ev-1', roomId = 'room-1', wallMs = WALL) =>
  begun({ title: '采购一', roster, bidders: [['甲公司', '甲']] }, { sessionId, roomId }, doing(wallMs));

describe.each(DRIVERS)('evaluations and people in the store on %s', (driver) => {
  let store: Store;
  standOn(driver, (fresh) => {
    store = fresh;
    return undefined;
  });
  const actions = async () =>
    (await store.log({ limit: 100 })).map(({ action, object }) => `${action} ${object}`).reverse();

  it('tells the box each change, keeps the history, and logs no name', async () => {
    const evaluation = await store.evaluations.begin(first(), by());
    expect(await store.orders('room-1')).toEqual({
      roomId: 'room-1',
      revision: evaluation.revision,
      session: {
        sessionId: 'ev-1',
        phase: 'evaluating',
        startWallMs: WALL,
        permits: [],
        roster,
        bidders: [['甲公司', '甲']],
      },
    });
    await store.evaluations.change('ev-1', (e) => phased(e, 'break', doing(WALL + MINUTE)), by(WALL + MINUTE));
    const given = await store.evaluations.change(
      'ev-1',
      (e) => permitted(e, { kind: 'absence', seatId: '1', minutes: 5 }, 'p-1', doing(WALL + 2 * MINUTE)),
      by(WALL + 2 * MINUTE),
    );
    expect(given).toMatchObject({ phase: 'break', phaseSinceWallMs: WALL + MINUTE });
    const permit = {
      permitId: 'p-1',
      kind: 'absence',
      seatId: '1',
      fromWallMs: WALL + 2 * MINUTE,
      untilWallMs: WALL + 7 * MINUTE,
    };
    expect((await store.orders('room-1')).session?.permits).toEqual([permit]);
    // Work on the equipment is of the room, whatever seat it is asked for.
    const work = permitted(
      evaluation,
      { kind: 'maintenance', seatId: '1', minutes: 5 },
      'p-2',
      doing(WALL + 2 * MINUTE),
    );
    expect(work.evaluation.permits.at(-1)).not.toHaveProperty('seatId');
    await store.evaluations.change('ev-1', (e) => revoked(e, 'p-1', doing(WALL + 3 * MINUTE)), by(WALL + 3 * MINUTE));
    expect((await store.orders('room-1')).session?.permits).toEqual([]);
    expect(await store.evaluations.open()).toMatchObject([
      { sessionId: 'ev-1', permits: [{ revokedWallMs: expect.any(Number) }] },
    ]);
    const over = await store.evaluations.change(
      'ev-1',
      (e) => ended(e, doing(WALL + 9 * MINUTE)),
      by(WALL + 9 * MINUTE),
    );
    expect(over).toMatchObject({ phase: 'idle', endedWallMs: WALL + 9 * MINUTE });
    expect((await store.orders('room-1')).session?.phase).toBe('idle');
    expect(await store.evaluations.open()).toEqual([]);
    expect(await store.evaluations.past({ limit: 5 })).toEqual([over]);
    expect(await store.evaluations.past({ limit: 5, roomId: 'room-2' })).toEqual([]);
    expect(await store.evaluations.past({ limit: 5, beforeWallMs: WALL })).toEqual([]);
    expect((await store.evaluations.steps('ev-1')).map(({ n, what, actor }) => [n, what, actor])).toEqual(
      ['begin', 'phase', 'permit', 'revoke', 'end'].map((what, n) => [n + 1, what, '王监督']),
    );
    const log = await actions();
    expect(log.map((line) => line.split(' ')[0])).toEqual([
      'begin_session',
      'session_phase',
      'give_permit',
      'revoke_permit',
      'end_session',
    ]);
    expect(log.join('\n')).not.toContain('张三');
    await expect(store.evaluations.change('ev-1', (e) => phased(e, 'break', doing()), by())).rejects.toMatchObject({
      code: 'session_over',
    });
    expect(await store.evaluations.change('none', (e) => ended(e, doing()), by())).toBeUndefined();
  });

  it('has one evaluation of a room open at a time, also when two begin at once', async () => {
    const both = await Promise.allSettled([
      store.evaluations.begin(first('a'), by()),
      store.evaluations.begin(first('b'), by()),
    ]);
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const refused = both.find((one) => one.status === 'rejected');
    expect(refused?.reason).toMatchObject({ code: 'session_open' });
    await store.evaluations.begin(first('c', 'room-2'), by());
    expect(await store.evaluations.open()).toHaveLength(2);
    const many = await Promise.all(
      Array.from({ length: 6 }, (_, n) =>
        store.evaluations.change('c', (e) => permitted(e, { kind: 'staff', minutes: 5 }, `p-${n}`, doing()), by()),
      ),
    );
    expect(Math.max(...many.map((one) => one?.permits.length ?? 0))).toBe(6);
    expect((await store.orders('room-2')).session?.permits).toHaveLength(6);
  });

  it('lets an invited person in by a link that is good once, and ends everything of a disabled one', async () => {
    const boss = { userId: 'u-1', name: '王监督', role: 'supervisor', password: 'scrypt$x' } as const;
    await store.offerSetupToken('t-0', WALL + MINUTE);
    await store.setUpFirstUser(boss, 't-0', WALL);
    const guest = { userId: 'u-2', name: '李监管', role: 'viewer' } as const;
    const link = (tokenId: string) => ({ tokenId, expiresWallMs: WALL + MINUTE });
    expect(await store.staff.invite(guest, link('t-1'), by())).toMatchObject({
      ...guest,
      invited: true,
      linkExpiresWallMs: WALL + MINUTE,
    });
    await expect(store.staff.invite({ ...guest, userId: 'u-3' }, link('t-2'), by())).rejects.toMatchObject({
      code: 'name_taken',
    });
    expect(await store.staff.link('t-1', WALL)).toEqual(guest);
    expect(await store.staff.link('t-1', WALL + MINUTE)).toBeUndefined();
    await store.staff.offerLink('u-2', link('t-3'), by());
    expect(await store.staff.link('t-1', WALL)).toBeUndefined();
    const used = await Promise.all(['a', 'b'].map((password) => store.staff.accept('t-3', password, WALL)));
    expect(used.filter((one) => one !== undefined)).toHaveLength(1);
    const session = (sessionId: string, userId: string) =>
      store.beginSession({ sessionId, userId, begunWallMs: WALL + 1, expiresWallMs: WALL + MINUTE });
    for (const id of ['s-1', 's-2', 's-3']) await session(id, 'u-2');
    expect(await store.session('s-1', WALL)).toEqual(guest);
    expect(await store.staff.list(WALL)).toMatchObject([
      { userId: 'u-1' },
      { userId: 'u-2', invited: false, lastLoginWallMs: WALL + 1 },
    ]);
    expect([...(await store.staff.setPassword('u-2', 'new', 's-2', by()))].sort()).toEqual(['s-1', 's-3']);
    await store.staff.offerLink('u-2', link('t-4'), by());
    const { person, ended: over } = await store.staff.disable('u-2', by());
    expect([person.disabledWallMs, over]).toEqual([WALL, ['s-2']]);
    expect(await store.session('s-2', WALL)).toBeUndefined();
    expect(await store.userByName('李监管')).toBeUndefined();
    expect(await store.staff.link('t-4', WALL)).toBeUndefined();
    await expect(store.staff.offerLink('u-2', link('t-5'), by())).rejects.toMatchObject({ code: 'person_disabled' });
    await expect(store.staff.disable('u-1', by())).rejects.toMatchObject({ code: 'last_supervisor' });
    await expect(store.staff.disable('nobody', by())).rejects.toMatchObject({ code: 'person_unknown' });
    expect((await store.staff.enable('u-2', by())).disabledWallMs).toBeUndefined();
    expect(await store.userByName('李监管')).toMatchObject({ role: 'viewer', password: 'new' });
    expect((await actions()).map((line) => line.split(' ')[0])).toEqual([
      'setup',
      'invite_person',
      'password_link',
      'accept_link',
      'change_password',
      'password_link',
      'disable_person',
      'enable_person',
    ]);
  });

  it('never disables the last supervisor, also when two disable each other at once', async () => {
    const one = { userId: 'u-1', name: 'a', role: 'supervisor', password: 'scrypt$x' } as const;
    await store.offerSetupToken('t-0', WALL + MINUTE);
    await store.setUpFirstUser(one, 't-0', WALL);
    await store.staff.invite(
      { userId: 'u-2', name: 'b', role: 'supervisor' },
      { tokenId: 't', expiresWallMs: WALL + MINUTE },
      by(),
    );
    await expect(store.staff.disable('u-1', by())).rejects.toMatchObject({ code: 'last_supervisor' });
    await store.staff.accept('t', 'scrypt$y', WALL);
    const both = await Promise.allSettled([store.staff.disable('u-1', by()), store.staff.disable('u-2', by())]);
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });
});
