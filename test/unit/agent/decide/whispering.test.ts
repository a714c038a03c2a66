import { describe, expect, it } from 'vitest';
import type { Person } from '../../../../protocol/observation.ts';
import { full, posed, session } from './bodies.ts';
import { at, begin, context, episodes, feed, layout, play, type Run, sitting, told, ZONES } from './world.ts';

const ctx = { ...context, pack: full };
const of = (run: Run, behaviour: string) => told(run).filter((line) => line.includes(behaviour));

/** Seats 1 and 2 stand close enough to lean over. */
const near = {
  ...ctx,
  layout: {
    ...layout,
    seats: layout.seats.map((s) => {
      const x = s.seatId === '2' ? 0.27 : ZONES[s.seatId]!;
      const zone: [number, number][] = [
        [x, 0.4],
        [x + 0.16, 0.4],
        [x + 0.16, 0.6],
        [x, 0.6],
      ];
      return { ...s, views: [{ cameraId: 'cam-a', zone }] };
    }),
  },
};
const pair = (lean: number): readonly Person[] => [
  sitting('1', lean),
  { box: [0.3 - lean * 0.16, 0.4, 0.4 - lean * 0.16, 0.58], score: 0.8 },
  sitting('3'),
];

const leaning = { '1': 'otherwise', '2': 'otherwise' } as const;

describe('whispering', () => {
  it('tells heads that were put together, with both seats', () => {
    const run = begin([], near);
    play(run, 20, { persons: pair(0) }, near);
    play(run, 32, { persons: pair(0.3), looks: leaning }, near);
    play(run, 40, { persons: pair(0) }, near);
    expect(told(run)).toEqual(['begin whispering notice', 'end whispering notice']);
    expect(episodes(run)[0]).toMatchObject({ seatIds: ['1', '2'], beganWallMs: at(20).wallMs });
  });
  it('becomes an alarm when it happens again and again', () => {
    const run = begin([], { ...near, pack: { ...full, cooldownMs: 0 } });
    play(run, 20, { persons: pair(0) }, near);
    for (let i = 1; i <= 3; i++) {
      play(run, run.s + 8, { persons: pair(0.3), looks: leaning }, near);
      play(run, run.s + 12, { persons: pair(0) }, near);
    }
    expect(of(run, 'alarm').length).toBeGreaterThan(0);
  });
  it('is allowed while they discuss', () => {
    const run = begin([], near);
    play(run, 20, { persons: pair(0) }, near);
    feed(run, { kind: 'session', at: at(20), session: session({ phase: 'discussion' }) }, near);
    play(run, 40, { persons: pair(0.3), looks: leaning }, near);
    expect(told(run)).toEqual([]);
  });
  it('goes on after a restart under the same id', () => {
    const run = begin([], near);
    play(run, 20, { persons: pair(0) }, near);
    play(run, 28, { persons: pair(0.3), looks: leaning }, near);
    const again = begin(run.drafts, { ...near, runId: 'second' });
    play(again, 20, { persons: pair(0) }, { ...near, runId: 'second' });
    expect(told(again)).toEqual(['end whispering notice']);
    expect(episodes(again)[0]!.episodeId).toBe(episodes(run)[0]!.episodeId);
  });
});

describe('heads of which few are seen', () => {
  const faced = (persons: readonly Person[]) => persons.map((p) => posed(p));
  const calm = () => {
    const run = begin([], near);
    play(run, 20, { persons: faced(pair(0)) }, near);
    return run;
  };
  it('are not boxes that tremble at seats that look as ever', () => {
    const run = calm();
    play(run, 40, { persons: pair(0.3) }, near);
    expect(told(run)).toEqual([]);
  });
  it('are where the boxes are when the poses are old ones', () => {
    const run = calm();
    const [one, two, three] = pair(0.3);
    // As it was before they leaned, moved along.
    const old = (p: Person, by: number) => {
      const { pose } = posed({ ...p, box: [p.box[0] + by, p.box[1], p.box[2] + by, p.box[3]] });
      return { ...p, pose: pose! };
    };
    play(
      run,
      32,
      (s) => ({
        persons: [old(one!, -0.05), old(two!, 0.05), three!].map((p) => ({ ...p, poseAgeMs: 4000 + (s - 20) * 1000 })),
        looks: leaning,
      }),
      near,
    );
    expect(of(run, 'whispering')).toEqual(['begin whispering notice']);
  });
  it('are known by one who leans far over to a seat whose person is missed, both seats changed', () => {
    const run = calm();
    const [one, , three] = pair(0.5);
    play(run, 30, { persons: [posed(one!), three!], looks: leaning }, near);
    play(run, 44, { persons: faced(pair(0)) }, near);
    expect(of(run, 'whispering')).toEqual(['begin whispering notice', 'end whispering notice']);
    expect(episodes(run)[0]).toMatchObject({ seatIds: ['1', '2'], beganWallMs: at(20).wallMs });
    expect(of(run, 'sleeping')).toEqual([]);
  });
  it('are known by two who go out of sight in the same moment, at seats that look otherwise since', () => {
    const run = calm();
    play(run, 45, { persons: [posed(sitting('3'))], looks: leaning }, near);
    expect(of(run, 'whispering')[0]).toBe('begin whispering notice');
    expect(of(run, 'sleeping')).toEqual([]);
    const [first] = episodes(run);
    expect(first).toMatchObject({ seatIds: ['1', '2'] });
    expect(Math.abs(first!.beganWallMs - at(20).wallMs)).toBeLessThanOrEqual(500);
    // How far apart heads are that nobody sees is not made up.
    expect(first!.figures.map((f) => f.name)).toEqual(['lasting']);
  });
  it.each([
    ['hidden by who stands before them', 20, [{ box: [0.1, 0.2, 0.45, 0.9] as const, score: 0.8 }]],
    ['lost one after the other', 30, []],
  ])('are not two who are %s', (_name, second, before) => {
    const run = calm();
    const one = posed(pair(0)[0]!);
    play(run, second, { persons: [one, posed(sitting('3'))], looks: { '2': 'otherwise' } }, near);
    play(run, 50, { persons: [posed(sitting('3')), ...before], looks: leaning }, near);
    expect(of(run, 'whispering')).toEqual([]);
  });
  it('are not a sleeper and a neighbour whose seat looks as ever', () => {
    const run = calm();
    const [one, , three] = pair(0.5);
    play(run, 34, { persons: [posed(one!), three!], looks: { '2': 'otherwise' } }, near);
    expect(of(run, 'whispering')).toEqual([]);
  });
});
