/** Doors, permits and phases: who is out of the room, who may be, and whether all are there. */
import { describe, expect, it } from 'vitest';
import type { Person } from '../../../../protocol/observation.ts';
import type { RoomLayout } from '../../../../protocol/room.ts';
import { DOOR_LINES, FLOOR, full, permit, session } from './bodies.ts';
import {
  ALL,
  at,
  begin,
  context,
  episodes,
  feed,
  layout,
  others,
  play,
  type Run,
  sitting,
  standing,
  told,
} from './world.ts';

/** A door at the right edge, a line before it, and a floor of 10 × 5 metres. */
const room: RoomLayout = {
  ...layout,
  zones: [
    {
      zoneId: 'door',
      kind: 'door',
      cameraId: 'cam-a',
      polygon: [
        [0.9, 0.2],
        [1, 0.2],
        [1, 0.9],
        [0.9, 0.9],
      ],
    },
  ],
  doorLines: DOOR_LINES,
  floor: FLOOR,
};
const ctx = { ...context, layout: room, pack: full };
const of = (run: Run, behaviour: string) => told(run).filter((line) => line.includes(` ${behaviour} `));
const start = (seconds = 20) => {
  const run = begin([], ctx);
  play(run, seconds, { persons: ALL }, ctx);
  return run;
};
/** Somebody walks from a seat's place out of the door; those in `stay` keep their seats. */
function walkOut(run: Run, from: number, stay: readonly Person[], empty: Readonly<Record<string, 'empty'>>) {
  for (let x = from; x < 0.99; x += 0.05)
    play(run, run.s + 0.5, { persons: [...stay, standing(x)], looks: empty }, ctx);
}

describe('left the room', () => {
  it('is told by the door line, with the time outside, and ends with the return', () => {
    const run = start();
    walkOut(run, 0.88, others('3'), { '3': 'empty' });
    play(run, 60, { persons: others('3'), looks: { '3': 'empty' } }, ctx);
    expect(of(run, 'left_room')[0]).toBe('begin left_room alarm');
    const first = episodes(run).find((b) => b.behaviour === 'left_room')!;
    expect(first).toMatchObject({ seatIds: ['3'], sourceId: 'cam-a', from: 'INSIDE', to: 'OUTSIDE' });
    expect(first.figures[0]).toMatchObject({ name: 'outside', threshold: 20 });
    play(run, 70, { persons: ALL }, ctx);
    expect(of(run, 'left_room').at(-1)).toBe('end left_room alarm');
  });
  it('is nothing with an escort', () => {
    const run = start();
    feed(
      run,
      { kind: 'session', at: at(20), session: session({ permits: [permit({ kind: 'escorted', seatId: '3' })] }) },
      ctx,
    );
    walkOut(run, 0.88, others('3'), { '3': 'empty' });
    play(run, 90, { persons: others('3'), looks: { '3': 'empty' } }, ctx);
    expect(told(run)).toEqual([]);
  });
  it('is told when two go out in company, at once and of both', () => {
    const run = start();
    walkOut(run, 0.88, others('3'), { '3': 'empty' });
    walkOut(run, 0.58, [sitting('1')], { '2': 'empty', '3': 'empty' });
    play(run, run.s + 3, { persons: [sitting('1')], looks: { '2': 'empty', '3': 'empty' } }, ctx);
    expect(of(run, 'left_together')).toEqual(['begin left_together alarm']);
    expect(episodes(run).find((b) => b.behaviour === 'left_together')!.seatIds).toEqual(['2', '3']);
    play(run, run.s + 10, { persons: ALL }, ctx);
    expect(of(run, 'left_together').at(-1)).toBe('end left_together alarm');
  });
});

describe('walking about', () => {
  const toAndFro = (s: number) => 0.3 + 0.08 * Math.abs((s % 12) - 6);
  it('adds up the way of a minute', () => {
    const run = start();
    play(run, 50, (s) => ({ persons: [...others('1'), standing(toAndFro(s))], looks: { '1': 'empty' } }), ctx);
    expect(of(run, 'walking_about')[0]).toBe('begin walking_about notice');
    expect(episodes(run).find((b) => b.behaviour === 'walking_about')!.figures[0]!.value).toBeGreaterThanOrEqual(8);
  });
  it('is not somebody who sits', () => {
    const run = start(120);
    expect(told(run)).toEqual([]);
  });
});

describe('a session', () => {
  it('counts an absence from the end of the break, and ends one that was told when the break begins', () => {
    const run = start();
    const away = { persons: [...others('3'), standing(0.6)], looks: { '3': 'empty' } } as const;
    play(run, 60, away, ctx);
    expect(of(run, 'left_seat')).toContain('begin left_seat notice');
    feed(run, { kind: 'session', at: at(60), session: session({ phase: 'break' }) }, ctx);
    play(run, 200, away, ctx);
    expect(of(run, 'left_seat').at(-1)).toMatch(/^end left_seat/);
    const before = run.drafts.length;
    feed(run, { kind: 'session', at: at(200), session: session() }, ctx);
    play(run, 225, away, ctx);
    expect(
      episodes(run)
        .slice(before)
        .filter((b) => b.behaviour === 'left_seat'),
    ).toEqual([]);
    play(run, 240, away, ctx);
    const again = episodes(run)
      .slice(before)
      .find((b) => b.behaviour === 'left_seat')!;
    expect(again.figures.find((f) => f.name === 'away')!.value).toBeCloseTo(30, 0);
  });
  it('lets staff in with a permit, and tells one more', () => {
    const run = start();
    feed(
      run,
      { kind: 'session', at: at(20), session: session({ permits: [permit({ kind: 'staff', people: 1 })] }) },
      ctx,
    );
    play(run, 40, (s) => ({ persons: [...ALL, standing(0.05 + (s - 20) * 0.01)] }), ctx);
    expect(of(run, 'extra_person')).toEqual([]);
    play(
      run,
      60,
      (s) => ({ persons: [...ALL, standing(0.05 + (s - 20) * 0.01), standing(0.95 - (s - 40) * 0.01)] }),
      ctx,
    );
    expect(of(run, 'extra_person')[0]).toBe('begin extra_person alarm');
    expect(episodes(run).find((b) => b.behaviour === 'extra_person')!.figures[0]).toMatchObject({
      value: 5,
      threshold: 4,
    });
  });
  it('is not complete while somebody of the roster has not come, and is when they have', () => {
    const run = begin([], { ...ctx, session: session() });
    play(run, 70, { persons: others('3') }, ctx);
    expect(of(run, 'not_complete')).toEqual(['begin not_complete alarm']);
    expect(episodes(run).find((b) => b.behaviour === 'not_complete')).toMatchObject({ seatIds: ['3'] });
    play(run, 80, { persons: ALL }, ctx);
    expect(of(run, 'not_complete').at(-1)).toBe('end not_complete alarm');
    expect(of(run, 'late_or_early')).toEqual(['begin late_or_early notice', 'end late_or_early notice']);
  });
  it('is not complete when every seat is empty, but not in a break', () => {
    const run = start();
    const looks = { '1': 'empty', '2': 'empty', '3': 'empty' } as const;
    walkOut(run, 0.88, others('3'), { '3': 'empty' });
    walkOut(run, 0.58, [sitting('1')], { '2': 'empty', '3': 'empty' });
    walkOut(run, 0.28, [], looks);
    play(run, 80, { persons: [], looks }, ctx);
    expect(of(run, 'not_complete')[0]).toBe('begin not_complete alarm');
    feed(run, { kind: 'session', at: at(80), session: session({ phase: 'break' }) }, ctx);
    play(run, 82, { persons: [], looks }, ctx);
    expect(of(run, 'not_complete').at(-1)).toBe('end not_complete alarm');
  });
  it('tells who is gone when the results are submitted', () => {
    const run = begin([], { ...ctx, session: session() });
    play(run, 20, { persons: ALL }, ctx);
    play(run, 40, { persons: [...others('3'), standing(0.6)], looks: { '3': 'empty' } }, ctx);
    feed(run, { kind: 'session', at: at(40), session: session({ phase: 'submitted' }) }, ctx);
    const said = episodes(run).filter((b) => b.behaviour === 'late_or_early');
    expect(said.map((b) => [b.phase, b.seatIds, b.figures[0]!.name])).toEqual([
      ['begin', ['3'], 'early'],
      ['end', ['3'], 'early'],
    ]);
  });
});

describe('an evaluation', () => {
  const away = { persons: [...others('3'), standing(0.6)], looks: { '3': 'empty' } } as const;

  it('is named in every episode that is decided while it is on', () => {
    const run = start();
    feed(run, { kind: 'session', at: at(20), session: session({ sessionId: 's-7' }) }, ctx);
    play(run, 60, away, ctx);
    expect(episodes(run).map((b) => b.sessionId)).toEqual(episodes(run).map(() => 's-7'));
    expect(episodes(run).length).toBeGreaterThan(0);
  });

  it('watches nobody once it has ended, and a phrase is not told then', () => {
    const run = start();
    feed(run, { kind: 'session', at: at(20), session: session({ phase: 'submitted' }) }, ctx);
    play(run, 60, away, ctx);
    feed(run, { kind: 'session', at: at(60), session: session({ phase: 'idle' }) }, ctx);
    play(run, 600, { persons: [...ALL, standing(0.3), standing(0.5)], looks: {} }, ctx);
    play(run, 1200, { persons: [], looks: { '1': 'empty', '2': 'empty', '3': 'empty' } }, ctx);
    expect(told(run)).toEqual([]);
    // A box that is told of no session at all goes back to watching.
    feed(run, { kind: 'session', at: at(1200), session: undefined }, ctx);
    play(run, 1260, { persons: ALL }, ctx);
    play(run, 1320, away, ctx);
    expect(of(run, 'left_seat')).toContain('begin left_seat notice');
    expect(episodes(run).every((b) => b.sessionId === undefined)).toBe(true);
  });

  it('brings its own roster: who is on it is not too many, who is not is', () => {
    const roster = ['1', '2', '3', '4'].map((seatId) => ({ seatId, expertId: `E-${seatId}` }));
    const told = (seats: number) => {
      const run = start();
      feed(run, { kind: 'session', at: at(20), session: session({ roster: roster.slice(0, seats) }) }, ctx);
      play(run, 60, { persons: ALL }, ctx);
      return of(run, 'extra_person');
    };
    expect(told(3)).toEqual([]);
    expect(told(2)).toContain('begin extra_person alarm');
  });
});

describe('what is counted within an evaluation', () => {
  /** Absences of some 25 s, under the notice; the pack's sum is 150 s. */
  function absences(run: Run, times: number) {
    for (let k = 0; k < times; k++) {
      for (let x = 0.8; x < 1.02; x += 0.04)
        play(run, run.s + 0.5, { persons: [...others('3'), standing(x)], looks: { '3': 'empty' } }, ctx);
      play(run, run.s + 22, { persons: others('3'), looks: { '3': 'empty' } }, ctx);
      play(run, run.s + 60, { persons: ALL }, ctx);
    }
  }
  const say = (run: Run, more?: Parameters<typeof session>[0]) =>
    feed(run, { kind: 'session', at: at(run.s), session: more && session(more) }, ctx);

  it('is the time away of this evaluation alone', () => {
    const run = start();
    for (const sessionId of ['s-1', 's-2', 's-3']) {
      say(run, { sessionId });
      absences(run, 4);
      say(run, { sessionId, phase: 'idle' });
    }
    expect(of(run, 'left_seat')).toEqual([]);
    say(run, { sessionId: 's-4' });
    absences(run, 7);
    expect(of(run, 'left_seat')[0]).toBe('begin left_seat alarm');
  });

  it('counts of an absence that goes on only what is in it', () => {
    const run = start();
    say(run, { sessionId: 's-1' });
    absences(run, 4);
    for (let x = 0.8; x < 1.02; x += 0.04)
      play(run, run.s + 0.5, { persons: [...others('3'), standing(x)], looks: { '3': 'empty' } }, ctx);
    play(run, run.s + 40, { persons: others('3'), looks: { '3': 'empty' } }, ctx);
    say(run, { sessionId: 's-2' });
    play(run, run.s + 10, { persons: others('3'), looks: { '3': 'empty' } }, ctx);
    const last = episodes(run).findLast((b) => b.behaviour === 'left_seat')!;
    expect(last.figures.find((f) => f.name === 'away')!.value).toBeGreaterThan(40);
    expect(last.figures.find((f) => f.name === 'cumulative')!.value).toBeLessThanOrEqual(10);
    // So does a restart in the middle of it.
    const again = begin(
      [run.drafts.findLast((d) => d.body.kind === 'episode' && d.body.behaviour === 'left_seat')!],
      ctx,
    );
    say(again, { sessionId: 's-2' });
    play(again, 30, { persons: others('3'), looks: { '3': 'empty' } }, ctx);
    const later = episodes(again).findLast((b) => b.behaviour === 'left_seat')!;
    expect(later.figures.find((f) => f.name === 'away')!.value).toBeGreaterThan(55);
    expect(later.figures.find((f) => f.name === 'cumulative')!.value).toBeLessThan(35);
  });

  it('is summed anew without evaluations when nobody sat in the room for hours', () => {
    const run = start();
    absences(run, 4);
    // Seen by nobody all night: ticks alone.
    for (let s = run.s; s < 5 * 3600; s += 60) feed(run, { kind: 'tick', at: at(s) }, ctx);
    run.s = 5 * 3600;
    play(run, run.s + 60, { persons: ALL }, ctx);
    const before = run.drafts.length;
    absences(run, 4);
    expect(told({ ...run, drafts: run.drafts.slice(before) }).filter((line) => line.includes('left_seat'))).toEqual([]);
  });

  it('does not take who is away after a restart for somebody who never came', () => {
    const late = { ...ctx, session: session({ startWallMs: at(-3600).wallMs }) };
    const run = begin([], late);
    play(run, 55, { persons: others('3') }, late);
    expect(of(run, 'not_complete')).toEqual([]);
    // Whom the room has watched for as long as that may take has not come.
    play(run, 70, { persons: others('3') }, late);
    expect(of(run, 'not_complete')).toEqual(['begin not_complete alarm']);
    const again = begin(run.drafts, { ...late, runId: 'second' });
    play(again, 30, { persons: others('3') }, late);
    expect(of(again, 'not_complete').every((line) => line.startsWith('update'))).toBe(true);
    play(again, 40, { persons: ALL }, late);
    expect(of(again, 'not_complete').at(-1)).toBe('end not_complete alarm');
  });
});
