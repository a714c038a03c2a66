/** What a spoilt run's truth is: polygons follow the picture, and what is not in it is not asked for. */
import { describe, expect, it } from 'vitest';
import { FURTHER, varied } from '../../../scripts/eval-vision-augment.ts';
import type { Truth } from '../../../scripts/eval-vision-truth.ts';

/** A seat's zone, a hundred pixels wide, in a picture of 1280 × 720. */
const seat = (id: number, x: number) => ({
  seat: id,
  seat_polygon: [
    [x, 300],
    [x + 100, 300],
    [x + 100, 500],
    [x, 500],
  ] as [number, number][],
});

const truth = {
  fps: 5,
  width: 1280,
  height: 720,
  duration_s: 60,
  seats: [seat(1, 20), seat(2, 120), seat(3, 590)],
  people: [1, 2, 3].map((id) => ({ id, seat: id, role: 'expert' })),
  frames: [{ frame: 0, t: 0, image: 'normal', people: [] }],
  events: [
    { type: 'seat_absent', seat: 1, start_s: 1, end_s: 20 },
    { type: 'contact', seat: 3, with_seat: 1, start_s: 2, end_s: 20 },
    { type: 'contact', seat: 2, with_seat: 3, start_s: 3, end_s: 20 },
    { type: 'person_extra', seat: null, start_s: 4, end_s: 20 },
  ],
} as unknown as Truth;

describe('the middle of a picture as a camera of 4:3 has it', () => {
  const narrow = FURTHER.find(({ name }) => name === 'narrow')!;
  const [camera] = varied({ name: 'room', cameras: [{ cameraId: 'cam', file: 'cam.mp4', truth }] }, narrow).cameras;

  it('keeps a seat in the middle where it is, and makes it wider in shares of the picture', () => {
    const xs = camera!.truth.seats.find((one) => one.seat === 3)!.seat_polygon.map(([x]) => x);
    expect((Math.min(...xs) + Math.max(...xs)) / 2).toBeCloseTo(640);
    expect(Math.max(...xs) - Math.min(...xs)).toBeCloseTo((100 * 4) / 3);
  });

  it('draws a seat at the edge as far as it is in it, and leaves out one that is not', () => {
    expect(camera!.truth.seats.map((one) => one.seat)).toEqual([2, 3]);
    const xs = camera!.truth.seats[0]!.seat_polygon.map(([x]) => x);
    expect([Math.min(...xs), Math.max(...xs)]).toEqual([0, expect.closeTo(80)]);
  });

  it('asks for nothing that happened at a seat that is left out', () => {
    expect(camera!.truth.events.map(({ type, start_s }) => [type, start_s])).toEqual([
      ['contact', 3],
      ['person_extra', 4],
    ]);
  });
});
