/** Row 18, microphone faults: muted, down, and an ear that is deaf in a language. A room that cannot hear says so. */
import type { DraftEvent, EpisodeBody, Figure } from '../../protocol/event.ts';
import type { LevelObservation } from '../../protocol/observation.ts';
import type { MicrophoneFaultRule } from '../../protocol/rules.ts';
import type { Instant } from '../../protocol/time.ts';
import { type Episode, follow, isOpen, resume } from './episode.ts';
import type { Rule, RuleContext } from './rule.ts';
import type { Scene } from './scene.ts';
import { seconds, spanEn, spanZh } from './sentence.ts';

export interface EarWatch {
  readonly microphoneId: string;
  readonly fault: 'muted' | 'down' | 'deaf';
  /** Only for `deaf`. */
  readonly language?: string;
  readonly holds: boolean;
  readonly sinceMonoMs: number;
  readonly sinceWallMs: number;
  readonly heldMonoMs: number;
  readonly value?: number;
  readonly limit?: number;
  readonly reason?: string;
  readonly episode?: Episode | undefined;
}

export interface MicrophoneState {
  readonly microphoneId: string;
  /** Learnt noise floor, dBFS: falls at once, rises slowly; trusted after `FLOOR_AFTER` blocks. */
  readonly floorDb?: number;
  readonly blocks: number;
  readonly soundMonoMs: number;
}

export interface Ears {
  readonly microphones: readonly MicrophoneState[];
  readonly watches: readonly EarWatch[];
}

/** At or below this there is no sound at all, not even a microphone's own noise. */
const DIGITAL_ZERO_DB = -115;
const FLOOR_AFTER = 20;
const FLOOR_RISE_DB = 0.05;
const CLEAR_MS = 2000;

const faultOf = ({ behaviour, fault }: EpisodeBody) =>
  behaviour === 'microphone_fault' ? (['muted', 'down', 'deaf'] as const).find((name) => name === fault) : undefined;

export const microphoneFault: Rule<Ears> = {
  name: 'microphone_fault',
  owns: (body) => faultOf(body) !== undefined,
  start(_context, at, open) {
    const watches: EarWatch[] = [];
    for (const event of open) {
      const { body } = event;
      if (body.kind !== 'episode' || body.sourceId === undefined) continue;
      const fault = faultOf(body);
      const language = body.to.split(':')[1];
      if (!fault) continue;
      watches.push({
        microphoneId: body.sourceId,
        fault,
        ...(language ? { language } : {}),
        holds: true,
        sinceMonoMs: at.monoMs - body.durationMs,
        sinceWallMs: body.beganWallMs,
        heldMonoMs: at.monoMs,
        episode: resume(event, at),
      });
    }
    return { microphones: [], watches };
  },
  step(ears, scene, context) {
    const rule = context.pack.rules.microphone_fault;
    if (!rule) return [ears, []];
    const heard = hear(ears, scene, rule);
    const drafts: DraftEvent[] = [];
    const watches: EarWatch[] = [];
    for (const watch of heard.watches) {
      const [after, said] = speak(watch, scene.at, rule, context);
      drafts.push(...said);
      if (after) watches.push(after);
    }
    return [{ microphones: heard.microphones, watches }, drafts];
  },
};

/** What this input says about the conditions, before any threshold. */
function hear(ears: Ears, scene: Scene, rule: MicrophoneFaultRule): Ears {
  const { input, at } = scene;
  if (input.kind === 'ear') {
    const { microphoneId, language, state, reason } = input;
    return {
      ...ears,
      watches: note(ears.watches, { microphoneId, fault: 'deaf', language }, state === 'deaf', at, 0, {
        ...(reason ? { reason } : {}),
      }),
    };
  }
  if (input.kind === 'stream' && input.role === 'audio') {
    if (input.state === 'starting') return ears;
    const { sourceId: microphoneId, silentMs, reason } = input;
    const down = input.state === 'down';
    const watches = note(ears.watches, { microphoneId, fault: 'down' }, down, at, down ? silentMs : 0, {
      ...(reason ? { reason } : {}),
    });
    return { ...ears, watches };
  }
  if (input.kind === 'level') return hearLevel(ears, input, scene, rule);
  if (input.kind !== 'tick') return ears;
  let { watches } = ears;
  for (const { microphoneId, soundMonoMs } of ears.microphones)
    if (at.monoMs - soundMonoMs >= rule.downMs)
      watches = note(watches, { microphoneId, fault: 'down' }, true, at, at.monoMs - soundMonoMs, {});
  return { ...ears, watches };
}

function hearLevel(ears: Ears, level: LevelObservation, scene: Scene, rule: MicrophoneFaultRule): Ears {
  const { microphoneId, rmsDb } = level;
  const before = ears.microphones.find((m) => m.microphoneId === microphoneId);
  const floorKnown = before?.floorDb !== undefined && before.blocks >= FLOOR_AFTER;
  const limit = floorKnown ? before.floorDb! - rule.mutedDropDb : DIGITAL_ZERO_DB;
  const zero = rmsDb <= DIGITAL_ZERO_DB;
  // An empty room may be quiet; with no camera nobody can say that it is empty.
  const people = scene.seats.length === 0 || scene.seats.some((s) => s.occupancy !== 'no');
  const muted = zero || (floorKnown && rmsDb < limit && people);
  const after: MicrophoneState = {
    microphoneId,
    blocks: (before?.blocks ?? 0) + (muted ? 0 : 1),
    soundMonoMs: scene.at.monoMs,
    ...(muted
      ? before?.floorDb === undefined
        ? {}
        : { floorDb: before.floorDb }
      : { floorDb: before?.floorDb === undefined ? rmsDb : Math.min(rmsDb, before.floorDb + FLOOR_RISE_DB) }),
  };
  const microphones = [...ears.microphones.filter((m) => m.microphoneId !== microphoneId), after];
  let watches = note(ears.watches, { microphoneId, fault: 'muted' }, muted, scene.at, 0, { value: rmsDb, limit });
  watches = note(watches, { microphoneId, fault: 'down' }, false, scene.at, 0, {});
  return { microphones, watches };
}

type Key = Pick<EarWatch, 'microphoneId' | 'fault'> & { readonly language?: string };

function note(
  watches: readonly EarWatch[],
  key: Key,
  holds: boolean,
  at: Instant,
  agoMs: number,
  said: Pick<EarWatch, 'value' | 'limit' | 'reason'>,
): readonly EarWatch[] {
  const same = (w: EarWatch) =>
    w.microphoneId === key.microphoneId && w.fault === key.fault && w.language === key.language;
  const old = watches.find(same);
  if (!old) {
    if (!holds) return watches;
    const since = { sinceMonoMs: at.monoMs - agoMs, sinceWallMs: at.wallMs - agoMs };
    return [...watches, { ...key, holds, ...since, heldMonoMs: at.monoMs, ...said }];
  }
  const again = holds && !old.holds && !isOpen(old.episode);
  const since = again ? { sinceMonoMs: at.monoMs - agoMs, sinceWallMs: at.wallMs - agoMs } : {};
  const next = holds ? { ...old, ...said, ...since, holds, heldMonoMs: at.monoMs } : { ...old, holds };
  return watches.map((w) => (same(w) ? next : w));
}

function speak(
  watch: EarWatch,
  at: Instant,
  rule: MicrophoneFaultRule,
  context: RuleContext,
): readonly [EarWatch | undefined, readonly DraftEvent[]] {
  const next: EarWatch = watch.holds ? { ...watch, heldMonoMs: at.monoMs } : watch;
  const over = !next.holds && (!isOpen(next.episode) || at.monoMs - next.heldMonoMs >= CLEAR_MS);
  const lastingMs = next.heldMonoMs - next.sinceMonoMs;
  const limitMs = next.fault === 'muted' ? rule.mutedMs : next.fault === 'down' ? rule.downMs : rule.deafMs;
  const { episode, drafts } = follow(
    {
      at,
      pack: context.pack,
      ids: context.ids,
      behaviour: 'microphone_fault',
      citation: rule.citation,
      joinMs: context.pack.cooldownMs,
    },
    next.episode,
    {
      // One deaf language leaves the other ears hearing: worth knowing, not worth an alarm.
      level: next.holds && lastingMs >= limitMs ? (next.fault === 'deaf' ? 'notice' : 'alarm') : undefined,
      over,
      facts: () => ({
        seatIds: [],
        sourceId: next.microphoneId,
        fault: next.fault,
        beganWallMs: next.sinceWallMs,
        durationMs: lastingMs,
        from: isOpen(watch.episode) ? stateOf(next) : 'HEARING',
        to: over ? 'HEARING' : stateOf(next),
        figures: figures(next, lastingMs, limitMs),
        sentence: sentence(next, lastingMs, limitMs, over),
      }),
    },
  );
  const joinable = episode?.endedMonoMs !== undefined && at.monoMs - episode.endedMonoMs <= context.pack.cooldownMs;
  if (over && !joinable) return [undefined, drafts];
  return [{ ...next, episode }, drafts];
}

/** `MUTED`, `DOWN`, or `DEAF:` and the language: a restart reads it back from the event. */
function stateOf({ fault, language }: EarWatch): string {
  return language === undefined ? fault.toUpperCase() : `${fault.toUpperCase()}:${language}`;
}

function figures(watch: EarWatch, lastingMs: number, limitMs: number): readonly Figure[] {
  const lasting: Figure = { name: 'lasting', value: seconds(lastingMs), threshold: seconds(limitMs), unit: 's' };
  if (watch.fault !== 'muted' || watch.value === undefined) return [lasting];
  const limit = watch.limit === undefined ? {} : { threshold: Math.round(watch.limit * 10) / 10 };
  return [lasting, { name: 'level', value: Math.round(watch.value * 10) / 10, ...limit, unit: 'dBFS' }];
}

function sentence(watch: EarWatch, lastingMs: number, limitMs: number, over: boolean) {
  const chinese = watch.language?.startsWith('zh');
  const deaf = chinese ? { zh: '听不到普通话', en: 'deaf in Mandarin' } : { zh: '听不到英语', en: 'deaf in English' };
  const other = { zh: `听不到 ${watch.language}`, en: `deaf in ${watch.language}` };
  const language = chinese || watch.language?.startsWith('en') ? deaf : other;
  const word =
    watch.fault === 'muted'
      ? { zh: '静音', en: 'muted' }
      : watch.fault === 'down'
        ? { zh: '断开', en: 'down' }
        : language;
  const why = watch.reason && !over ? ` (${watch.reason})` : '';
  return over
    ? {
        zh: `话筒 ${watch.microphoneId} 已恢复：${word.zh} ${spanZh(lastingMs)}`,
        en: `Microphone ${watch.microphoneId} is back: ${word.en} for ${spanEn(lastingMs)}`,
      }
    : {
        zh: `话筒 ${watch.microphoneId} ${word.zh} ${spanZh(lastingMs)}（阈值 ${spanZh(limitMs)}）${why}`,
        en: `Microphone ${watch.microphoneId} ${word.en} for ${spanEn(lastingMs)} (threshold ${spanEn(limitMs)})${why}`,
      };
}
