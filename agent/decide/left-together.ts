/** Row 4, left together: several owners out of the door within a short time of each other. */
import type { DraftEvent } from '../../protocol/event.ts';
import { type Episode, follow, isOpen, resume } from './episode.ts';
import type { Rule } from './rule.ts';
import { seatEn, seatZh, seconds } from './sentence.ts';
import { isAllowed } from './suppress.ts';

export interface Company {
  readonly seatIds: readonly string[];
  readonly apartMs: number;
  readonly sinceWallMs: number;
  readonly sinceMonoMs: number;
  readonly episode?: Episode | undefined;
}

export const leftTogether: Rule<Company | null> = {
  name: 'left_together',
  start(_context, at, open) {
    const event = open.find(({ body }) => body.kind === 'episode' && body.behaviour === 'left_together');
    if (event?.body.kind !== 'episode') return null;
    const { seatIds, beganWallMs, durationMs, figures } = event.body;
    const apartMs = (figures.find((f) => f.name === 'apart')?.value ?? 0) * 1000;
    return {
      seatIds,
      apartMs,
      sinceWallMs: beganWallMs,
      sinceMonoMs: at.monoMs - durationMs,
      episode: resume(event, at),
    };
  },
  step(state, scene, context) {
    const rule = context.pack.rules.left_together;
    if (!rule) return [state, []];
    const { at } = scene;
    const isBack = (id: string) => scene.seats.some((s) => s.seatId === id && s.occupancy === 'yes');
    let company = state;
    let more = false;
    if (scene.exits.some((e) => e.knownMonoMs === at.monoMs)) {
      const last = scene.exits.at(-1)!;
      const near = scene.exits.filter(
        (e) =>
          e.seatId !== undefined &&
          Math.abs(last.at.monoMs - e.at.monoMs) <= rule.withinMs &&
          !isAllowed(scene.session, 'left_together', [e.seatId], at.wallMs),
      );
      const seatIds = [...new Set(near.map((e) => e.seatId!))].sort();
      if (seatIds.length >= rule.people && seatIds.length > (isOpen(state?.episode) ? state!.seatIds.length : 0)) {
        const first = near[0]!;
        more = true;
        company = {
          seatIds,
          apartMs: last.at.monoMs - first.at.monoMs,
          sinceWallMs: first.at.wallMs,
          sinceMonoMs: first.at.monoMs,
          episode: state?.episode,
        };
      }
    }
    if (!company) return [null, []];
    const over = !more && company.seatIds.every(isBack);
    const { seatIds, apartMs, sinceWallMs, sinceMonoMs } = company;
    const names = { zh: seatIds.map((s) => seatZh(context.layout, s)).join('、'), en: seatIds.map(seatEn).join(', ') };
    const { episode, drafts } = follow(
      {
        at,
        pack: context.pack,
        ids: context.ids,
        behaviour: 'left_together',
        citation: rule.citation,
        joinMs: context.pack.cooldownMs,
      },
      company.episode,
      {
        level: more ? rule.level : undefined,
        tell: more,
        over,
        facts: () => ({
          seatIds,
          beganWallMs: sinceWallMs,
          durationMs: Math.max(0, at.monoMs - sinceMonoMs),
          from: isOpen(company?.episode) ? 'TOGETHER' : 'APART',
          to: over ? 'APART' : 'TOGETHER',
          figures: [
            { name: 'together', value: seatIds.length, threshold: rule.people, unit: '' },
            { name: 'apart', value: seconds(apartMs), threshold: seconds(rule.withinMs), unit: 's' },
          ],
          sentence: {
            zh: `${names.zh} ${seatIds.length} 人在 ${seconds(apartMs)} 秒内先后离开评标室（阈值 ${seconds(rule.withinMs)} 秒）`,
            en: `${names.en}: ${seatIds.length} experts left the room within ${seconds(apartMs)} s (threshold ${seconds(rule.withinMs)} s)`,
          },
        }),
      },
    );
    const done = over && !isOpen(episode) && episode === undefined;
    return [done ? null : { ...company, episode }, drafts] as readonly [Company | null, readonly DraftEvent[]];
  },
};
