/** Row 18, sound that is there but worth little: cut off at the end of the scale, or without a word while people sit there. */
import type { DraftEvent, EpisodeBody, Sentence } from '../../protocol/event.ts';
import type { LevelObservation } from '../../protocol/observation.ts';
import type { MicrophoneFaultRule } from '../../protocol/rules.ts';
import { type Episode, follow, isOpen, resume } from './episode.ts';
import { REMOVED_MS } from './microphone-fault.ts';
import type { Rule, RuleContext } from './rule.ts';
import type { Scene } from './scene.ts';
import { excused, MAINTENANCE, seconds, spanEn, spanZh, UNHEARD_OF } from './sentence.ts';
import { isAllowed } from './suppress.ts';

const FAULTS = ['clipping', 'speechless'] as const;
type Fault = (typeof FAULTS)[number];

export interface PoorSound {
  readonly microphoneId: string;
  readonly lastMonoMs: number;
  /** Blocks of the last half minute in which sound was cut off: when each ended, and its length. */
  readonly cut: readonly { readonly monoMs: number; readonly ms: number; readonly share: number }[];
  /** Time that people sat there since this microphone heard somebody speak. */
  readonly quietMs: number;
  /** Since then, speech that another microphone of the room heard. */
  readonly elsewhereMs: number;
  /** Set after a restart until it is heard. */
  readonly restoredMonoMs?: number | undefined;
  readonly faults: Readonly<
    Partial<
      Record<
        Fault,
        {
          readonly sinceWallMs: number;
          /** The limit that was reached: where another microphone heard people, an earlier one. */
          readonly limitMs?: number;
          readonly episode?: Episode | undefined;
        }
      >
    >
  >;
}

/** A block in which this share of the samples has met the end of the scale is spoilt: words in it are distorted. */
const CUT_SHARE = 0.001;
/** The time that may hold the spoilt blocks of one fault; after so long without any it is over. */
const CUT_WINDOW_MS = 30_000;
/** Somebody speaks in a block with this share of speech. */
const SPOKEN = 0.3;
/** A microphone is doubted so much earlier when another one hears people meanwhile, for so long in all. */
const ELSEWHERE_EARLIER = 6;
const ELSEWHERE_MS = 30_000;
/** One person alone need not speak. */
const COMPANY = 2;
/** Blocks are half a second to two seconds long; a longer gap is no time that was listened to. */
const LONGEST_BLOCK_MS = 2000;

const faultOf = ({ behaviour, fault }: EpisodeBody) =>
  behaviour === 'microphone_fault' ? FAULTS.find((name) => name === fault) : undefined;

const limitOf = (rule: MicrophoneFaultRule, fault: Fault) =>
  (fault === 'clipping' ? rule.clippingMs : rule.speechlessMs) ?? undefined;

export const poorSound: Rule<readonly PoorSound[]> = {
  name: 'poor_sound',
  packKey: 'microphone_fault',
  owns: (body) => faultOf(body) !== undefined,
  isOff({ rules }, body) {
    const fault = faultOf(body);
    return (
      fault !== undefined &&
      rules.microphone_fault !== undefined &&
      limitOf(rules.microphone_fault, fault) === undefined
    );
  },
  start(_context, at, open) {
    const found = new Map<string, PoorSound>();
    for (const event of open) {
      const { body } = event;
      if (body.kind !== 'episode' || body.sourceId === undefined) continue;
      const fault = faultOf(body);
      if (!fault) continue;
      const old = found.get(body.sourceId) ?? fresh(body.sourceId, at.monoMs);
      const reached = body.figures.find(({ name }) => name === 'lasting')?.threshold;
      const taken = {
        sinceWallMs: body.beganWallMs,
        ...(reached === undefined ? {} : { limitMs: reached * 1000 }),
        episode: resume(event, at),
      };
      const cut = fault === 'clipping' ? [{ monoMs: at.monoMs, ms: 0, share: 0 }] : old.cut;
      const quietMs = fault === 'speechless' ? body.durationMs : old.quietMs;
      found.set(body.sourceId, {
        ...old,
        cut,
        quietMs,
        restoredMonoMs: at.monoMs,
        faults: { ...old.faults, [fault]: taken },
      });
    }
    return [...found.values()];
  },
  step(sounds, scene, context) {
    const rule = context.pack.rules.microphone_fault;
    const { input } = scene;
    if (!rule) return [sounds, []];
    if (input.kind === 'tick') return forget(sounds, { scene, rule, context });
    if (input.kind !== 'level') return [sounds, []];
    const old = sounds.find((s) => s.microphoneId === input.microphoneId) ?? fresh(input.microphoneId, scene.at.monoMs);
    const heard = hear(old, input, scene, context);
    const drafts: DraftEvent[] = [];
    let next = heard;
    for (const fault of FAULTS) {
      const [after, said] = speak(next, fault, { scene, rule, context });
      next = after;
      drafts.push(...said);
    }
    const blockMs = Math.min(LONGEST_BLOCK_MS, scene.at.monoMs - old.lastMonoMs);
    const spoken = (input.speech ?? 0) >= SPOKEN ? blockMs : 0;
    const others = sounds
      .filter((s) => s.microphoneId !== input.microphoneId)
      .map((s) => (spoken > 0 ? { ...s, elsewhereMs: s.elsewhereMs + spoken } : s));
    return [[...others, next], drafts];
  },
};

/** What is wrong now, for the health of the room. */
export function faultsOf(sounds: readonly PoorSound[]): { sourceId: string; fault: Fault; sinceWallMs: number }[] {
  return sounds.flatMap(({ microphoneId, faults }) =>
    FAULTS.flatMap((fault) => {
      const known = faults[fault];
      return known && isOpen(known.episode) ? [{ sourceId: microphoneId, fault, sinceWallMs: known.sinceWallMs }] : [];
    }),
  );
}

function fresh(microphoneId: string, monoMs: number): PoorSound {
  return { microphoneId, lastMonoMs: monoMs, cut: [], quietMs: 0, elsewhereMs: 0, faults: {} };
}

function hear(old: PoorSound, level: LevelObservation, scene: Scene, context: RuleContext): PoorSound {
  const { monoMs, wallMs } = scene.at;
  const { restoredMonoMs: _heard, ...known } = old;
  const blockMs = Math.max(0, Math.min(LONGEST_BLOCK_MS, monoMs - old.lastMonoMs));
  const recent = old.cut.filter((block) => monoMs - block.monoMs < CUT_WINDOW_MS);
  const share = level.clipped ?? 0;
  const cut = share >= CUT_SHARE ? [...recent, { monoMs, ms: blockMs, share }] : recent;
  const spoken = (level.speech ?? 0) >= SPOKEN;
  const people = scene.seats.filter((seat) => seat.occupancy === 'yes').length;
  // Nobody need speak in a break either.
  const expected =
    people >= COMPANY &&
    !isAllowed(
      scene.session,
      'not_complete',
      context.layout.seats.map((s) => s.seatId),
      wallMs,
    );
  // While somebody works on the equipment nothing counts.
  if (isAllowed(scene.session, 'microphone_fault', [], wallMs))
    return { ...known, lastMonoMs: monoMs, cut: [], quietMs: 0, elsewhereMs: 0 };
  return {
    ...known,
    lastMonoMs: monoMs,
    cut,
    quietMs: spoken ? 0 : old.quietMs + (expected ? blockMs : 0),
    elsewhereMs: spoken ? 0 : old.elsewhereMs,
  };
}

/** A microphone that has sent no sound since a restart: nobody knows what became of its fault. */
function forget(
  sounds: readonly PoorSound[],
  parts: { scene: Scene; rule: MicrophoneFaultRule; context: RuleContext },
): readonly [readonly PoorSound[], readonly DraftEvent[]] {
  const { monoMs } = parts.scene.at;
  const drafts: DraftEvent[] = [];
  const kept = sounds.filter((sound) => {
    if (sound.restoredMonoMs === undefined || monoMs - sound.restoredMonoMs < REMOVED_MS) return true;
    for (const fault of FAULTS) drafts.push(...speak({ ...sound, cut: [], quietMs: 0 }, fault, parts, UNHEARD_OF)[1]);
    return false;
  });
  return [kept, drafts];
}

function speak(
  sound: PoorSound,
  fault: Fault,
  { scene, rule, context }: { scene: Scene; rule: MicrophoneFaultRule; context: RuleContext },
  excuse?: Sentence,
): readonly [PoorSound, readonly DraftEvent[]] {
  const { at } = scene;
  const whole = limitOf(rule, fault);
  if (whole === undefined) return [sound, []];
  const known = sound.faults[fault];
  const open = isOpen(known?.episode);
  const earlier = fault === 'speechless' && sound.elsewhereMs >= ELSEWHERE_MS ? ELSEWHERE_EARLIER : 1;
  const limitMs = whole / earlier;
  const countedMs = fault === 'clipping' ? sound.cut.reduce((sum, { ms }) => sum + ms, 0) : sound.quietMs;
  const holds = countedMs >= limitMs;
  const over = open && (fault === 'clipping' ? sound.cut.length === 0 : sound.quietMs === 0);
  const begins = !open && holds;
  const why = isAllowed(scene.session, 'microphone_fault', [], at.wallMs) ? MAINTENANCE : excuse;
  const sinceWallMs = begins ? at.wallMs - countedMs : (known?.sinceWallMs ?? at.wallMs);
  const reachedMs = begins ? limitMs : (known?.limitMs ?? limitMs);
  const lastingMs = at.wallMs - sinceWallMs;
  const worst = sound.cut.reduce((most, { share }) => Math.max(most, share), 0);
  const { episode, drafts } = follow(
    {
      at,
      pack: context.pack,
      ids: context.ids,
      behaviour: 'microphone_fault',
      citation: rule.citation,
      joinMs: context.pack.cooldownMs,
    },
    known?.episode,
    {
      level: holds ? 'notice' : undefined,
      over,
      facts: () => ({
        seatIds: [],
        sourceId: sound.microphoneId,
        fault,
        beganWallMs: sinceWallMs,
        durationMs: lastingMs,
        from: open ? fault.toUpperCase() : 'HEARING',
        to: !over ? fault.toUpperCase() : why ? 'UNKNOWN' : 'HEARING',
        figures: [
          { name: 'lasting', value: seconds(lastingMs), threshold: seconds(reachedMs), unit: 's' },
          ...(fault === 'clipping'
            ? [{ name: 'clipped', value: Math.round(worst * 1000) / 1000, threshold: CUT_SHARE, unit: '' }]
            : []),
        ],
        sentence: excused(sentence(sound.microphoneId, fault, lastingMs, over && !why), why),
      }),
    },
  );
  if (!episode) return [sound, drafts];
  return [{ ...sound, faults: { ...sound.faults, [fault]: { sinceWallMs, limitMs: reachedMs, episode } } }, drafts];
}

function sentence(microphoneId: string, fault: Fault, lastingMs: number, over: boolean) {
  const [zh, en] =
    fault === 'clipping'
      ? ['声音过大被削波，请调低增益', 'too loud, words are cut off: turn its gain down']
      : ['有人在座却一直听不到说话，请检查话筒', 'people sit there and nobody is heard to speak: look at it'];
  return over
    ? {
        zh: `话筒 ${microphoneId} 已恢复：${zh.split('，')[0]} ${spanZh(lastingMs)}`,
        en: `Microphone ${microphoneId} is well again: ${en.split(':')[0]} for ${spanEn(lastingMs)}`,
      }
    : {
        zh: `话筒 ${microphoneId} ${zh}（${spanZh(lastingMs)}）`,
        en: `Microphone ${microphoneId}: ${en} (${spanEn(lastingMs)})`,
      };
}
