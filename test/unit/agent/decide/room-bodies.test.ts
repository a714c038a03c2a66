/** What people do at their seats and with each other: standing, visiting, whispering, phones, paper, sleep. */
import { describe, expect, it } from 'vitest';
import type { Person } from '../../../../protocol/observation.ts';
import type { Session } from '../../../../protocol/session.ts';
import { full, posed, session } from './bodies.ts';
import {
  at,
  begin,
  context,
  episodes,
  feed,
  frame,
  layout,
  others,
  play,
  type Run,
  sitting,
  standing,
  told,
} from './world.ts';

const ctx = { ...context, pack: full };
const all = ['1', '2', '3'].map((id) => posed(sitting(id)));
const seated = (id: string, arms: Parameters<typeof posed>[1] = {}) => [
  ...others(id).map((p) => posed(p)),
  posed(sitting(id), arms),
];
const say = (run: Run, state: Session) => feed(run, { kind: 'session', at: at(run.s), session: state }, ctx);
const of = (run: Run, behaviour: string) => told(run).filter((line) => line.includes(behaviour));
const start = () => {
  const run = begin([], ctx);
  play(run, 20, { persons: all }, ctx);
  expect(told(run)).toEqual([]);
  return run;
};
const rising = (id: string): Person => {
  const [x0, y0, x1, y1] = sitting(id).box;
  return { box: [x0, y0 - 0.1, x1, y1], score: 0.8 };
};

describe('standing at the seat', () => {
  it('tells who stands beside the chair, and its end', () => {
    const run = start();
    play(run, 32, { persons: [...others('2').map((p) => posed(p)), rising('2')], looks: { '2': 'otherwise' } }, ctx);
    play(run, 40, { persons: all }, ctx);
    expect(of(run, 'standing')).toEqual(['begin standing notice', 'end standing notice']);
    const [first] = episodes(run);
    expect(first).toMatchObject({ seatIds: ['2'], sourceId: 'cam-a' });
    expect(first!.beganWallMs).toBe(at(20).wallMs);
    expect(first!.figures.map((f) => f.name)).toEqual(['lasting', 'rise']);
    expect(first!.sentence.zh).toBe('2号席专家在席位站立 5秒（阈值 5秒）');
  });
  it('is not a stretch of the arms', () => {
    const run = start();
    const stretch = posed(rising('2'), { left: 'head', right: 'head' });
    play(run, 32, { persons: [...others('2').map((p) => posed(p)), stretch], looks: { '2': 'otherwise' } }, ctx);
    expect(of(run, 'standing')).toEqual([]);
  });
  it('is not who passes behind and is taken for the owner, whose seat looks as ever', () => {
    const run = start();
    play(run, 32, { persons: [...others('2').map((p) => posed(p)), rising('2')] }, ctx);
    expect(of(run, 'standing')).toEqual([]);
  });
  it('is not a weak box without a face, as of a plant behind the chair', () => {
    const run = start();
    const weak = { ...rising('2'), score: 0.35 };
    play(run, 32, { persons: [...others('2').map((p) => posed(p)), weak], looks: { '2': 'otherwise' } }, ctx);
    expect(of(run, 'standing')).toEqual([]);
    const faced = posed(weak);
    play(run, 44, { persons: [...others('2').map((p) => posed(p)), faced], looks: { '2': 'otherwise' } }, ctx);
    expect(of(run, 'standing')).toEqual(['begin standing notice']);
  });
  it('is allowed while sheets are signed', () => {
    const run = start();
    say(run, session({ phase: 'signature' }));
    play(run, 40, { persons: [...others('2').map((p) => posed(p)), rising('2')], looks: { '2': 'otherwise' } }, ctx);
    expect(told(run)).toEqual([]);
  });
});

/** Seat 1's owner walks over to seat 2 and stays. */
function visit(run: Run, until: number) {
  for (const x of [0.22, 0.27, 0.32])
    play(run, run.s + 0.5, { persons: [...others('1'), standing(x)], looks: { '1': 'empty' } }, ctx);
  play(run, until, { persons: [...others('1'), standing(0.39)], looks: { '1': 'empty' } }, ctx);
}

describe("at another's seat", () => {
  it('names both seats', () => {
    const run = start();
    visit(run, 40);
    expect(of(run, 'at_other_seat')).toEqual(['begin at_other_seat notice', 'update at_other_seat alarm']);
    expect(episodes(run).find((b) => b.behaviour === 'at_other_seat')!.seatIds).toEqual(['1', '2']);
  });
  it('is not raised for who is seen at the own seat by another camera', () => {
    const two = {
      ...ctx,
      layout: {
        ...layout,
        seats: layout.seats.map((s) => ({ ...s, views: [...s.views, { ...s.views[0]!, cameraId: 'cam-b' }] })),
      },
    };
    const run = begin([], two);
    const shot = (persons: readonly Person[], b: readonly Person[]) => {
      feed(run, frame(run.s, { persons }), two);
      feed(run, { ...frame(run.s, { persons: b }), cameraId: 'cam-b' }, two);
      run.s += 0.5;
    };
    while (run.s < 20) shot(all, all);
    while (run.s < 40) shot(all, [...others('1'), standing(0.37)]);
    expect(of(run, 'at_other_seat')).toEqual([]);
    expect(of(run, 'left_seat')).toEqual([]);
  });
  it('is not somebody seen weakly beside another seat, as a plant is, while the one who is away is seen visiting', () => {
    const run = start();
    for (const x of [0.22, 0.27, 0.32])
      play(run, run.s + 0.5, { persons: [...others('1'), standing(x)], looks: { '1': 'empty' } }, ctx);
    const plant = { ...standing(0.88), score: 0.35 };
    play(run, 50, { persons: [...others('1'), standing(0.39), plant], looks: { '1': 'empty' } }, ctx);
    const told_ = episodes(run).filter((b) => b.behaviour === 'at_other_seat' && b.phase === 'begin');
    expect(told_.map((b) => b.seatIds)).toEqual([['1', '2']]);
  });
  it('is allowed with a call for help', () => {
    const run = start();
    const permit = { permitId: 'p', kind: 'help' as const, seatId: '1', fromWallMs: 0, untilWallMs: at(90).wallMs };
    say(run, session({ permits: [permit] }));
    visit(run, 40);
    expect(told(run)).toEqual([]);
  });
});

describe('gathering', () => {
  it('tells three who left their seats and stand together', () => {
    const run = start();
    const walk = (k: number) => [0.2 + 0.1 * k, 0.48, 0.75 - 0.08 * k].map((x) => standing(x));
    const looks = { '1': 'empty', '2': 'empty', '3': 'empty' } as const;
    for (let k = 0; k < 3; k += 0.5) play(run, run.s + 0.5, { persons: walk(k), looks }, ctx);
    play(run, 45, { persons: [standing(0.48), standing(0.56), standing(0.62)], looks }, ctx);
    expect(of(run, 'gathering')[0]).toBe('begin gathering alarm');
    expect(
      episodes(run)
        .find((b) => b.behaviour === 'gathering')!
        .figures.find((f) => f.name === 'group')!.value,
    ).toBe(3);
  });
  it('is not three neighbours at their seats', () => {
    const run = start();
    play(run, 60, { persons: all }, ctx);
    expect(told(run)).toEqual([]);
  });
});

describe('phone', () => {
  it.each(['left', 'right'] as const)('tells the %s hand at the ear', (side) => {
    const run = start();
    play(run, 26, { persons: seated('2', { [side]: 'ear' }) }, ctx);
    play(run, 40, { persons: all }, ctx);
    expect(told(run)).toEqual(['begin phone alarm', 'end phone alarm']);
    expect(episodes(run)[0]).toMatchObject({ seatIds: ['2'], beganWallMs: at(20).wallMs });
  });
  it.each([
    ['a hand at the chin', { left: 'chin' }],
    ['scratching', { right: 'head' }],
    ['both hands at the head', { left: 'ear', right: 'ear' }],
  ] as const)('is not %s', (_name, arms) => {
    const run = start();
    play(run, 40, { persons: seated('2', arms) }, ctx);
    expect(told(run)).toEqual([]);
  });
  it('does not come of one pose that is carried along', () => {
    const run = start();
    const once = posed(sitting('2'), { left: 'ear' });
    play(run, 20.5, { persons: [...others('2'), once] }, ctx);
    play(run, 28, (s) => ({ persons: [...others('2'), { ...once, poseAgeMs: (s - 20) * 1000 }] }), ctx);
    expect(told(run)).toEqual([]);
  });
  it('is not such an arm in every other pose, as it is guessed for hands that a monitor hides', () => {
    const run = start();
    play(run, 60, (s) => ({ persons: seated('2', s % 1 === 0 ? { left: 'ear' } : {}) }), ctx);
    expect(told(run)).toEqual([]);
  });
  it('is one call while poses say so now and then, from the first of them on', () => {
    const run = start();
    const up = (s: number) => (s < 30 ? s % 2.5 < 1.5 : s % 5 < 1);
    play(run, 50, (s) => ({ persons: seated('2', up(s) ? { left: 'ear' } : {}) }), ctx);
    play(run, 70, { persons: all }, ctx);
    expect(of(run, 'phone').filter((line) => !line.includes('update'))).toEqual([
      'begin phone alarm',
      'end phone alarm',
    ]);
    expect(episodes(run)[0]!.beganWallMs).toBe(at(20).wallMs);
  });
  it('is told in the first seconds of a film', () => {
    const run = begin([], ctx);
    play(run, 3, { persons: all }, ctx);
    play(run, 12, { persons: seated('2', { right: 'ear' }) }, ctx);
    expect(of(run, 'phone')).toEqual(['begin phone alarm']);
    expect(episodes(run)[0]).toMatchObject({ seatIds: ['2'], beganWallMs: at(3).wallMs });
  });
  it('is allowed with a permitted call', () => {
    const run = start();
    const permit = { permitId: 'p', kind: 'call' as const, fromWallMs: 0, untilWallMs: at(90).wallMs };
    say(run, session({ permits: [permit] }));
    play(run, 40, { persons: seated('2', { left: 'ear' }) }, ctx);
    expect(told(run)).toEqual([]);
  });
});

describe('passing items', () => {
  const arms = (x: number) => [
    posed(sitting('1'), { left: { to: [x, 0.5] } }),
    posed(sitting('2'), { right: { to: [x + 0.01, 0.5] } }),
    posed(sitting('3')),
  ];
  it('tells hands that meet, at most as a notice', () => {
    const run = start();
    play(run, 23, { persons: arms(0.33) }, ctx);
    play(run, 30, { persons: all }, ctx);
    expect(told(run)).toEqual(['begin passing_items notice', 'end passing_items notice']);
    expect(episodes(run)[0]!.seatIds).toEqual(['1', '2']);
  });
  it('is not a signature round', () => {
    const run = start();
    say(run, session({ phase: 'signature' }));
    play(run, 24, { persons: arms(0.33) }, ctx);
    expect(told(run)).toEqual([]);
  });
});

describe('sleeping', () => {
  /** A look of the seat that is neither the taken nor the empty one. */
  const slumped = (grid: readonly number[]) => grid.map((v, i) => v + 40 * Math.sin(i * 1.7));
  const shot = (run: Run, persons: readonly Person[], stir: boolean) => {
    const shown = frame(run.s, { persons });
    const patches = shown.patches.map((p) =>
      p.seatId === '2'
        ? { ...p, grid: slumped(p.grid).map((v, i) => v + (stir ? 30 * Math.sin(i + run.s * 3) : 0)) }
        : p,
    );
    feed(run, { ...shown, patches }, ctx);
    run.s += 0.5;
  };
  it('tells a motionless seat whose person is no longer detected, backdated to the last motion', () => {
    const run = start();
    const [x0, , x1, y1] = sitting('2').box;
    shot(run, [...others('2'), { box: [x0, 0.44, x1, y1], score: 0.5 }], false);
    while (run.s < 45) shot(run, others('2'), false);
    expect(of(run, 'sleeping')).toEqual(['begin sleeping notice']);
    expect(episodes(run)[0]).toMatchObject({ seatIds: ['2'] });
    expect(episodes(run)[0]!.beganWallMs).toBe(at(20).wallMs);
    play(run, 60, { persons: all }, ctx);
    expect(of(run, 'sleeping').at(-1)).toBe('end sleeping notice');
    expect(of(run, 'left_seat')).toEqual([]);
  });
  it('is not somebody who is missed and moves', () => {
    const run = start();
    while (run.s < 60) shot(run, others('2'), true);
    expect(told(run)).toEqual([]);
  });
  it('is not somebody who sits still with the head up', () => {
    const run = start();
    while (run.s < 60) shot(run, all, false);
    expect(told(run)).toEqual([]);
  });
  it('is not who bows over papers for long, with the nose at the shoulders, and whose seat looks as ever', () => {
    const run = start();
    const upright = posed(sitting('2'));
    const [[x, , score], [, shoulderY]] = [upright.pose![0]!, upright.pose![5]!];
    const bowed = { ...upright, pose: [[x, shoulderY - 0.003, score] as const, ...upright.pose!.slice(1)] };
    play(run, 80, { persons: [...others('2').map((p) => posed(p)), bowed] }, ctx);
    expect(of(run, 'sleeping')).toEqual([]);
  });
  it('tells a head that is seen lying low', () => {
    const run = start();
    const [x0, , x1, y1] = sitting('2').box;
    while (run.s < 50) shot(run, [...others('2'), { box: [x0, 0.5, x1, y1], score: 0.5 }], false);
    expect(of(run, 'sleeping')).toEqual(['begin sleeping notice']);
  });
});
