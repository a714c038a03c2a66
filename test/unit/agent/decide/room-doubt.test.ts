/** A floor whose camera was nudged: distances are still judged, and say that they are doubtful; of a camera that was moved none is judged. */
import { describe, expect, it } from 'vitest';
import type { RoomContext } from '../../../../agent/decide/room.ts';
import { standingOf } from '../../../../agent/state.ts';
import type { Person, PictureState } from '../../../../protocol/observation.ts';
import { full } from './bodies.ts';
import { ALL, begin, context, episodes, layout, others, play, standing, ZONES } from './world.ts';

const floor = [
  { image: [0, 0], floor: [0, 0] },
  { image: [1, 0], floor: [10, 0] },
  { image: [1, 1], floor: [10, 10] },
  { image: [0, 1], floor: [0, 10] },
] as const;
const ctx: RoomContext = {
  ...context,
  pack: full,
  layout: {
    ...layout,
    seats: layout.seats.map((seat) => ({ ...seat, floor: [10 * (ZONES[seat.seatId]! + 0.08), 6] as const })),
    floor: [{ cameraId: 'cam-a', points: floor }],
  },
};

const OFF = { dx: 0.02, dy: -0.01 };
const IN_PLACE: Partial<PictureState> = {};
const NUDGED: Partial<PictureState> = { shift: { ...OFF, confidence: 0.8 }, offset: OFF };
const MOVED: Partial<PictureState> = { shift: { dx: 0.2, dy: 0, confidence: 0.6 } };

/** Seat 1's owner stands up, stays away from the chair and then walks to and fro, before a camera that shows `picture`. */
function walk(picture: Partial<PictureState>) {
  const { offset = { dx: 0, dy: 0 } } = picture;
  const run = begin([], ctx);
  play(run, 20, { persons: ALL }, ctx);
  const shown = (persons: readonly Person[]) =>
    persons.map(
      ({ box: [x0, y0, x1, y1], score }): Person => ({
        box: [x0 + offset.dx, y0 + offset.dy, x1 + offset.dx, y1 + offset.dy],
        score,
      }),
    );
  const at = (s: number) => (s < 40 ? 0.33 : 0.315 + 0.045 * Math.sin(2 * s));
  play(run, 70, (s) => ({ persons: shown([...others('1'), standing(at(s))]), picture }), ctx);
  return run;
}

describe('the distance on the floor of a camera', () => {
  it('that is where it was is given without a doubt', () => {
    const run = walk(IN_PLACE);
    const measured = episodes(run).filter((b) => b.behaviour === 'too_far' || b.behaviour === 'walking_about');
    expect(new Set(measured.map((b) => b.behaviour)).size).toBe(2);
    expect(measured.flatMap((b) => b.figures.filter(({ name }) => name === 'nudge'))).toEqual([]);
    expect(measured.map((b) => b.sentence.en).join()).not.toContain('doubtful');
    expect(run.view.nudged).toEqual([]);
    expect(standingOf(run.view, ctx.layout, 'cam-a')).toEqual({ floor: 'sure' });
    expect(standingOf(run.view, layout, 'cam-a')).toEqual({});
  });

  it('that was nudged is judged, and marked in figures and words', () => {
    const run = walk(NUDGED);
    for (const behaviour of ['too_far', 'walking_about']) {
      const body = episodes(run).find((b) => b.behaviour === behaviour)!;
      expect(body.figures).toContainEqual({ name: 'nudge', value: 0.02, unit: '' });
      expect(body.sentence.en).toContain('the camera was nudged: the distance is doubtful');
      expect(body.sentence.zh).toContain('距离仅供参考');
    }
    expect(run.view.nudged).toEqual([{ cameraId: 'cam-a', ...OFF }]);
    expect(standingOf(run.view, ctx.layout, 'cam-a')).toEqual({ nudged: OFF, floor: 'doubtful' });
    expect(standingOf(run.view, layout, 'cam-a')).toEqual({ nudged: OFF });
  });

  it('that was moved is not judged, and the floor is doubtful until it is back', () => {
    const run = walk(MOVED);
    expect(episodes(run).map((b) => b.behaviour)).toEqual(expect.not.arrayContaining(['too_far', 'walking_about']));
    expect(standingOf(run.view, ctx.layout, 'cam-a')).toEqual({ floor: 'doubtful' });
    play(run, 80, { persons: ALL }, ctx);
    expect(standingOf(run.view, ctx.layout, 'cam-a')).toEqual({ floor: 'sure' });
  });
});
