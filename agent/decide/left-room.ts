/** Row 3, left the room: the owner went out of the door and the seat is still empty. */
import type { DraftEvent } from '../../protocol/event.ts';
import { type Episode, follow, isOpen, levelOf, resume } from './episode.ts';
import type { Rule } from './rule.ts';
import { seatEn, seatZh, seconds, spanEn, spanZh } from './sentence.ts';
import { isAllowed } from './suppress.ts';

export interface OutsideSeat {
  readonly seatId: string;
  readonly out: boolean;
  readonly outMs: number;
  readonly sinceWallMs: number;
  readonly lastMonoMs: number;
  readonly cameraId?: string;
  readonly episode?: Episode | undefined;
}

const MAX_STEP_MS = 5000;
const BEFORE_MS = 2000;

export const leftRoom: Rule<readonly OutsideSeat[]> = {
  name: 'left_room',
  start({ layout }, at, open) {
    return layout.seats.map(({ seatId }) => {
      const fresh = { seatId, out: false, outMs: 0, sinceWallMs: at.wallMs, lastMonoMs: at.monoMs };
      const event = open.find(
        ({ body }) => body.kind === 'episode' && body.behaviour === 'left_room' && body.seatIds[0] === seatId,
      );
      if (event?.body.kind !== 'episode') return fresh;
      const { durationMs, beganWallMs } = event.body;
      return { ...fresh, out: true, outMs: durationMs, sinceWallMs: beganWallMs, episode: resume(event, at) };
    });
  },
  step(seats, scene, context) {
    const rule = context.pack.rules.left_room;
    if (!rule) return [seats, []];
    const { at } = scene;
    const drafts: DraftEvent[] = [];
    const next = seats.map((seat): OutsideSeat => {
      const { seatId } = seat;
      const seen = scene.seats.find((s) => s.seatId === seatId);
      const occupancy = seen?.occupancy ?? 'unknown';
      const leftMonoMs = seen?.leftMonoMs ?? Number.POSITIVE_INFINITY;
      // Out of the door since the seat was left; who crosses the line may be believed gone only a moment later.
      const exit = scene.exits.findLast((e) => e.seatId === seatId && e.at.monoMs >= leftMonoMs - BEFORE_MS);
      const allowed = isAllowed(scene.session, 'left_room', [seatId], at.wallMs);
      const stepMs = Math.min(Math.max(0, at.monoMs - seat.lastMonoMs), MAX_STEP_MS);
      const back = seat.out && occupancy === 'yes';
      let now: OutsideSeat = { ...seat, lastMonoMs: at.monoMs };
      if (exit && !seat.out && occupancy === 'no')
        now = {
          ...now,
          out: true,
          outMs: at.monoMs - exit.at.monoMs,
          sinceWallMs: exit.at.wallMs,
          cameraId: exit.cameraId,
        };
      // With a permit the time does not count; when it ends, it begins to.
      else if (seat.out && allowed) now = { ...now, outMs: 0, sinceWallMs: at.wallMs };
      else if (seat.out && occupancy === 'no') now = { ...now, outMs: seat.outMs + stepMs };
      const over = back || (allowed && isOpen(seat.episode));
      const limitMs =
        rule.alarmMs !== null && now.outMs >= rule.alarmMs ? rule.alarmMs : (rule.noticeMs ?? rule.alarmMs ?? 0);
      const told = over ? seat : now;
      const { episode, drafts: said } = follow(
        {
          at,
          pack: context.pack,
          ids: context.ids,
          behaviour: 'left_room',
          citation: rule.citation,
          joinMs: context.pack.cooldownMs,
        },
        seat.episode,
        {
          level: now.out && !allowed && occupancy === 'no' ? levelOf(now.outMs, rule) : undefined,
          over,
          facts: () => ({
            seatIds: [seatId],
            ...(now.cameraId === undefined ? {} : { sourceId: now.cameraId }),
            beganWallMs: told.sinceWallMs,
            durationMs: told.outMs,
            from: isOpen(seat.episode) ? 'OUTSIDE' : 'INSIDE',
            to: over ? 'INSIDE' : 'OUTSIDE',
            figures: [{ name: 'outside', value: seconds(told.outMs), threshold: seconds(limitMs), unit: 's' }],
            sentence: {
              zh: `${seatZh(context.layout, seatId)}专家离开评标室 ${spanZh(told.outMs)}（阈值 ${spanZh(limitMs)}）`,
              en: `${seatEn(seatId)}: expert out of the room for ${spanEn(told.outMs)} (threshold ${spanEn(limitMs)})`,
            },
          }),
        },
      );
      drafts.push(...said);
      return { ...now, ...(back ? { out: false, outMs: 0 } : {}), episode };
    });
    return [next, drafts];
  },
};
