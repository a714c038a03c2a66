/** In which order alerts and rooms stand, what a search finds, where j and k lead. */
import { describe, expect, it } from 'vitest';
import type { AlertView, RoomCard } from '../../../cloud/http/api.ts';
import { faultsOf } from '../../../cloud/web/state/faults.ts';
import { neighbour, queueOf, wallOf } from '../../../cloud/web/state/order.ts';
import { seatSign } from '../../../cloud/web/state/seat-sign.ts';
import { searchText } from '../../../cloud/web/words/words.ts';
import { layoutOf, plainZone, stateOf } from '../../e2e/web-world.ts';

function alertOf(episodeId: string, change: Partial<AlertView> = {}): AlertView {
  return {
    ...{
      episodeId,
      roomId: 'room-101',
      behaviour: 'left_seat',
      level: 'notice',
      seatIds: ['3'],
      beganWallMs: 0,
      lastWallMs: 0,
    },
    ...{
      firstStoredWallMs: 0,
      lastStoredWallMs: 0,
      durationMs: 0,
      phase: 'begin',
      state: 'open',
      escalated: false,
      clips: [],
    },
    sentence: { zh: '3号席离席 1分06秒', en: 'Seat 3 away 1 min 06 s' },
    ...change,
  };
}
const ids = (list: readonly AlertView[]) => list.map((alert) => alert.episodeId).join(' ');

describe('the queue', () => {
  const alerts = [
    alertOf('closed', { state: 'closed', level: 'alarm', firstStoredWallMs: 99 }),
    alertOf('notice-old', { firstStoredWallMs: 1 }),
    alertOf('notice-new', { firstStoredWallMs: 5, lastStoredWallMs: 5 }),
    alertOf('seen', { state: 'acknowledged', level: 'alarm', firstStoredWallMs: 50 }),
    alertOf('alarm', { level: 'alarm', firstStoredWallMs: 2, roomId: 'room-102', seatIds: ['1'] }),
  ];

  it('puts open ones first, the gravest and then the newest of them', () => {
    expect(ids(queueOf(alerts, {}, () => ''))).toBe('alarm notice-new notice-old seen closed');
  });

  it('does not move a row because it got an update', () => {
    const updated = alerts.map((a) => (a.episodeId === 'notice-old' ? { ...a, lastStoredWallMs: 100 } : a));
    expect(ids(queueOf(updated, {}, () => ''))).toBe('alarm notice-new notice-old seen closed');
  });

  it('filters by room, by seat and by every word in either language', () => {
    expect(ids(queueOf(alerts, { room: 'room-102' }, () => ''))).toBe('alarm');
    expect(ids(queueOf(alerts, { seat: '1' }, () => ''))).toBe('alarm');
    const text = (alert: AlertView) => searchText(alert, undefined);
    expect(queueOf(alerts, { q: '离席' }, text)).toHaveLength(5);
    expect(ids(queueOf(alerts, { q: 'SEAT 1' }, text))).toContain('alarm');
    expect(queueOf(alerts, { q: 'left phone' }, text)).toHaveLength(0);
  });

  it('walks with j and k, stops at the ends, and begins at the top', () => {
    const queue = queueOf(alerts, {}, () => '');
    expect(neighbour(queue, undefined, 1)).toBe('alarm');
    expect(neighbour(queue, 'alarm', 1)).toBe('notice-new');
    expect(neighbour(queue, 'alarm', -1)).toBe('alarm');
    expect(neighbour([], undefined, 1)).toBeUndefined();
  });
});

describe('the wall', () => {
  const room = (n: number): RoomCard => ({ roomId: `room-10${n}`, name: `${n}`, centre: '', snapshots: [] });

  it('raises rooms with open alarms, keeps the rest by id; a fault of ours comes after theirs', () => {
    const alerts = [
      alertOf('a', { roomId: 'room-103', level: 'alarm' }),
      alertOf('b', { roomId: 'room-102', behaviour: 'camera_fault', level: 'alarm' }),
      alertOf('c', { roomId: 'room-104', state: 'acknowledged', level: 'alarm' }),
    ];
    expect(
      wallOf([1, 2, 3, 4].map(room), alerts)
        .map((r) => r.name)
        .join(''),
    ).toBe('3214');
  });

  it('names what is wrong with a room, and nothing but its silence once it is silent', () => {
    const healthy = stateOf(layoutOf(1, plainZone));
    const heardWallMs = 1_000_000;
    expect(faultsOf({ ...room(1), state: healthy, heardWallMs }, heardWallMs + 2_000)).toEqual([]);
    expect(faultsOf(room(1), 0)).toEqual([{ kind: 'never_heard' }]);
    const ill = {
      ...healthy,
      at: { ...healthy.at, clock: 'doubtful' as const },
      health: {
        ...healthy.health,
        cameras: healthy.health.cameras.map((camera) => ({ ...camera, fault: 'covered', record: 'down' as const })),
        ears: [{ microphoneId: 'm', language: 'zh-CN', state: 'deaf' as const, rmsDb: -90 }],
        outbox: { events: 3, oldestMs: 60_000, full: false },
        disk: { freeBytes: 1, low: true },
      },
    };
    const kinds = (nowMs: number) =>
      faultsOf({ ...room(1), state: ill, heardWallMs }, nowMs).map((fault) => fault.kind);
    expect(kinds(heardWallMs)).toEqual(['blind', 'not_recording', 'deaf', 'clock', 'outbox_old', 'disk_low']);
    expect(kinds(heardWallMs + 11_000)).toEqual(['offline']);
    const nudged = healthy.health.cameras.map((camera) => ({ ...camera, floor: 'doubtful' as const }));
    const [{ cameraId }] = nudged as [(typeof nudged)[0]];
    const floorOf = (cameras: typeof nudged) =>
      faultsOf({ ...room(1), state: { ...healthy, health: { ...healthy.health, cameras } }, heardWallMs }, heardWallMs);
    expect(floorOf(nudged)).toContainEqual({ kind: 'floor', cameraId });
    // Who is blind measures nothing, and says so already.
    expect(floorOf(nudged.map((camera) => ({ ...camera, fault: 'moved' }))).map(({ kind }) => kind)).not.toContain(
      'floor',
    );
  });
});

describe('the sign of a seat', () => {
  const layout = layoutOf(1, plainZone);
  const roomWith = (away: readonly string[], sinceMs: number): RoomCard => {
    const state = stateOf(layout, { away, sinceMs });
    return { roomId: layout.roomId, name: '1', centre: '', snapshots: [], state, heardWallMs: state.at.wallMs };
  };

  it('counts from when its person left, also where the seat looked unsettled in between', () => {
    const room = roomWith(['3'], 5_000);
    const alone = seatSign(room, '3', [], false);
    expect(alone.state).toBe('away');
    const beganWallMs = alone.sinceWallMs - 60_000;
    expect(seatSign(room, '3', [alertOf('left', { beganWallMs })], false).sinceWallMs).toBe(beganWallMs);
    // It had ended and was joined again: the person sat in between.
    const againWallMs = alone.sinceWallMs - 20_000;
    expect(seatSign(room, '3', [alertOf('left', { beganWallMs, againWallMs })], false).sinceWallMs).toBe(againWallMs);
    for (const other of [
      alertOf('over', { beganWallMs, phase: 'end' }),
      alertOf('elsewhere', { beganWallMs, seatIds: ['4'] }),
      alertOf('phone', { beganWallMs, behaviour: 'phone' }),
    ])
      expect(seatSign(room, '3', [other], false).sinceWallMs, other.episodeId).toBe(alone.sinceWallMs);
  });

  it('is unknown in a silent room, since it was heard last', () => {
    const room = roomWith(['3'], 5_000);
    expect(seatSign(room, '3', [], true)).toMatchObject({ state: 'unknown', sinceWallMs: room.heardWallMs });
  });
});

describe('faults of a camera', () => {
  it('that is seen and not recorded are not blindness', () => {
    const state = stateOf(layoutOf(1, plainZone));
    const camera = state.health.cameras[0]!;
    const kinds = (over: Partial<typeof camera>) =>
      faultsOf(
        {
          roomId: 'room-101',
          name: '1',
          centre: '',
          snapshots: [],
          heardWallMs: 1,
          state: { ...state, health: { ...state.health, cameras: [{ ...camera, ...over }] } },
        },
        1,
      ).map(({ kind }) => kind);
    expect(kinds({ fault: 'record_down', record: 'down' })).toEqual(['not_recording']);
    expect(kinds({ fault: 'covered' })).toEqual(['blind']);
    expect(kinds({ decode: 'down', record: 'down' })).toEqual(['blind', 'not_recording']);
    expect(kinds({})).toEqual([]);
  });
});
