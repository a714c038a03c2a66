/** Row 18, microphone faults: muted, down, an ear that is deaf in a language or hears unconfirmed. A room that cannot hear says so. */
import type { DraftEvent, EpisodeBody, Figure, Level, Sentence } from '../../protocol/event.ts';
import type { LevelObservation } from '../../protocol/observation.ts';
import type { MicrophoneFaultRule } from '../../protocol/rules.ts';
import type { Instant } from '../../protocol/time.ts';
import { type Episode, follow, isOpen, resume } from './episode.ts';
import type { Rule, RuleContext } from './rule.ts';
import type { Scene } from './scene.ts';
import { excused, MAINTENANCE, seconds, spanEn, spanZh, UNHEARD_OF } from './sentence.ts';
import { isAllowed } from './suppress.ts';

const FAULTS = ['muted', 'down', 'deaf', 'unconfirmed'] as const;

export interface EarWatch {
  readonly microphoneId: string;
  readonly fault: (typeof FAULTS)[number];
  /** Only for `deaf` and `unconfirmed`. */
  readonly language?: string;
  readonly holds: boolean;
  readonly sinceMonoMs: number;
  readonly sinceWallMs: number;
  readonly heldMonoMs: number;
  readonly value?: number;
  readonly limit?: number;
  readonly reason?: string;
  /** Set after a restart until this is heard of. */
  readonly restoredMonoMs?: number | undefined;
  readonly episode?: Episode | undefined;
}

export interface MicrophoneState {
  readonly microphoneId: string;
  /** Learnt noise floor, dBFS: falls at once, rises slowly; trusted after `FLOOR_AFTER` blocks. */
  readonly floorDb?: number;
  readonly blocks: number;
  readonly soundMonoMs: number;
}

/** One language of one microphone, as its ear said last. */
export interface EarState {
  readonly microphoneId: string;
  readonly language: string;
  readonly hears: boolean;
  readonly firstMonoMs: number;
}

export interface Ears {
  readonly microphones: readonly MicrophoneState[];
  readonly ears: readonly EarState[];
  readonly watches: readonly EarWatch[];
}

/** At or below this there is no sound at all, not even a microphone's own noise. */
const DIGITAL_ZERO_DB = -115;
const FLOOR_AFTER = 20;
const FLOOR_RISE_DB = 0.05;
const CLEAR_MS = 2000;
/** After a restart: a microphone or an ear of which nothing is heard for so long is the room's no longer. */
export const REMOVED_MS = 60_000;
/** Each ear speaks every five seconds: by then all of a microphone's have said whether they hear. */
const ALL_EARS_MS = 10_000;

const faultOf = ({ behaviour, fault }: EpisodeBody) =>
  behaviour === 'microphone_fault' ? FAULTS.find((name) => name === fault) : undefined;

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
        restoredMonoMs: at.monoMs,
        episode: resume(event, at),
      });
    }
    return { microphones: [], ears: [], watches };
  },
  step(ears, scene, context) {
    const rule = context.pack.rules.microphone_fault;
    if (!rule) return [ears, []];
    const heard = hear(ears, scene, rule);
    const drafts: DraftEvent[] = [];
    const watches: EarWatch[] = [];
    for (const watch of heard.watches) {
      const level =
        watch.fault === 'deaf' || watch.fault === 'unconfirmed' ? deafLevel(watch, heard, scene.at, rule) : 'alarm';
      const excuse = excuseOf(watch, scene);
      const [after, said] = speak(watch, { at: scene.at, rule, level, excuse }, context);
      drafts.push(...said);
      if (after) watches.push(after);
    }
    return [{ ...heard, watches }, drafts];
  },
};

/** What this input says about the conditions, before any threshold. */
function hear(ears: Ears, scene: Scene, rule: MicrophoneFaultRule): Ears {
  const { input, at } = scene;
  if (input.kind === 'ear') {
    const { microphoneId, language, state, reason } = input;
    const why = reason ? { reason } : {};
    const isDeaf = state === 'deaf';
    const watches = note(ears.watches, { microphoneId, fault: 'deaf', language }, isDeaf, at, 0, why);
    return {
      ...ears,
      ears: withEar(ears.ears, { microphoneId, language, hears: !isDeaf, firstMonoMs: at.monoMs }),
      // Who hears nothing at all has nothing to be confirmed.
      watches: note(
        watches,
        { microphoneId, fault: 'unconfirmed', language },
        !isDeaf && input.unconfirmed === true,
        at,
        0,
        why,
      ),
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
  return { ...ears, microphones, watches };
}

function withEar(ears: readonly EarState[], ear: EarState): readonly EarState[] {
  const isSame = (one: EarState) => one.microphoneId === ear.microphoneId && one.language === ear.language;
  const old = ears.find(isSame);
  if (!old) return [...ears, ear];
  return old.hears === ear.hears ? ears : ears.map((one) => (isSame(one) ? { ...one, hears: ear.hears } : one));
}

/**
 * One deaf language of several leaves the others hearing: worth knowing, not worth an alarm. When none is heard any more
 * the microphone is deaf: one alarm, by the language that has been deaf longest, unless there is one already since no
 * sound comes.
 */
function deafLevel(watch: EarWatch, { ears, watches }: Ears, at: Instant, rule: MicrophoneFaultRule): Level {
  if (watch.fault === 'unconfirmed') return 'notice';
  const own = ears.filter(({ microphoneId }) => microphoneId === watch.microphoneId);
  const known = own.length > 0 && own.every(({ firstMonoMs }) => at.monoMs - firstMonoMs >= ALL_EARS_MS);
  if (!known || own.some(({ hears }) => hears)) return 'notice';
  const holding = watches.filter((one) => one.microphoneId === watch.microphoneId && one.holds);
  if (holding.some(({ fault }) => fault === 'muted' || fault === 'down')) return 'notice';
  const deaf = holding.filter(({ fault }) => fault === 'deaf');
  // An engine that is just being restarted is not yet a deaf one.
  if (deaf.some(({ sinceMonoMs }) => at.monoMs - sinceMonoMs < rule.deafMs)) return 'notice';
  const first = deaf.reduce((a, b) => (b.sinceMonoMs < a.sinceMonoMs ? b : a), watch);
  return first.language === watch.language ? 'alarm' : 'notice';
}

/** Why an open episode ends although its fault is not known to be over. */
function excuseOf({ restoredMonoMs }: EarWatch, { session, at }: Scene): Sentence | undefined {
  if (isAllowed(session, 'microphone_fault', [], at.wallMs)) return MAINTENANCE;
  return restoredMonoMs !== undefined && at.monoMs - restoredMonoMs >= REMOVED_MS ? UNHEARD_OF : undefined;
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
  const { restoredMonoMs: _heard, ...known } = old;
  const next = holds ? { ...known, ...said, ...since, holds, heldMonoMs: at.monoMs } : { ...known, holds };
  return watches.map((w) => (same(w) ? next : w));
}

function speak(
  watch: EarWatch,
  now: {
    readonly at: Instant;
    readonly rule: MicrophoneFaultRule;
    readonly level: Level;
    readonly excuse: Sentence | undefined;
  },
  context: RuleContext,
): readonly [EarWatch | undefined, readonly DraftEvent[]] {
  const { at, rule } = now;
  const next: EarWatch = watch.holds ? { ...watch, heldMonoMs: at.monoMs } : watch;
  const clear = !next.holds && (!isOpen(next.episode) || at.monoMs - next.heldMonoMs >= CLEAR_MS);
  const over = clear || now.excuse !== undefined;
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
      level: next.holds && lastingMs >= limitMs ? now.level : undefined,
      over,
      facts: () => ({
        seatIds: [],
        sourceId: next.microphoneId,
        fault: next.fault,
        beganWallMs: next.sinceWallMs,
        durationMs: lastingMs,
        from: isOpen(watch.episode) ? stateOf(next) : 'HEARING',
        to: clear ? 'HEARING' : over ? 'UNKNOWN' : stateOf(next),
        figures: figures(next, lastingMs, limitMs),
        sentence: excused(
          sentence(next, { lastingMs, limitMs, over: clear, all: now.level === 'alarm' && next.fault === 'deaf' }),
          clear ? undefined : now.excuse,
        ),
      }),
    },
  );
  // What is excused and still holds is counted from when that is over.
  if (now.excuse && next.holds && next.restoredMonoMs === undefined)
    return [{ ...next, sinceMonoMs: at.monoMs, sinceWallMs: at.wallMs, episode }, drafts];
  const joinable = episode?.endedMonoMs !== undefined && at.monoMs - episode.endedMonoMs <= context.pack.cooldownMs;
  if (over && !joinable) return [undefined, drafts];
  return [{ ...next, episode }, drafts];
}

/** `MUTED`, `DOWN`, or `DEAF:` or `UNCONFIRMED:` and the language: a restart reads it back from the event. */
function stateOf({ fault, language }: EarWatch): string {
  return language === undefined ? fault.toUpperCase() : `${fault.toUpperCase()}:${language}`;
}

function figures(watch: EarWatch, lastingMs: number, limitMs: number): readonly Figure[] {
  const lasting: Figure = { name: 'lasting', value: seconds(lastingMs), threshold: seconds(limitMs), unit: 's' };
  if (watch.fault !== 'muted' || watch.value === undefined) return [lasting];
  const limit = watch.limit === undefined ? {} : { threshold: Math.round(watch.limit * 10) / 10 };
  return [lasting, { name: 'level', value: Math.round(watch.value * 10) / 10, ...limit, unit: 'dBFS' }];
}

/** `all`: it hears no language any more. */
function sentence(
  watch: EarWatch,
  now: { readonly lastingMs: number; readonly limitMs: number; readonly over: boolean; readonly all: boolean },
) {
  const { lastingMs, limitMs, over, all } = now;
  const word = wordsOf(watch, all && !over);
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

function wordsOf({ fault, language = '' }: EarWatch, all: boolean): { readonly zh: string; readonly en: string } {
  if (fault === 'muted') return { zh: '静音', en: 'muted' };
  if (fault === 'down') return { zh: '断开', en: 'down' };
  const named = language.startsWith('zh')
    ? { zh: '普通话', en: 'Mandarin' }
    : language.startsWith('en')
      ? { zh: '英语', en: 'English' }
      : { zh: ` ${language}`, en: language };
  if (fault === 'unconfirmed')
    return { zh: `${named.zh}识别无第二引擎复核`, en: `unconfirmed in ${named.en} (its second engine is deaf)` };
  const none = all ? { zh: '，也听不到其他语言', en: ' and hears nothing else' } : { zh: '', en: '' };
  return { zh: `听不到${named.zh}${none.zh}`, en: `deaf in ${named.en}${none.en}` };
}
