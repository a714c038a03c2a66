import { describe, expect, it } from 'vitest';
import type { DraftEvent, EpisodeBody } from '../../../protocol/event.ts';
import type { RulePack } from '../../../protocol/rules.ts';
import { scoreOccupancy } from '../../../scripts/eval-vision-occupancy.ts';
import { episodesOf, pool, scoreEpisodes } from '../../../scripts/eval-vision-score.ts';
import { eventsOf, layoutOf, type Truth } from '../../../scripts/eval-vision-truth.ts';

const truth: Truth = {
  fps: 1,
  width: 100,
  height: 50,
  duration_s: 60,
  camera_model: {
    fx: 70,
    fy: 70,
    cx: 50,
    cy: 25,
    R_world_to_cam: [
      [1, 0, 0],
      [0, -0.374607, -0.927184],
      [0, 0.927184, -0.374607],
    ],
    position: [0, 0, 2.6],
  },
  seats: [
    {
      seat: 1,
      seat_polygon: [
        [10, 10],
        [30, 10],
        [30, 30],
      ],
      seat_point_world: [-1, 7],
      floor_zone_world: [
        [-1.5, 6.5],
        [-0.5, 6.5],
        [-0.5, 7.5],
        [-1.5, 7.5],
      ],
    },
  ],
  people: [
    { id: 1, seat: 1, role: 'expert' },
    { id: 2, seat: null, role: 'stranger' },
  ],
  frames: Array.from({ length: 60 }, (_, i) => ({
    t: i,
    image: i >= 40 && i < 50 ? 'covered' : 'normal',
    people: [{ id: 1, in_room: true, seat_dist: i >= 10 && i < 30 ? 2 : 0.1 }],
  })),
  events: [
    { type: 'seat_absent', seat: 1, start_s: 10, end_s: 30 },
    { type: 'seat_absent', seat: 1, start_s: 35, end_s: 38 },
    { type: 'lens_covered', start_s: 40, end_s: 50 },
    { type: 'lights_dim', start_s: 1, end_s: 5 },
    { type: 'contact', seat: 2, with_seat: 1, start_s: 52, end_s: 59 },
  ],
};
const room = { name: 'R', cameras: [{ cameraId: 'R_camA', file: 'R_camA.mp4', truth }] };
const both = { citation: '', noticeMs: 5000, alarmMs: 5000 };
const pack = {
  name: 'eval',
  rules: { left_seat: both, extra_person: both, camera_fault: { coveredMs: 5000, movedMs: 5000 } },
} as unknown as RulePack;

const draft = (
  s: number,
  phase: EpisodeBody['phase'],
  beganS: number,
  durationS: number,
  more: Partial<EpisodeBody> = {},
): DraftEvent => ({
  at: { wallMs: s * 1000, monoMs: s * 1000, bootId: 'b', clock: 'sure' },
  body: {
    kind: 'episode',
    episodeId: 'e',
    phase,
    behaviour: 'left_seat',
    level: 'notice',
    seatIds: ['1'],
    beganWallMs: beganS * 1000,
    from: '',
    to: '',
    durationMs: durationS * 1000,
    rule: { pack: '', packVersion: '', ruleId: '', citation: '' },
    figures: [],
    sentence: { zh: '', en: '' },
    ...more,
  },
});

describe('the score of eval vision', () => {
  it('draws the layout that an installer would draw', () => {
    const layout = layoutOf(room);
    expect(layout.seats[0]!.views[0]!.zone[0]).toEqual([0.1, 0.2]);
    expect(layout.roster).toEqual([{ seatId: '1', expertId: 'E-1' }]);
    expect(layout.floor[0]!.points).toHaveLength(4);
  });

  it('makes occurrences of drafts, a join being one of its own, and merges rows of one seat', () => {
    const drafts = [
      draft(15, 'begin', 10, 5),
      draft(31, 'end', 10, 20),
      draft(40, 'update', 10, 25),
      draft(46, 'end', 10, 30, { level: 'alarm' }),
    ];
    expect(episodesOf(drafts, 0, 60)).toMatchObject([
      { startS: 10, endS: 30, alertS: 15, level: 'notice' },
      { startS: 35, endS: 45, alertS: 40, level: 'alarm' },
    ]);
    const far = [
      ...drafts.slice(0, 2),
      draft(25, 'begin', 12, 5, { episodeId: 'f', behaviour: 'too_far', level: 'alarm' }),
    ];
    expect(episodesOf(far, 0, 60)).toMatchObject([{ name: 'seat_absent', startS: 10, endS: 60, level: 'alarm' }]);
  });

  it.each([
    ['found', [{ startS: 11, endS: 29 }], 1, 0],
    ['begun too late', [{ startS: 16, endS: 29 }], 0, 1],
    [
      'found twice',
      [
        { startS: 11, endS: 15 },
        { startS: 12, endS: 29 },
      ],
      1,
      1,
    ],
    ['a short one that need not be found', [{ startS: 35, endS: 39 }], 0, 0],
    ['nothing there', [{ startS: 52, endS: 58 }], 0, 1],
  ])('counts %s', (_name, spans, found, wrong) => {
    const predicted = spans.map((s) => ({
      name: 'seat_absent',
      seats: ['1'],
      alertS: s.startS + 5,
      level: 'alarm' as const,
      ...s,
    }));
    const score = scoreEpisodes(room, predicted, pack);
    expect(score.behaviours.seat_absent).toMatchObject({ episodes: 1, found, false: wrong });
    expect(score.unscored).toEqual({ lights_dim: 1 });
    expect(score.falseAlarms).toBe(wrong);
  });

  it('asks for nothing that had begun before the film, and takes it for right whenever it is raised', () => {
    const begun: Truth = { ...truth, events: [{ type: 'seat_absent', seat: 1, start_s: 0, end_s: 30, begun: true }] };
    const film = { name: 'R', cameras: [{ cameraId: 'R_camA', file: 'R_camA.mp4', truth: begun }] };
    const late = { name: 'seat_absent', seats: ['1'], startS: 12, endS: 30, alertS: 17, level: 'alarm' as const };
    for (const predicted of [[], [late]])
      expect(scoreEpisodes(film, predicted, pack).behaviours.seat_absent).toMatchObject({
        episodes: 0,
        found: 0,
        false: 0,
      });
  });

  it('takes a contact of either seat, and names what has no truth', () => {
    const predicted = [
      { name: 'contact', seats: ['1', '3'], startS: 52, endS: 60, alertS: 59, level: 'notice' as const },
      { name: 'passing_items', seats: ['1', '2'], startS: 5, endS: 6, alertS: 6, level: 'notice' as const },
    ];
    const score = scoreEpisodes(room, predicted, pack);
    expect(score.behaviours.contact).toMatchObject({ episodes: 1, found: 1, false: 0 });
    expect(score.unscored).toEqual({ lights_dim: 1, 'raised:passing_items': 1 });
    expect(score.falseNotices).toBe(0);
    expect(score.spans.filter((s) => s.name === 'contact').map((s) => s.verdict)).toEqual(['found', 'right']);
  });

  it('scores occupancy apart from blind frames and away from changes', () => {
    const said = truth.frames.map(({ t }) => ({
      t,
      seats: { '1': t >= 40 && t < 50 ? ('unknown' as const) : t >= 10 && t < 30 ? ('no' as const) : ('yes' as const) },
    }));
    const { occupancy, fault } = scoreOccupancy(room, said);
    expect(occupancy['1']!.right).toBe(occupancy['1']!.frames);
    expect(fault.right).toBe(fault.frames);
    expect(fault.frames).toBeGreaterThan(5);
    const blind = scoreOccupancy(
      room,
      said.map(({ t }) => ({ t, seats: {} })),
    );
    expect(blind.occupancy['1']).toMatchObject({ right: 0, unknown: blind.occupancy['1']!.frames });
    const pooled = pool([{ name: 'R', hours: 1, ...scoreEpisodes(room, [], pack), occupancy, fault }], null, 'm');
    expect(pooled).toMatchObject({
      rooms: ['R'],
      occupancyAccuracy: 1,
      unknownShare: 0,
      faultFramesRight: 1,
      roomHours: 1,
      falseAlarmsPerRoomHour: 0,
    });
    expect(pooled.behaviours.seat_absent).toMatchObject({ recall: 0, precision: null, f1: 0 });
  });

  it('judges an instant by the frame that is nearest to it, and none of which the truth tells nothing', () => {
    // Twice a second said, at 25 frames a second labelled once in five seconds, and only from second 20 to second 50.
    const rare = { ...truth, fps: 25, frames: truth.frames.filter(({ t }) => t >= 20 && t <= 50 && t % 5 === 0) };
    const said = Array.from({ length: 120 }, (_, i) => ({
      t: i / 2,
      seats: { '1': i / 2 < 30 || (i / 2 >= 40 && i / 2 < 50) ? ('no' as const) : ('yes' as const) },
    }));
    const { occupancy, fault } = scoreOccupancy({ name: 'R', cameras: [{ ...room.cameras[0]!, truth: rare }] }, said);
    expect(occupancy['1']!.right).toBe(occupancy['1']!.frames);
    // From 20 to 25 and from 32 to 35, two a second: it changes somewhere in the five seconds between two labels.
    expect(occupancy['1']!.frames).toBeGreaterThan(12);
    expect(fault.right).toBe(0);
    expect(fault.frames).toBeGreaterThan(5);
  });

  it('takes a fused room as what any of its cameras tells: seats, faults, and blind only where nobody sees', () => {
    const seat = { seat: 2, seat_polygon: truth.seats[0]!.seat_polygon };
    const frames = truth.frames.map((frame) => ({ ...frame, image: 'normal', people: [] }));
    const other: Truth = {
      ...truth,
      frames,
      seats: [...truth.seats, seat],
      events: [...truth.events.slice(0, 2), { type: 'camera_moved', start_s: 20, end_s: 30 }],
    };
    const fused = { name: 'R', cameras: [room.cameras[0]!, { cameraId: 'R_camB', file: 'R_camB.mp4', truth: other }] };
    expect(layoutOf(fused).seats.map(({ seatId, views }) => [seatId, views.length])).toEqual([
      ['1', 2],
      ['2', 1],
    ]);
    const { behaviours } = scoreEpisodes(fused, [], pack);
    expect([
      behaviours.seat_absent!.episodes,
      behaviours.lens_covered!.episodes,
      behaviours.camera_moved!.episodes,
    ]).toEqual([1, 1, 1]);
    const { fault, occupancy } = scoreOccupancy(fused, [{ t: 45, seats: { '1': 'yes', '2': 'no' } }]);
    expect(fault.frames).toBe(0);
    expect(occupancy).toMatchObject({ '1': { right: 1, frames: 1 }, '2': { right: 1, frames: 1 } });
  });

  it('tells two contacts of one file apart, and one contact of two files that name it from either side is one', () => {
    const contact = (seat: number, with_seat: number) => ({ type: 'contact', seat, with_seat, start_s: 5, end_s: 20 });
    const seen = (...events: Truth['events']) => ({ cameraId: 'c', file: 'c.mp4', truth: { ...truth, events } });
    const events = eventsOf({ name: 'R', cameras: [seen(contact(1, 2), contact(1, 3)), seen(contact(2, 1))] });
    expect(events.map(({ seat, with_seat }) => [seat, with_seat])).toEqual([
      [1, 2],
      [1, 3],
    ]);
  });

  it('scores nothing by frames that do not tell how far from the seat its person is', () => {
    const frames = truth.frames.map(({ t }) => ({ t, image: 'normal', people: [{ id: 1, in_room: true }] }));
    const silent = { name: 'R', cameras: [{ ...room.cameras[0]!, truth: { ...truth, frames } }] };
    const said = truth.frames.map(({ t }) => ({ t, seats: { '1': 'yes' as const } }));
    expect(scoreOccupancy(silent, said).occupancy['1']).toMatchObject({ frames: 0, right: 0 });
  });
});
