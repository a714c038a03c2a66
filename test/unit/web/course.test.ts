/** Where the course of an alert says that updates are left out. */
import { describe, expect, it } from 'vitest';
import type { AlertDetailView, StoredEvent } from '../../../cloud/http/api.ts';
import { eventBeforeHole } from '../../../cloud/web/state/course.ts';
import { clipBody, episodeBody, roomEvent } from '../../medium/cloud/events.ts';

describe('the course of an alert of hours', () => {
  const events: readonly StoredEvent[] = Array.from({ length: 401 }, (_, n) => ({
    ...roomEvent(
      's1',
      n,
      n === 20 ? clipBody('e1', 'c1', 'room-1', []) : episodeBody('e1', n === 0 ? 'begin' : 'update'),
    ),
    storedWallMs: n,
  }));
  const detail = { events, actions: [], clips: [], views: [] } as Pick<AlertDetailView, 'events'> as AlertDetailView;

  it('says what is left out after the first events of the episode, whatever clips lie between them', () => {
    expect(eventBeforeHole({ ...detail, eventsLeftOut: 99 })).toBe(events[50]!.eventId);
    expect(eventBeforeHole(detail)).toBeUndefined();
  });
});
