/** Every behaviour that people do, against every phase and permit of the table in docs/behaviours.md, and joined within the cooldown. */
import { describe, expect, it } from 'vitest';
import type { RoomContext } from '../../../../agent/decide/room.ts';
import type { Behaviour } from '../../../../protocol/event.ts';
import type { Person } from '../../../../protocol/observation.ts';
import type { RoomLayout } from '../../../../protocol/room.ts';
import { type Permit, SESSION_PHASES, type SessionPhase } from '../../../../protocol/session.ts';
import { DOOR_LINES, FLOOR, full, permit, posed, session } from './bodies.ts';
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
  ZONES,
} from './world.ts';

/** Seats 1 and 2 near enough to lean over, a door at the right, a floor of ten metres by five where it is needed. */
const zone = (x: number): [number, number][] => [
  [x, 0.4],
  [x + 0.16, 0.4],
  [x + 0.16, 0.6],
  [x, 0.6],
];
const near: RoomLayout = {
  ...layout,
  seats: layout.seats.map((s) => ({
    ...s,
    views: [{ cameraId: 'cam-a', zone: zone(s.seatId === '2' ? 0.27 : ZONES[s.seatId]!) }],
  })),
};
const door: RoomLayout = {
  ...layout,
  doorLines: DOOR_LINES,
};
const floor: RoomLayout = {
  ...layout,
  floor: FLOOR,
};
const all = ['1', '2', '3'].map((id) => posed(sitting(id)));
const rest = (id: string) => others(id).map((p) => posed(p));
const pair = (lean: number): readonly Person[] => [
  sitting('1', lean),
  { box: [0.3 - lean * 0.16, 0.4, 0.4 - lean * 0.16, 0.58], score: 0.8 },
  sitting('3'),
];

interface Story {
  readonly behaviour: Behaviour;
  readonly room?: RoomLayout;
  /** How they sit while all is calm. */
  readonly calm?: readonly Person[];
  readonly play: (run: Run, with_: RoomContext) => void;
  readonly phases: readonly SessionPhase[];
  readonly permits: readonly Permit['kind'][];
  /** A seat whose permit does it, and one whose does not. */
  readonly seats?: readonly [string, string];
}
const OFF = ['break', 'paused', 'submitted', 'idle'] as const;
const walkOut = (run: Run, ids: readonly string[], until: number, with_: RoomContext) => {
  const looks = Object.fromEntries(ids.map((id) => [id, 'empty' as const]));
  const stay = all.filter((_p, i) => !ids.includes(String(i + 1)));
  for (const [k, id] of [...ids].reverse().entries())
    for (let x = ZONES[id]! + 0.18; x < 0.99; x += 0.05)
      play(
        run,
        run.s + 0.5,
        {
          persons: [
            ...stay,
            ...[...ids]
              .reverse()
              .slice(k + 1)
              .map((one) => posed(sitting(one))),
            standing(x),
          ],
          looks,
        },
        with_,
      );
  play(run, run.s + until, { persons: stay, looks }, with_);
};
const slumped = (run: Run, with_: RoomContext) => {
  const [x0, , x1, y1] = sitting('2').box;
  for (const until = run.s + 30; run.s < until; run.s += 0.5)
    feed(
      run,
      frame(run.s, {
        persons: [...others('2'), { box: [x0, 0.5, x1, y1], score: 0.5 }],
        looks: { '2': 'otherwise' },
      }),
      with_,
    );
};

const stories: readonly Story[] = [
  {
    behaviour: 'left_seat',
    play: (run, with_) => walkOut(run, ['3'], 45, with_),
    phases: OFF,
    permits: ['absence', 'escorted', 'help'],
    seats: ['3', '1'],
  },
  {
    behaviour: 'left_room',
    room: door,
    play: (run, with_) => walkOut(run, ['3'], 45, with_),
    phases: OFF,
    permits: ['escorted'],
    seats: ['3', '1'],
  },
  {
    behaviour: 'left_together',
    room: door,
    play: (run, with_) => walkOut(run, ['2', '3'], 5, with_),
    phases: OFF,
    permits: ['escorted'],
    seats: ['3', '1'],
  },
  {
    behaviour: 'too_far',
    play(run, with_) {
      const from = run.s;
      play(run, from + 2, (s) => ({ persons: [...rest('1'), standing(0.2 + (s - from) * 0.08)] }), with_);
      play(run, from + 20, { persons: [...rest('1'), standing(0.34)] }, with_);
    },
    phases: [...OFF, 'signature'],
    permits: ['absence', 'escorted', 'help'],
    seats: ['1', '3'],
  },
  {
    behaviour: 'walking_about',
    room: floor,
    play(run, with_) {
      const shot = (x: number) => ({ persons: [...rest('1'), standing(x)], looks: { '1': 'empty' } }) as const;
      // Off the chair first, at the pace of people.
      for (const x of [0.2, 0.24, 0.28, 0.32]) play(run, run.s + 0.5, shot(x), with_);
      const from = run.s;
      play(run, from + 30, (s) => shot(0.54 - 0.06 * Math.abs(((s - from) % 7) - 3.5)), with_);
    },
    phases: [...OFF, 'signature'],
    permits: ['absence', 'escorted', 'help'],
    seats: ['1', '3'],
  },
  {
    behaviour: 'standing',
    play(run, with_) {
      const [x0, y0, x1, y1] = sitting('2').box;
      play(
        run,
        run.s + 12,
        { persons: [...rest('2'), { box: [x0, y0 - 0.1, x1, y1], score: 0.8 }], looks: { '2': 'otherwise' } },
        with_,
      );
    },
    phases: [...OFF, 'signature', 'discussion'],
    permits: ['absence', 'escorted', 'help'],
    seats: ['2', '1'],
  },
  {
    behaviour: 'at_other_seat',
    play(run, with_) {
      const shot = (x: number) => ({ persons: [...others('1'), standing(x)], looks: { '1': 'empty' } }) as const;
      for (const x of [0.22, 0.27, 0.32]) play(run, run.s + 0.5, shot(x), with_);
      play(run, run.s + 18, shot(0.39), with_);
    },
    phases: [...OFF, 'signature'],
    permits: ['help'],
    seats: ['1', '3'],
  },
  {
    behaviour: 'whispering',
    room: near,
    calm: pair(0),
    play: (run, with_) =>
      play(run, run.s + 12, { persons: pair(0.3), looks: { '1': 'otherwise', '2': 'otherwise' } }, with_),
    phases: [...OFF, 'discussion'],
    permits: [],
  },
  {
    behaviour: 'gathering',
    play(run, with_) {
      const looks = { '1': 'empty', '2': 'empty', '3': 'empty' } as const;
      for (let k = 0; k < 3; k += 0.5)
        play(
          run,
          run.s + 0.5,
          { persons: [0.2 + 0.1 * k, 0.48, 0.75 - 0.08 * k].map((x) => standing(x)), looks },
          with_,
        );
      play(run, run.s + 22, { persons: [standing(0.48), standing(0.56), standing(0.62)], looks }, with_);
    },
    phases: [...OFF, 'signature'],
    permits: ['help'],
  },
  {
    behaviour: 'phone',
    play: (run, with_) =>
      play(run, run.s + 8, { persons: [...rest('2'), posed(sitting('2'), { left: 'ear' })] }, with_),
    phases: ['idle'],
    permits: ['call'],
    seats: ['2', '1'],
  },
  {
    behaviour: 'passing_items',
    play(run, with_) {
      const [a, b] = [
        posed(sitting('1'), { left: { to: [0.33, 0.5] } }),
        posed(sitting('2'), { right: { to: [0.34, 0.5] } }),
      ];
      play(run, run.s + 4, { persons: [a, b, posed(sitting('3'))] }, with_);
    },
    phases: [...OFF, 'signature'],
    permits: [],
  },
  { behaviour: 'sleeping', play: slumped, phases: OFF, permits: [] },
  {
    behaviour: 'extra_person',
    play(run, with_) {
      const from = run.s;
      play(run, from + 20, (s) => ({ persons: [...all, standing(0.05 + (s - from) * 0.01)] }), with_);
    },
    phases: ['idle'],
    permits: ['staff'],
  },
  {
    behaviour: 'not_complete',
    room: door,
    play: (run, with_) => walkOut(run, ['1', '2', '3'], 50, with_),
    phases: OFF,
    permits: [],
  },
];

const contextOf = ({ room }: Story, cooldownMs = 20_000): RoomContext => ({
  ...context,
  layout: room ?? layout,
  pack: { ...full, cooldownMs },
});
const sit = (run: Run, story: Story, forS: number, with_: RoomContext) =>
  play(run, run.s + forS, { persons: story.calm ?? all }, with_);
const of = (run: Run, { behaviour }: Story) => episodes(run).filter((b) => b.behaviour === behaviour);

function tell(story: Story, state: Partial<Parameters<typeof session>[0]>): boolean {
  const with_ = contextOf(story);
  const run = begin([], with_);
  sit(run, story, 20, with_);
  // The start of the evaluation lies ahead: that somebody has not come in time is another story.
  feed(run, { kind: 'session', at: at(run.s), session: session({ startWallMs: at(600).wallMs, ...state }) }, with_);
  story.play(run, with_);
  return of(run, story).length > 0;
}
const KINDS = ['absence', 'escorted', 'staff', 'help', 'call', 'maintenance'] as const;
describe.each(stories.map((story) => [story.behaviour, story] as const))('%s', (_name, story) => {
  it('is told in every phase but those that allow it', () => {
    const allowed = SESSION_PHASES.filter((phase) => !tell(story, { phase }));
    expect(allowed).toEqual(SESSION_PHASES.filter((phase) => story.phases.includes(phase)));
  });

  it('is told under every permit but those that allow it, of that seat or of the room', () => {
    const allowed = (seatId?: string) =>
      KINDS.filter(
        (kind) => !tell(story, { permits: [permit({ kind, ...(seatId === undefined ? {} : { seatId }) })] }),
      );
    const expected = KINDS.filter((kind) => story.permits.includes(kind));
    expect(allowed()).toEqual(expected);
    if (!story.seats) return;
    expect(allowed(story.seats[0])).toEqual(expected);
    expect(allowed(story.seats[1])).toEqual([]);
    const over = { ...permit({ kind: story.permits[0]! }), untilWallMs: at(10).wallMs };
    expect(tell(story, { permits: [over] })).toBe(true);
  });

  it('joins its episode within the cooldown, and begins another after it', () => {
    const twice = (cooldownMs: number) => {
      const with_ = contextOf(story, cooldownMs);
      const run = begin([], with_);
      for (const _time of [1, 2]) {
        sit(run, story, 75, with_);
        story.play(run, with_);
      }
      sit(run, story, 75, with_);
      return [...Map.groupBy(of(run, story), (b) => b.episodeId).values()].map((list) =>
        list.map((b) => b.phase).filter((phase, i, phases) => phase !== 'update' || phases[i - 1] === 'end'),
      );
    };
    expect(twice(300_000)).toEqual([['begin', 'end', 'update', 'end']]);
    expect(twice(500)).toEqual([
      ['begin', 'end'],
      ['begin', 'end'],
    ]);
  });
});
