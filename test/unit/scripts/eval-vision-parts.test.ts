/** A film that begins later, or in another order: its frames and episodes move along, and what had begun before is not asked for. */
import { describe, expect, it } from 'vitest';
import { FURTHER, varied } from '../../../scripts/eval-vision-augment.ts';
import { partsOf, secondIn, shownIn } from '../../../scripts/eval-vision-parts.ts';
import type { Truth, TruthRoom } from '../../../scripts/eval-vision-truth.ts';

const event = (type: string, start_s: number, end_s: number) => ({ type, seat: 1, start_s, end_s });

const truth: Truth = {
  ...{ fps: 5, width: 1280, height: 720, duration_s: 100, people: [], seats: [] },
  frames: Array.from({ length: 500 }, (_, i) => ({ t: i / 5, image: 'normal', people: [] })),
  events: [
    event('lights_dim', 3, 9),
    event('seat_absent', 20.6, 40),
    event('contact', 44, 58),
    event('phone_at_ear', 62, 70),
  ],
};
const room: TruthRoom = { name: 'room', cameras: [{ cameraId: 'cam', file: 'cam.mp4', truth }] };

describe('a film that begins late', () => {
  it('shows eight seconds and a part of one before its first episode that is scored', () => {
    expect(partsOf(room, 'late')).toEqual([[12, 100]]);
    const shown = shownIn(truth, [[12, 100]]);
    expect(shown.duration_s).toBe(88);
    expect(shown.frames[0]!.t).toBe(0);
    expect(shown.events.map(({ type, start_s }) => [type, start_s])).toEqual([
      ['seat_absent', expect.closeTo(8.6)],
      ['contact', 32],
      ['phone_at_ear', 50],
    ]);
  });

  it('marks what had begun, which need not be found', () => {
    expect(partsOf(room, 'middle')).toEqual([[36, 100]]);
    expect(shownIn(truth, [[36, 100]]).events).toEqual([
      { ...event('seat_absent', 0, 4), begun: true },
      event('contact', 8, 22),
      event('phone_at_ear', 26, 34),
    ]);
  });

  it('begins in its midst when nothing happens in it', () => {
    const quiet = { ...room, cameras: [{ ...room.cameras[0]!, truth: { ...truth, events: [] } }] };
    expect(partsOf(quiet, 'late')).toEqual([[25, 100]]);
  });
});

describe('a film whose second half comes first', () => {
  it('is cut where nothing happens', () => {
    // Between the episodes there are never five seconds on either side.
    expect(partsOf(room, 'swapped')).toEqual([
      [76, 100],
      [0, 76],
    ]);
  });

  it('has its frames in order, and its episodes where they are shown', () => {
    const [camera] = varied(room, FURTHER.find(({ name }) => name === 'spliced')!).cameras;
    const shown = camera!.truth;
    expect(shown.duration_s).toBe(100);
    expect(shown.frames).toHaveLength(500);
    expect(shown.frames.every(({ t }, i) => i === 0 || t > shown.frames[i - 1]!.t)).toBe(true);
    expect(shown.events.find(({ type }) => type === 'seat_absent')!.start_s).toBeCloseTo(44.6);
  });

  it('finds a second of the film in the video', () => {
    const parts = partsOf(room, 'swapped');
    expect([0, 23, 24, 99].map((s) => secondIn(parts, s))).toEqual([76, 99, 0, 75]);
    expect(secondIn(undefined, 7)).toBe(7);
  });
});
