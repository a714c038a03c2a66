/** Rows 19 to 22, spoken words: phrases of the rule pack become one episode per category, with the words and the hit marked. */
import type { Behaviour, EpisodeBody, Level, Transcript } from '../../protocol/event.ts';
import type { PhraseObservation, SpeechCategory } from '../../protocol/observation.ts';
import type { RulePack } from '../../protocol/rules.ts';
import { type Episode, follow, graver, isOpen, resume } from './episode.ts';
import type { Rule } from './rule.ts';
import { isAllowed } from './suppress.ts';

export interface Speech {
  /** Hits of the category in this session, those of a second engine or microphone not counted twice. */
  readonly hits: number;
  readonly sessionId?: string | undefined;
  readonly recent: readonly { readonly phraseId: string; readonly beginMonoMs: number; readonly endMonoMs: number }[];
  readonly last?: PhraseObservation | undefined;
  readonly lastHitMonoMs?: number | undefined;
  readonly firstMonoMs?: number | undefined;
  readonly firstWallMs: number;
  readonly episode?: Episode | undefined;
}

/** The same phrase within this distance is the same utterance, heard by another ear. */
const SAME_MS = 1500;

const WORDS: Readonly<Record<SpeechCategory, { zh: string; en: string }>> = {
  prohibited: { zh: '禁用语', en: 'prohibited words' },
  suggestive: { zh: '暗示诱导', en: 'suggestive words' },
  tendentious: { zh: '倾向性言论', en: 'tendentious words' },
  irrelevant: { zh: '无关话题', en: 'talk off the subject' },
  fee: { zh: '议论评审费', en: 'talk about the fee' },
};

const LANES: readonly (readonly [SpeechCategory, `speech_${SpeechCategory}` & Behaviour])[] = [
  ['prohibited', 'speech_prohibited'],
  ['suggestive', 'speech_suggestive'],
  ['tendentious', 'speech_tendentious'],
  ['irrelevant', 'speech_irrelevant'],
  ['fee', 'speech_fee'],
];

/** State of the other machine of talk off the subject, so that neither takes up the other's episode. */
export const OFF_SUBJECT = 'OFF_SUBJECT';

const isOf = (behaviour: Behaviour, body: EpisodeBody) => body.behaviour === behaviour && body.to !== OFF_SUBJECT;

/** One machine per category. */
export const speechRules: readonly Rule<Speech>[] = LANES.map(([category, behaviour]) => ({
  name: behaviour,
  owns: (body) => isOf(behaviour, body),
  start(_context, at, open) {
    const fresh: Speech = { hits: 0, recent: [], firstWallMs: at.wallMs };
    const event = open.find(({ body }) => body.kind === 'episode' && isOf(behaviour, body));
    if (event?.body.kind !== 'episode') return fresh;
    const { durationMs, beganWallMs, figures } = event.body;
    return {
      ...fresh,
      hits: figures.find((f) => f.name === 'hits')?.value ?? 1,
      lastHitMonoMs: at.monoMs,
      firstMonoMs: at.monoMs - durationMs,
      firstWallMs: beganWallMs,
      episode: resume(event, at),
    };
  },
  step(state, scene, context) {
    const rule = context.pack.rules[behaviour];
    if (!rule) return [state, []];
    const { at, input } = scene;
    const now = at.monoMs;
    const mine = input.kind === 'phrase' && input.category === category && !known(state, input);
    const hit = mine && !isAllowed(scene.session, behaviour, [], at.wallMs) ? input : undefined;
    const sessionId = scene.session?.sessionId;
    // Another evaluation counts anew.
    const anew = state.sessionId !== undefined && sessionId !== state.sessionId;
    let next = { ...state, sessionId, hits: anew ? 0 : state.hits };
    if (hit) {
      const fresh = !isOpen(state.episode);
      next = {
        sessionId,
        hits: next.hits + 1,
        recent: [...state.recent.filter((r) => now - r.endMonoMs < 60_000), span(hit)].slice(-20),
        last: hit,
        lastHitMonoMs: now,
        firstMonoMs: fresh ? hit.beginMonoMs : state.firstMonoMs,
        firstWallMs: fresh ? at.wallMs - Math.max(0, now - hit.beginMonoMs) : state.firstWallMs,
        episode: state.episode,
      };
    }
    // Another microphone of the room heard the same words better: that is where they were said.
    const nearer =
      !hit && isOpen(state.episode) && input.kind === 'phrase' && isNearer(input, state.last) ? input : undefined;
    if (nearer) next = { ...next, last: nearer };
    const repeated = rule.alarmAfter !== null && next.hits >= rule.alarmAfter;
    const over = !hit && next.lastHitMonoMs !== undefined && now - next.lastHitMonoMs >= rule.mergeMs;
    const lastMs = next.lastHitMonoMs ?? now;
    const { last } = next;
    const phrase = last?.text ?? '';
    const { episode, drafts } = follow(
      // Hits are merged by the pack's mergeMs, which begins at the last hit: no further joining.
      {
        at,
        pack: context.pack,
        ids: context.ids,
        behaviour,
        citation: cite(context.pack.phrases, last, rule.citation),
        joinMs: -1,
      },
      state.episode,
      {
        level: nearer
          ? rule.level
          : hit
            ? graver(gravityOf(context.pack, hit) ?? rule.level, repeated ? 'alarm' : undefined)
            : undefined,
        over,
        tell: true,
        facts: () => ({
          seatIds: last?.seatId === undefined ? [] : [last.seatId],
          ...(last ? { sourceId: last.microphoneId, transcript: transcript(last) } : {}),
          beganWallMs: next.firstWallMs,
          durationMs: Math.max(0, lastMs - (next.firstMonoMs ?? lastMs)),
          from: isOpen(state.episode) ? 'SPOKEN' : 'SILENT',
          to: over ? 'SILENT' : 'SPOKEN',
          figures: [
            {
              name: 'hits',
              value: next.hits,
              ...(rule.alarmAfter === null ? {} : { threshold: rule.alarmAfter }),
              unit: '',
            },
            ...(last
              ? [{ name: 'score', value: round(last.score), threshold: round(last.threshold), unit: last.engine }]
              : []),
          ],
          sentence: over
            ? {
                // The last word on an episode is the line that stays in every list: it must still say what was heard.
                zh: `${WORDS[category].zh}“${phrase}”，已结束，本场共 ${next.hits} 次`,
                en: `Was heard: ${WORDS[category].en} “${phrase}”; ${next.hits} in this session`,
              }
            : {
                zh: `听到${WORDS[category].zh}“${phrase}”，本场第 ${next.hits} 次`,
                en: `Heard ${WORDS[category].en} “${phrase}”, number ${next.hits} in this session`,
              },
        }),
      },
    );
    return [{ ...next, episode: isOpen(episode) ? episode : undefined }, drafts];
  },
}));

const round = (n: number) => Math.round(n * 1000) / 1000;
const span = ({ phraseId, beginMonoMs, endMonoMs }: PhraseObservation) => ({ phraseId, beginMonoMs, endMonoMs });

/** The same words by the same engine at another microphone, with more over the threshold: near the mouth is heard best. */
function isNearer(hit: PhraseObservation, last: PhraseObservation | undefined): boolean {
  return (
    last !== undefined &&
    hit.microphoneId !== last.microphoneId &&
    hit.engine === last.engine &&
    hit.phraseId === last.phraseId &&
    hit.beginMonoMs <= last.endMonoMs + SAME_MS &&
    hit.endMonoMs >= last.beginMonoMs - SAME_MS &&
    hit.score - hit.threshold > last.score - last.threshold
  );
}

function known(state: Speech, hit: PhraseObservation): boolean {
  return state.recent.some(
    (r) =>
      r.phraseId === hit.phraseId &&
      hit.beginMonoMs <= r.endMonoMs + SAME_MS &&
      hit.endMonoMs >= r.beginMonoMs - SAME_MS,
  );
}

/** What the pack says of the phrase itself, where that differs from its category. */
function gravityOf(pack: RulePack, hit: PhraseObservation): Level | undefined {
  return pack.phrases.find(({ phraseId }) => phraseId === hit.phraseId)?.gravity;
}

function cite(
  phrases: readonly { phraseId: string; citation: string }[],
  hit: PhraseObservation | undefined,
  usual: string,
) {
  return phrases.find((p) => p.phraseId === hit?.phraseId)?.citation || usual;
}

/** The words around the hit where they contain it; else the phrase itself, with what was heard behind it. */
export function transcript(hit: PhraseObservation): Transcript {
  const base = { language: hit.language, engine: hit.engine };
  const from = hit.heard === undefined ? -1 : hit.heard.toLowerCase().indexOf(hit.text.toLowerCase());
  if (hit.heard !== undefined && from >= 0) return { ...base, text: hit.heard, hit: [from, from + hit.text.length] };
  const text = hit.heard ? `${hit.text}（${hit.heard}）` : hit.text;
  return { ...base, text, hit: [0, hit.text.length] };
}
