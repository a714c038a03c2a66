/** The feed folded into what is on screen: (rooms, alerts) and a line → the next one. Pure, apart from the set of ids. */
import type { AlertView, FeedLines, OverviewView, RoomCard } from '../../http/api.ts';
import type { EvaluationView } from '../../http/sessions-api.ts';
import { addState, type RoomHistory } from './history.ts';

export interface DeskFeed {
  readonly rooms: ReadonlyMap<string, RoomCard>;
  readonly alerts: ReadonlyMap<string, AlertView>;
  /** Newest event of each episode, where the feed brought it. */
  readonly latestEvent: ReadonlyMap<string, string>;
  readonly histories: ReadonlyMap<string, RoomHistory>;
  /** The evaluation that is on, by room. */
  readonly sessions: ReadonlyMap<string, EvaluationView>;
  /** Alerts to be judged that the first screen had no room for. */
  readonly unlisted: number;
  /** Newest cursor heard. */
  readonly cursor: string;
  /** Lines dropped because what they carry was known. */
  readonly repeated: number;
}

export type FeedKind = keyof FeedLines;
export type FeedLine = {
  [K in FeedKind]: { readonly kind: K; readonly body: FeedLines[K]; readonly cursor?: string };
}[FeedKind];

/** Closed alerts kept on the page; open and acknowledged ones are always kept. */
export const CLOSED_KEPT = 300;

/** Ids that were shown, the newest `bound` to `2 × bound` of them: what the feed replays is known by its id. */
export class KnownIds {
  private young = new Set<string>();
  private old = new Set<string>();
  private readonly bound: number;

  constructor(bound: number) {
    this.bound = bound;
  }

  /** True the first time only. */
  add(id: string): boolean {
    if (this.young.has(id) || this.old.has(id)) return false;
    if (this.young.size >= this.bound) {
      this.old = this.young;
      this.young = new Set();
    }
    this.young.add(id);
    return true;
  }
}

/** The first screen. Histories of the rooms are kept across a reload of the overview. */
export function fromOverview(view: OverviewView, before?: DeskFeed): DeskFeed {
  let histories = before?.histories ?? new Map<string, RoomHistory>();
  for (const room of view.rooms)
    if (room.state) histories = put(histories, room.roomId, addState(histories.get(room.roomId), room.state));
  return {
    rooms: new Map(view.rooms.map((room) => [room.roomId, room])),
    alerts: new Map(view.alerts.map((alert) => [alert.episodeId, alert])),
    latestEvent: before?.latestEvent ?? new Map(),
    histories,
    sessions: new Map((view.sessions ?? []).map((one) => [one.roomId, one])),
    unlisted: view.unlisted ?? 0,
    cursor: view.cursor,
    repeated: before?.repeated ?? 0,
  };
}

/** The feed after one line. A line whose event or action is known changes nothing but the cursor and the count. */
export function applyLine(feed: DeskFeed, line: FeedLine, known: KnownIds): DeskFeed {
  const next = line.cursor === undefined ? feed : { ...feed, cursor: line.cursor };
  switch (line.kind) {
    case 'event': {
      const { event, alert } = line.body;
      if (!known.add(event.eventId)) return { ...next, repeated: feed.repeated + 1 };
      if (!alert) return next;
      const latestEvent = put(feed.latestEvent, alert.episodeId, event.eventId);
      return withAlert({ ...next, latestEvent }, alert);
    }
    case 'action':
      if (!known.add(line.body.action.actionId)) return { ...next, repeated: feed.repeated + 1 };
      return withAlert(next, line.body.alert);
    case 'clip':
      return withAlert(next, line.body.alert);
    case 'state': {
      const { roomId, state, heardWallMs } = line.body;
      const card = feed.rooms.get(roomId);
      // A layout comes with every state and hardly ever changes: its identity is kept, so that drawings of it are too.
      const before = card?.state?.layout;
      const same = before !== undefined && JSON.stringify(before) === JSON.stringify(state.layout);
      const room: RoomCard = {
        snapshots: [],
        ...card,
        roomId,
        name: state.layout.name,
        centre: state.layout.centre,
        state: same ? { ...state, layout: before } : state,
        heardWallMs,
      };
      return {
        ...next,
        rooms: put(feed.rooms, roomId, room),
        histories: put(feed.histories, roomId, addState(feed.histories.get(roomId), state)),
      };
    }
    case 'snapshot': {
      const { roomId, cameraId, wallMs } = line.body;
      const card = feed.rooms.get(roomId);
      // A picture of a room that was never heard of has no tile to stand on; its state comes within a second.
      if (!card) return next;
      const others = card.snapshots.filter((snapshot) => snapshot.cameraId !== cameraId);
      return { ...next, rooms: put(feed.rooms, roomId, { ...card, snapshots: [...others, { cameraId, wallMs }] }) };
    }
    case 'session':
      return withSession(next, line.body.roomId, line.body.evaluation, line.body.revision);
    case 'beat':
      return next;
  }
}

/**
 * All that are on, asked for anew when the line has opened: what changed before was told to nobody here. `asked` is what
 * was known when the question left; what a line has brought since is newer than the answer.
 */
export function withSessions(feed: DeskFeed, open: readonly EvaluationView[], asked: DeskFeed['sessions']): DeskFeed {
  const answered = new Map(open.map((one) => [one.roomId, one]));
  const sessions = new Map<string, EvaluationView>();
  for (const roomId of new Set([...answered.keys(), ...feed.sessions.keys()])) {
    const [now, answer] = [feed.sessions.get(roomId), answered.get(roomId)];
    const told = now !== asked.get(roomId);
    const newer = now && answer && (now.revision > answer.revision ? now : answer);
    const counts = newer ?? (told ? now : answer);
    if (counts) sessions.set(roomId, counts);
  }
  return { ...feed, sessions };
}

/** Takes a room's evaluation in, unless what is known of it is newer; undefined or ended: none is on, as of `revision`. */
export function withSession(
  feed: DeskFeed,
  roomId: string,
  evaluation: EvaluationView | undefined,
  revision = evaluation?.revision,
): DeskFeed {
  const before = feed.sessions.get(roomId);
  const heard = evaluation?.revision ?? revision;
  if (before && heard !== undefined && before.revision > heard) return feed;
  const sessions = new Map(feed.sessions);
  if (evaluation && evaluation.endedWallMs === undefined) sessions.set(roomId, evaluation);
  else sessions.delete(roomId);
  return { ...feed, sessions };
}

/** Takes an alert in, unless what is known of it is newer. */
export function withAlert(feed: DeskFeed, alert: AlertView): DeskFeed {
  const known = feed.alerts.get(alert.episodeId);
  if (known && known.lastStoredWallMs > alert.lastStoredWallMs) return feed;
  return { ...feed, alerts: pruned(put(feed.alerts, alert.episodeId, alert)) };
}

function pruned(alerts: Map<string, AlertView>): Map<string, AlertView> {
  const closed = [...alerts.values()].filter((alert) => alert.state === 'closed');
  // Pruning in larger bites: one sort per hundred closings, not one per line.
  if (closed.length <= CLOSED_KEPT + 100) return alerts;
  closed.sort((a, b) => b.lastStoredWallMs - a.lastStoredWallMs);
  for (const alert of closed.slice(CLOSED_KEPT)) alerts.delete(alert.episodeId);
  return alerts;
}

function put<K, V>(map: ReadonlyMap<K, V>, key: K, value: V): Map<K, V> {
  return new Map(map).set(key, value);
}
