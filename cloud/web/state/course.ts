/** Where in the course of an alert the updates are missing that were left out. Pure. */
import { type AlertDetailView, EVENTS_FIRST } from '../../http/api.ts';

/** The id of the event after which they are missing; undefined: none were left out. Actions and clips are never left out. */
export function eventBeforeHole({ events, eventsLeftOut = 0 }: AlertDetailView): string | undefined {
  if (eventsLeftOut === 0) return undefined;
  return events.filter(({ body }) => body.kind === 'episode')[EVENTS_FIRST - 1]?.eventId;
}
