/** What the desk reads and writes in the cloud store: alerts, clips, people, devices, the log, and what leaves. Over both drivers. */
import { describe, expect, it } from 'vitest';
import type { AlertView } from '../../cloud/http/api.ts';
import type { Store } from '../../cloud/store/store.ts';
import type { RoomEvent } from '../../protocol/event.ts';
import { clipBody, delivery, episodeBody, roomEvent, WALL } from '../medium/cloud/events.ts';
import { DRIVERS, readAll, standOn } from './store-stand.ts';

const user = { userId: 'u1', name: '王监督', role: 'supervisor' as const };

describe.each(DRIVERS)('the desk of a store on %s', (driver) => {
  let store: Store;
  standOn(driver, (fresh) => {
    store = fresh;
  });
  const take = (events: readonly RoomEvent[]) => store.ingest([delivery(events)], WALL);

  it('folds events and actions into the alert, in the feed with its cursor', async () => {
    await take([roomEvent('s1', 1, episodeBody('e1'))]);
    const { alerts, cursor } = await store.overview();
    expect(alerts).toMatchObject([
      { episodeId: 'e1', roomId: 'room-1', level: 'notice', state: 'open', phase: 'begin', clips: [] },
    ]);
    await store.act({ actionId: 'a1', episodeId: 'e1', kind: 'acknowledge', wallMs: WALL }, user);
    expect((await store.alert('e1'))!.alert.state).toBe('acknowledged');
    await take([roomEvent('s1', 2, episodeBody('e1', 'update', 'alarm'))]);
    expect((await store.alert('e1'))!.alert).toMatchObject({ state: 'open', level: 'alarm', phase: 'update' });
    await store.act({ actionId: 'a2', episodeId: 'e1', kind: 'confirm', note: '属实', wallMs: WALL + 5 }, user);
    const { items } = await readAll(store, store.parseCursor(cursor));
    expect(items.map(({ kind }) => kind)).toEqual(['action', 'event', 'action']);
    expect((await store.alert('e1'))!).toMatchObject({
      alert: { state: 'closed', verdict: 'confirmed' },
      actions: [{ kind: 'acknowledge' }, { kind: 'confirm', note: '属实', userName: '王监督', wallMs: WALL + 5 }],
    });
    expect(await store.act({ actionId: 'a3', episodeId: 'nobody', kind: 'close', wallMs: WALL }, user)).toBeUndefined();
    expect((await store.log({ limit: 10 })).map(({ action, object }) => [action, object])).toEqual([
      ['alert_confirm', 'e1'],
      ['alert_acknowledge', 'e1'],
    ]);
  });

  it('keeps a room out of the episodes of another', async () => {
    await take([roomEvent('s1', 1, episodeBody('e1'))]);
    await store.ingest([delivery([roomEvent('s9', 1, episodeBody('e1', 'end', 'alarm'), 'room-2')])], WALL);
    expect((await store.alert('e1'))!).toMatchObject({
      alert: { roomId: 'room-1', phase: 'begin' },
      events: [{ seq: 1, streamId: 's1' }],
    });
    expect((await store.rejections(5)).map((row) => row.code)).toEqual(['episode_of_other_room']);
  });

  it('announces a clip, takes its files once, and shows it ready', async () => {
    const sha256 = 'a'.repeat(64);
    const files = [{ name: 'clip.mp4' as const, sha256, bytes: 10 }];
    await take([roomEvent('s1', 1, episodeBody('e1')), roomEvent('s1', 2, clipBody('e1', 'c1', 'room-1', files))]);
    expect((await store.alert('e1'))!.alert.clips).toEqual([{ clipId: 'c1', ready: false }]);
    const from = await store.head();
    const file = { clipId: 'c1', name: 'clip.mp4', sha256, bytes: 10, storedWallMs: WALL };
    expect(await store.clipFileArrived(file)).toBe(true);
    expect(await store.clipFileArrived(file)).toBe(false);
    expect((await readAll(store, from)).items).toMatchObject([
      { kind: 'clip', clipId: 'c1', episodeId: 'e1', alert: { clips: [{ clipId: 'c1', ready: true }] } },
    ]);
    expect(await store.clip('c1')).toMatchObject({
      clip: { clipId: 'c1' },
      files: [{ name: 'clip.mp4', bytes: 10, storedWallMs: WALL }],
    });
  });

  it('gives integers as numbers and times as they were', async () => {
    const storedWallMs = 1_760_000_000_123;
    await store.ingest([delivery([roomEvent('s1', 1, episodeBody('e1'))])], storedWallMs);
    const detail = (await store.alert('e1'))!;
    expect(detail.events[0]!.storedWallMs).toBe(storedWallMs);
    expect(detail.alert.firstStoredWallMs).toBe(storedWallMs);
    expect(await store.alerts({ limit: 5, beforeWallMs: storedWallMs })).toEqual([]);
    expect(await store.alerts({ limit: 5, beforeWallMs: storedWallMs + 1, roomId: 'room-1' })).toHaveLength(1);
  });

  it('adds the first user with a token once', async () => {
    await store.offerSetupToken('old', WALL + 1000);
    await store.offerSetupToken('t1', WALL + 1000);
    const first = { ...user, password: 'x' };
    expect(await store.setUpFirstUser(first, 'old', WALL)).toBe('token_invalid');
    expect(await store.setUpFirstUser(first, 't1', WALL + 1000)).toBe('token_invalid');
    expect(await store.setUpFirstUser(first, 't1', WALL)).toBe('done');
    expect(await store.setUpFirstUser({ ...first, userId: 'u2', name: 'b' }, 't1', WALL)).toBe('already_set_up');
    await store.beginSession({ sessionId: 'h', userId: 'u1', begunWallMs: WALL, expiresWallMs: WALL + 10 });
    expect(await store.session('h', WALL)).toEqual(user);
    expect(await store.session('h', WALL + 10)).toBeUndefined();
    await store.endSession('h');
    expect(await store.session('h', WALL)).toBeUndefined();
  });

  it('binds a device to one room', async () => {
    const device = { deviceId: 'box-1', roomId: 'room-1', secretHash: 'h1', addedWallMs: WALL };
    await store.putDevice(device, 'cloud');
    await store.putDevice({ ...device, secretHash: 'h2' }, 'cloud');
    await expect(store.putDevice({ ...device, roomId: 'room-2' }, 'cloud')).rejects.toMatchObject({
      code: 'device_exists',
    });
    expect(await store.devices()).toEqual([{ ...device, secretHash: 'h2' }]);
    expect(await store.device('box-1')).toMatchObject({ secretHash: 'h2' });
    expect(await store.device('box-2')).toBeUndefined();
  });

  it('chains the log and refuses to change it', async () => {
    for (let i = 0; i < 5; i++)
      await store.appendLog({ wallMs: WALL + i, actor: 'cloud', action: 'test', object: `${i}` });
    expect(await store.chainHolds()).toBe(true);
    expect((await store.log({ limit: 2, beforeSeq: 5 })).map(({ seq }) => seq)).toEqual([4, 3]);
  });

  it('retires what is old and judged, keeps what nobody has judged, and says so in the log', async () => {
    const day = 86_400_000;
    const sha256 = 'b'.repeat(64);
    const files = [{ name: 'clip.mp4' as const, sha256, bytes: 10 }];
    await take([
      roomEvent('s1', 1, episodeBody('done')),
      roomEvent('s1', 2, clipBody('done', 'c1', 'room-1', files)),
      roomEvent('s1', 3, episodeBody('open')),
    ]);
    await store.clipFileArrived({ clipId: 'c1', name: 'clip.mp4', sha256, bytes: 10, storedWallMs: WALL });
    await store.act({ actionId: 'a1', episodeId: 'done', kind: 'confirm', wallMs: WALL + 5 }, user);
    await store.ingest([delivery([roomEvent('s1', 4, episodeBody('new'))])], WALL + 9 * day);
    const before = await store.head();
    expect(await store.newestWallMs()).toBe(WALL + 9 * day);
    const retired = await store.retire({ beforeWallMs: WALL + 5 * day, wallMs: WALL + 10 * day });
    expect(retired).toEqual({ events: 2, alerts: 1, clips: 1, files: [sha256] });
    expect(await store.alert('done')).toBeUndefined();
    expect((await store.alert('open'))!.events).toHaveLength(1);
    expect((await store.overview()).alerts.map(({ episodeId }) => episodeId).sort()).toEqual(['new', 'open']);
    expect(await store.toJudge()).toEqual({ open: 2, acknowledged: 0 });
    expect(await store.clip('c1')).toBeUndefined();
    expect(await store.head()).toEqual(before);
    await expect(store.since({ pos: 0, seq: 0 })).rejects.toMatchObject({ code: 'cursor_unknown' });
    expect((await store.since({ pos: before.pos - 1, seq: 0 })).items).toMatchObject([{ event: { seq: 4 } }]);
    expect((await store.log({ limit: 1 }))[0]).toMatchObject({ actor: 'cloud', action: 'retire' });
    expect(await store.chainHolds()).toBe(true);
    const again = await store.retire({ beforeWallMs: WALL + 5 * day, wallMs: WALL + 10 * day });
    expect(again).toEqual({ events: 0, alerts: 0, clips: 0, files: [] });
    // Judged at last, the rest goes too.
    await store.act({ actionId: 'a2', episodeId: 'open', kind: 'false', wallMs: WALL + 6 }, user);
    expect(await store.retire({ beforeWallMs: WALL + 5 * day, wallMs: WALL + 10 * day })).toMatchObject({
      events: 1,
      alerts: 1,
    });
  });

  it('gives the alerts of an evaluation page by page, those of the same moment too, and says how many there are', async () => {
    const of = (n: number, roomId = 'room-1', sessionId: string | null = 'ev-1') =>
      roomEvent(
        `${roomId}-${n}`,
        1,
        { ...episodeBody(`e-${roomId}-${n}`), ...(sessionId ? { sessionId } : {}) },
        roomId,
      );
    // Seven in one millisecond, two later ones, and those that do not belong.
    await store.ingest(
      Array.from({ length: 7 }, (_, n) => delivery([of(n)])),
      WALL,
    );
    await store.ingest([delivery([of(7)])], WALL + 5);
    await store.ingest([delivery([of(8)]), delivery([of(9, 'room-1', 'ev-2')]), delivery([of(1, 'room-2')])], WALL + 9);
    await store.ingest([delivery([of(10, 'room-1', null)])], WALL + 10);
    const query = { sessionId: 'ev-1', roomId: 'room-1', limit: 4 };
    const seen: string[] = [];
    for (let before: AlertView | undefined; ; ) {
      const page = await store.sessionAlerts({ ...query, ...(before ? { before } : {}) });
      expect(page.total).toBe(9);
      seen.push(...page.alerts.map(({ episodeId }) => episodeId));
      before = page.alerts.at(-1);
      if (!before) break;
    }
    expect(seen).toEqual([8, 7, 0, 1, 2, 3, 4, 5, 6].map((n) => `e-room-1-${n}`));
    expect(await store.sessionAlerts({ ...query, sessionId: 'ev-9' })).toEqual({ alerts: [], total: 0 });
  });

  it('keeps what retention knew of the clock', async () => {
    expect(await store.retentionClock()).toBeUndefined();
    await store.keepRetentionClock({ wallMs: WALL, doubtMs: 0 });
    await store.keepRetentionClock({ wallMs: WALL + 0.4, doubtMs: 86_400_000 });
    expect(await store.retentionClock()).toEqual({ wallMs: WALL, doubtMs: 86_400_000 });
  });
});
