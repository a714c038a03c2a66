/** People with arms and heads for the tests of decide/: poses over the boxes of world.ts. */
import type { Keypoint, Person } from '../../../../protocol/observation.ts';
import type { RoomLayout } from '../../../../protocol/room.ts';
import type { RulePack } from '../../../../protocol/rules.ts';
import type { Permit, Session } from '../../../../protocol/session.ts';
import { BEGIN, pack } from './world.ts';

const both = { noticeMs: 5000, alarmMs: 15_000 };
/** The test's pack with every rule about bodies and doors. */
export const full: RulePack = {
  ...pack,
  rules: {
    ...pack.rules,
    standing: { citation: 'sit', ...both, rise: 0.6 },
    at_other_seat: { citation: 'own seat', ...both, shoulderWidths: 2.2 },
    whispering: { citation: 'quiet', ...both, shoulderWidths: 1.5, repeats: 3, repeatMs: 600_000 },
    gathering: { citation: 'alone', noticeMs: null, alarmMs: 8000, people: 3, distanceM: 1.5, shoulderWidths: 3.5 },
    phone: { citation: 'no phone', noticeMs: null, alarmMs: 3000 },
    passing_items: { citation: 'no paper', noticeMs: 1000, alarmMs: null, shoulderWidths: 0.6 },
    sleeping: { citation: 'awake', noticeMs: 20_000, alarmMs: 60_000 },
    walking_about: { citation: 'sit', level: 'notice', metresPerMinute: 8 },
    left_room: { citation: 'stay in', noticeMs: null, alarmMs: 20_000 },
    left_together: { citation: 'not together', level: 'alarm', withinMs: 20_000, people: 2 },
    not_complete: { citation: 'all', level: 'alarm', emptyMs: 20_000, startMs: 60_000 },
    late_or_early: { citation: 'on time', level: 'notice', lateMs: 30_000, earlyMs: 10_000 },
  },
};

export const session = (more: Partial<Session> = {}): Session => ({
  sessionId: 's-1',
  phase: 'evaluating',
  startWallMs: BEGIN.wallMs,
  permits: [],
  ...more,
});

/** The camera's picture lies over a floor of ten metres by five. */
export const FLOOR: RoomLayout['floor'] = [
  {
    cameraId: 'cam-a',
    points: [
      { image: [0, 0.5], floor: [0, 0] },
      { image: [1, 0.5], floor: [10, 0] },
      { image: [0, 1], floor: [0, 5] },
      { image: [1, 1], floor: [10, 5] },
    ],
  },
];

/** The door is at the right edge. */
export const DOOR_LINES: RoomLayout['doorLines'] = [
  {
    cameraId: 'cam-a',
    line: [
      [0.93, 0.2],
      [0.93, 0.95],
    ],
    inside: [0.5, 0.7],
  },
];

/** For as long as the test lasts. */
export const permit = (more: Pick<Permit, 'kind'> & Partial<Permit>): Permit => ({
  permitId: 'p',
  fromWallMs: 0,
  untilWallMs: BEGIN.wallMs + 9_999_000,
  ...more,
});

type Arm = 'down' | 'ear' | 'chin' | 'head' | { readonly to: readonly [number, number] };

/**
 * A sitting person's pose over the box, in widths `u` of the box; arms hang unless said otherwise. `ear`: as with a
 * telephone. `chin`: supporting the head. `head`: scratching it.
 */
export function posed(
  person: Person,
  { left = 'down', right = 'down', low = false }: { left?: Arm; right?: Arm; low?: boolean } = {},
): Person {
  const [x0, y0, x1] = person.box;
  const cx = (x0 + x1) / 2;
  const u = x1 - x0;
  // A width of u is u × 16/9 of the height.
  const v = (u * 16) / 9;
  const shoulderY = y0 + 0.55 * v;
  const points: Keypoint[] = Array.from({ length: 17 }, () => [cx, y0 + v, 0.05] as const);
  const put = (i: number, x: number, y: number) => {
    points[i] = [x, y, 0.9];
  };
  put(0, cx, low ? shoulderY + 0.02 : y0 + 0.25 * v);
  put(3, cx + 0.08 * u, y0 + 0.22 * v);
  put(4, cx - 0.08 * u, y0 + 0.22 * v);
  for (const [side, arm, s, e, w] of [
    [1, left, 5, 7, 9],
    [-1, right, 6, 8, 10],
  ] as const) {
    const sx = cx + side * 0.25 * u;
    put(s, sx, shoulderY);
    const at = (ex: number, ey: number, wx: number, wy: number) => {
      put(e, cx + side * ex * u, shoulderY + ey * v);
      put(w, cx + side * wx * u, shoulderY + wy * v);
    };
    if (arm === 'down') at(0.35, 0.3, 0.3, 0.5);
    else if (arm === 'ear') at(0.45, 0.15, 0.3, -0.12);
    else if (arm === 'chin') at(0.3, 0.35, 0.05, 0);
    else if (arm === 'head') at(0.5, -0.25, 0.25, -0.35);
    else {
      put(w, arm.to[0], arm.to[1]);
      put(e, (sx + arm.to[0]) / 2, (shoulderY + arm.to[1]) / 2);
    }
  }
  return { ...person, pose: points };
}
