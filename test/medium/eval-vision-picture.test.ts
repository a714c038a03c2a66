/** Of every variant of `eval vision` that moves the picture: what is at a corner of a seat in the original is at that corner in the variant, through ffmpeg itself. */
import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { FURTHER, VARIANTS, varied } from '../../scripts/eval-vision-augment.ts';
import type { Truth } from '../../scripts/eval-vision-truth.ts';

const [WIDTH, HEIGHT] = [640, 360];
const SPOTS = [
  [200, 120],
  [440, 130],
  [430, 240],
  [210, 230],
] as const;

const truth: Truth = {
  fps: 5,
  width: WIDTH,
  height: HEIGHT,
  duration_s: 1,
  camera_model: {
    ...{ fx: 350, fy: 350, cx: 320, cy: 180 },
    R_world_to_cam: [
      [1, 0, 0],
      [0, -0.374607, -0.927184],
      [0, 0.927184, -0.374607],
    ],
    position: [0, 0, 2.6],
  },
  seats: [{ seat: 1, seat_polygon: SPOTS.map(([x, y]): [number, number] => [x, y]) }],
  people: [],
  frames: [],
  events: [],
};

/** Middle of the light in a grey picture that holds one white spot, in pixels of the truth. */
function lightIn(filters: readonly string[], [x, y]: readonly [number, number]): readonly [number, number] {
  const spot = `drawbox=x=${x - 4}:y=${y - 4}:w=8:h=8:color=white:t=fill`;
  const run = spawnSync(
    'ffmpeg',
    [
      ...['-v', 'error', '-f', 'lavfi', '-i', `color=black:s=${WIDTH}x${HEIGHT}:d=0.2:r=5`],
      ...['-vf', ['format=yuv420p', spot, ...filters, `scale=${WIDTH}:${HEIGHT}`].join(',')],
      ...['-frames:v', '1', '-pix_fmt', 'gray', '-f', 'rawvideo', 'pipe:1'],
    ],
    { maxBuffer: 1e7 },
  );
  expect(run.stderr.toString()).toBe('');
  let [sum, sumX, sumY] = [0, 0, 0];
  run.stdout.forEach((value, i) => {
    const light = value > 128 ? 1 : 0;
    sum += light;
    sumX += light * ((i % WIDTH) + 0.5);
    sumY += light * (Math.floor(i / WIDTH) + 0.5);
  });
  expect(sum).toBeGreaterThan(0);
  return [sumX / sum, sumY / sum];
}

const moving = [...VARIANTS, ...FURTHER].filter(({ place, turn }) => place ?? turn);

describe('a variant whose picture is elsewhere', () => {
  it.each(moving.map((variant) => [variant.name, variant] as const))('%s: polygons go with it', (_name, variant) => {
    const room = varied({ name: 'room', cameras: [{ cameraId: 'cam', file: 'cam.mp4', truth }] }, variant);
    const [camera] = room.cameras;
    const { filters } = camera!.shown ?? variant;
    SPOTS.forEach((spot, i) => {
      const [x, y] = camera!.truth.seats[0]!.seat_polygon[i]!;
      const [seenX, seenY] = lightIn(filters, spot);
      expect(Math.abs(seenX - x), `${variant.name}, spot ${i}, x`).toBeLessThan(1.5);
      expect(Math.abs(seenY - y), `${variant.name}, spot ${i}, y`).toBeLessThan(1.5);
    });
  });
});
