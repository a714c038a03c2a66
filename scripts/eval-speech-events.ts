/** From hits to events: what the ear reports of one clip goes through the room's own deciding, which merges what belongs together. */
import { startRoom, step } from '../agent/decide/room.ts';
import type { RoomLayout } from '../protocol/room.ts';
import type { Phrase, RulePack } from '../protocol/rules.ts';
import type { Instant } from '../protocol/time.ts';
import type { SpeechEvent, SpeechHit } from './eval-speech-score.ts';

/** A room with one microphone and nobody to look at. */
const LAYOUT: RoomLayout = {
  roomId: 'eval',
  name: 'eval',
  centre: 'eval',
  timeZone: 'Asia/Shanghai',
  seats: [],
  zones: [],
  doorLines: [],
  floor: [],
  roster: [],
};
const BEGIN_MS = 1_000_000;
const TICK_MS = 1000;

const instant = (ms: number): Instant => ({
  wallMs: 1_700_000_000_000 + ms,
  monoMs: BEGIN_MS + ms,
  bootId: 'eval',
  clock: 'sure',
});

/**
 * The events of one clip. An episode of the deciding may hold several phrases of one category: each is an event of its own;
 * the same phrase again within the episode is the same event. `pack` holds the phrases that were listened for.
 */
export function eventsOf(hits: readonly SpeechHit[], pack: RulePack): SpeechEvent[] {
  return decide(hits, pack).map(({ sure: _sure, ...event }) => event);
}

/** What the room tells as suspected and never confirms, phrase by phrase: `hits` are the confirmed ones of the same clip. */
export function doubtsOf(hits: readonly SpeechHit[], doubts: readonly SpeechHit[], pack: RulePack): SpeechEvent[] {
  return [...new Set(doubts.map(({ phraseId }) => phraseId))].flatMap((phraseId) => {
    const own = [...hits, ...doubts].filter((hit) => hit.phraseId === phraseId);
    return decide(own, pack).flatMap(({ sure, ...event }) => (sure ? [] : [event]));
  });
}

function decide(hits: readonly SpeechHit[], pack: RulePack): (SpeechEvent & { readonly sure: boolean })[] {
  const phrases = new Map<string, Phrase>(pack.phrases.map((phrase) => [phrase.phraseId, phrase]));
  const context = { layout: LAYOUT, pack, runId: 'eval' };
  let machine = startRoom(context, instant(0), []);
  let nowMs = 0;
  /** Episode of each category that told something last. */
  const running = new Map<string, string>();
  const events = new Map<string, { phraseId: string; episodeId: string; hits: SpeechHit[] }>();
  /** Episodes of which something was confirmed. */
  const sure = new Set<string>();
  const longestMs = Math.max(...Object.values(pack.rules).map((rule) => ('mergeMs' in rule ? rule.mergeMs : 0)), 0);
  const order = [...hits].sort((a, b) => a.reportedS - b.reportedS);
  for (const hit of order) {
    const phrase = phrases.get(hit.phraseId);
    if (!phrase) continue;
    // Seconds as the clip counts them, with the second of floor before it.
    const atMs = Math.max(nowMs, Math.round((hit.reportedS + 1) * 1000));
    const untilMs = Math.min(atMs, nowMs + longestMs + 2 * TICK_MS);
    for (let ms = nowMs + TICK_MS; ms < untilMs; ms += TICK_MS)
      machine = step(machine, { kind: 'tick', at: instant(ms) }, context).machine;
    nowMs = atMs;
    const endMonoMs = BEGIN_MS + Math.min(atMs, Math.round((hit.endS + 1) * 1000));
    const next = step(
      machine,
      {
        kind: 'phrase',
        microphoneId: 'eval',
        at: instant(atMs),
        engine: 'eval',
        language: phrase.language,
        phraseId: phrase.phraseId,
        category: phrase.category,
        text: phrase.forms[0] ?? phrase.phraseId,
        ...(hit.level ? { level: hit.level } : {}),
        score: hit.margin,
        threshold: 0,
        beginMonoMs: endMonoMs,
        endMonoMs,
      },
      context,
    );
    machine = next.machine;
    for (const { body } of next.drafts)
      if (body.kind === 'episode' && body.behaviour === `speech_${phrase.category}`) {
        running.set(phrase.category, body.episodeId);
        if (!hit.level) sure.add(body.episodeId);
      }
    const episodeId = running.get(phrase.category);
    // A category without a rule in the pack raises nothing.
    if (episodeId === undefined) continue;
    const key = `${episodeId} ${phrase.phraseId}`;
    const event = events.get(key) ?? { phraseId: phrase.phraseId, episodeId, hits: [] };
    event.hits.push(hit);
    events.set(key, event);
  }
  return [...events.values()].map(({ episodeId, ...event }) => ({ ...event, sure: sure.has(episodeId) }));
}
