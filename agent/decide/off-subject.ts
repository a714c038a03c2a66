/** Row 22, talk off the subject: of what is said over a minute, hardly anything is about the evaluation, and so for minutes. */
import type { EpisodeBody } from '../../protocol/event.ts';
import { type Episode, follow, isOpen, resume } from './episode.ts';
import type { Rule } from './rule.ts';
import { seconds, spanEn, spanZh } from './sentence.ts';
import { OFF_SUBJECT } from './speech.ts';
import { isAllowed } from './suppress.ts';

interface Stretch {
  readonly monoMs: number;
  readonly spanMs: number;
  readonly units: number;
  readonly covered: number;
}

export interface OffSubject {
  /** By microphone and language, the stretches of the window. */
  readonly ears: Readonly<Record<string, readonly Stretch[]>>;
  /** Since when every window had too little; undefined while one has enough, or too little is said to tell. */
  readonly sinceMonoMs?: number | undefined;
  readonly sinceWallMs: number;
  readonly lowMonoMs: number;
  readonly share: number;
  readonly microphoneId?: string | undefined;
  readonly episode?: Episode | undefined;
}

/** Silence or a word on the subject ends it only when it lasts: one technical term does not make a talk of the evaluation. */
const FINE_MS = 30_000;

const owns = ({ behaviour, to }: EpisodeBody) => behaviour === 'speech_irrelevant' && to === OFF_SUBJECT;

export const offSubject: Rule<OffSubject> = {
  name: 'off_subject',
  owns,
  start(_context, at, open) {
    const none: OffSubject = { ears: {}, sinceWallMs: at.wallMs, lowMonoMs: at.monoMs, share: 0 };
    const event = open.find(({ body }) => body.kind === 'episode' && owns(body));
    if (event?.body.kind !== 'episode') return none;
    const { durationMs, beganWallMs, sourceId } = event.body;
    return {
      ...none,
      sinceMonoMs: at.monoMs - durationMs,
      sinceWallMs: beganWallMs,
      microphoneId: sourceId,
      episode: resume(event, at),
    };
  },
  step(state, scene, context) {
    const rule = context.pack.rules.off_subject;
    const { at, input } = scene;
    if (!rule || (input.kind !== 'talk' && input.kind !== 'tick' && input.kind !== 'session')) return [state, []];
    const now = at.monoMs;
    const allowed =
      isAllowed(scene.session, 'speech_irrelevant', [], at.wallMs) ||
      isAllowed(scene.session, 'not_complete', [], at.wallMs);
    let { ears } = state;
    if (input.kind === 'talk' && !allowed) {
      const key = `${input.microphoneId} ${input.language}`;
      const kept = (ears[key] ?? []).filter((s) => now - s.monoMs < rule.windowMs);
      ears = {
        ...ears,
        [key]: [...kept, { monoMs: now, spanMs: input.spanMs, units: input.units, covered: input.covered }],
      };
    } else if (allowed) ears = {};
    // The microphone that hears most of the talk speaks for the room: the others hear the same less well.
    const heard = Object.entries(ears)
      .map(([key, list]) =>
        sum(
          key,
          list.filter((s) => now - s.monoMs < rule.windowMs),
        ),
      )
      .sort((a, b) => b.units - a.units)[0];
    const enough = heard !== undefined && heard.units >= rule.units;
    const low = enough && heard.covered < rule.share * heard.units;
    let next: OffSubject = { ...state, ears };
    if (low)
      next = {
        ...next,
        lowMonoMs: now,
        share: heard.covered / heard.units,
        microphoneId: heard.microphoneId,
        // What the window holds was off the subject already when it was found to be.
        sinceMonoMs: state.sinceMonoMs ?? heard.beginMonoMs,
        sinceWallMs: state.sinceMonoMs === undefined ? at.wallMs - (now - heard.beginMonoMs) : state.sinceWallMs,
      };
    const over = allowed || (!low && now - next.lowMonoMs >= FINE_MS);
    const lastingMs = Math.max(0, next.lowMonoMs - (next.sinceMonoMs ?? next.lowMonoMs));
    const open = isOpen(state.episode);
    const { episode, drafts } = follow(
      {
        at,
        pack: context.pack,
        ids: context.ids,
        behaviour: 'speech_irrelevant',
        citation: rule.citation,
        joinMs: context.pack.cooldownMs,
      },
      state.episode,
      {
        level: low && lastingMs >= rule.noticeMs ? 'notice' : undefined,
        over: over && open,
        facts: () => ({
          seatIds: [],
          ...(next.microphoneId === undefined ? {} : { sourceId: next.microphoneId }),
          beganWallMs: next.sinceWallMs,
          durationMs: lastingMs,
          from: open ? OFF_SUBJECT : 'ON_SUBJECT',
          to: over ? 'ON_SUBJECT' : OFF_SUBJECT,
          figures: [
            { name: 'onSubject', value: Math.round(next.share * 100) / 100, threshold: rule.share, unit: '' },
            { name: 'lasting', value: seconds(lastingMs), threshold: seconds(rule.noticeMs), unit: 's' },
          ],
          sentence: over
            ? {
                zh: `谈论与评标无关的话题，共 ${spanZh(lastingMs)}`,
                en: `Talked off the subject for ${spanEn(lastingMs)}`,
              }
            : {
                zh: `长时间谈论与评标无关的话题 ${spanZh(lastingMs)}（阈值 ${spanZh(rule.noticeMs)}）`,
                en: `Talk off the subject for ${spanEn(lastingMs)} (threshold ${spanEn(rule.noticeMs)})`,
              },
        }),
      },
    );
    return [{ ...next, sinceMonoMs: over ? undefined : next.sinceMonoMs, episode }, drafts];
  },
};

function sum(key: string, list: readonly Stretch[]) {
  return {
    microphoneId: key.split(' ')[0]!,
    beginMonoMs: list.reduce((first, s) => Math.min(first, s.monoMs - s.spanMs), Number.POSITIVE_INFINITY),
    units: list.reduce((n, s) => n + s.units, 0),
    covered: list.reduce((n, s) => n + s.covered, 0),
  };
}
