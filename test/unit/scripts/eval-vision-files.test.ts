import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readRooms } from '../../../scripts/eval-vision-files.ts';
import { layoutOf } from '../../../scripts/eval-vision-truth.ts';

const SQUARE = [
  [10, 10],
  [30, 10],
  [30, 30],
  [10, 30],
];
const whole = {
  ...{ fps: 5, width: 100, height: 50, frames_total: 10, duration_s: 2 },
  camera_model: {
    ...{ fx: 70, fy: 70, cx: 50, cy: 25, position: [0, 0, 2.6] },
    R_world_to_cam: [
      [1, 0, 0],
      [0, -0.374607, -0.927184],
      [0, 0.927184, -0.374607],
    ],
  },
  seats: [
    {
      ...{ seat: 1, seat_polygon: SQUARE, chair_polygon: SQUARE, desk_polygon: SQUARE, seat_point_world: [-1, 7] },
      floor_zone_world: [
        [-1.5, 6.5],
        [-0.5, 6.5],
        [-0.5, 7.5],
        [-1.5, 7.5],
      ],
    },
  ],
  people: [{ id: 1, seat: 1, character: 'a', role: 'expert' }],
  frames: [{ frame: 0, t: 0, image: 'normal', people: [{ id: 1, seat: 1, in_room: true, seat_dist: 0.1 }] }],
  events: [{ type: 'seat_absent', seat: 1, start_s: 0.5, end_s: 1.5, off_chair_s: 0.4 }],
};

describe('a folder of footage with truth', () => {
  let dir: string;
  const put = (name: string, truth: unknown) => {
    writeFileSync(join(dir, `${name}.mp4`), '');
    writeFileSync(join(dir, `${name}.json`), typeof truth === 'string' ? truth : JSON.stringify(truth));
  };
  const only = async () => (await readRooms({ dir })).rooms[0]!;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'evalroom-truth-'));
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  it('is read with all that the layout of an installer would have, the floor too', async () => {
    put('甲 room_camA', whole);
    put('甲 room_camB', whole);
    const room = await only();
    expect(room.cameras.map(({ cameraId }) => cameraId)).toEqual(['甲 room_camA', '甲 room_camB']);
    const { floor, seats } = layoutOf(room);
    expect(floor.map(({ points }) => points.length)).toEqual([4, 4]);
    expect(seats).toMatchObject([{ seatId: '1', floor: [-1, 7], views: [{}, {}] }]);
    expect((await readRooms({ dir, single: true })).rooms).toHaveLength(2);
  });

  it('may leave out what can be told from the rest, and name seats and people in words', async () => {
    put('a', {
      ...{ fps: 5, width: 100, height: 50 },
      seats: [
        { seat: 'left', seat_polygon: SQUARE },
        { seat: 'behind', seat_polygon: null },
        { seat: 3, seat_polygon: [] },
      ],
      frames: [
        { frame: 10, people: [{ id: 'x', seat: 'left', seat_dist: 0 }] },
        { frame: 5, image: null, people: [{ id: 'guest' }] },
      ],
      events: [{ type: 'sleeping', seat: 'left', start_s: 1, end_s: null }],
    });
    const room = await only();
    const { truth } = room.cameras[0]!;
    expect(truth).toMatchObject({ duration_s: 2.2, frames: [{ t: 1, image: 'normal' }, { t: 2 }] });
    expect(truth.people).toEqual([
      { id: 'x', seat: 'left', role: 'expert' },
      { id: 'guest', seat: null, role: 'stranger' },
    ]);
    expect(truth.events).toEqual([{ type: 'sleeping', seat: 'left', start_s: 1, end_s: 2.2 }]);
    expect(layoutOf(room).seats.map(({ seatId, views }) => [seatId, views.length])).toEqual([
      ['left', 1],
      ['behind', 0],
      ['3', 0],
    ]);
  });

  it('says of each video that is left out what is wrong, and goes on with the others', async () => {
    put('good', `\uFEFF${JSON.stringify(whole)}`);
    put('torn', '{"fps": 5,');
    put('wrong', { ...whole, seats: [{ seat: 1, seat_polygon: [[1, 'x']] }] });
    writeFileSync(join(dir, 'alone.MP4'), '');
    const { rooms, leftOut } = await readRooms({ dir });
    expect(rooms.map(({ name }) => name)).toEqual(['good']);
    expect(leftOut).toEqual([
      { file: 'alone.MP4', reason: 'no alone.json beside it' },
      { file: 'torn.mp4', reason: expect.stringContaining('cannot be read as JSON') },
      { file: 'wrong.mp4', reason: expect.stringMatching(/wrong\.json: seats\.0\.seat_polygon/) },
    ]);
    await expect(readRooms({ dir, only: 'torn' })).rejects.toMatchObject({
      code: 'no_media',
      message: expect.stringContaining('torn.mp4'),
    });
    await expect(readRooms({ dir: join(dir, 'none') })).rejects.toMatchObject({ code: 'no_media' });
  });
});
