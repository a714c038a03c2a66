/** The contract between the cloud's HTTP server and its pages: routes and the shapes of what they answer. */
import type { ClipManifest } from '../../protocol/clip.ts';
import type { Behaviour, Level, Phase, RoomEvent, Sentence } from '../../protocol/event.ts';
import type { LayoutOrder } from '../../protocol/orders.ts';
import type { RoomState } from '../../protocol/stream.ts';
import type { EvaluationView, SessionLine } from './sessions-api.ts';

/** `GET /api/session`. Without a session `user` is absent and everything but setup, login and static pages answers 401. */
export interface SessionView {
  /** No supervisor exists yet: the page asks for the one-time token's name and password. */
  readonly setupNeeded: boolean;
  readonly user?: UserView;
}
export interface UserView {
  readonly userId: string;
  readonly name: string;
  /** `viewer`: looks, and changes nothing. */
  readonly role: 'supervisor' | 'viewer';
}
/** `POST /api/setup`: creates the first supervisor with the one-time token, and a session (cookie). */
export interface SetupRequest {
  readonly token: string;
  readonly name: string;
  readonly password: string;
}
/** `POST /api/login`; `POST /api/logout` takes no body. */
export interface LoginRequest {
  readonly name: string;
  readonly password: string;
}

/** Error body of every refused request. */
export interface ErrorView {
  readonly code: string;
  /** What happened, what is safe, what to do. */
  readonly message: Sentence;
  /** When it is worth another try, ms from now, where that is known. */
  readonly waitMs?: number;
}

/** An alert: the episode folded over its stored events and actions. */
export interface AlertView {
  readonly episodeId: string;
  readonly roomId: string;
  readonly behaviour: Behaviour;
  readonly level: Level;
  readonly seatIds: readonly string[];
  readonly sourceId?: string;
  readonly beganWallMs: number;
  /** Where it had ended and was joined again: when (room) its newest part began. */
  readonly againWallMs?: number;
  /** Wall time (room) of the latest event, and when the cloud stored the first and the latest one. */
  readonly lastWallMs: number;
  readonly firstStoredWallMs: number;
  readonly lastStoredWallMs: number;
  readonly durationMs: number;
  readonly phase: Phase;
  readonly state: 'open' | 'acknowledged' | 'closed';
  readonly verdict?: 'confirmed' | 'false' | 'unclear';
  readonly escalated: boolean;
  /** Words that are only suspected, or that were and were never confirmed. */
  readonly suspected?: true;
  readonly sentence: Sentence;
  readonly fault?: string;
  /** The first evaluation in which something of it was decided; one that began before an evaluation belongs to it too. */
  readonly sessionId?: string;
  /** Clips announced for it; those that have arrived and whose hash was verified are `ready`. */
  readonly clips: readonly { readonly clipId: string; readonly ready: boolean }[];
}

export interface RoomCard {
  readonly roomId: string;
  readonly name: string;
  readonly centre: string;
  /** Newest state heard, absent before the first. */
  readonly state?: RoomState;
  /** Cloud's wall time at which the state arrived; older than 10 s is offline. */
  readonly heardWallMs?: number;
  readonly snapshots: readonly { readonly cameraId: string; readonly wallMs: number }[];
}

/** `GET /api/overview`: everything the first screen needs, and the cursor at which the feed goes on. */
export interface OverviewView {
  readonly serverWallMs: number;
  readonly rooms: readonly RoomCard[];
  /** Open and acknowledged ones (the newest 5,000), and the newest 200 closed ones. */
  readonly alerts: readonly AlertView[];
  /** How many more are open or acknowledged; absent: none. */
  readonly unlisted?: number;
  /** Evaluations that are on. */
  readonly sessions?: readonly EvaluationView[];
  readonly cursor: string;
}

/** A stored event as the feed carries it. */
export interface StoredEvent extends RoomEvent {
  readonly storedWallMs: number;
}

export const ACTION_KINDS = ['acknowledge', 'confirm', 'false', 'unclear', 'escalate', 'close', 'note'] as const;
export type ActionKind = (typeof ACTION_KINDS)[number];

/** What a person did about an alert; stored, immutable, part of the feed. */
export interface ActionView {
  readonly actionId: string;
  readonly episodeId: string;
  readonly kind: ActionKind;
  readonly userName: string;
  readonly wallMs: number;
  readonly note?: string;
}
/** Longest note on an alert, in characters. */
export const NOTE_MAX = 2000;
/** `POST /api/alerts/:episodeId/actions` answers the stored ActionView. */
export interface ActionRequest {
  readonly kind: ActionKind;
  readonly note?: string;
}

/**
 * `GET /api/feed?cursor=…` is a stream of server-sent events. Lines that carry stored rows have an `id:` (the new
 * cursor); EventSource sends it back as Last-Event-ID. Volatile lines have none. A `: beat` comment and a `beat` line
 * come every 5 s so that a dead line is noticed.
 */
export interface FeedLines {
  /** A stored event with the alert folded after it, where it belongs to one. */
  readonly event: { readonly event: StoredEvent; readonly alert?: AlertView };
  readonly action: { readonly action: ActionView; readonly alert: AlertView };
  /** A clip's file has arrived and its hash holds. */
  readonly clip: { readonly clipId: string; readonly episodeId: string; readonly alert: AlertView };
  readonly state: { readonly roomId: string; readonly heardWallMs: number; readonly state: RoomState };
  readonly snapshot: { readonly roomId: string; readonly cameraId: string; readonly wallMs: number };
  /** The evaluation of a room has changed; volatile. */
  readonly session: SessionLine;
  readonly beat: { readonly serverWallMs: number };
}

/** Of an episode that has gone on for hours, so many events of its beginning are read. */
export const EVENTS_FIRST = 50;

/** `GET /api/alerts/:episodeId` */
export interface AlertDetailView {
  readonly alert: AlertView;
  /** Oldest first; of an episode that has gone on for hours the first 50 and the newest 350, and what is no update. */
  readonly events: readonly StoredEvent[];
  /** Updates between those: after the first EVENTS_FIRST events of the episode itself. */
  readonly eventsLeftOut?: number;
  readonly actions: readonly ActionView[];
  readonly clips: readonly { readonly clip: ClipManifest; readonly ready: boolean; readonly storedWallMs?: number }[];
  /** Newest layout of the room, where one was heard. */
  readonly layout?: RoomState['layout'];
  /** Who opened or exported the clips of this alert, newest first. */
  readonly views: readonly { readonly userName: string; readonly wallMs: number; readonly clipId: string }[];
}

/** `GET /api/alerts?room=&before=&limit=` (before: lastStoredWallMs), newest first. */
export interface AlertListView {
  readonly alerts: readonly AlertView[];
}

/** `POST /api/clips/:clipId/view`: writes the entry in the log, then grants the files for ten minutes to this session. */
export interface ClipGrantView {
  readonly clip: ClipManifest;
  readonly mp4Url: string;
  readonly overlayUrl?: string;
  readonly expiresWallMs: number;
}

/** `GET /api/refused`: what rooms sent and the cloud could not store, newest first, and how much there is of it. */
export interface RefusedView {
  readonly refused: readonly RefusedEventView[];
  readonly total: number;
  /** Streams in quarantine: what they still held went on in new ones. */
  readonly quarantined: number;
}
export interface RefusedEventView {
  readonly roomId: string;
  readonly storedWallMs: number;
  /** Stable, see docs/errors.md and docs/protocol.md. */
  readonly code: string;
  readonly reason: string;
  /** The bytes as text, cut off after 4,000 characters. */
  readonly payload: string;
}

/** `GET /api/log?before=SEQ&limit=`: the append-only log, newest first. */
export interface LogView {
  readonly entries: readonly LogEntryView[];
  /** False when a recomputed hash differs: the log was tampered with. */
  readonly chainHolds: boolean;
}
export interface LogEntryView {
  readonly seq: number;
  readonly wallMs: number;
  readonly actor: string;
  readonly action: string;
  readonly object: string;
  readonly hash: string;
}

/** `GET /api/rooms/:roomId/snapshot/:cameraId` answers image/jpeg. */

/**
 * `POST /api/rooms/:roomId/picture/:cameraId` asks the box for a larger one of this moment and answers image/jpeg, with this header:
 * the cloud's wall time at which the camera showed it. Logged as a view; 503 `picture_silent` where the box does not answer, 429
 * `picture_often` with `waitMs` where the same person has asked this room too often.
 */
export const PICTURE_AGE = 'evalroom-shown-wall-ms';

/** `POST /api/clips/:clipId/export` answers video/mp4: a copy with blurred heads, logged, made anew each time; not the evidence. */

/**
 * `GET /api/rooms/:roomId/layout`: what is ordered; without `layout` the box runs by its own room.yaml. `POST` {layout, was}
 * orders another one (null: none) and answers the same; `was` is the tag of the answer that it was made from, and where another
 * layout is ordered by now, nothing is changed: 409 `layout_changed`.
 */
export interface LayoutView {
  readonly revision: number;
  readonly layout?: LayoutOrder;
  /** Tells this layout from any other; '' where none is ordered. */
  readonly tag: string;
}

/** `GET /healthz`, without a session: no ids, no names. 503 when `ok` is false. */
export interface HealthView {
  readonly ok: boolean;
  readonly broker: { readonly running: boolean; readonly restarts: number };
  readonly ingest: Readonly<Record<string, number | boolean>>;
  readonly feedLines: number;
  /** Boxes that wait for orders, and those that were told to come back since too many waited. */
  readonly orders?: { readonly waiting: number; readonly turnedAway: number };
}

/** `GET /api/devices`; `POST /api/devices` {deviceId, roomId} answers the secret once, for a box on the cloud's own machine. */
export interface DevicesView {
  readonly devices: readonly {
    readonly deviceId: string;
    readonly roomId: string;
    readonly addedWallMs: number;
    /** The newest certificate that is not revoked; absent for a box with a secret, or one whose certificate has expired. */
    readonly certificate?: { readonly serial: string; readonly issuedWallMs: number; readonly notAfterWallMs: number };
    /** The box's certificate was seen at two machines within the last week; `wallMs` is the last time. */
    readonly fault?: { readonly code: 'certificate_cloned'; readonly wallMs: number; readonly words: string };
  }[];
}
/** `POST /api/devices/codes` {deviceId, roomId}: a one-time code for `evalroom enroll`, shown once. */
export interface DeviceCodeView {
  readonly deviceId: string;
  readonly roomId: string;
  readonly code: string;
  readonly expiresWallMs: number;
}
/** `POST /api/devices/:deviceId/revoke` {reason}: for good; answers 204. */
export interface DeviceSecretView {
  readonly deviceId: string;
  readonly roomId: string;
  readonly secret: string;
}
