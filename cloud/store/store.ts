/** What the rest of the cloud knows of its database: one interface over SQLite and PostgreSQL, no SQL in it. */
import type { ClipManifest } from '../../protocol/clip.ts';
import type { RoomEvent } from '../../protocol/event.ts';
import type { RoomOrders } from '../../protocol/orders.ts';
import type { Ack, Lane } from '../../protocol/stream.ts';
import type { WordDays } from '../../protocol/words.ts';
import type { ActionKind, ActionView, AlertView, LogEntryView, StoredEvent, UserView } from '../http/api.ts';
import type { EvaluationStore } from './evaluations.ts';
import type { IdentityStore } from './identity.ts';
import type { OrderChange } from './orders.ts';
import type { StaffStore } from './people-desk.ts';
import type { RulesStore } from './rules.ts';
import type { OverlayFile, WordsGone } from './words.ts';

/** An event that can never be stored; it takes its place in the stream all the same, so that the stream goes on. */
export interface Rejection {
  readonly seq: number;
  readonly code: string;
  readonly reason: string;
  /** The refused event as JSON without U+0000 and half surrogates. */
  readonly json: string;
}

/** What one payload on an events topic came to. The room is the topic's. */
export interface Delivery {
  readonly roomId: string;
  readonly streamId: string;
  readonly lane: Lane;
  readonly good: readonly RoomEvent[];
  readonly bad: readonly Rejection[];
}

export interface IngestOutcome {
  /** To be published after the commit, one per room and stream of the deliveries. */
  readonly acks: readonly { readonly roomId: string; readonly ack: Ack }[];
  readonly stored: number;
  /** Events that were there already: resends. */
  readonly repeated: number;
  readonly rejected: number;
  /** Streams that this call put into quarantine. */
  readonly quarantined: readonly { readonly streamId: string; readonly roomId: string; readonly reason: string }[];
}

/** A payload of which not even stream and seq could be read: kept (bounded per room), never acked. */
export interface Unreadable {
  readonly roomId: string;
  readonly code: string;
  readonly reason: string;
  readonly payload: string;
}

/** A place in the feed: all of `pos`, and of the row after it everything up to `seq` (0: nothing). */
export interface Position {
  readonly pos: number;
  readonly seq: number;
}

export type FeedItem = { readonly position: Position; readonly cursor: string } & (
  | { readonly kind: 'event'; readonly event: StoredEvent; readonly alert?: AlertView }
  | { readonly kind: 'action'; readonly action: ActionView; readonly alert: AlertView }
  | { readonly kind: 'clip'; readonly clipId: string; readonly episodeId: string; readonly alert: AlertView }
);

export interface FeedPage {
  readonly items: readonly FeedItem[];
  /** Where the page ends; its items may be none although it moved. */
  readonly position: Position;
  /** True when more is stored beyond it. */
  readonly more: boolean;
}

export interface AlertDetail {
  readonly alert: AlertView;
  readonly events: readonly StoredEvent[];
  /** Updates between the first and the newest ones that are not among them. */
  readonly eventsLeftOut?: number;
  readonly actions: readonly ActionView[];
  readonly clips: readonly { readonly clip: ClipManifest; readonly ready: boolean; readonly storedWallMs?: number }[];
  readonly views: readonly { readonly userName: string; readonly wallMs: number; readonly clipId: string }[];
}

export interface StoredClip {
  readonly clip: ClipManifest;
  /** Files that have arrived. */
  readonly files: readonly {
    readonly name: string;
    readonly sha256: string;
    readonly bytes: number;
    readonly storedWallMs: number;
  }[];
}

export interface LogEntry {
  readonly wallMs: number;
  /**
   * Name of a user, `device:<id>`, `claims:<id>` for who is not believed, `cloud` for what it does by itself, `console` for
   * its command line, `unknown` or `many`.
   */
  readonly actor: string;
  /** One word or two with `_`: login, view_clip … */
  readonly action: string;
  readonly object: string;
}

export interface UserRow extends UserView {
  readonly password: string;
}

export interface DeviceRow {
  readonly deviceId: string;
  readonly roomId: string;
  readonly secretHash: string;
  readonly addedWallMs: number;
}

/** A page of an evaluation's alerts: those behind `before`, in the order of the list. */
export interface SessionAlertsQuery {
  readonly sessionId: string;
  readonly roomId: string;
  readonly before?: Pick<AlertView, 'lastStoredWallMs' | 'episodeId'>;
  readonly limit: number;
}

/** What was refused, newest first, with all counts. */
export interface Refusals {
  readonly rows: readonly {
    readonly roomId: string;
    readonly streamId: string | null;
    readonly seq: number | null;
    readonly code: string;
    readonly reason: string;
    readonly payload: string;
    readonly storedWallMs: number;
  }[];
  readonly total: number;
  /** Streams in quarantine. */
  readonly quarantined: number;
}

/** What retention knew of the clock when it looked last. */
export interface RetentionClock {
  readonly wallMs: number;
  /** How long the clock still has to run evenly before anything leaves on its word. */
  readonly doubtMs: number;
}

/** What a round of retention took out; `files` are the SHA-256 of clip files that no clip names any more. */
export interface Retired {
  readonly events: number;
  readonly alerts: number;
  readonly clips: number;
  readonly files: readonly string[];
}

/** Every method is one transaction. Throws Unavailable (retry), Full, Corrupt, InvalidInput; never loses silently. */
export interface Store {
  readonly driver: 'sqlite' | 'postgres';
  /** Signs clip grants; the same for all workers on one database. */
  readonly grantKey: string;

  /** Stores what can be stored, verifies what is there, moves each stream's `through` and folds the alerts. */
  ingest(deliveries: readonly Delivery[], storedWallMs: number): Promise<IngestOutcome>;
  /** `through` of those of the streams that are known, infinite for one in quarantine: whether events follow what is stored. */
  reached(streamIds: readonly string[]): Promise<ReadonlyMap<string, number>>;
  /** Calls `heard` soon after a commit of any process that added to the feed, where the database tells. Returns how to stop. */
  watchFeed(heard: () => void): () => Promise<void>;
  keepUnreadable(unreadable: Unreadable, storedWallMs: number): Promise<void>;
  /** Counts for tests and benchmarks: reads the whole store. */
  counts(): Promise<{
    readonly events: number;
    readonly rejected: number;
    readonly streams: number;
    readonly quarantined: number;
  }>;
  /** The newest refusals. */
  rejections(limit: number): Promise<Refusals['rows']>;
  /** The same, with how many there are and how many streams are in quarantine. */
  refusals(limit: number): Promise<Refusals>;

  /** Throws InvalidInput `cursor_unknown` for text that is no cursor of this store. */
  parseCursor(cursor: string): Position;
  cursorOf(position: Position): string;
  head(): Promise<Position>;
  /** At most about 500 events beyond `position`. Throws InvalidInput `cursor_unknown` when that place does not exist. */
  since(position: Position): Promise<FeedPage>;
  /** Open and acknowledged alerts (the newest 5,000), the newest 200 closed ones, and the head, on one snapshot. */
  overview(): Promise<{
    readonly alerts: readonly AlertView[];
    /** Open and acknowledged ones beyond those. */
    readonly unlisted: number;
    readonly cursor: string;
  }>;
  /** How many alerts nobody has closed, by their state. */
  toJudge(): Promise<{ readonly open: number; readonly acknowledged: number }>;
  alerts(query: {
    readonly roomId?: string;
    readonly beforeWallMs?: number;
    readonly limit: number;
  }): Promise<readonly AlertView[]>;
  /** Alerts of one evaluation in its own room, newest first, and how many there are in all. */
  sessionAlerts(query: SessionAlertsQuery): Promise<{ readonly alerts: readonly AlertView[]; readonly total: number }>;
  alert(episodeId: string): Promise<AlertDetail | undefined>;

  /** Stores what a person did, folds it, writes it into the log. Undefined when there is no such alert. */
  act(
    action: {
      readonly actionId: string;
      readonly episodeId: string;
      readonly kind: ActionKind;
      readonly note?: string;
      readonly wallMs: number;
    },
    user: UserView,
  ): Promise<ActionView | undefined>;

  /** When the newest thing was stored, by the clock of that time; undefined in an empty store. */
  newestWallMs(): Promise<number | undefined>;
  /**
   * Takes out what was stored before `beforeWallMs`: feed, events, closed alerts with their actions and clips, refusals.
   * An alert that nobody has closed stays with its events and clips. In slices, at most a day's worth of the feed at
   * once (a wrong clock is then seen before it has cost much); the log gets one entry. The streams and
   * the log itself stay for ever, so that a replay of what is gone is still known as stored.
   */
  retire(policy: { readonly beforeWallMs: number; readonly wallMs: number }): Promise<Retired>;
  /**
   * Takes spoken words out of what was stored longer ago than the days of their class: events, their alerts, refused payloads.
   * All else of them stays, and they say so. Words of an alert that nobody has closed stay. In slices, of each class at
   * most a day's worth at once. A resend does not bring words back.
   */
  removeWords(policy: { readonly days: WordDays; readonly wallMs: number }): Promise<WordsGone>;
  /** Overlays stored before `beforeWallMs` that nobody has looked into for words, oldest first; none of an alert that is not closed. */
  overlays(query: {
    readonly beforeWallMs: number;
    readonly after?: OverlayFile;
    readonly limit: number;
  }): Promise<readonly OverlayFile[]>;
  /** The clip's overlay is now the file `by`, in which no words stand; the manifest still names what the box announced. */
  overlayEmptied(overlay: OverlayFile, by: { readonly sha256: string; readonly bytes: number }): Promise<void>;
  /** No words stand in the clip's overlay (any more), and no other file of it is left. */
  overlayLooked(clipId: string, wallMs: number): Promise<void>;
  /** Undefined where retention has never looked. */
  retentionClock(): Promise<RetentionClock | undefined>;
  keepRetentionClock(clock: RetentionClock): Promise<void>;

  clip(clipId: string): Promise<StoredClip | undefined>;
  /** A verified file is on disk: into the feed, once. False when it was there before. */
  clipFileArrived(file: {
    readonly clipId: string;
    readonly name: string;
    readonly sha256: string;
    readonly bytes: number;
    readonly storedWallMs: number;
  }): Promise<boolean>;

  users(): Promise<number>;
  userByName(name: string): Promise<UserRow | undefined>;
  /** Uses the token up and adds the first user, or says why not; one transaction. */
  setUpFirstUser(user: UserRow, tokenId: string, wallMs: number): Promise<'done' | 'token_invalid' | 'already_set_up'>;
  /** Replaces every unused setup token by this one. */
  offerSetupToken(tokenId: string, expiresWallMs: number): Promise<void>;
  beginSession(session: {
    readonly sessionId: string;
    readonly userId: string;
    readonly begunWallMs: number;
    readonly expiresWallMs: number;
  }): Promise<void>;
  session(sessionId: string, wallMs: number): Promise<UserView | undefined>;
  endSession(sessionId: string): Promise<void>;
  /** People of the desk: invited, disabled, their links and passwords. */
  readonly staff: StaffStore;

  /** Throws InvalidInput `device_exists` when the id is taken by another room; the same room gets its secret replaced. */
  putDevice(device: DeviceRow, by: string): Promise<void>;
  devices(): Promise<readonly DeviceRow[]>;
  device(deviceId: string): Promise<DeviceRow | undefined>;

  /** Codes and certificates of devices. */
  readonly identity: IdentityStore;

  /** What the room is to do; revision 0 where nothing was ever ordered. */
  orders(roomId: string): Promise<RoomOrders>;
  /** Replaces parts, raises the revision, writes `by` into the log. Throws InvalidInput `orders_large`. */
  order(roomId: string, change: OrderChange, by: LogEntry): Promise<RoomOrders>;
  /** Of every room that was ever given orders. */
  orderRevisions(): Promise<ReadonlyMap<string, number>>;
  /** Evaluations: phases, permits, their history. */
  readonly evaluations: EvaluationStore;

  /** Versions of rule packs, and where they were published. */
  readonly rules: RulesStore;

  appendLog(entry: LogEntry): Promise<void>;
  log(query: { readonly beforeSeq?: number; readonly limit: number }): Promise<readonly LogEntryView[]>;
  /** Recomputes every hash from the first entry. */
  chainHolds(): Promise<boolean>;

  close(): Promise<void>;
}
