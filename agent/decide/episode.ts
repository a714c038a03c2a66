/** One episode, one alert: turns "this holds at this level" into begin, update and end drafts. Used by every rule of decide/. */
import type { Behaviour, DraftEvent, Figure, Level, Sentence, Transcript } from '../../protocol/event.ts';
import type { RulePack } from '../../protocol/rules.ts';
import type { Instant } from '../../protocol/time.ts';

/** While an episode goes on, an update is sent at most this often, escalations apart; less often the longer it lasts. */
export const UPDATE_EVERY_MS = 10_000;
const UPDATE_SELDOM_MS = 60_000;

/** What a rule keeps of its episode between steps. */
export interface Episode {
  readonly episodeId: string;
  readonly level: Level;
  /** Backdated begin of the first occurrence. */
  readonly beganWallMs: number;
  /** Time of the earlier occurrences that were joined, ms. */
  readonly doneMs: number;
  /** Duration of the running occurrence at the last draft, ms. */
  readonly runMs: number;
  readonly emittedMonoMs: number;
  /** Set while the episode is over and may still be joined. */
  readonly endedMonoMs?: number;
}

/** What is true now, in the words of the rule. `durationMs` and `beganWallMs` are of this occurrence. */
export interface Facts {
  readonly seatIds: readonly string[];
  readonly sourceId?: string;
  readonly fault?: string;
  readonly transcript?: Transcript;
  readonly beganWallMs: number;
  readonly durationMs: number;
  readonly from: string;
  readonly to: string;
  readonly figures: readonly Figure[];
  readonly sentence: Sentence;
}

/** Gives `${runId}-${n}`; one per step of the room. */
export interface EpisodeIds {
  take(): string;
}

/** What a rule needs to write drafts at this instant. */
export interface Pen {
  readonly at: Instant;
  readonly pack: RulePack;
  readonly ids: EpisodeIds;
  readonly behaviour: Behaviour;
  readonly citation: string;
  /** After an end, the same thing joins its episode again within this time. */
  readonly joinMs: number;
}

export interface Followed {
  readonly episode: Episode | undefined;
  readonly drafts: readonly DraftEvent[];
}

/** The graver of two levels. */
export function graver(a: Level | undefined, b: Level | undefined): Level | undefined {
  return a === 'alarm' || b === 'alarm' ? 'alarm' : (a ?? b);
}

/** Two thresholds on a duration: the level that is reached, if any. */
export function levelOf(
  ms: number,
  rule: { readonly noticeMs: number | null; readonly alarmMs: number | null },
): Level | undefined {
  if (rule.alarmMs !== null && ms >= rule.alarmMs) return 'alarm';
  return rule.noticeMs !== null && ms >= rule.noticeMs ? 'notice' : undefined;
}

/**
 * Follows one episode by one step.
 * `level` is what holds now (undefined: nothing that a person must see), `over` says that the behaviour has ended for
 * good. With neither, an open episode waits: nothing is known, nothing is sent. A level never falls within an episode.
 * `tell` forces an update now (a new hit).
 */
export function follow(
  pen: Pen,
  episode: Episode | undefined,
  now: {
    readonly level: Level | undefined;
    readonly over: boolean;
    readonly tell?: boolean;
    readonly facts: () => Facts;
  },
): Followed {
  const { at } = pen;
  if (episode?.endedMonoMs !== undefined && at.monoMs - episode.endedMonoMs > pen.joinMs) episode = undefined;
  const open = isOpen(episode);
  if (now.over) {
    if (!episode || !open) return { episode, drafts: [] };
    const facts = now.facts();
    const ended: Episode = {
      ...episode,
      doneMs: episode.doneMs + facts.durationMs,
      runMs: 0,
      emittedMonoMs: at.monoMs,
      endedMonoMs: at.monoMs,
    };
    return { episode: ended, drafts: [draft(pen, 'end', episode, facts)] };
  }
  if (!now.level) return { episode, drafts: [] };
  const facts = now.facts();
  if (!episode) {
    const begun: Episode = {
      episodeId: pen.ids.take(),
      level: now.level,
      beganWallMs: facts.beganWallMs,
      doneMs: 0,
      runMs: facts.durationMs,
      emittedMonoMs: at.monoMs,
    };
    return { episode: begun, drafts: [draft(pen, 'begin', begun, facts)] };
  }
  const level = graver(episode.level, now.level) ?? now.level;
  const everyMs = Math.min(UPDATE_SELDOM_MS, Math.max(UPDATE_EVERY_MS, facts.durationMs / 10));
  const due = at.monoMs - episode.emittedMonoMs >= everyMs;
  if (open && level === episode.level && !due && !now.tell) return { episode, drafts: [] };
  const { endedMonoMs: _joined, ...running } = episode;
  const next: Episode = { ...running, level, runMs: facts.durationMs, emittedMonoMs: at.monoMs };
  return { episode: next, drafts: [draft(pen, 'update', next, facts)] };
}

/** True between begin (or a join) and end. */
export function isOpen(episode: Episode | undefined): boolean {
  return episode !== undefined && episode.endedMonoMs === undefined;
}

/** An episode that was open before a restart, taken up again under its own id. */
export function resume(event: DraftEvent, at: Instant): Episode | undefined {
  if (event.body.kind !== 'episode') return undefined;
  const { episodeId, level, beganWallMs, durationMs } = event.body;
  return { episodeId, level, beganWallMs, doneMs: 0, runMs: durationMs, emittedMonoMs: at.monoMs };
}

function draft(pen: Pen, phase: 'begin' | 'update' | 'end', episode: Episode, facts: Facts): DraftEvent {
  const { durationMs, beganWallMs: _occurrence, ...said } = facts;
  return {
    at: pen.at,
    body: {
      kind: 'episode',
      episodeId: episode.episodeId,
      phase,
      behaviour: pen.behaviour,
      level: episode.level,
      beganWallMs: episode.beganWallMs,
      durationMs: Math.round(episode.doneMs + durationMs),
      rule: { pack: pen.pack.name, packVersion: pen.pack.version, ruleId: pen.behaviour, citation: pen.citation },
      ...said,
    },
  };
}
