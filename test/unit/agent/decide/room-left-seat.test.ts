import { describe, expect, it } from 'vitest';
import type { DraftEvent } from '../../../../protocol/event.ts';
import {
  ALL,
  at,
  begin,
  context,
  episodes,
  feed,
  frame,
  others,
  pack,
  play,
  type Run,
  type Shot,
  seat,
  sitting,
  standing,
  told,
} from './world.ts';

/** Everybody sits for 20 s, then seat 3 rises and walks out to the right. */
function walkOut(run: Run): void {
  play(run, 20, { persons: ALL });
  play(run, 21, { persons: [...others('3'), standing(0.78)] });
  play(run, 23, (s) => ({ persons: [...others('3'), standing(0.8 + (s - 21) * 0.1)], looks: { '3': 'empty' } }));
}
const gone = { persons: others('3'), looks: { '3': 'empty' as const } };

describe('left seat', () => {
  it('tells notice, alarm, updates and end of one absence under one episode', () => {
    const run = begin();
    walkOut(run);
    play(run, 90, gone);
    play(run, 105, { persons: ALL });
    expect(told(run)).toEqual([
      'begin left_seat notice',
      'update left_seat notice',
      'update left_seat notice',
      'update left_seat alarm',
      'end left_seat alarm',
    ]);
    const all = episodes(run);
    expect(new Set(all.map((e) => e.episodeId))).toEqual(new Set(['run-1']));
    const first = all[0]!;
    expect(first).toMatchObject({ from: 'LEAVING', to: 'AWAY', seatIds: ['3'] });
    // Backdated to the first frame that showed the owner clearly beside the seat.
    expect((first.beganWallMs - at(0).wallMs) / 1000).toBeCloseTo(22.5, 0);
    expect(first.sentence.zh).toBe('3号席离席 30秒（阈值 30秒）');
    expect(first.sentence.en).toBe('Seat 3 away 30 s (threshold 30 s)');
    expect(first.figures.find((f) => f.name === 'away')).toMatchObject({ value: 30, threshold: 30, unit: 's' });
    const last = all.at(-1)!;
    expect(last).toMatchObject({ from: 'AWAY', to: 'RETURNED' });
    // The end is counted to the moment of return, not to the moment at which the window believed it.
    expect(last.durationMs).toBeGreaterThan(66_000);
    expect(last.durationMs).toBeLessThanOrEqual(69_000);
  });

  it('is silent about an absence shorter than the notice', () => {
    const run = begin();
    walkOut(run);
    play(run, 40, gone);
    play(run, 60, { persons: ALL });
    expect(told(run)).toEqual([]);
    expect(seat(run, '3')).toMatchObject({ occupancy: 'yes', state: 'SEATED' });
  });

  it('never takes a missing detection for leaving: a sleeper stays', () => {
    const run = begin();
    play(run, 20, { persons: ALL });
    play(run, 110, { persons: others('2') });
    expect(told(run)).toEqual([]);
    expect(seat(run, '2')).toMatchObject({ occupancy: 'yes', state: 'SEATED' });
    play(run, 200, { persons: others('2') });
    expect(seat(run, '2').occupancy).not.toBe('no');
    expect(told(run)).toEqual([]);
  });

  it('is not moved by somebody who walks past while the owner is missed', () => {
    const run = begin();
    play(run, 20, { persons: ALL });
    play(run, 30, { persons: others('2') });
    play(run, 36, (s) => ({ persons: [...others('2'), standing(0.02 + (s - 30) * 0.16)] }));
    play(run, 100, { persons: others('2') });
    expect(told(run).filter((t) => t.includes('left_seat'))).toEqual([]);
    expect(seat(run, '2').occupancy).not.toBe('no');
  });

  it('believes the look of the empty seat where the walk was not seen', () => {
    const run = begin();
    walkOut(run);
    play(run, 40, gone);
    play(run, 70, { persons: ALL });
    // This time nobody is seen leaving, but the seat looks as it did when it was empty.
    play(run, 120, gone);
    expect(told(run)[0]).toBe('begin left_seat notice');
    expect(seat(run, '3')).toMatchObject({ occupancy: 'no', state: 'AWAY' });
  });

  it('keeps an owner who stands beside the chair', () => {
    const run = begin();
    play(run, 20, { persons: ALL });
    play(run, 80, { persons: [...others('3'), standing(0.85)] });
    expect(seat(run, '3').occupancy).toBe('yes');
    expect(told(run)).toEqual([]);
  });

  it('knows that somebody left who was last seen on their feet, and whose seat lies still and looks otherwise', () => {
    const risen = (score: number) => ({ persons: [...others('2'), standing(0.48, score)] });
    const left = { persons: others('2'), looks: { '2': 'empty' } } as const;
    const run = begin();
    play(run, 20, { persons: ALL });
    play(run, 21, risen(0.8));
    play(run, 60, left);
    expect(seat(run, '2')).toMatchObject({ occupancy: 'no', state: 'AWAY' });
    expect(told(run)[0]).toBe('begin left_seat notice');
    // Who sat to the last and is missed has not.
    const other = begin();
    play(other, 20, { persons: ALL });
    play(other, 60, left);
    expect(seat(other, '2').occupancy).not.toBe('no');
  });

  it('takes an owner for gone who is a little too far aside for some frames, and not for one', () => {
    // The room beside a seat without a calibrated floor is 0.65 zone widths; a zone is 0.16 wide.
    const aside = (widths: number) => ({
      persons: [...others('2'), standing(0.48 + 0.16 * widths)],
      looks: { '2': 'empty' } as const,
    });
    const run = begin();
    play(run, 20, { persons: ALL });
    play(run, 20.5, aside(0.7));
    play(run, 25, { persons: ALL });
    expect(seat(run, '2').occupancy).toBe('yes');
    play(run, 30, aside(0.7));
    expect(seat(run, '2').occupancy).toBe('no');
  });

  it('does not count time in which the camera saw nothing', () => {
    const run = begin();
    walkOut(run);
    play(run, 42, gone);
    play(run, 100, { picture: { edgeEnergy: 0.1, shift: { dx: 0, dy: 0, confidence: 0.05 } } });
    expect(seat(run, '3')).toMatchObject({ occupancy: 'unknown', state: 'AWAY' });
    expect(told(run).filter((t) => t.includes('left_seat'))).toEqual([]);
    play(run, 125, gone);
    const event = episodes(run).find((e) => e.behaviour === 'left_seat')!;
    expect(event.phase).toBe('begin');
    expect(event.figures.find((f) => f.name === 'unknown')!.value).toBeGreaterThan(50);
    expect(event.figures.find((f) => f.name === 'away')!.value).toBe(30);
  });

  it('joins a second absence within the cooldown, and begins anew after it', () => {
    const run = begin();
    walkOut(run);
    play(run, 60, gone);
    play(run, 70, { persons: ALL });
    const close = { ...context, pack: { ...pack, cooldownMs: 60_000 } };
    play(
      run,
      75,
      (s) => ({ persons: [...others('3'), standing(0.78 + (s - 70) * 0.05)], looks: { '3': 'empty' } }),
      close,
    );
    play(run, 115, gone, close);
    expect(told(run).map((t) => t.split(' ')[0])).toEqual(['begin', 'end', 'update', 'update']);
    expect(new Set(episodes(run).map((e) => e.episodeId)).size).toBe(1);
    play(run, 130, { persons: ALL }, close);
    play(run, 200, { persons: ALL });
    play(run, 205, (s) => ({ persons: [...others('3'), standing(0.78 + (s - 200) * 0.05)], looks: { '3': 'empty' } }));
    play(run, 240, gone);
    expect(told(run).at(-1)).toMatch(/begin|update/);
    expect(new Set(episodes(run).map((e) => e.episodeId)).size).toBe(2);
  });

  it('adds up the absences of a session', () => {
    const run = begin();
    const quiet = {
      ...context,
      pack: { ...pack, rules: { left_seat: { ...pack.rules.left_seat!, alarmMs: null, cumulativeAlarmMs: 90_000 } } },
    };
    for (const s of [0, 150]) {
      play(run, s + 20, { persons: ALL }, quiet);
      play(
        run,
        s + 24,
        (t) => ({ persons: [...others('3'), standing(0.78 + (t - s - 20) * 0.05)], looks: { '3': 'empty' } }),
        quiet,
      );
      play(run, s + 80, gone, quiet);
      play(run, s + 150, { persons: ALL }, quiet);
    }
    const alarm = episodes(run).find((e) => e.level === 'alarm')!;
    expect(alarm.sentence.zh).toContain('累计离席 1分30秒（阈值 1分30秒）');
    expect(alarm.figures.find((f) => f.name === 'cumulative')).toMatchObject({ value: 90, threshold: 90 });
  });
});

describe('evidence of leaving', () => {
  const left = (run: Run) => told(run).filter((t) => t.includes('left_seat'));

  it('finds the owner again who was missed while rising', () => {
    const run = begin();
    play(run, 20, { persons: ALL });
    // Longer than a track is kept: the one who appears beside the empty chair has a new id.
    play(run, 24, { persons: others('3'), looks: { '3': 'empty' } });
    play(run, 60, { persons: [...others('3'), standing(0.93)], looks: { '3': 'empty' } });
    expect(seat(run, '3')).toMatchObject({ occupancy: 'no', state: 'AWAY' });
    expect(left(run)[0]).toBe('begin left_seat notice');
  });

  it('does not take somebody who comes near for an owner whose seat still looks taken', () => {
    const run = begin();
    play(run, 20, { persons: ALL });
    play(run, 24, { persons: others('3') });
    play(run, 70, { persons: [...others('3'), standing(0.93)] });
    expect(seat(run, '3').occupancy).toBe('yes');
    expect(left(run)).toEqual([]);
  });

  it('does not believe that an owner left whose seat still looks taken', () => {
    const run = begin();
    play(run, 20, { persons: ALL });
    play(run, 23, (s) => ({ persons: [...others('3'), standing(0.8 + (s - 20) * 0.08)] }));
    play(run, 90, { persons: others('3') });
    expect(seat(run, '3').occupancy).toBe('yes');
    expect(left(run)).toEqual([]);
  });

  it('takes a seat whose person is only seen weakly, from the start', () => {
    const run = begin();
    play(run, 20, { persons: [...others('2'), sitting('2', 0, 0.25)] });
    expect(seat(run, '2')).toMatchObject({ occupancy: 'yes', state: 'SEATED' });
  });

  it('knows nothing of a seat at which nobody was ever seen', () => {
    const run = begin();
    play(run, 120, { persons: others('2'), looks: { '2': 'empty' } });
    expect(seat(run, '2')).toMatchObject({ occupancy: 'unknown', state: 'UNKNOWN' });
    expect(told(run)).toEqual([]);
  });
});

describe('two cameras', () => {
  const two = {
    ...context,
    layout: {
      ...context.layout,
      seats: context.layout.seats.map((s) => ({ ...s, views: [...s.views, { ...s.views[0]!, cameraId: 'cam-b' }] })),
    },
  };
  /** Camera a shows `a`, camera b shows `b`, a quarter of a second later. */
  const both = (run: Run, until: number, a: Shot, b: Shot) => {
    for (; run.s < until; run.s += 0.5) {
      feed(run, frame(run.s, a), two);
      feed(run, { ...frame(run.s + 0.25, b), cameraId: 'cam-b' }, two);
    }
  };

  it('trust the one that sees the person, and need no more than one', () => {
    const run = begin([], two);
    both(run, 20, { persons: ALL }, { persons: ALL });
    both(run, 80, { persons: ALL }, { persons: [] });
    expect(run.view.seats.map((s) => s.occupancy)).toEqual(['yes', 'yes', 'yes']);
    both(run, 160, { picture: { edgeEnergy: 0.05, shift: { dx: 0, dy: 0, confidence: 0.1 } } }, { persons: ALL });
    expect(run.view.seats.map((s) => s.occupancy)).toEqual(['yes', 'yes', 'yes']);
    expect(told(run).filter((t) => t.includes('left_seat'))).toEqual([]);
    expect(told(run)[0]).toBe('begin camera_fault:covered alarm');
  });

  it('raise one episode for one absence', () => {
    const run = begin([], two);
    both(run, 20, { persons: ALL }, { persons: ALL });
    for (let s = 20; s < 23; s += 0.5) {
      const shot: Shot = { persons: [...others('3'), standing(0.8 + (s - 20) * 0.08)], looks: { '3': 'empty' } };
      both(run, s + 0.5, shot, shot);
    }
    both(run, 70, gone, gone);
    expect(told(run).filter((t) => t.startsWith('begin left_seat'))).toHaveLength(1);
  });
});

describe('left seat after a restart', () => {
  function openAt50(): DraftEvent[] {
    const run = begin();
    walkOut(run);
    play(run, 60, gone);
    return run.drafts.filter((d) => d.body.kind === 'episode' && d.body.phase !== 'end').slice(-1);
  }

  it('goes on under the same id, escalates, and never begins twice', () => {
    const run = begin(openAt50());
    expect(told(run)).toEqual([]);
    play(run, 3, gone);
    expect(seat(run, '3')).toMatchObject({ occupancy: 'unknown', state: 'AWAY', level: 'notice' });
    play(run, 60, gone);
    expect(seat(run, '3')).toMatchObject({ occupancy: 'no', state: 'AWAY', level: 'alarm' });
    expect(told(run)[0]).toBe('update left_seat notice');
    expect(told(run)).toContain('update left_seat alarm');
    play(run, 80, { persons: ALL });
    expect(told(run).at(-1)).toBe('end left_seat alarm');
    expect(new Set(episodes(run).map((e) => e.episodeId))).toEqual(new Set(['run-1']));
    expect(told(run).some((t) => t.startsWith('begin'))).toBe(false);
  });

  it('ends properly when the person is seen seated', () => {
    const run = begin(openAt50());
    play(run, 12, { persons: ALL });
    expect(told(run)).toEqual(['end left_seat notice']);
    expect(seat(run, '3')).toMatchObject({ occupancy: 'yes', state: 'SEATED' });
  });

  it('says nothing while nothing is seen', () => {
    const run = begin(openAt50());
    for (let s = 1; s < 10; s++) feed(run, { kind: 'tick', at: at(s) });
    expect(told(run)).toEqual([]);
    expect(seat(run, '3')).toMatchObject({ occupancy: 'unknown', state: 'AWAY' });
  });
});

describe('several people', () => {
  it('shows who owns which seat and keeps ids while they sit', () => {
    const run = begin();
    play(run, 10, (s) => ({ persons: ['1', '2', '3'].map((id, i) => sitting(id, 0.05 * Math.sin(s + i))) }));
    const owners = Object.fromEntries(run.view.tracks.map((t) => [t.seatId, t.trackId]));
    expect(Object.keys(owners).sort()).toEqual(['1', '2', '3']);
    play(run, 60, (s) => ({ persons: ['1', '2', '3'].map((id, i) => sitting(id, 0.1 * Math.sin(s + i))) }));
    expect(Object.fromEntries(run.view.tracks.map((t) => [t.seatId, t.trackId]))).toEqual(owners);
  });
});

describe('owners whose ids were exchanged', () => {
  /** Two get up, pass each other and sit down where the other one's id says that they belong. */
  function exchanged(): Run {
    const run = begin();
    play(run, 20, { persons: ALL });
    for (let k = 0; k <= 12; k++)
      play(run, run.s + 0.5, {
        persons: [sitting('3'), standing(0.18 + 0.025 * k), standing(0.48 - 0.025 * k)],
        looks: { '1': 'empty', '2': 'empty' },
      });
    return run;
  }
  const owners = (run: Run) => Object.fromEntries(run.view.tracks.map((t) => [t.seatId, t.trackId]));

  it('are given back who sits where for eight seconds, and nobody is told of', () => {
    const run = exchanged();
    expect(owners(run)).toEqual({ '1': 1, '2': 2, '3': 3 });
    play(run, run.s + 5, { persons: ALL });
    expect(owners(run)).toEqual({ '1': 1, '2': 2, '3': 3 });
    play(run, run.s + 10, { persons: ALL });
    expect(owners(run)).toEqual({ '1': 2, '2': 1, '3': 3 });
    play(run, run.s + 60, { persons: ALL });
    expect(told(run)).toEqual([]);
  });

  it('are then missed at the seat that they leave', () => {
    const run = exchanged();
    play(run, run.s + 20, { persons: ALL });
    // Two of the three are left; who goes sat at seat 2, under the id that seat 1 had.
    for (const x of [0.48, 0.53, 0.58, 0.63]) play(run, run.s + 0.5, { persons: [...others('2'), standing(x)] });
    play(run, run.s + 40, { persons: others('2'), looks: { '2': 'empty' } });
    expect(run.view.seats.map((s) => s.occupancy)).toEqual(['yes', 'no', 'yes']);
    expect(episodes(run).map((b) => b.seatIds.join())).toEqual(episodes(run).map(() => '2'));
    expect(told(run)).toContain('begin left_seat notice');
  });
});
