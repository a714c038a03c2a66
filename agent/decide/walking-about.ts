/** Row 11, walking about: the way that a person walks outside the seats within a minute. Needs a calibrated floor. */
import type { DraftEvent } from '../../protocol/event.ts';
import type { FloorPoint } from '../../protocol/seat.ts';
import { bodiesOf, looking, standsAt } from './bodies.ts';
import { doubtFigures, doubtOf, doubtWords } from './doubt.ts';
import { type Episode, follow, isOpen, resume } from './episode.ts';
import type { Rule } from './rule.ts';
import type { Scene } from './scene.ts';
import { seatEn, seatZh } from './sentence.ts';
import { isAllowed } from './suppress.ts';

export interface Walk {
  readonly key: string;
  readonly seatIds: readonly string[];
  readonly cameraId: string;
  /** Last place that counted, and when; after a restart the place is not known. */
  readonly last?: FloorPoint;
  readonly lastMonoMs: number;
  /** Steps of the last minute: [monoMs, metres]. */
  readonly steps: readonly (readonly [number, number])[];
  readonly sinceWallMs: number;
  readonly sinceMonoMs: number;
  readonly episode?: Episode | undefined;
}

const MINUTE_MS = 60_000;
/** Feet jump in the picture: only a way of this length in this time is a way. */
const STEP_MS = 900;
const STEP_M = 0.35;
/** Nobody walks faster; a jump is another person or a wrong foot. */
const FASTEST_M_PER_S = 2.5;
const LOST_MS = 8000;

export const walkingAbout: Rule<readonly Walk[]> = {
  name: 'walking_about',
  start({ pack }, at, open) {
    // As much as neither ends an episode nor tells of it: what is seen in the next minute does.
    const metres = (pack.rules.walking_about?.metresPerMinute ?? 0) / 2;
    return open.flatMap((event): Walk[] => {
      const { body } = event;
      if (body.kind !== 'episode' || body.behaviour !== 'walking_about') return [];
      const cameraId = body.sourceId ?? '';
      return [
        {
          // Whose track it was is not known any more where it was nobody's of a seat.
          key: body.seatIds[0] ?? `${cameraId}/${body.episodeId}`,
          seatIds: body.seatIds,
          cameraId,
          lastMonoMs: at.monoMs,
          steps: [[at.monoMs, metres]],
          sinceWallMs: body.beganWallMs,
          sinceMonoMs: at.monoMs - body.durationMs,
          episode: resume(event, at),
        },
      ];
    });
  },
  step(walks, scene, context) {
    const rule = context.pack.rules.walking_about;
    if (!rule) return [walks, []];
    const { at } = scene;
    const drafts: DraftEvent[] = [];
    const next: Walk[] = [];
    for (const walk of advance(walks, scene, context.layout)) {
      const metres = walk.steps.reduce((sum, [, m]) => sum + m, 0);
      const allowed = isAllowed(scene.session, 'walking_about', walk.seatIds, at.wallMs);
      const over = allowed || metres < rule.metresPerMinute / 2;
      const name = walk.seatIds[0];
      const camera = scene.cameras.find(({ cameraId }) => cameraId === walk.cameraId);
      const doubt = camera && doubtOf(camera.sight);
      const { episode, drafts: said } = follow(
        {
          at,
          pack: context.pack,
          ids: context.ids,
          behaviour: 'walking_about',
          citation: rule.citation,
          joinMs: context.pack.cooldownMs,
        },
        walk.episode,
        {
          level: !allowed && metres >= rule.metresPerMinute ? rule.level : undefined,
          over,
          facts: () => ({
            seatIds: walk.seatIds,
            sourceId: walk.cameraId,
            beganWallMs: walk.sinceWallMs,
            durationMs: Math.max(0, at.monoMs - walk.sinceMonoMs),
            from: isOpen(walk.episode) ? 'WALKING' : 'RESTING',
            to: over ? 'RESTING' : 'WALKING',
            figures: [
              { name: 'path', value: Math.round(metres * 10) / 10, threshold: rule.metresPerMinute, unit: 'm' },
              ...doubtFigures(doubt),
            ],
            sentence: {
              zh: `${name === undefined ? '有人' : `${seatZh(context.layout, name)}专家`}随意走动，一分钟内 ${metres.toFixed(1)} 米（阈值 ${rule.metresPerMinute} 米）${doubtWords(doubt).zh}`,
              en: `${name === undefined ? 'Somebody' : `${seatEn(name)}: expert`} walking about, ${metres.toFixed(1)} m in a minute (threshold ${rule.metresPerMinute} m)${doubtWords(doubt).en}`,
            },
          }),
        },
      );
      drafts.push(...said);
      const endedMs = episode?.endedMonoMs;
      const joinable = endedMs !== undefined && at.monoMs - endedMs <= context.pack.cooldownMs;
      if (isOpen(episode) || joinable || walk.steps.length > 0 || at.monoMs - walk.lastMonoMs < LOST_MS)
        next.push({ ...walk, episode });
    }
    return [next, drafts];
  },
};

function advance(walks: readonly Walk[], scene: Scene, layout: Parameters<typeof standsAt>[1]): readonly Walk[] {
  const now = scene.at.monoMs;
  const list = walks.map((w) => ({ ...w, steps: w.steps.filter(([ms]) => now - ms < MINUTE_MS) }));
  for (const camera of looking(scene.cameras))
    for (const body of bodiesOf(camera)) {
      if (body.seatId !== undefined) continue;
      const stands = standsAt(body, layout);
      if (!stands || stands.guessed) continue;
      const key = body.homeId ?? `${camera.cameraId}/${body.track.trackId}`;
      const i = list.findIndex((w) => w.key === key);
      const walk = list[i];
      if (!walk || walk.cameraId !== camera.cameraId || now - walk.lastMonoMs > LOST_MS) {
        // Another camera's view of somebody whose way is being measured already.
        if (walk && now - walk.lastMonoMs <= LOST_MS) continue;
        const begun: Walk = {
          key,
          seatIds: body.homeId === undefined ? [] : [body.homeId],
          cameraId: camera.cameraId,
          last: stands.floor,
          lastMonoMs: now,
          steps: walk?.steps ?? [],
          sinceWallMs: walk && walk.steps.length > 0 ? walk.sinceWallMs : scene.at.wallMs,
          sinceMonoMs: walk && walk.steps.length > 0 ? walk.sinceMonoMs : now,
          episode: walk?.episode,
        };
        if (walk) list[i] = begun as (typeof list)[number];
        else list.push(begun as (typeof list)[number]);
        continue;
      }
      const dt = now - walk.lastMonoMs;
      if (dt < STEP_MS) continue;
      const from = walk.last ?? stands.floor;
      const metres = Math.hypot(stands.floor[0] - from[0], stands.floor[1] - from[1]);
      const jump = metres > (FASTEST_M_PER_S * dt) / 1000;
      const steps = metres >= STEP_M && !jump ? [...walk.steps, [now, metres] as const] : walk.steps;
      list[i] = { ...walk, last: stands.floor, lastMonoMs: now, steps: steps as (typeof walk)['steps'] };
    }
  return list;
}
