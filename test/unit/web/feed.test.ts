/** The feed folded into what is on screen: nothing missed, nothing twice. */
import { describe, expect, it } from 'vitest';
import type { AlertView, OverviewView, StoredEvent } from '../../../cloud/http/api.ts';
import { afterLine, type Connection } from '../../../cloud/web/state/connection.ts';
import {
  applyLine,
  CLOSED_KEPT,
  type DeskFeed,
  type FeedLine,
  fromOverview,
  KnownIds,
} from '../../../cloud/web/state/feed.ts';
import { layoutOf, plainZone, stateOf } from '../../e2e/web-world.ts';

const T0 = 1_700_000_000_000;

function alertOf(episodeId: string, change: Partial<AlertView> = {}): AlertView {
  return {
    episodeId,
    roomId: 'room-101',
    behaviour: 'left_seat',
    level: 'notice',
    seatIds: ['3'],
    beganWallMs: T0,
    lastWallMs: T0,
    firstStoredWallMs: T0,
    lastStoredWallMs: T0,
    durationMs: 10_000,
    phase: 'begin',
    state: 'open',
    escalated: false,
    sentence: { zh: '3号席离席', en: 'Seat 3 away' },
    clips: [],
    ...change,
  };
}

function eventLine(eventId: string, alert: AlertView, cursor: string, storedWallMs = T0): FeedLine {
  const event = {
    eventId,
    storedWallMs,
    body: { kind: 'episode', episodeId: alert.episodeId },
  } as unknown as StoredEvent;
  return { kind: 'event', body: { event, alert }, cursor };
}

const overview: OverviewView = { serverWallMs: T0, rooms: [], alerts: [alertOf('e1')], cursor: '7' };

describe('the feed of the desk', () => {
  it('takes an event in once, however often the feed repeats it', () => {
    const known = new KnownIds(10);
    const line = eventLine('v1', alertOf('e2'), '8');
    const once = applyLine(fromOverview(overview), line, known);
    const twice = applyLine(once, eventLine('v1', alertOf('e2', { level: 'alarm' }), '8'), known);
    expect([...once.alerts.keys()]).toEqual(['e1', 'e2']);
    expect(twice.alerts).toBe(once.alerts);
    expect(twice.repeated).toBe(1);
    expect(twice.cursor).toBe('8');
    expect(once.latestEvent.get('e2')).toBe('v1');
  });

  it('does not go back to an older state of an alert', () => {
    const known = new KnownIds(10);
    const newer = applyLine(
      fromOverview(overview),
      eventLine('v2', alertOf('e1', { level: 'alarm', lastStoredWallMs: T0 + 9 }), '9'),
      known,
    );
    const after = applyLine(newer, eventLine('v1', alertOf('e1', { lastStoredWallMs: T0 + 1 }), '8'), known);
    expect(after.alerts.get('e1')?.level).toBe('alarm');
  });

  it('knows actions by their id and takes clips as often as they come', () => {
    const known = new KnownIds(10);
    const action: FeedLine = {
      kind: 'action',
      cursor: '8',
      body: {
        action: { actionId: 'a1', episodeId: 'e1', kind: 'acknowledge', userName: 'w', wallMs: T0 },
        alert: alertOf('e1', { state: 'acknowledged' }),
      },
    };
    const done = applyLine(fromOverview(overview), action, known);
    expect(done.alerts.get('e1')?.state).toBe('acknowledged');
    expect(applyLine(done, action, known).repeated).toBe(1);
    const clips = [{ clipId: 'c', ready: true }];
    const clip: FeedLine = { kind: 'clip', body: { clipId: 'c', episodeId: 'e1', alert: alertOf('e1', { clips }) } };
    expect(applyLine(done, clip, known).alerts.get('e1')?.clips).toEqual(clips);
  });

  it('keeps the identity of a layout that did not change, and makes a room from its first state', () => {
    const known = new KnownIds(10);
    const line = (): FeedLine => ({
      kind: 'state',
      body: { roomId: 'room-101', heardWallMs: T0, state: stateOf(layoutOf(1, plainZone)) },
    });
    const first = applyLine(fromOverview(overview), line(), known);
    const second = applyLine(first, line(), known);
    expect(first.rooms.get('room-101')?.name).toBe('评标一室');
    expect(second.rooms.get('room-101')?.state?.layout).toBe(first.rooms.get('room-101')?.state?.layout);
  });

  it('forgets closed alerts beyond its bound and never an open one', () => {
    const known = new KnownIds(10_000);
    let feed: DeskFeed = fromOverview(overview);
    for (let i = 0; i < CLOSED_KEPT + 150; i++)
      feed = applyLine(
        feed,
        eventLine(`v${i}`, alertOf(`c${i}`, { state: 'closed', lastStoredWallMs: T0 + i }), `${i}`),
        known,
      );
    const closed = [...feed.alerts.values()].filter((alert) => alert.state === 'closed');
    expect(closed.length).toBeLessThanOrEqual(CLOSED_KEPT + 100);
    expect(feed.alerts.has('e1')).toBe(true);
    expect(feed.alerts.has(`c${CLOSED_KEPT + 149}`)).toBe(true);
  });

  it('remembers at least its bound of ids in bounded room', () => {
    const known = new KnownIds(3);
    for (const id of ['1', '2', '3', '4', '5']) expect(known.add(id)).toBe(true);
    expect(known.add('3')).toBe(false);
    expect(known.add('5')).toBe(false);
    for (const id of ['6', '7', '8', '9']) known.add(id);
    expect(known.add('1')).toBe(true);
  });
});

describe('the state of the line', () => {
  const beat: FeedLine = { kind: 'beat', body: { serverWallMs: T0 } };
  const old = eventLine('v', alertOf('e'), '1', T0 - 60_000);

  it('counts what it replays, and is live at the first fresh row or beat', () => {
    let at: Connection = { kind: 'connecting' };
    at = afterLine(at, old, T0);
    at = afterLine(at, old, T0);
    expect(at).toEqual({ kind: 'catching', count: 2 });
    expect(afterLine(at, eventLine('w', alertOf('e'), '2', T0 - 100), T0)).toEqual({ kind: 'live' });
    expect(afterLine(at, beat, T0)).toEqual({ kind: 'live' });
  });

  it('stays the same object while it is live, so that nothing is drawn anew', () => {
    const live: Connection = { kind: 'live' };
    expect(afterLine(live, beat, T0)).toBe(live);
  });
});
