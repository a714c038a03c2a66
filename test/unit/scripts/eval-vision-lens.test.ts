/** A turned camera with another lens: a point of the room is seen where its old picture's point goes, and the camera's own model says so. */
import { describe, expect, it } from 'vitest';
import { turned } from '../../../scripts/eval-vision-lens.ts';
import type { Truth } from '../../../scripts/eval-vision-truth.ts';

const model = {
  ...{ fx: 700, fy: 700, cx: 640, cy: 360 },
  R_world_to_cam: [
    [1, 0, 0],
    [0, -0.374607, -0.927184],
    [0, 0.927184, -0.374607],
  ],
  position: [0, 0.14, 2.6],
};

/** Where a pinhole camera sees a point of the room. */
function seenAt(camera: NonNullable<Truth['camera_model']>, point: readonly number[]): [number, number] {
  const d = point.map((v, i) => v - camera.position[i]!);
  const [x, y, z] = camera.R_world_to_cam.map((r) => r[0]! * d[0]! + r[1]! * d[1]! + r[2]! * d[2]!);
  return [camera.cx + (camera.fx * x!) / z!, camera.cy + (camera.fy * y!) / z!];
}

const room = [
  [-2, 3, 0],
  [2, 3, 0],
  [1.5, 5, 1.2],
  [-1, 2.5, 0.7],
] as const;

const truthBy = (camera: NonNullable<Truth['camera_model']>): Truth => ({
  ...{ fps: 5, width: 1280, height: 720, duration_s: 1, people: [], frames: [], events: [] },
  camera_model: camera,
  seats: [{ seat: 1, seat_polygon: room.map((point) => seenAt(camera, point)), desk_polygon: [] }],
});

describe.each([
  ['as it is taken', model],
  ['mirrored', { ...model, fx: -model.fx }],
])('a turned camera, the picture %s', (_name, camera) => {
  const turn = { yaw: 4, pitch: -3, roll: 5, zoom: 0.8 };
  const shown = turned(truthBy(camera), turn);

  it('sees points of the room where its polygons say', () => {
    room.forEach((point, i) => {
      const [x, y] = seenAt(shown.camera_model!, point);
      expect(shown.seats[0]!.seat_polygon[i]![0]).toBeCloseTo(x, 6);
      expect(shown.seats[0]!.seat_polygon[i]![1]).toBeCloseTo(y, 6);
    });
  });

  it('stays where it hangs, and its axes stay at right angles', () => {
    const { R_world_to_cam: R, position } = shown.camera_model!;
    expect(position).toEqual(model.position);
    R.forEach((a, i) => {
      R.forEach((b, j) => {
        expect(a.reduce((sum, v, k) => sum + v * b[k]!, 0)).toBeCloseTo(i === j ? 1 : 0, 5);
      });
    });
  });
});

describe('a camera of which nothing is known', () => {
  it('is turned as one of 80 degrees', () => {
    const { camera_model: _, ...unknown } = truthBy(model);
    const shown = turned(unknown, { yaw: 0, pitch: 0, roll: 0, zoom: 0.5 });
    expect(shown.camera_model).toBeUndefined();
    unknown.seats[0]!.seat_polygon.forEach(([x, y], i) => {
      expect(shown.seats[0]!.seat_polygon[i]).toEqual([expect.closeTo(320 + x / 2), expect.closeTo(180 + y / 2)]);
    });
  });
});
