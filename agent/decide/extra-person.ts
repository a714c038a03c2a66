/** Row 13, extra person: more people in the room than the roster allows, counted on tracks that live. */
import type { DraftEvent } from '../../protocol/event.ts';
import { iou } from '../../protocol/seat.ts';
import { SURE_SCORE } from './bodies.ts';
import { type Episode, follow, isOpen, levelOf, resume } from './episode.ts';
import { covers, isElsewhere, type Spot } from './place.ts';
import type { Rule } from './rule.ts';
import type { CameraScene, Scene } from './scene.ts';
import { seconds, spanEn, spanZh } from './sentence.ts';
import { guests, isAllowed } from './suppress.ts';
import { HIGH_SCORE, hasWalked, type Track } from './track.ts';

export interface ExtraPerson {
  /** Frames of the last seconds: [monoMs, people counted]. */
  readonly window: readonly (readonly [number, number])[];
  readonly moreMs: number;
  readonly sinceWallMs: number;
  readonly holds: boolean;
  /** Since when the count is within the roster again. */
  readonly fineMonoMs?: number | undefined;
  readonly lastMonoMs: number;
  readonly most: number;
  readonly sourceId?: string | undefined;
  /** Sitters who got up under another track's id: from this sight of them at the seat on, they are no longer presumed there. */
  readonly risen: readonly Risen[];
  /** Tracks that have walked and own no seat, and those that went on where one of them was lost. */
  readonly strangers: readonly Stranger[];
  readonly episode?: Episode | undefined;
}

interface Stranger {
  readonly cameraId: string;
  readonly trackId: number;
}

interface Risen {
  readonly cameraId: string;
  readonly seatId: string;
  readonly hereMonoMs: number;
}

/** The count is judged over this time: more in most of the frames begins, fewer in most of them ends. */
const WINDOW_MS = 2000;
const BEGIN_SHARE = 0.6;
const END_SHARE = 0.2;
/** A count that is fine must stay so: a stranger who passes behind somebody is hidden for a while. */
const FINE_MS = 5000;
/** Who sits is missed by the detector now and then; who walks is seen or gone. */
const SEATED_KEPT_MS = 2500;
const WALKING_KEPT_MS = 700;
/** A sure box that overlaps so much with where a stranger was lost is that stranger under a new id. */
const HEIR_IOU = 0.3;
/** A person whose last detection is weaker than this is not counted as one more. */
const COUNTED_SCORE = 0.3;
/** At a seat, a box with less than this share of the owner's usual area is a part of a person. */
const WHOLE_SHARE = 0.4;
/** A box that holds so much of a missed sitter's last one shows that sitter. */
const COVERED_SHARE = 0.6;
/** A seat that differs so little from how it usually looks with its person. */
const LIKE_TAKEN = 0.25;
/** Who first appears within so many zone widths and heights of a seat whose sitter is missed has got up from it. */
const RISES = 1.6;
const MAX_STEP_MS = 5000;

export const extraPerson: Rule<ExtraPerson> = {
  name: 'extra_person',
  start(_context, at, open) {
    const fresh: ExtraPerson = {
      window: [],
      moreMs: 0,
      sinceWallMs: at.wallMs,
      holds: false,
      lastMonoMs: at.monoMs,
      most: 0,
      risen: [],
      strangers: [],
    };
    const event = open.find((e) => e.body.kind === 'episode' && e.body.behaviour === 'extra_person');
    if (event?.body.kind !== 'episode') return fresh;
    const { durationMs, beganWallMs, sourceId } = event.body;
    return {
      ...fresh,
      holds: true,
      moreMs: durationMs,
      sinceWallMs: beganWallMs,
      sourceId,
      episode: resume(event, at),
    };
  },
  step(state, scene, context) {
    const rule = context.pack.rules.extra_person;
    // A room in which no seat is drawn yet has not said how many people it may hold.
    if (!rule || context.layout.roster.length + context.layout.seats.length === 0) return [state, []];
    const now = scene.at.monoMs;
    const allowed =
      (context.layout.roster.length || context.layout.seats.length) + guests(scene.session, scene.at.wallMs);
    const looking = scene.cameras.filter((c) => !c.blind);
    const stepMs = Math.min(Math.max(0, now - state.lastMonoMs), MAX_STEP_MS);
    if (looking.length === 0) return [{ ...state, window: [], lastMonoMs: now, fineMonoMs: undefined }, []];
    let next = count(state, scene, looking);
    const share = next.window.filter(([, n]) => n > allowed).length / Math.max(1, next.window.length);
    const holds =
      !isAllowed(scene.session, 'extra_person', [], scene.at.wallMs) &&
      next.window.length >= 2 &&
      (state.holds ? share > END_SHARE : share >= BEGIN_SHARE);
    const begins = holds && !state.holds && state.moreMs === 0;
    const first = next.window.find(([, n]) => n > allowed)?.[0] ?? now;
    const fineMonoMs = holds ? undefined : (state.fineMonoMs ?? now);
    const over = fineMonoMs !== undefined && now - fineMonoMs >= FINE_MS;
    next = {
      ...next,
      holds,
      fineMonoMs,
      lastMonoMs: now,
      moreMs: begins ? now - first : holds ? state.moreMs + stepMs : state.moreMs,
      sinceWallMs: begins ? scene.at.wallMs - (now - first) : state.sinceWallMs,
      most: holds ? Math.max(begins ? 0 : state.most, ...next.window.map(([, n]) => n)) : state.most,
    };
    const threshold = rule.alarmMs ?? rule.noticeMs ?? 0;
    const { episode, drafts } = follow(
      {
        at: scene.at,
        pack: context.pack,
        ids: context.ids,
        behaviour: 'extra_person',
        citation: rule.citation,
        joinMs: context.pack.cooldownMs,
      },
      state.episode,
      {
        level: holds ? levelOf(next.moreMs, rule) : undefined,
        over,
        facts: () => ({
          seatIds: [],
          ...(next.sourceId === undefined ? {} : { sourceId: next.sourceId }),
          beganWallMs: next.sinceWallMs,
          durationMs: next.moreMs,
          from: isOpen(state.episode) ? 'MORE' : 'ALLOWED',
          to: over ? 'ALLOWED' : 'MORE',
          figures: [
            { name: 'people', value: next.most, threshold: allowed, unit: '' },
            { name: 'lasting', value: seconds(next.moreMs), threshold: seconds(threshold), unit: 's' },
          ],
          sentence: {
            zh: `室内 ${next.most} 人，超出名单 ${allowed} 人，${spanZh(next.moreMs)}（阈值 ${spanZh(threshold)}）`,
            en: `${next.most} people in the room, ${allowed} allowed, for ${spanEn(next.moreMs)} (threshold ${spanEn(threshold)})`,
          },
        }),
      },
    );
    if (over) next = { ...next, moreMs: 0, most: 0 };
    return [{ ...next, episode }, drafts] as readonly [ExtraPerson, readonly DraftEvent[]];
  },
};

/** The camera that shows most people counts: two cameras see the same people, so counts are never added. */
function count(state: ExtraPerson, scene: Scene, looking: readonly CameraScene[]): ExtraPerson {
  const now = scene.at.monoMs;
  const window = state.window.filter(([ms]) => ms > now - WINDOW_MS);
  const fresh = looking.filter((c) => c.fresh);
  if (fresh.length === 0) return { ...state, window };
  let [most, sourceId] = [0, state.sourceId];
  const taken = scene.seats.filter((s) => s.occupancy === 'yes').map((s) => s.seatId);
  const risen: Risen[] = [];
  const strangers: Stranger[] = [];
  for (const camera of looking) {
    const known = strangersOf(camera, state.strangers);
    strangers.push(...known.map(({ trackId }) => ({ cameraId: camera.cameraId, trackId })));
    const counted = people(camera, camera.sight.frame?.monoMs ?? now, { taken, risenBefore: state.risen, known });
    risen.push(...counted.risen);
    if (counted.people > most) [most, sourceId] = [counted.people, camera.cameraId];
  }
  return { ...state, window: [...window, [now, most]], sourceId, risen, strangers };
}

/** Who walks about and has no seat: a stranger stays one while they stand, and when their track breaks off behind somebody. */
function strangersOf(
  { cameraId, sight, tracks, owners, seated }: CameraScene,
  before: readonly Stranger[],
): readonly Track[] {
  const isAnyones = ({ trackId }: Track) => [...owners, ...seated].some((one) => one.trackId === trackId);
  const free = tracks.filter((t) => t.confirmed && !isAnyones(t));
  const isSeen = (t: Track) => t.seenMonoMs === sight.frame?.monoMs;
  const known = free.filter((t) => before.some((b) => b.cameraId === cameraId && b.trackId === t.trackId));
  const lost = known.filter((t) => !isSeen(t));
  const heir = (t: Track) => t.score >= SURE_SCORE && isSeen(t) && lost.some((l) => iou(l.box, t.box) > HEIR_IOU);
  return free.filter((t) => known.includes(t) || (t.peak >= SURE_SCORE && (hasWalked(t) || heir(t))));
}

interface Known {
  readonly taken: readonly string[];
  readonly risenBefore: readonly Risen[];
  readonly known: readonly Track[];
}

/** People in one camera's picture: one for each seat with its person, and every other track that lives. */
function people(
  { cameraId, tracks, seated, owners, spots, rests }: CameraScene,
  now: number,
  { taken, risenBefore, known }: Known,
): { readonly people: number; readonly risen: readonly Risen[] } {
  const sure = tracks.filter((t) => t.confirmed && t.peak >= HIGH_SCORE && t.score >= COUNTED_SCORE);
  const seats = new Set<string>();
  const sitters: Track[] = [];
  const rest: Track[] = [];
  for (const t of sure) {
    const unseenMs = now - t.seenMonoMs;
    const at = seated.find((s) => s.trackId === t.trackId)?.seatId;
    const home = owners.find((o) => o.trackId === t.trackId)?.seatId;
    // An owner who is missed in this frame is still at the own seat; one who is seen elsewhere walks.
    const seat = at ?? (unseenMs > 0 ? home : undefined);
    if (seat !== undefined && unseenMs <= SEATED_KEPT_MS) {
      seats.add(seat);
      sitters.push(t);
    } else if (unseenMs <= WALKING_KEPT_MS && (home !== undefined || known.includes(t))) rest.push(t);
  }
  // A track beside one that is just missed is the same person under a new id.
  const second = (t: Track) => sitters.some((s) => s.seenMonoMs < now && iou(s.box, t.box) > 0.25);
  // So is a box around the place of a sitter who is missed in this frame: a detector may draw one far too large.
  const around = (t: Track) =>
    sitters.some((s) => s.seenMonoMs < now && t.seenMonoMs === now && covers(t.box, s.box) > COVERED_SHARE);
  // An arm, or a head beside a monitor, of somebody who leans.
  const fragment = (t: Track) =>
    owners.some(({ seatId, habit }) => {
      const spot = spots.find((s) => s.seatId === seatId);
      return spot && habit && !isElsewhere(t, spot, habit) && size(t) < WHOLE_SHARE * habit.width * habit.height;
    });
  // Who sits and is missed for long, in bad light or over a bad line, is there all the same: the seat looks as it does
  // with its person in it, and they were seen nowhere else.
  const missed = owners.filter(
    ({ seatId, trackId, outMonoMs }) =>
      taken.includes(seatId) &&
      outMonoMs === undefined &&
      !seats.has(seatId) &&
      !rest.some((t) => t.trackId === trackId) &&
      rests.some((r) => r.seatId === seatId && r.unlikeTaken < LIKE_TAKEN),
  );
  const theirs = (t: Track) =>
    missed.some(({ seatId, habit }) => {
      const spot = spots.find((s) => s.seatId === seatId);
      return spot !== undefined && !isElsewhere(t, spot, habit);
    });
  const more = rest.filter((t) => !second(t) && !around(t) && !fragment(t) && !theirs(t));
  // A chair with a jacket looks taken when its sitter has got up, too: under another id they would count twice.
  const walks = new Set<Track>();
  const risen = rests.flatMap(({ seatId, hereMonoMs, hereTrackId }): Risen[] => {
    if (hereMonoMs === undefined) return [];
    const risenNow = { cameraId, seatId, hereMonoMs };
    const known = risenBefore.some(
      (r) => r.cameraId === cameraId && r.seatId === seatId && r.hereMonoMs === hereMonoMs,
    );
    if (known) return [risenNow];
    const spot = spots.find((s) => s.seatId === seatId);
    if (!spot || !missed.some((m) => m.seatId === seatId)) return [];
    const walker = more.find(
      (t) =>
        !walks.has(t) && (t.bornMonoMs >= hereMonoMs || t.trackId === hereTrackId) && isNear(t.bornAt, spot, RISES),
    );
    if (!walker) return [];
    walks.add(walker);
    return [risenNow];
  });
  const still = missed.filter(({ seatId }) => !risen.some((r) => r.seatId === seatId));
  return { people: seats.size + still.length + more.length, risen };
}

const size = ({ box }: Track) => (box[2] - box[0]) * (box[3] - box[1]);

/** Whether a point is within so many zone widths and heights of the zone's middle. */
function isNear([x, y]: Track['bornAt'], { zone: [x0, y0, x1, y1] }: Spot, by: number): boolean {
  return Math.abs(x - (x0 + x1) / 2) < by * (x1 - x0) && Math.abs(y - (y0 + y1) / 2) < by * (y1 - y0);
}
