/** Scoring of `eval vision`: predicted episodes against truth files, and the figures over all rooms. Pure; no files, no models. */
import type { DraftEvent, EpisodeBody, Level } from '../protocol/event.ts';
import type { RulePack } from '../protocol/rules.ts';
import { eventsOf, type Truth, type TruthRoom } from './eval-vision-truth.ts';

/** One occurrence of a predicted episode, in seconds of the video. */
export interface Predicted {
  readonly name: string;
  readonly seats: readonly string[];
  readonly startS: number;
  readonly endS: number;
  readonly alertS: number;
  readonly level: Level;
}

/** What the product's behaviours are called in truth files. */
const TRUTH_NAMES: Readonly<Partial<Record<string, string>>> = {
  left_seat: 'seat_absent',
  too_far: 'seat_absent',
  left_room: 'seat_absent',
  at_other_seat: 'contact',
  whispering: 'contact',
  gathering: 'contact',
  phone: 'phone_at_ear',
  sleeping: 'sleeping',
  extra_person: 'person_extra',
  standing: 'standing_at_seat',
};
const FAULT_NAMES: Readonly<Partial<Record<string, string>>> = { covered: 'lens_covered', moved: 'camera_moved' };

/** Behaviours of truth files that are scored, as they are called there. */
export const SCORED = [
  'seat_absent',
  'standing_at_seat',
  'contact',
  'phone_at_ear',
  'person_extra',
  'sleeping',
  'lens_covered',
  'camera_moved',
] as const;

/** One episode of the truth or of the prediction on the report's timeline. */
export interface Span {
  readonly of: 'truth' | 'predicted';
  readonly name: string;
  readonly seats: readonly string[];
  readonly startS: number;
  readonly endS: number;
  /** `short`: a truth below its threshold, which need not be found. */
  readonly verdict: 'found' | 'missed' | 'short' | 'right' | 'false' | 'unscored';
}

function truthName(body: EpisodeBody): string {
  if (body.behaviour !== 'camera_fault') return TRUTH_NAMES[body.behaviour] ?? body.behaviour;
  return FAULT_NAMES[body.fault ?? ''] ?? `camera_${body.fault}`;
}

/** Episodes out of drafts; a begin, or an update after an end, opens an occurrence. Overlapping ones of one seat are merged. */
export function episodesOf(
  drafts: readonly DraftEvent[],
  beginWallMs: number,
  durationS: number,
): readonly Predicted[] {
  const open = new Map<string, Predicted>();
  const done: Predicted[] = [];
  const sums = new Map<string, number>();
  for (const { at, body } of drafts) {
    if (body.kind !== 'episode') continue;
    const nowS = (at.wallMs - beginWallMs) / 1000;
    const before = open.get(body.episodeId);
    const runS = body.durationMs / 1000 - (sums.get(body.episodeId) ?? 0);
    const startS = before?.startS ?? (body.phase === 'begin' ? (body.beganWallMs - beginWallMs) / 1000 : nowS - runS);
    const level = before?.level === 'alarm' ? 'alarm' : body.level;
    const next = {
      name: truthName(body),
      seats: body.seatIds,
      startS,
      endS: nowS,
      alertS: before?.alertS ?? nowS,
      level,
    };
    if (body.phase === 'end') {
      sums.set(body.episodeId, body.durationMs / 1000);
      open.delete(body.episodeId);
      done.push({ ...next, endS: Math.max(startS, Math.min(nowS, startS + Math.max(runS, 0.1))) });
    } else open.set(body.episodeId, next);
  }
  for (const going of open.values()) done.push({ ...going, endS: durationS });
  return merged(done);
}

function merged(list: readonly Predicted[]): readonly Predicted[] {
  const out: Predicted[] = [];
  for (const p of [...list].sort((a, b) => a.startS - b.startS)) {
    const i = out.findIndex(
      (q) => q.name === 'seat_absent' && p.name === q.name && q.seats[0] === p.seats[0] && p.startS <= q.endS,
    );
    const q = out[i];
    if (!q) out.push(p);
    else
      out[i] = {
        ...q,
        endS: Math.max(q.endS, p.endS),
        alertS: Math.min(q.alertS, p.alertS),
        level: q.level === 'alarm' ? q.level : p.level,
      };
  }
  return out;
}

export interface BehaviourScore {
  episodes: number;
  found: number;
  false: number;
  startErrors: number[];
  alertDelays: number[];
}

/** Result of one room; pooled over rooms by `pool`. */
export interface RoomScore {
  readonly name: string;
  readonly behaviours: Record<string, BehaviourScore>;
  readonly unscored: Record<string, number>;
  readonly falseAlarms: number;
  readonly falseNotices: number;
  readonly occupancy: Record<string, { right: number; unknown: number; frames: number }>;
  readonly fault: { right: number; frames: number };
  readonly hours: number;
  readonly spans: readonly Span[];
}

/** Truth episodes shorter than their threshold are neither missed nor false; nor are those that had begun before the film. */
function thresholdS(name: string, { rules }: RulePack): number {
  const least = (...list: readonly ({ noticeMs: number | null; alarmMs: number | null } | undefined)[]) =>
    Math.min(...list.flatMap((rule) => (rule ? [rule.noticeMs ?? rule.alarmMs ?? 0] : [])));
  const ms: Readonly<Record<string, number | undefined>> = {
    seat_absent: least(rules.left_seat),
    standing_at_seat: least(rules.standing),
    contact: least(rules.at_other_seat, rules.whispering),
    phone_at_ear: least(rules.phone),
    person_extra: least(rules.extra_person),
    sleeping: least(rules.sleeping),
    lens_covered: rules.camera_fault?.coveredMs,
    camera_moved: rules.camera_fault?.movedMs,
  };
  const shortest = ms[name] ?? 0;
  return Number.isFinite(shortest) ? shortest / 1000 : 0;
}

/** Starts may differ by this much. */
const START_S = 5;

type TruthEvent = Truth['events'][number];

/** Same seat; a contact is of either of its two; without a seat it is of the room. */
function concerns(p: Predicted, t: TruthEvent): boolean {
  if (t.seat === null || t.seat === undefined) return true;
  if (t.type !== 'contact') return p.seats[0] === String(t.seat);
  return p.seats.some((s) => s === String(t.seat) || s === String(t.with_seat));
}

const seatsOf = (t: TruthEvent) => [t.seat, t.with_seat].flatMap((s) => (s == null ? [] : [String(s)]));

export function scoreEpisodes(room: TruthRoom, predicted: readonly Predicted[], pack: RulePack) {
  const behaviours: Record<string, BehaviourScore> = {};
  const unscored: Record<string, number> = {};
  const spans: Span[] = [];
  let [falseAlarms, falseNotices] = [0, 0];
  const events = eventsOf(room);
  for (const name of SCORED) {
    const score: BehaviourScore = { episodes: 0, found: 0, false: 0, startErrors: [], alertDelays: [] };
    behaviours[name] = score;
    const isShort = (t: TruthEvent) => t.begun === true || t.end_s - t.start_s < thresholdS(name, pack);
    const truths = events.filter((e) => e.type === name);
    const mine = predicted.filter((p) => p.name === name);
    const pairs = truths.flatMap((t) =>
      mine
        .filter((p) => concerns(p, t) && p.startS < t.end_s && p.endS > t.start_s)
        .map((p) => ({ t, p, error: Math.abs(p.startS - t.start_s) })),
    );
    pairs.sort((a, b) => a.error - b.error);
    const [usedT, usedP] = [new Set<unknown>(), new Set<unknown>()];
    for (const { t, p, error } of pairs) {
      if (usedT.has(t) || usedP.has(p) || (error > START_S && !t.begun)) continue;
      usedT.add(t);
      usedP.add(p);
      if (isShort(t)) continue;
      score.found++;
      score.startErrors.push(error);
      score.alertDelays.push(p.alertS - t.start_s);
    }
    for (const t of truths) {
      if (!isShort(t)) score.episodes++;
      const verdict = isShort(t) ? 'short' : usedT.has(t) ? 'found' : 'missed';
      spans.push({ of: 'truth', name, seats: seatsOf(t), startS: t.start_s, endS: t.end_s, verdict });
    }
    for (const p of mine) {
      const { seats, startS, endS } = p;
      spans.push({ of: 'predicted', name, seats, startS, endS, verdict: usedP.has(p) ? 'right' : 'false' });
      if (usedP.has(p)) continue;
      score.false++;
      if (p.level === 'alarm') falseAlarms++;
      else falseNotices++;
    }
  }
  const scored: readonly string[] = SCORED;
  for (const t of events)
    if (!scored.includes(t.type)) {
      unscored[t.type] = (unscored[t.type] ?? 0) + 1;
      spans.push({
        of: 'truth',
        name: t.type,
        seats: seatsOf(t),
        startS: t.start_s,
        endS: t.end_s,
        verdict: 'unscored',
      });
    }
  for (const { name, seats, startS, endS } of predicted)
    if (!scored.includes(name)) {
      unscored[`raised:${name}`] = (unscored[`raised:${name}`] ?? 0) + 1;
      spans.push({ of: 'predicted', name, seats, startS, endS, verdict: 'unscored' });
    }
  return { behaviours, unscored, spans, falseAlarms, falseNotices };
}

const quantile = (list: readonly number[], q: number): number | null => {
  if (list.length === 0) return null;
  const sorted = [...list].sort((a, b) => a - b);
  return Math.round(sorted[Math.min(sorted.length - 1, Math.floor(q * (sorted.length - 1) + 0.5))]! * 100) / 100;
};
const share = (a: number, b: number): number | null => (b === 0 ? null : Math.round((a / b) * 10_000) / 10_000);

export interface BehaviourFigures {
  readonly episodes: number;
  readonly found: number;
  readonly false: number;
  readonly precision: number | null;
  readonly recall: number | null;
  readonly f1: number | null;
  readonly startErrorMedianS: number | null;
  readonly startErrorP95S: number | null;
  readonly timeToAlertMedianS: number | null;
}

/** The figures over all rooms, in the shape of `--json`. */
export function pool(rooms: readonly RoomScore[], cpuMsPerFrame: number | null, modelSet: string) {
  const behaviours: Record<string, BehaviourFigures> = {};
  for (const name of SCORED) {
    const all = rooms.map((r) => r.behaviours[name]!);
    const sum = (f: (s: BehaviourScore) => number) => all.reduce((n, s) => n + f(s), 0);
    const [episodes, found, wrong] = [sum((s) => s.episodes), sum((s) => s.found), sum((s) => s.false)];
    const [recall, precision] = [share(found, episodes), share(found, found + wrong)];
    const f1 =
      recall && precision
        ? Math.round(((2 * recall * precision) / (recall + precision)) * 10_000) / 10_000
        : recall === null
          ? null
          : 0;
    const errors = all.flatMap((s) => s.startErrors);
    behaviours[name] = {
      episodes,
      found,
      false: wrong,
      precision,
      recall,
      f1,
      startErrorMedianS: quantile(errors, 0.5),
      startErrorP95S: quantile(errors, 0.95),
      timeToAlertMedianS: quantile(
        all.flatMap((s) => s.alertDelays),
        0.5,
      ),
    };
  }
  const unscored: Record<string, number> = {};
  for (const r of rooms) for (const [k, n] of Object.entries(r.unscored)) unscored[k] = (unscored[k] ?? 0) + n;
  const seats = new Map<string, { right: number; unknown: number; frames: number }>();
  for (const r of rooms)
    for (const [id, c] of Object.entries(r.occupancy)) {
      const s = seats.get(id) ?? { right: 0, unknown: 0, frames: 0 };
      seats.set(id, { right: s.right + c.right, unknown: s.unknown + c.unknown, frames: s.frames + c.frames });
    }
  const every = [...seats.values()];
  const total = (k: 'right' | 'unknown' | 'frames') => every.reduce((n, s) => n + s[k], 0);
  const hours = rooms.reduce((n, r) => n + r.hours, 0);
  const perHour = (n: number) => (hours > 0 ? Math.round((n / hours) * 1000) / 1000 : null);
  return {
    rooms: rooms.map((r) => r.name),
    behaviours,
    unscored,
    occupancyAccuracy: share(total('right'), total('frames')),
    occupancyBySeat: Object.fromEntries([...seats].map(([id, s]) => [id, share(s.right, s.frames)])),
    unknownShare: share(total('unknown'), total('frames')),
    faultFramesRight: share(
      rooms.reduce((n, r) => n + r.fault.right, 0),
      rooms.reduce((n, r) => n + r.fault.frames, 0),
    ),
    roomHours: Math.round(hours * 10_000) / 10_000,
    falseAlarmsPerRoomHour: perHour(rooms.reduce((n, r) => n + r.falseAlarms, 0)),
    falseNoticesPerRoomHour: perHour(rooms.reduce((n, r) => n + r.falseNotices, 0)),
    cpuMsPerFrame,
    modelSet,
  };
}
