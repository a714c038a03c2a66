/** Rooms in memory: newest wins, bounded, known ones shown before they were heard. */
import { describe, expect, it } from 'vitest';
import { createRooms, type RoomChange } from '../../../cloud/ingest/rooms.ts';
import type { RoomState } from '../../../protocol/stream.ts';

const state = (name: string) => ({ layout: { name, centre: '中心' } }) as unknown as RoomState;

describe('rooms', () => {
  it('keeps the newest state and picture, and tells listeners until they leave, at most five times a second', () => {
    const rooms = createRooms();
    const changes: RoomChange[] = [];
    const leave = rooms.onChange((change) => changes.push(change));
    rooms.heardState('r1', state('一室'), 1000);
    rooms.heardState('r1', state('二室'), 2000);
    rooms.heardState('r1', state('二室'), 2100);
    rooms.heardSnapshot('r1', 'cam-a', new Uint8Array([1]), 2100);
    leave();
    rooms.heardSnapshot('r1', 'cam-a', new Uint8Array([2]), 4000);
    expect(changes.map(({ kind }) => kind)).toEqual(['state', 'state', 'snapshot']);
    expect(rooms.cards(['r0'])).toEqual([
      { roomId: 'r0', name: 'r0', centre: '', snapshots: [] },
      {
        roomId: 'r1',
        name: '二室',
        centre: '中心',
        state: state('二室'),
        heardWallMs: 2100,
        snapshots: [{ cameraId: 'cam-a', wallMs: 4000 }],
      },
    ]);
    expect(rooms.snapshot('r1', 'cam-a')?.jpeg).toEqual(new Uint8Array([2]));
    expect(rooms.layout('r1')?.name).toBe('二室');
    expect(rooms.snapshot('r1', 'cam-b')).toBeUndefined();
  });

  it('forgets the longest silent of too many rooms, and takes no more than 16 cameras of one', () => {
    const rooms = createRooms();
    for (let i = 0; i < 2100; i++) rooms.heardState(`r${i}`, state('x'), i);
    for (let i = 0; i < 30; i++) rooms.heardSnapshot('r2099', `c${i}`, new Uint8Array(1), 1);
    const cards = rooms.cards([]);
    expect(cards).toHaveLength(2000);
    expect(cards.some(({ roomId }) => roomId === 'r99')).toBe(false);
    expect(cards.find(({ roomId }) => roomId === 'r2099')?.snapshots).toHaveLength(16);
  });
});
