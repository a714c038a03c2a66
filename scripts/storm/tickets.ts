/** Inside the storm: events that carry a ticket, so that one decision can be known again under whatever ids it is stored. */
import type { DraftEvent } from '../../protocol/event.ts';
import type { Instant } from '../../protocol/time.ts';

/** One event of an episode; `last` is the index of its end. */
export function episodeDraft(at: Instant, episodeId: string, index: number, last: number): DraftEvent {
  return {
    at,
    body: {
      kind: 'episode',
      episodeId,
      phase: index === 0 ? 'begin' : index >= last ? 'end' : 'update',
      behaviour: 'left_seat',
      level: index > 3 ? 'alarm' : 'notice',
      seatIds: ['3'],
      beganWallMs: at.wallMs,
      from: 'LEAVING',
      to: 'AWAY',
      // The ticket: which event of the episode this is.
      durationMs: index,
      rule: { pack: 'storm', packVersion: '1', ruleId: 'left_seat', citation: 'storm' },
      figures: [{ name: 'absence', value: index, threshold: 10, unit: 's' }],
      sentence: { zh: `3号席离席 ${index} 秒`, en: `Seat 3 away for ${index} s` },
    },
  };
}

/** A record without an alert. */
export function gapDraft(at: Instant, ticket: string): DraftEvent {
  const span = { fromWallMs: at.wallMs, toWallMs: at.wallMs };
  return { at, body: { kind: 'gap', sourceId: 'storm', role: 'record', ...span, reason: ticket } };
}

/** What names the decision behind an event, however often it was given new ids. */
export function ticketOf({ eventId, body }: DraftEvent & { readonly eventId: string }): string {
  if (body.kind === 'episode') return `${body.episodeId}/${body.durationMs}`;
  if (body.kind === 'gap' && body.sourceId === 'storm') return body.reason;
  return eventId;
}
