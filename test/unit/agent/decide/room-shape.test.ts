/** The same room in pictures of another shape: what is decided does not depend on the camera's. */
import { describe, expect, it } from 'vitest';
import type { RoomContext } from '../../../../agent/decide/room.ts';
import type { FrameObservation, Person } from '../../../../protocol/observation.ts';
import type { RoomLayout } from '../../../../protocol/room.ts';
import type { Point } from '../../../../protocol/seat.ts';
import { full, posed } from './bodies.ts';
import { at, begin, episodes, feed, frame, layout, others, type Run, sitting, standing, ZONES } from './world.ts';

/** A floor of six metres by ten, seen from above. */
const floor = [
  { image: [0, 0], floor: [0, 0] },
  { image: [1, 0], floor: [6, 0] },
  { image: [1, 1], floor: [6, 10] },
  { image: [0, 1], floor: [0, 10] },
] as const;

const room: RoomLayout = {
  ...layout,
  seats: layout.seats.map((seat) => ({ ...seat, floor: [6 * (ZONES[seat.seatId]! + 0.08), 6] as const })),
  floor: [{ cameraId: 'cam-a', points: floor }],
};

const all = ['1', '2', '3'].map((id) => posed(sitting(id)));
const rest = (id: string) => others(id).map((person) => posed(person));

/** Seats 1 and 2 put their heads together; seat 3 holds a telephone; seat 2 gets up and walks off. */
function story(s: number): readonly Person[] {
  if (s < 20) return all;
  if (s < 40) return [posed(sitting('1', 0.75)), posed(sitting('2', -0.75)), posed(sitting('3'))];
  if (s < 50) return all;
  if (s < 60) return [...rest('3'), posed(sitting('3'), { left: 'ear' })];
  if (s < 70) return all;
  return [...rest('2'), posed(standing(0.48 + Math.min(0.18, (s - 70) * 0.03)))];
}

/** Plays it to a camera whose picture is `width` times as wide as one of 16:9 of the same height. */
function told(width: number) {
  const drawn = (p: Point): Point => [p[0] / width, p[1]];
  const with_: RoomContext = {
    pack: full,
    runId: 'run',
    layout: {
      ...room,
      seats: room.seats.map((seat) => ({
        ...seat,
        views: seat.views.map((view) => ({ ...view, zone: view.zone.map(drawn) })),
      })),
      floor: [{ cameraId: 'cam-a', points: floor.map((point) => ({ ...point, image: drawn(point.image) })) }],
    },
  };
  const run: Run = begin([], with_);
  let last: FrameObservation | undefined;
  for (let s = 0; s < 90; s += 0.5) {
    const persons = story(s).map((person) => ({
      ...person,
      box: [person.box[0] / width, person.box[1], person.box[2] / width, person.box[3]] as const,
      pose: person.pose!.map(([x, y, score]) => [x / width, y, score] as const),
    }));
    last = { ...frame(s, { persons }), ...(width === 1 ? {} : { aspect: (width * 16) / 9 }) };
    feed(run, last, with_);
    if (Number.isInteger(s)) feed(run, { kind: 'tick', at: at(s + 0.01) }, with_);
  }
  return { run, last };
}

describe('the shape of a picture', () => {
  const usual = told(1).run;
  const short = (run: Run) =>
    episodes(run).map((b) => [b.phase, b.behaviour, b.level, b.seatIds.join(), b.figures.map((f) => f.value)]);

  it('has people whisper, telephone and go too far in a picture of 16:9', () => {
    const kinds = new Set(episodes(usual).map((b) => b.behaviour));
    expect([...kinds].sort()).toEqual(expect.arrayContaining(['phone', 'too_far', 'whispering']));
  });

  it.each([
    ['4:3', 3 / 4],
    ['5:4', 45 / 64],
    ['a square', 9 / 16],
    ['hung on its side, 9:16', 81 / 256],
    ['2:1', 9 / 8],
  ])('changes nothing of it: %s', (_name, width) => {
    const { run, last } = told(width);
    expect(short(run)).toEqual(
      short(usual).map((line) => [...line.slice(0, -1), (line.at(-1) as number[]).map((v) => expect.closeTo(v, 1))]),
    );
    // What is drawn over the picture lies where the people are in it.
    const lefts = (list: readonly { readonly box: readonly number[] }[]) =>
      list.map(({ box }) => box[0]!).sort((a, b) => a - b);
    expect(lefts(run.view.tracks)).toEqual(lefts(last!.persons).map((x) => expect.closeTo(x)));
  });
});
