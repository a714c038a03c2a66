/** Inside `eval vision`: footage that begins later, or whose parts come in another order, and what then is true of it. */
import { SCORED } from './eval-vision-score.ts';
import { eventsOf, secondsOf, type Truth, type TruthRoom } from './eval-vision-truth.ts';

/** A stretch of the video, in its own seconds, from included. */
export type Part = readonly [fromS: number, toS: number];

/** What of a film is shown: from shortly before its first or its middle episode, or its second half before its first. */
export type Cut = 'late' | 'middle' | 'swapped';

/** So much of a film that begins late is shown before its first episode. */
const BEFORE_S = 8;
/** Nothing happens for so long on either side of a splice. */
const CALM_S = 5;

/** The stretches that are shown of every camera of the room, one after another; they begin at whole seconds, as all frame rates do. */
export function partsOf(room: TruthRoom, cut: Cut): readonly Part[] {
  const seconds = secondsOf(room);
  const events = eventsOf(room);
  if (cut === 'swapped') {
    const middle = Math.floor(seconds / 2);
    const calm = Array.from({ length: Math.max(0, Math.floor(seconds) - 1) }, (_, i) => i + 1)
      .filter((s) => events.every((e) => e.end_s < s - CALM_S || e.start_s > s + CALM_S))
      .sort((a, b) => Math.abs(a - middle) - Math.abs(b - middle));
    const at = calm[0];
    return at === undefined
      ? [[0, seconds]]
      : [
          [at, seconds],
          [0, at],
        ];
  }
  const scored: readonly string[] = SCORED;
  const begins = events.flatMap(({ type, start_s }) => (scored.includes(type) ? [start_s] : [])).sort((a, b) => a - b);
  const nothing = seconds / (cut === 'late' ? 4 : 2) + BEFORE_S;
  const first = begins[cut === 'late' ? 0 : Math.floor(begins.length / 2)] ?? nothing;
  return [[Math.max(0, Math.floor(first - BEFORE_S)), seconds]];
}

/** The truth of a film of these parts. */
export function shownIn(truth: Truth, parts: readonly Part[]): Truth {
  const frames: Truth['frames'][number][] = [];
  const events: Truth['events'][number][] = [];
  let offset = 0;
  for (const [from, to] of parts) {
    const shift = offset - from;
    frames.push(...truth.frames.filter(({ t }) => t >= from && t < to).map((f) => ({ ...f, t: f.t + shift })));
    for (const event of truth.events)
      if (event.start_s < to && event.end_s > from)
        events.push({
          ...event,
          start_s: Math.max(from, event.start_s) + shift,
          end_s: Math.min(to, event.end_s) + shift,
          ...(event.start_s < from ? { begun: true } : {}),
        });
    offset += to - from;
  }
  return { ...truth, duration_s: offset, frames, events };
}

/** Where in the video a second of the film comes from. */
export function secondIn(parts: readonly Part[] | undefined, second: number): number {
  let left = second;
  for (const [from, to] of parts ?? []) {
    if (left < to - from) return from + left;
    left -= to - from;
  }
  return parts ? (parts.at(-1)?.[1] ?? 0) : second;
}
