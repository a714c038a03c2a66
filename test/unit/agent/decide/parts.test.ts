import { describe, expect, it } from 'vitest';
import { type Episode, follow, levelOf, type Pen, resume } from '../../../../agent/decide/episode.ts';
import { footPoint, inShoulders, metresPerWidth } from '../../../../agent/decide/floor.ts';
import { cellsInside, look, unlike } from '../../../../agent/decide/patch.ts';
import { spanEn, spanZh } from '../../../../agent/decide/sentence.ts';
import { advanceTracks, distinct, hasWalked, type Track } from '../../../../agent/decide/track.ts';
import { homography, toFloor } from '../../../../protocol/floor.ts';
import type { Person } from '../../../../protocol/observation.ts';
import type { Box, Point } from '../../../../protocol/seat.ts';
import { at, pack, sitting, standing } from './world.ts';

describe('floor', () => {
  /** A camera 2.6 m high that looks down at 22 degrees. */
  const project = ([x, y]: readonly [number, number]): Point => {
    const [dx, dy, dz] = [x, y, -2.6];
    const [cx, cy, cz] = [dx, -0.374607 * dy - 0.927184 * dz, 0.927184 * dy - 0.374607 * dz];
    return [0.5 + (0.5457 * cx) / cz, 0.5 + (0.97 * cy) / cz];
  };
  const places = [
    [-2, 2.5],
    [2, 2.5],
    [2, 4.5],
    [-2, 4.5],
    [0, 3.2],
  ] as const;
  const calibration = { cameraId: 'c', points: places.map((floor) => ({ image: project(floor), floor })) };

  it.each([4, 5])('finds places on the floor from %i points', (n) => {
    const h = homography({ ...calibration, points: calibration.points.slice(0, n) })!;
    for (const place of [
      [1, 3],
      [-1.5, 4],
      [0.3, 5.5],
    ] as const) {
      const [x, y] = toFloor(h, project(place))!;
      expect(x).toBeCloseTo(place[0], 3);
      expect(y).toBeCloseTo(place[1], 3);
    }
    expect(metresPerWidth(calibration, [0, 3])).toBeCloseTo((0.927184 * 3 + 0.374607 * 2.6) / 0.5457, 1);
  });
  it.each([
    ['three points', calibration.points.slice(0, 3)],
    ['points on a line', [0, 1, 2, 3].map((i) => ({ image: [0.1 * i, 0.5] as Point, floor: [i, 1] as const }))],
  ])('has no homography for %s', (_name, points) => {
    expect(homography({ cameraId: 'c', points })).toBeUndefined();
  });
  it('puts the feet below a desk that cuts the box', () => {
    const desk = [
      [0, 0.5],
      [1, 0.5],
      [1, 0.7],
      [0, 0.7],
    ] as const;
    const cut = footPoint([0.4, 0.3, 0.46, 0.52], [desk]);
    expect(cut.guessed).toBe(true);
    expect(cut.point[1]).toBeCloseTo(0.3 + 0.06 * (16 / 9) * 3, 5);
    expect(footPoint([0.4, 0.3, 0.46, 0.66], [])).toEqual({ point: [expect.closeTo(0.43, 5), 0.66], guessed: false });
  });
  it('does not take narrow shoulders for distance', () => {
    const sideways = { box: [0.4, 0.3, 0.44, 0.6] as Box };
    expect(inShoulders(sideways, [0.42, 0.4], 0.1)).toBeCloseTo(0, 1);
    expect(inShoulders(sideways, [0.3, 0.4], 0.1)).toBeCloseTo(2, 1);
  });
});

describe('looks', () => {
  const zone = [
    [0.1, 0.1],
    [0.3, 0.1],
    [0.3, 0.4],
    [0.1, 0.4],
  ] as const;
  const cells = cellsInside(zone);
  const grid = (f: (i: number) => number) => ({ seatId: '1', grid: Array.from({ length: 108 }, (_, i) => f(i)) });
  const base = (i: number) => 80 + 50 * Math.sin(i);

  it('are the same under other light, and another thing is another look', () => {
    const a = look(grid(base), cells)!;
    expect(
      unlike(
        a,
        look(
          grid((i) => 0.5 * base(i)),
          cells,
        )!,
      ),
    ).toBeLessThan(0.1);
    expect(
      unlike(
        a,
        look(
          grid((i) => base(i) + 30),
          cells,
        )!,
      ),
    ).toBeLessThan(0.01);
    expect(
      unlike(
        a,
        look(
          grid((i) => 80 + 50 * Math.cos(2 * i)),
          cells,
        )!,
      ),
    ).toBeGreaterThan(0.5);
    expect(look({ seatId: '1', grid: [1, 2, 3] }, cells)).toBeUndefined();
  });
  it('ignore the corners outside a slanted zone', () => {
    expect(cells).toHaveLength(36);
    expect(
      cellsInside([
        [0.1, 0.1],
        [0.3, 0.1],
        [0.1, 0.4],
      ]).length,
    ).toBeLessThan(24);
  });
});

describe('tracks', () => {
  const run = (frames: readonly (readonly Person[])[], everyMs = 500) => {
    let state: { tracks: readonly Track[]; nextId: number } = { tracks: [], nextId: 1 };
    const seen: number[][] = [];
    frames.forEach((persons, i) => {
      state = advanceTracks(state.tracks, persons, i * everyMs, state.nextId);
      seen.push(persons.map((p) => state.tracks.find((t) => t.box === p.box)?.trackId ?? 0));
    });
    return { seen, tracks: state.tracks };
  };

  it('keep the id of who walks at two frames a second', () => {
    const { seen } = run(Array.from({ length: 10 }, (_, i) => [standing(0.1 + i * 0.08)]));
    expect(new Set(seen.flat())).toEqual(new Set([1]));
  });
  it('do not jump to the neighbour when one is missed', () => {
    const { seen, tracks } = run([
      [sitting('1'), sitting('2')],
      [sitting('1'), sitting('2')],
      [sitting('1')],
      [sitting('1')],
    ]);
    expect(seen).toEqual([[1, 2], [1, 2], [1], [1]]);
    expect(tracks.map((t) => t.trackId)).toEqual([1, 2]);
  });
  it('go on over weak detections but do not begin with them', () => {
    const weak = (p: Person): Person => ({ ...p, score: 0.2 });
    expect(run([[sitting('1')], [weak(sitting('1'))]]).seen).toEqual([[1], [1]]);
    expect(run([[weak(sitting('1'))]]).tracks).toEqual([]);
  });
  it('keep two who pass each other apart by their way', () => {
    const { seen } = run(
      Array.from({ length: 12 }, (_, i) => [standing(0.1 + i * 0.06), standing(0.8 - i * 0.06)]),
      400,
    );
    expect(seen[0]).toEqual([1, 2]);
    // For a moment they are one box; after it each is still the one who came.
    expect(seen.at(-1)).toEqual([1, 2]);
  });
  it.each([
    ['nearly the same box', [0.1, 0.1, 0.21, 0.5], 1],
    ['head and shoulders of the same body', [0.11, 0.1, 0.19, 0.25], 1],
    ['somebody beside', [0.16, 0.1, 0.27, 0.5], 2],
    ['somebody who sits before', [0.11, 0.3, 0.19, 0.5], 2],
  ] as const)('%s', (_name, box, people) => {
    expect(
      distinct([
        { box: [0.1, 0.1, 0.2, 0.5], score: 0.9 },
        { box, score: 0.7 },
      ]),
    ).toHaveLength(people);
  });
});

describe('who has walked', () => {
  const seen = (xs: readonly number[], score: number) =>
    xs.reduce(
      (tracks, x, i) => advanceTracks(tracks, [standing(x, score)], 1000 + i * 500, 10).tracks,
      advanceTracks([], [standing(xs[0]!)], 500, 9).tracks,
    )[0]!;

  it('is who was surely seen in one place and in another', () => {
    expect(hasWalked(seen([0.5, 0.54, 0.58, 0.62], 0.8))).toBe(true);
  });

  it('is not what a detector guesses here and there: a bag, then a coat', () => {
    const guessed = seen([0.5, 0.54, 0.58, 0.62], 0.2);
    expect(guessed.box).toEqual(standing(0.62).box);
    expect(hasWalked(guessed)).toBe(false);
  });
});

describe('episodes', () => {
  let n = 0;
  const pen = (s: number): Pen => ({
    at: at(s),
    pack,
    ids: { take: () => `e${++n}` },
    behaviour: 'left_seat',
    citation: 'c',
    joinMs: 20_000,
  });
  const facts = () => ({
    seatIds: ['1'],
    beganWallMs: at(0).wallMs,
    durationMs: 1000,
    from: 'A',
    to: 'B',
    figures: [],
    sentence: { zh: '', en: '' },
  });
  const open: Episode = {
    episodeId: 'e',
    level: 'notice',
    beganWallMs: 1,
    doneMs: 0,
    runMs: 0,
    emittedMonoMs: at(0).monoMs,
  };
  const ended: Episode = { ...open, endedMonoMs: at(0).monoMs, doneMs: 5000 };

  /** What was, what holds at which second, and the phases, level and duration told. */
  it.each([
    ['nothing yet', undefined, { level: undefined, over: false }, 1, []],
    ['a level begins', undefined, { level: 'notice', over: false }, 1, ['begin notice 1000']],
    ['nothing new soon', open, { level: 'notice', over: false }, 9, []],
    ['a regular update', open, { level: 'notice', over: false }, 10, ['update notice 1000']],
    ['an escalation at once', open, { level: 'alarm', over: false }, 1, ['update alarm 1000']],
    ['a hit at once', open, { level: 'notice', over: false, tell: true }, 1, ['update notice 1000']],
    ['a level never falls', { ...open, level: 'alarm' }, { level: 'notice', over: false }, 11, ['update alarm 1000']],
    ['unknown waits', open, { level: undefined, over: false }, 60, []],
    ['the end', open, { level: undefined, over: true }, 2, ['end notice 1000']],
    ['no end without a begin', undefined, { level: undefined, over: true }, 2, []],
    ['no second end', ended, { level: undefined, over: true }, 2, []],
    ['joined within the cooldown', ended, { level: 'notice', over: false }, 20, ['update notice 6000']],
    ['a new one after it', ended, { level: 'notice', over: false }, 21, ['begin notice 1000']],
  ] as const)('%s', (_name, before, now, s, expected) => {
    const { drafts } = follow(pen(s), before, { ...now, facts });
    expect(
      drafts.map(({ body }) => (body.kind === 'episode' ? `${body.phase} ${body.level} ${body.durationMs}` : '')),
    ).toEqual(expected);
  });

  it('are taken up from their latest event', () => {
    const { drafts } = follow(pen(1), undefined, { level: 'alarm', over: false, facts });
    expect(resume(drafts[0]!, at(50))).toMatchObject({ level: 'alarm', runMs: 1000, emittedMonoMs: at(50).monoMs });
  });
  it.each([
    [9_999, undefined],
    [10_000, 'notice'],
    [30_000, 'alarm'],
  ])('after %i ms the level is %s', (ms, level) => {
    expect(levelOf(ms, { noticeMs: 10_000, alarmMs: 30_000 })).toBe(level);
  });
});

describe('spans in words', () => {
  it.each([
    [66_000, '1分06秒', '1 min 06 s'],
    [59_999, '59秒', '59 s'],
    [3_720_000, '1小时02分', '1 h 02 min'],
  ])('%i ms', (ms, zh, en) => {
    expect([spanZh(ms), spanEn(ms)]).toEqual([zh, en]);
  });
});
