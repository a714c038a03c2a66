/** Row 2, too far: the owner of a seat is in the room but stands or walks further from it than allowed. */
import type { DraftEvent } from '../../protocol/event.ts';
import { homography, toFloor } from '../../protocol/floor.ts';
import type { TooFarRule } from '../../protocol/rules.ts';
import { doubtFigures, doubtOf, doubtWords } from './doubt.ts';
import { type Episode, follow, isOpen, levelOf, resume } from './episode.ts';
import { footPoint, inShoulders } from './floor.ts';
import type { Rule, RuleContext } from './rule.ts';
import type { CameraScene, Scene } from './scene.ts';
import { seatEn, seatZh, seconds, spanEn, spanZh } from './sentence.ts';
import { isAllowed } from './suppress.ts';

interface Distance {
  readonly value: number;
  readonly limit: number;
  readonly unit: 'm' | 'shoulders';
  /** By how much the camera was nudged, where that matters to the distance. */
  readonly doubt?: number | undefined;
}

export interface FarSeat {
  readonly seatId: string;
  readonly farMs: number;
  readonly sinceWallMs: number;
  /** Last instant at which the owner was seen far, or near. */
  readonly farMonoMs?: number | undefined;
  readonly nearMonoMs?: number | undefined;
  readonly lastMonoMs: number;
  readonly distance?: Distance | undefined;
  readonly episode?: Episode | undefined;
}

/** Near again for this long is back. */
const BACK_MS = 1500;
/** Not seen for this long: where the owner is, this rule no longer knows. */
const LOST_MS = 15_000;
const MAX_STEP_MS = 5000;

export const tooFar: Rule<readonly FarSeat[]> = {
  name: 'too_far',
  start({ layout }, at, open) {
    return layout.seats.map(({ seatId }) => {
      const event = open.find(
        (e) => e.body.kind === 'episode' && e.body.behaviour === 'too_far' && e.body.seatIds[0] === seatId,
      );
      const fresh: FarSeat = { seatId, farMs: 0, sinceWallMs: at.wallMs, lastMonoMs: at.monoMs };
      if (event?.body.kind !== 'episode') return fresh;
      const { durationMs, beganWallMs } = event.body;
      return {
        ...fresh,
        farMs: durationMs,
        sinceWallMs: beganWallMs,
        farMonoMs: at.monoMs,
        episode: resume(event, at),
      };
    });
  },
  step(seats, scene, context) {
    const rule = context.pack.rules.too_far;
    if (!rule) return [seats, []];
    const drafts: DraftEvent[] = [];
    const next = seats.map((seat) => {
      const [after, said] = stepSeat(seat, scene, rule, context);
      drafts.push(...said);
      return after;
    });
    return [next, drafts];
  },
};

function stepSeat(
  seat: FarSeat,
  scene: Scene,
  rule: TooFarRule,
  context: RuleContext,
): readonly [FarSeat, readonly DraftEvent[]] {
  const now = scene.at.monoMs;
  const stepMs = Math.min(Math.max(0, now - seat.lastMonoMs), MAX_STEP_MS);
  const presence = scene.seats.find((s) => s.seatId === seat.seatId);
  const looking = scene.cameras.filter((c) => !c.blind);
  let next: FarSeat = { ...seat, lastMonoMs: now };
  // Blind: the timers stand still, and an owner who is not seen is not lost for that.
  if (looking.length === 0)
    return [{ ...next, farMonoMs: shifted(seat.farMonoMs, stepMs), nearMonoMs: shifted(seat.nearMonoMs, stepMs) }, []];
  const found = distanceOf(seat.seatId, looking, now, rule, context);
  const seated = presence?.sample === 'here';
  if (seated || (found && found.value <= found.limit)) {
    next = { ...next, nearMonoMs: seat.nearMonoMs ?? now };
    if (!isOpen(seat.episode) && now - next.nearMonoMs! >= BACK_MS) next = { ...next, farMs: 0, farMonoMs: undefined };
  } else if (found) {
    const begins = seat.farMonoMs === undefined;
    next = {
      ...next,
      distance: found,
      nearMonoMs: undefined,
      farMonoMs: now,
      farMs: begins ? 0 : seat.farMs + (seat.nearMonoMs === undefined ? stepMs : 0),
      sinceWallMs: begins ? scene.at.wallMs : seat.sinceWallMs,
    };
  }
  const allowed = isAllowed(scene.session, 'too_far', [seat.seatId], scene.at.wallMs);
  const back = allowed || (next.nearMonoMs !== undefined && now - next.nearMonoMs >= BACK_MS);
  const lost = next.farMonoMs !== undefined && now - next.farMonoMs >= LOST_MS;
  const far = next.farMonoMs === now;
  const to = back ? 'NEAR' : lost ? 'LOST' : 'FAR';
  const { episode, drafts } = follow(
    {
      at: scene.at,
      pack: context.pack,
      ids: context.ids,
      behaviour: 'too_far',
      citation: rule.citation,
      joinMs: context.pack.cooldownMs,
    },
    seat.episode,
    {
      level: far && !allowed ? levelOf(next.farMs, rule) : undefined,
      over: back || lost,
      facts: () => facts(next, to, rule, context),
    },
  );
  if (back || lost) next = { ...next, farMs: 0, farMonoMs: undefined, distance: undefined };
  return [{ ...next, episode }, drafts];
}

const shifted = (ms: number | undefined, by: number) => (ms === undefined ? undefined : ms + by);

function facts(seat: FarSeat, to: string, rule: TooFarRule, { layout }: RuleContext) {
  const limitMs =
    rule.alarmMs !== null && seat.farMs >= rule.alarmMs ? rule.alarmMs : (rule.noticeMs ?? rule.alarmMs ?? 0);
  const d = seat.distance;
  const far = d
    ? d.unit === 'm'
      ? { zh: `${d.value.toFixed(1)} 米（阈值 ${d.limit} 米）`, en: `${d.value.toFixed(1)} m (threshold ${d.limit} m)` }
      : {
          zh: `${d.value.toFixed(1)} 个肩宽（阈值 ${d.limit}）`,
          en: `${d.value.toFixed(1)} shoulder widths (threshold ${d.limit})`,
        }
    : { zh: '', en: '' };
  const doubt = doubtWords(d?.doubt);
  return {
    seatIds: [seat.seatId],
    beganWallMs: seat.sinceWallMs,
    durationMs: seat.farMs,
    from: isOpen(seat.episode) ? 'FAR' : 'NEAR',
    to,
    figures: [
      { name: 'far', value: seconds(seat.farMs), threshold: seconds(limitMs), unit: 's' },
      ...(d ? [{ name: 'distance', value: Math.round(d.value * 100) / 100, threshold: d.limit, unit: d.unit }] : []),
      ...doubtFigures(d?.doubt),
    ],
    sentence: {
      zh: `${seatZh(layout, seat.seatId)}专家离座过远 ${far.zh} ${spanZh(seat.farMs)}（阈值 ${spanZh(limitMs)}）${doubt.zh}`,
      en: `${seatEn(seat.seatId)}: expert too far from the seat ${far.en} for ${spanEn(seat.farMs)} (threshold ${spanEn(limitMs)})${doubt.en}`,
    },
  };
}

/** The owner's distance in the first camera that shows them in its newest frame. */
function distanceOf(
  seatId: string,
  cameras: readonly CameraScene[],
  now: number,
  rule: TooFarRule,
  { layout }: RuleContext,
): Distance | undefined {
  for (const camera of cameras) {
    const owner = camera.owners.find((o) => o.seatId === seatId);
    const track = owner && camera.tracks.find((t) => t.trackId === owner.trackId && t.seenMonoMs === now);
    if (!owner || !track || camera.seated.some((s) => s.trackId === track.trackId && s.seatId === seatId)) continue;
    const calibration = layout.floor.find((f) => f.cameraId === camera.cameraId);
    const h = calibration && homography(calibration);
    const home = layout.seats.find((s) => s.seatId === seatId)?.floor;
    if (h && home) {
      const desks = layout.seats.flatMap((s) =>
        s.views.filter((v) => v.cameraId === camera.cameraId && v.desk).map((v) => v.desk!),
      );
      const at = toFloor(h, footPoint(track.box, desks).point);
      const value = at && Math.hypot(at[0] - home[0], at[1] - home[1]);
      if (value !== undefined) return { value, limit: rule.distanceM, unit: 'm', doubt: doubtOf(camera.sight) };
    }
    if (owner.habit)
      return {
        value: inShoulders(track, owner.habit.body, owner.habit.width),
        limit: rule.shoulderWidths,
        unit: 'shoulders',
      };
  }
  return undefined;
}
