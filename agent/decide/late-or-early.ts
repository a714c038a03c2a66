/** Row 16, late or early: first seated long after the session's start, or gone when the results are submitted. */
import type { DraftEvent } from '../../protocol/event.ts';
import { follow } from './episode.ts';
import type { Rule, RuleContext } from './rule.ts';
import type { Scene } from './scene.ts';
import { seatEn, seatZh, seconds, spanEn, spanZh } from './sentence.ts';
import { isAllowed } from './suppress.ts';

export interface Attendance {
  readonly sessionId?: string | undefined;
  readonly phase?: string | undefined;
  /** Seats of this session that were taken once. */
  readonly seated: readonly string[];
  /** The room was watched from then on: of what was before nothing is claimed. */
  readonly watchedWallMs: number;
}

export const lateOrEarly: Rule<Attendance> = {
  name: 'late_or_early',
  start: (_context, at) => ({ seated: [], watchedWallMs: at.wallMs }),
  step(state, scene, context) {
    const rule = context.pack.rules.late_or_early;
    const { session, at } = scene;
    if (!rule || !session) return [state, []];
    const known = session.sessionId === state.sessionId ? state.seated : [];
    const drafts: DraftEvent[] = [];
    const seated = [...known];
    for (const { seatId, occupancy } of scene.seats) {
      if (occupancy !== 'yes' || seated.includes(seatId)) continue;
      seated.push(seatId);
      const { startWallMs } = session;
      // A room that was not watched at the start does not know who was there then.
      if (startWallMs === undefined || state.watchedWallMs > startWallMs) continue;
      const lateMs = at.wallMs - startWallMs;
      if (lateMs >= rule.lateMs && session.phase !== 'submitted' && session.phase !== 'idle')
        drafts.push(...say('late', seatId, lateMs, scene, context));
    }
    const submits =
      session.phase === 'submitted' && state.phase !== 'submitted' && session.sessionId === state.sessionId;
    if (submits)
      for (const { seatId, occupancy, leftMonoMs } of scene.seats) {
        const earlyMs = occupancy === 'no' && leftMonoMs !== undefined ? at.monoMs - leftMonoMs : 0;
        const excused = isAllowed({ ...session, phase: 'evaluating' }, 'left_seat', [seatId], at.wallMs);
        if (earlyMs >= rule.earlyMs && !excused && seated.includes(seatId))
          drafts.push(...say('early', seatId, earlyMs, scene, context));
      }
    return [{ ...state, sessionId: session.sessionId, phase: session.phase, seated }, drafts];
  },
};

/** A fact of one moment: it begins and ends at once. */
function say(
  what: 'late' | 'early',
  seatId: string,
  ms: number,
  { at }: Scene,
  { pack, ids, layout }: RuleContext,
): readonly DraftEvent[] {
  const rule = pack.rules.late_or_early!;
  const limitMs = what === 'late' ? rule.lateMs : rule.earlyMs;
  const facts = (to: string) => () => ({
    seatIds: [seatId],
    beganWallMs: at.wallMs - ms,
    durationMs: ms,
    from: what === 'late' ? 'EXPECTED' : 'GONE',
    to,
    figures: [{ name: what, value: seconds(ms), threshold: seconds(limitMs), unit: 's' }],
    sentence:
      what === 'late'
        ? {
            zh: `${seatZh(layout, seatId)}专家迟到 ${spanZh(ms)}（阈值 ${spanZh(limitMs)}）`,
            en: `${seatEn(seatId)}: expert late by ${spanEn(ms)} (threshold ${spanEn(limitMs)})`,
          }
        : {
            zh: `${seatZh(layout, seatId)}专家在提交前 ${spanZh(ms)} 已离开（阈值 ${spanZh(limitMs)}）`,
            en: `${seatEn(seatId)}: expert gone ${spanEn(ms)} before the results were submitted (threshold ${spanEn(limitMs)})`,
          },
  });
  const pen = { at, pack, ids, behaviour: 'late_or_early' as const, citation: rule.citation, joinMs: 0 };
  const begun = follow(pen, undefined, { level: rule.level, over: false, facts: facts('NOTED') });
  const ended = follow(pen, begun.episode, { level: undefined, over: true, facts: facts('NOTED') });
  return [...begun.drafts, ...ended.drafts];
}
