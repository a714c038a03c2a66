/** Row 1, left seat: UNKNOWN -> SEATED -> LEAVING -> AWAY -> RETURNED over a window of the seat's frames. */
import type { DraftEvent, Figure } from '../../protocol/event.ts';
import type { LeftSeatRule } from '../../protocol/rules.ts';
import type { Instant } from '../../protocol/time.ts';
import { type Episode, follow, graver, isOpen, levelOf, resume } from './episode.ts';
import type { Rule, RuleContext } from './rule.ts';
import type { Scene, SeatScene } from './scene.ts';
import { seatEn, seatZh, seconds, spanEn, spanZh } from './sentence.ts';
import { isAllowed } from './suppress.ts';

export type SeatState = 'UNKNOWN' | 'SEATED' | 'LEAVING' | 'AWAY' | 'RETURNED';

export interface LeftSeat {
  readonly seatId: string;
  readonly state: SeatState;
  /** Frames of the window that told something: [monoMs, somebody there]. */
  readonly window: readonly (readonly [number, boolean])[];
  /** Counted time of this absence, unknown time left out. */
  readonly awayMs: number;
  /** Time since somebody is seen again, not yet known to be a return. */
  readonly backMs: number;
  readonly leftWallMs: number;
  /** Unknown time within this absence. */
  readonly blindMs: number;
  /** Absences of this session that are over. */
  readonly sumMs: number;
  /** What of the running absence was before this session. */
  readonly beforeMs: number;
  readonly sessionId?: string | undefined;
  /** Last instant at which anybody sat in the room. */
  readonly peopleMonoMs: number;
  readonly lastMonoMs: number;
  readonly lastKnown: boolean;
  readonly episode?: Episode | undefined;
}

/** A window with fewer telling frames than this tells nothing. */
const MIN_FRAMES = 3;
const SLOW_MS = 10_000;
/** A longer step than this is not counted in full: nobody looked in between. */
const MAX_STEP_MS = 5000;

/** Where no evaluation is known absences are summed from the first who comes after nobody sat in the room for so long. */
const EMPTY_ROOM_MS = 4 * 3_600_000;

/** All seats of the room. */
export const leftSeat: Rule<readonly LeftSeat[]> = {
  name: 'left_seat',
  start({ layout }, at, open) {
    return layout.seats.map((seat) => startSeat(seat.seatId, at, open));
  },
  step(seats, scene, context) {
    const rule = context.pack.rules.left_seat;
    if (!rule) return [seats, []];
    const drafts: DraftEvent[] = [];
    const next = seats.map((before) => {
      const seat = summedFrom(before, scene);
      const seen = scene.seats.find((s) => s.seatId === seat.seatId);
      if (!seen) return seat;
      const [after, said] = stepSeat(seat, seen, scene, rule, context);
      drafts.push(...said);
      return after;
    });
    return [next, drafts];
  },
};

/** Another evaluation, or another day without one, sums up anew; what it did not see of a running absence does not count in it. */
function summedFrom(seat: LeftSeat, { at, session, seats }: Scene): LeftSeat {
  const sessionId = session?.sessionId;
  const people = seats.some(({ occupancy }) => occupancy === 'yes');
  const emptyLong = sessionId === undefined && people && at.monoMs - seat.peopleMonoMs >= EMPTY_ROOM_MS;
  return {
    ...seat,
    sessionId,
    ...(people ? { peopleMonoMs: at.monoMs } : {}),
    ...(emptyLong || sessionId !== seat.sessionId ? { sumMs: 0, beforeMs: seat.awayMs } : {}),
  };
}

function startSeat(seatId: string, at: Instant, open: readonly DraftEvent[]): LeftSeat {
  const fresh: LeftSeat = {
    seatId,
    state: 'UNKNOWN',
    window: [],
    awayMs: 0,
    backMs: 0,
    leftWallMs: at.wallMs,
    blindMs: 0,
    sumMs: 0,
    beforeMs: 0,
    peopleMonoMs: at.monoMs,
    lastMonoMs: at.monoMs,
    lastKnown: false,
  };
  const event = open.find(
    (e) => e.body.kind === 'episode' && e.body.behaviour === 'left_seat' && e.body.seatIds[0] === seatId,
  );
  if (event?.body.kind !== 'episode') return fresh;
  const { durationMs, beganWallMs, figures, sessionId } = event.body;
  const figure = (name: string) => figures.find((f) => f.name === name)?.value;
  const awayMs = (figure('away') ?? durationMs / 1000) * 1000;
  const cumulativeMs = (figure('cumulative') ?? awayMs / 1000) * 1000;
  const earlier = Math.max(0, durationMs - awayMs);
  const episode = resume(event, at);
  return {
    ...fresh,
    state: 'AWAY',
    awayMs,
    leftWallMs: beganWallMs,
    sumMs: Math.max(0, cumulativeMs - awayMs),
    beforeMs: Math.max(0, awayMs - cumulativeMs),
    sessionId,
    episode: episode && { ...episode, doneMs: earlier },
  };
}

/** One seat, one step. Exported for the table tests. */
export function stepSeat(
  seat: LeftSeat,
  seen: SeatScene,
  scene: Scene,
  rule: LeftSeatRule,
  context: RuleContext,
): readonly [LeftSeat, readonly DraftEvent[]] {
  const now = scene.at.monoMs;
  const stepMs = Math.min(Math.max(0, now - seat.lastMonoMs), MAX_STEP_MS);
  const fresh = seen.sample === 'none' ? seat.window : [...seat.window, [now, seen.sample === 'here'] as const];
  // A slow camera has fewer frames in the window than it takes to tell anything: then the last ones count.
  const window = fresh.filter(
    ([ms], i) => ms > now - rule.windowMs || (i >= fresh.length - MIN_FRAMES && ms > now - SLOW_MS),
  );
  const share = window.length >= MIN_FRAMES ? window.filter(([, here]) => here).length / window.length : undefined;
  const known = seen.occupancy !== 'unknown';
  const counted = known && seat.lastKnown ? stepMs : 0;
  const base: LeftSeat = { ...seat, window, lastMonoMs: now, lastKnown: known };
  const timed = time(base, seen, counted, stepMs - counted);
  const after = transition(timed, seen, share, rule, scene.at);
  const excused = isAllowed(scene.session, 'left_seat', [seat.seatId], scene.at.wallMs);
  return excused ? excuse(seat, after, scene, rule, context) : speak(seat.state, after, scene, rule, context);
}

/** In a break or with a permit: an episode that was open ends, and the absence is counted from when that is over. */
function excuse(
  before: LeftSeat,
  seat: LeftSeat,
  scene: Scene,
  rule: LeftSeatRule,
  context: RuleContext,
): readonly [LeftSeat, readonly DraftEvent[]] {
  const open = isOpen(before.episode);
  const [ended, drafts] = open ? speak('AWAY', { ...before, state: 'RETURNED' }, scene, rule, context) : [before, []];
  return [
    {
      ...seat,
      awayMs: 0,
      beforeMs: 0,
      backMs: 0,
      blindMs: 0,
      leftWallMs: scene.at.wallMs,
      sumMs: ended.sumMs,
      episode: ended.episode,
    },
    drafts,
  ];
}

/** Time of an absence: unknown time is not counted; time in which somebody is seen again counts only if they leave at once. */
function time(seat: LeftSeat, seen: SeatScene, counted: number, blind: number): LeftSeat {
  if (seat.state !== 'LEAVING' && seat.state !== 'AWAY') return seat;
  const blindMs = seat.blindMs + blind;
  if (seen.occupancy === 'yes') return { ...seat, blindMs, backMs: seat.backMs + counted };
  if (seen.occupancy === 'no') return { ...seat, blindMs, awayMs: seat.awayMs + seat.backMs + counted, backMs: 0 };
  return { ...seat, blindMs };
}

function transition(
  seat: LeftSeat,
  seen: SeatScene,
  share: number | undefined,
  rule: LeftSeatRule,
  at: Instant,
): LeftSeat {
  const present = seen.occupancy === 'yes' && share !== undefined;
  switch (seat.state) {
    case 'UNKNOWN':
      return present && share >= rule.onDutyShare ? { ...seat, state: 'SEATED' } : seat;
    case 'SEATED':
    case 'RETURNED': {
      if (seen.occupancy === 'no') {
        const awayMs = seen.leftMonoMs === undefined ? 0 : Math.max(0, at.monoMs - seen.leftMonoMs);
        return {
          ...seat,
          state: 'LEAVING',
          awayMs,
          beforeMs: 0,
          backMs: 0,
          blindMs: 0,
          leftWallMs: at.wallMs - awayMs,
        };
      }
      return seat.state === 'RETURNED' && present && share >= rule.onDutyShare ? { ...seat, state: 'SEATED' } : seat;
    }
    case 'LEAVING':
      if (present && share >= rule.returnShare && seat.backMs > 0) return { ...seat, state: 'SEATED', backMs: 0 };
      return seen.occupancy === 'no' && share !== undefined && share < rule.leavingShare
        ? { ...seat, state: 'AWAY' }
        : seat;
    case 'AWAY':
      return present && share >= rule.returnShare ? { ...seat, state: 'RETURNED' } : seat;
  }
}

function speak(
  from: SeatState,
  seat: LeftSeat,
  scene: Scene,
  rule: LeftSeatRule,
  context: RuleContext,
): readonly [LeftSeat, readonly DraftEvent[]] {
  const away = seat.state === 'AWAY';
  const over = seat.state === 'RETURNED' && from === 'AWAY';
  const sumMs = seat.sumMs + Math.max(0, seat.awayMs - seat.beforeMs);
  const tooMuch = rule.cumulativeAlarmMs !== null && sumMs >= rule.cumulativeAlarmMs;
  // Unknown holds the machine still: neither a new level nor a regular update.
  const level =
    away && scene.seats.some((s) => s.seatId === seat.seatId && s.occupancy === 'no')
      ? graver(levelOf(seat.awayMs, rule), tooMuch ? 'alarm' : undefined)
      : undefined;
  const { episode, drafts } = follow(
    {
      at: scene.at,
      pack: context.pack,
      ids: context.ids,
      behaviour: 'left_seat',
      citation: rule.citation,
      joinMs: context.pack.cooldownMs,
    },
    seat.episode,
    {
      level,
      over,
      facts: () => ({
        seatIds: [seat.seatId],
        beganWallMs: seat.leftWallMs,
        durationMs: seat.awayMs,
        from: over || isOpen(seat.episode) ? 'AWAY' : 'LEAVING',
        to: seat.state,
        figures: figures(seat, sumMs, rule),
        sentence: sentence(seat, sumMs, over, rule, context),
      }),
    },
  );
  const settled: LeftSeat = over ? { ...seat, sumMs, awayMs: 0, beforeMs: 0, backMs: 0 } : seat;
  return [{ ...settled, episode }, drafts];
}

function figures(seat: LeftSeat, sumMs: number, rule: LeftSeatRule): readonly Figure[] {
  const threshold = passed(seat.awayMs, rule);
  const here = seat.window.filter(([, h]) => h).length;
  const list: Figure[] = [
    {
      name: 'away',
      value: seconds(seat.awayMs),
      ...(threshold === null ? {} : { threshold: seconds(threshold) }),
      unit: 's',
    },
    {
      name: 'somebodyShare',
      value: seat.window.length ? Math.round((here / seat.window.length) * 100) / 100 : 0,
      threshold: seat.state === 'RETURNED' ? rule.returnShare : rule.leavingShare,
      unit: '',
    },
    {
      name: 'cumulative',
      value: seconds(sumMs),
      ...(rule.cumulativeAlarmMs === null ? {} : { threshold: seconds(rule.cumulativeAlarmMs) }),
      unit: 's',
    },
  ];
  if (seat.blindMs >= 1000) list.push({ name: 'unknown', value: seconds(seat.blindMs), unit: 's' });
  return list;
}

/** The threshold that counts for this duration: the gravest that it has passed, else the first there is. */
function passed(ms: number, rule: LeftSeatRule): number | null {
  return rule.alarmMs !== null && ms >= rule.alarmMs ? rule.alarmMs : (rule.noticeMs ?? rule.alarmMs);
}

function sentence(seat: LeftSeat, sumMs: number, over: boolean, rule: LeftSeatRule, { layout }: RuleContext) {
  const zh = seatZh(layout, seat.seatId);
  const en = seatEn(seat.seatId);
  const threshold = passed(seat.awayMs, rule);
  const tail =
    threshold === null
      ? { zh: '', en: '' }
      : { zh: `（阈值 ${spanZh(threshold)}）`, en: ` (threshold ${spanEn(threshold)})` };
  if (over)
    return {
      zh: `${zh}已返回，离席 ${spanZh(seat.awayMs)}${tail.zh}`,
      en: `${en} is back after ${spanEn(seat.awayMs)} away${tail.en}`,
    };
  const limit = rule.cumulativeAlarmMs;
  if (limit !== null && sumMs >= limit && levelOf(seat.awayMs, rule) !== 'alarm')
    return {
      zh: `${zh}累计离席 ${spanZh(sumMs)}（阈值 ${spanZh(limit)}），本次 ${spanZh(seat.awayMs)}`,
      en: `${en} away ${spanEn(sumMs)} in this session (threshold ${spanEn(limit)}), now ${spanEn(seat.awayMs)}`,
    };
  return { zh: `${zh}离席 ${spanZh(seat.awayMs)}${tail.zh}`, en: `${en} away ${spanEn(seat.awayMs)}${tail.en}` };
}
