/** Beside api.ts: evaluations of rooms as the pages see them, and what the routes about them take. */
import type { RosterEntry } from '../../protocol/room.ts';
import type { Permit, SessionPhase } from '../../protocol/session.ts';
import type { AlertView } from './api.ts';

/** Names that one bidder may have: its own and its short forms. */
export const BIDDER_NAMES_MAX = 10;

export interface PermitView extends Permit {
  readonly givenBy: string;
  readonly givenWallMs: number;
  /** Taken back before its time. */
  readonly revokedWallMs?: number;
}

/** One evaluation in one room. */
export interface EvaluationView {
  readonly sessionId: string;
  readonly roomId: string;
  readonly title: string;
  /** Number of the project in the trading system; may be empty. */
  readonly project: string;
  readonly roster: readonly RosterEntry[];
  /** Names of each bidder, its short forms after it. */
  readonly bidders: readonly (readonly string[])[];
  /** When everybody has to be seated. */
  readonly startWallMs: number;
  readonly begunWallMs: number;
  readonly begunBy: string;
  readonly endedWallMs?: number;
  readonly phase: SessionPhase;
  readonly phaseSinceWallMs: number;
  /** Those that count or will count, and the newest that are over. */
  readonly permits: readonly PermitView[];
  /** Of the orders that carry it as it is now: a box whose state names this revision or a later one has taken it. */
  readonly revision: number;
}

/** What was done, by whom and when; steps are never changed. */
export interface StepView {
  readonly n: number;
  readonly wallMs: number;
  readonly actor: string;
  readonly what: 'begin' | 'phase' | 'permit' | 'revoke' | 'end';
  readonly phase?: SessionPhase;
  readonly permit?: Permit;
}

/** `GET /api/sessions?room=&before=&limit=`: open ones, and those that have ended (before: begunWallMs), newest first. */
export interface EvaluationsView {
  readonly open: readonly EvaluationView[];
  readonly past: readonly EvaluationView[];
}
/**
 * `GET /api/sessions/:sessionId/alerts?before=&beforeId=&limit=`: newest first; before and beforeId are lastStoredWallMs and
 * episodeId of the last one of the page before.
 */
export interface SessionAlertsView {
  readonly alerts: readonly AlertView[];
  /** How many the evaluation has in all. */
  readonly total: number;
}
/** `GET /api/sessions/:sessionId`. */
export interface EvaluationDetailView {
  readonly evaluation: EvaluationView;
  readonly steps: readonly StepView[];
}

/** `POST /api/rooms/:roomId/session`: begins; 409 `session_open` while another one of the room is on. */
export interface BeginRequest {
  readonly title: string;
  readonly project?: string;
  readonly roster: readonly RosterEntry[];
  readonly bidders?: readonly (readonly string[])[];
  /** Absent: now. */
  readonly startWallMs?: number;
}
/** Phases that a supervisor can choose; `POST /api/sessions/:sessionId/phase` {phase}; `…/end` takes no body. */
export const CHOSEN_PHASES = ['evaluating', 'discussion', 'signature', 'break', 'paused', 'submitted'] as const;
export type ChosenPhase = (typeof CHOSEN_PHASES)[number];

export const PERMIT_KINDS = ['absence', 'escorted', 'help', 'call', 'staff', 'maintenance'] as const;
/** Those of a seat; the others are for the room. */
export const SEAT_PERMIT_KINDS = ['absence', 'escorted', 'help', 'call'] as const;
/** `POST /api/sessions/:sessionId/permits`; `POST …/permits/:permitId/revoke` takes no body. */
export interface PermitRequest {
  readonly kind: (typeof PERMIT_KINDS)[number];
  /** Not for `staff` and `maintenance`, which are for the room. */
  readonly seatId?: string;
  readonly minutes: number;
  readonly people?: number;
}

/** Line `session` of the feed, volatile: the room's open evaluation as it is now; absent: none is on. */
export interface SessionLine {
  readonly roomId: string;
  /** Of the room's orders when this was looked up: that none is on says nothing against an evaluation of a later one. */
  readonly revision: number;
  readonly evaluation?: EvaluationView;
}
