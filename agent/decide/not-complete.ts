/** Row 15, not complete: all seats empty, or somebody of the roster has not been seated long after the session's start. */
import { type Episode, follow, isOpen, resume } from './episode.ts';
import type { Rule } from './rule.ts';
import { seatEn, seatZh, seconds, spanEn, spanZh } from './sentence.ts';
import { isAllowed } from './suppress.ts';

export interface Completeness {
  readonly sessionId?: string | undefined;
  /** Seats of this session that were taken once. */
  readonly seated: readonly string[];
  /** The room was watched from then on: who came before that and is away now has come all the same. */
  readonly watchedWallMs: number;
  /** Of an episode that goes on after a restart: whom it says not to have come. */
  readonly missed?: readonly string[] | undefined;
  readonly emptyMs: number;
  readonly emptySinceWallMs: number;
  readonly lastMonoMs: number;
  readonly episode?: Episode | undefined;
}

const MAX_STEP_MS = 5000;

export const notComplete: Rule<Completeness> = {
  name: 'not_complete',
  start(_context, at, open) {
    const fresh: Completeness = {
      seated: [],
      watchedWallMs: at.wallMs,
      emptyMs: 0,
      emptySinceWallMs: at.wallMs,
      lastMonoMs: at.monoMs,
    };
    const event = open.find(({ body }) => body.kind === 'episode' && body.behaviour === 'not_complete');
    if (event?.body.kind !== 'episode') return fresh;
    const { seatIds, sessionId } = event.body;
    // Nobody at any seat is told without names.
    if (seatIds.length > 0) return { ...fresh, sessionId, missed: seatIds, episode: resume(event, at) };
    return {
      ...fresh,
      emptyMs: event.body.durationMs,
      emptySinceWallMs: event.body.beganWallMs,
      episode: resume(event, at),
    };
  },
  step(state, scene, context) {
    const rule = context.pack.rules.not_complete;
    if (!rule) return [state, []];
    const { at, session } = scene;
    const { layout } = context;
    const same = session?.sessionId === state.sessionId;
    const taken = scene.seats.filter((s) => s.occupancy === 'yes').map((s) => s.seatId);
    const seated = [...new Set([...(same ? state.seated : []), ...taken])];
    const expected = layout.roster.length > 0 ? layout.roster.map((r) => r.seatId) : layout.seats.map((s) => s.seatId);
    const allowed = isAllowed(session, 'not_complete', [], at.wallMs);
    const blind = scene.cameras.every((c) => c.blind);
    const stepMs = Math.min(Math.max(0, at.monoMs - state.lastMonoMs), MAX_STEP_MS);
    const empty = scene.seats.length > 0 && scene.seats.every((s) => s.occupancy === 'no') && !allowed;
    const emptyMs = empty
      ? state.emptyMs + (state.emptyMs > 0 || empty ? stepMs : 0)
      : taken.length || allowed
        ? 0
        : state.emptyMs;
    const lateMs = session?.startWallMs === undefined ? 0 : at.wallMs - session.startWallMs;
    const missed = same ? state.missed : undefined;
    const watchedMs = missed ? rule.startMs : at.wallMs - state.watchedWallMs;
    const watched =
      session !== undefined && session.phase === 'evaluating' && Math.min(lateMs, watchedMs) >= rule.startMs;
    // Who is not seen at a seat in a quarter of an hour has not been there; a blind camera says nothing.
    const missing =
      watched && !blind && session.startWallMs !== undefined
        ? expected.filter((id) => !seated.includes(id) && (missed?.includes(id) ?? true))
        : [];
    const allGone = emptyMs >= rule.emptyMs && empty;
    const holds = !allowed && (allGone || missing.length > 0);
    const over = allowed || (!holds && (taken.length > 0 || missing.length === 0) && !empty && !blind);
    const next: Completeness = {
      sessionId: session?.sessionId,
      seated,
      watchedWallMs: state.watchedWallMs,
      missed,
      emptyMs,
      emptySinceWallMs: empty && state.emptyMs === 0 ? at.wallMs : state.emptySinceWallMs,
      lastMonoMs: at.monoMs,
    };
    const gone = allGone || missing.length === 0;
    const lastingMs = gone ? Math.max(emptyMs, over ? state.emptyMs : 0) : lateMs;
    const limitMs = gone ? rule.emptyMs : rule.startMs;
    const { episode, drafts } = follow(
      {
        at,
        pack: context.pack,
        ids: context.ids,
        behaviour: 'not_complete',
        citation: rule.citation,
        joinMs: context.pack.cooldownMs,
      },
      state.episode,
      {
        level: holds ? rule.level : undefined,
        over,
        facts: () => ({
          seatIds: missing,
          beganWallMs: gone ? next.emptySinceWallMs : (session?.startWallMs ?? at.wallMs),
          durationMs: lastingMs,
          from: isOpen(state.episode) ? 'INCOMPLETE' : 'COMPLETE',
          to: over ? 'COMPLETE' : 'INCOMPLETE',
          figures: [
            { name: 'seatsTaken', value: taken.length, threshold: expected.length, unit: '' },
            { name: 'lasting', value: seconds(lastingMs), threshold: seconds(limitMs), unit: 's' },
          ],
          sentence: gone
            ? {
                zh: `全部席位无人 ${spanZh(lastingMs)}（阈值 ${spanZh(limitMs)}）`,
                en: `Nobody at any seat for ${spanEn(lastingMs)} (threshold ${spanEn(limitMs)})`,
              }
            : {
                zh: `开始 ${spanZh(lastingMs)} 后仍未到齐：${missing.map((s) => seatZh(layout, s)).join('、')}（阈值 ${spanZh(limitMs)}）`,
                en: `Not complete ${spanEn(lastingMs)} after the start: ${missing.map(seatEn).join(', ')} (threshold ${spanEn(limitMs)})`,
              },
        }),
      },
    );
    return [{ ...next, episode }, drafts];
  },
};
