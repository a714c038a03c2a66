/** Rows 19 to 22, spoken words: phrases of the rule pack become one episode per category, with the words and the hit marked. */
import {
  type Behaviour,
  type DraftEvent,
  type EpisodeBody,
  type Level,
  type Sentence,
  SUSPECTED,
  type Transcript,
} from '../../protocol/event.ts';
import type { LaterWordsObservation, PhraseObservation, SpeechCategory } from '../../protocol/observation.ts';
import type { RulePack } from '../../protocol/rules.ts';
import { type Episode, follow, graver, isOpen, resume } from './episode.ts';
import type { Rule } from './rule.ts';
import { isAllowed } from './suppress.ts';

export interface Speech {
  /** Hits of the category in this session, those of a second engine or microphone not counted twice. */
  readonly hits: number;
  /** Something of the episode was confirmed; until then it is a doubtful notice. */
  readonly sure: boolean;
  readonly sessionId?: string | undefined;
  readonly recent: readonly Span[];
  /** What was suspected of late, told once. */
  readonly suspected: readonly Span[];
  readonly last?: PhraseObservation | undefined;
  readonly lastHitMonoMs?: number | undefined;
  readonly firstMonoMs?: number | undefined;
  readonly firstWallMs: number;
  /** Also one that ended unconfirmed, for as long as a late engine may still confirm it. */
  readonly episode?: Episode | undefined;
  /** The last end that was told, and its phrase: the words after that may still be on their way. */
  readonly ended?: { readonly hit: PhraseObservation; readonly draft: DraftEvent } | undefined;
}

interface Span {
  readonly phraseId: string;
  readonly beginMonoMs: number;
  readonly endMonoMs: number;
}

/** The same phrase within this distance is the same utterance, heard by another ear. */
const SAME_MS = 1500;
/** An engine that gives words at the end of an utterance may confirm what has ended as suspected; it joins that episode. */
const LATE_MS = 20_000;

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
  keepsOnRelay: true,
  start(_context, at, open) {
    const fresh: Speech = { hits: 0, sure: false, recent: [], suspected: [], firstWallMs: at.wallMs };
    const event = open.find(({ body }) => body.kind === 'episode' && isOf(behaviour, body));
    if (event?.body.kind !== 'episode') return fresh;
    const { durationMs, beganWallMs, figures } = event.body;
    const sure = event.body.to !== SUSPECTED;
    return {
      ...fresh,
      hits: figures.find((f) => f.name === 'hits')?.value ?? (sure ? 1 : 0),
      sure,
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
    const mine = input.kind === 'phrase' && input.category === category && !isKnown(state.recent, input);
    const counts = mine && !isAllowed(scene.session, behaviour, [], at.wallMs) ? input : undefined;
    const hit = counts?.level === undefined ? counts : undefined;
    const doubtful =
      counts?.level !== undefined && rule.suspected === 'notice' && !isKnown(state.suspected, counts)
        ? counts
        : undefined;
    const heard = hit ?? doubtful;
    const open = isOpen(state.episode);
    const sessionId = scene.session?.sessionId;
    // Another evaluation counts anew.
    const anew = state.sessionId !== undefined && sessionId !== state.sessionId;
    let next = { ...state, sessionId, hits: anew ? 0 : state.hits };
    if (heard) {
      const sure = hit !== undefined || (open && state.sure);
      next = {
        sessionId,
        hits: next.hits + (hit ? 1 : 0),
        sure,
        recent: hit ? remember(state.recent, hit, now) : state.recent,
        suspected: doubtful ? remember(state.suspected, doubtful, now) : state.suspected,
        // In an episode that is sure the last sure word stands.
        last: hit || !sure ? lengthened(heard, state.last) : state.last,
        // … and a suspicion does not draw it out.
        lastHitMonoMs: hit || !sure ? now : state.lastHitMonoMs,
        firstMonoMs: open ? state.firstMonoMs : heard.beginMonoMs,
        firstWallMs: open ? state.firstWallMs : at.wallMs - Math.max(0, now - heard.beginMonoMs),
        episode: state.episode,
        ended: state.ended,
      };
    }
    const late = hit !== undefined && !state.sure && isKnown(state.suspected, hit);
    // Another microphone of the room heard the same words better: that is where they were said.
    const nearer = !heard && open && input.kind === 'phrase' && isNearer(input, state.last) ? input : undefined;
    if (nearer) next = { ...next, last: nearer };
    const later = input.kind === 'later_words' ? input : undefined;
    const longer = later && isAround(later, state.last) ? lengthened(state.last, later) : undefined;
    if (longer) next = { ...next, last: longer };
    const addition = later && state.ended && isAround(later, state.ended.hit) ? added(state.ended, later) : undefined;
    if (later && state.ended && isAround(later, state.ended.hit)) next = { ...next, ended: undefined };
    const repeated = rule.alarmAfter !== null && next.hits >= rule.alarmAfter;
    const over = !heard && open && next.lastHitMonoMs !== undefined && now - next.lastHitMonoMs >= rule.mergeMs;
    const lastMs = next.lastHitMonoMs ?? now;
    const { last, sure } = next;
    const phrase = last?.text ?? '';
    const { episode, drafts } = follow(
      // Hits are merged by the pack's mergeMs, which begins at the last hit: no further joining, but by what confirms late.
      {
        at,
        pack: context.pack,
        ids: context.ids,
        behaviour,
        citation: cite(context.pack.phrases, last, rule.citation),
        joinMs: heard && !late ? -1 : LATE_MS,
      },
      state.episode,
      {
        level: hit
          ? graver(gravityOf(context.pack, hit) ?? rule.level, repeated ? 'alarm' : undefined)
          : (doubtful && !sure) || (nearer && !sure)
            ? 'notice'
            : nearer
              ? rule.level
              : // It changes no level.
                open && longer
                ? state.episode?.level
                : undefined,
        over,
        tell: true,
        facts: () => ({
          seatIds: last?.seatId === undefined ? [] : [last.seatId],
          ...(last ? { sourceId: last.microphoneId, transcript: transcript(last) } : {}),
          beganWallMs: next.firstWallMs,
          durationMs: Math.max(0, lastMs - (next.firstMonoMs ?? lastMs)),
          from: open ? (state.sure ? 'SPOKEN' : SUSPECTED) : 'SILENT',
          to: over ? 'SILENT' : sure ? 'SPOKEN' : SUSPECTED,
          figures: [
            ...(sure || next.hits > 0
              ? [
                  {
                    name: 'hits',
                    value: next.hits,
                    ...(rule.alarmAfter === null ? {} : { threshold: rule.alarmAfter }),
                    unit: '',
                  },
                ]
              : []),
            ...(last
              ? [{ name: 'score', value: round(last.score), threshold: round(last.threshold), unit: last.engine }]
              : []),
          ],
          sentence: (sure ? said : doubted)(category, phrase, over, next.hits),
        }),
      },
    );
    const end = drafts.find(({ body }) => body.kind === 'episode' && body.phase === 'end');
    if (end && last) next = { ...next, ended: { hit: last, draft: end } };
    // What was over goes on: its end is to come.
    else if (isOpen(episode) && isEndOf(next.ended?.draft, episode)) next = { ...next, ended: undefined };
    return [
      { ...next, episode: isOpen(episode) || !sure ? episode : undefined },
      addition ? [...drafts, addition] : drafts,
    ];
  },
}));

const isEndOf = (draft: DraftEvent | undefined, episode: Episode | undefined) =>
  draft?.body.kind === 'episode' && draft.body.episodeId === episode?.episodeId;

/** Said around this very phrase, at the same microphone. */
const isAround = (later: LaterWordsObservation, hit: PhraseObservation | undefined): hit is PhraseObservation =>
  hit !== undefined &&
  hit.phraseId === later.phraseId &&
  hit.microphoneId === later.microphoneId &&
  hit.engine === later.engine &&
  Math.abs(hit.endMonoMs - later.endMonoMs) <= SAME_MS;

/** With the longer of two accounts of the same words. */
function lengthened(
  hit: PhraseObservation,
  other: PhraseObservation | LaterWordsObservation | undefined,
): PhraseObservation {
  const same =
    other !== undefined &&
    other.phraseId === hit.phraseId &&
    other.microphoneId === hit.microphoneId &&
    other.engine === hit.engine &&
    Math.abs(other.endMonoMs - hit.endMonoMs) <= SAME_MS;
  return same && (other.heard?.length ?? 0) > (hit.heard?.length ?? 0) ? { ...hit, heard: other.heard! } : hit;
}

/** One more end of an episode that is over, with all that was said around its phrase; nothing else in it is new. */
function added(
  { hit, draft }: { readonly hit: PhraseObservation; readonly draft: DraftEvent },
  later: LaterWordsObservation,
): DraftEvent | undefined {
  const { body } = draft;
  if (body.kind !== 'episode' || later.at.monoMs - draft.at.monoMs > LATE_MS) return undefined;
  // Suspected it stays where it never was anything else.
  const state = body.from === SUSPECTED ? SUSPECTED : body.to;
  return {
    at: later.at,
    body: { ...body, from: state, to: state, transcript: transcript(lengthened(hit, later)) },
  };
}

/** The last word on an episode is the line that stays in every list: it must still say what was heard. */
function said(category: SpeechCategory, phrase: string, over: boolean, hits: number): Sentence {
  const { zh, en } = WORDS[category];
  return over
    ? {
        zh: `${zh}“${phrase}”，已结束，本场共 ${hits} 次`,
        en: `Was heard: ${en} “${phrase}”; ${hits} in this session`,
      }
    : { zh: `听到${zh}“${phrase}”，本场第 ${hits} 次`, en: `Heard ${en} “${phrase}”, number ${hits} in this session` };
}

function doubted(category: SpeechCategory, phrase: string, over: boolean): Sentence {
  const { zh, en } = WORDS[category];
  return over
    ? {
        zh: `疑似${zh}“${phrase}”，未得到证实，已结束，不计次`,
        en: `Suspected, never confirmed: ${en} “${phrase}”; over, not counted`,
      }
    : { zh: `疑似${zh}“${phrase}”，尚未证实`, en: `Suspected ${en} “${phrase}”, not confirmed yet` };
}

const remember = (spans: readonly Span[], heard: PhraseObservation, nowMonoMs: number): readonly Span[] =>
  [...spans.filter((one) => nowMonoMs - one.endMonoMs < 60_000), span(heard)].slice(-20);
const round = (n: number) => Math.round(n * 1000) / 1000;
const span = ({ phraseId, beginMonoMs, endMonoMs }: PhraseObservation) => ({ phraseId, beginMonoMs, endMonoMs });

/** The same words by the same engine at another microphone, with more over the threshold: near the mouth is heard best. */
function isNearer(hit: PhraseObservation, last: PhraseObservation | undefined): boolean {
  return (
    last !== undefined &&
    hit.microphoneId !== last.microphoneId &&
    hit.engine === last.engine &&
    hit.level === last.level &&
    hit.phraseId === last.phraseId &&
    hit.beginMonoMs <= last.endMonoMs + SAME_MS &&
    hit.endMonoMs >= last.beginMonoMs - SAME_MS &&
    hit.score - hit.threshold > last.score - last.threshold
  );
}

function isKnown(spans: readonly Span[], hit: PhraseObservation): boolean {
  return spans.some(
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
