/** What people may do about evaluations: begin one, say its phase, give and take back permits, end it. Access is the first line of each. */
import { randomUUID } from 'node:crypto';
import { InvalidInput } from '../../protocol/errors.ts';
import type { Clock } from '../../protocol/time.ts';
import type {
  BeginRequest,
  ChosenPhase,
  EvaluationDetailView,
  EvaluationsView,
  EvaluationView,
  PermitRequest,
  SessionAlertsView,
} from '../http/sessions-api.ts';
import type { Rooms } from '../ingest/rooms.ts';
import type { EvaluationChange } from '../store/evaluations.ts';
import type { SessionAlertsQuery, Store } from '../store/store.ts';
import { requireSupervisor, requireViewer, type Viewer } from './access.ts';
import { begun, type Doing, ended, permitted, phased, revoked } from './evaluation.ts';
import type { Orders } from './orders.ts';

type Who = Viewer | undefined;

export interface Evaluations {
  list(
    who: Who,
    query: { readonly room?: string; readonly before?: number; readonly limit: number },
  ): Promise<EvaluationsView>;
  detail(who: Who, sessionId: string): Promise<EvaluationDetailView>;
  /** A page of the alerts of an evaluation, open or not, newest first, and how many there are in all. */
  alerts(
    who: Who,
    sessionId: string,
    page: Omit<SessionAlertsQuery, 'sessionId' | 'roomId'>,
  ): Promise<SessionAlertsView>;
  /** Throws InvalidInput `room_unknown`, `seat_unknown`, `session_open`. */
  begin(who: Who, roomId: string, request: BeginRequest): Promise<EvaluationView>;
  phase(who: Who, sessionId: string, phase: ChosenPhase): Promise<EvaluationView>;
  permit(who: Who, sessionId: string, request: PermitRequest): Promise<EvaluationView>;
  revoke(who: Who, sessionId: string, permitId: string): Promise<EvaluationView>;
  end(who: Who, sessionId: string): Promise<EvaluationView>;
  /** The open ones of these rooms, in one query, for the program itself. */
  ofRooms(roomIds: readonly string[]): Promise<readonly EvaluationView[]>;
}

export function createEvaluations(parts: {
  readonly store: Pick<Store, 'evaluations' | 'devices' | 'sessionAlerts'>;
  readonly rooms: Pick<Rooms, 'layout'>;
  readonly orders: Pick<Orders, 'ordered'>;
  readonly clock: Clock;
}): Evaluations {
  const { store, rooms, orders, clock } = parts;
  const change = async (
    who: Who,
    sessionId: string,
    next: (before: EvaluationView, doing: Doing) => EvaluationChange,
  ) => {
    const { user } = requireSupervisor(who);
    const doing = { by: user.name, wallMs: clock.wallMs() };
    const evaluation = await store.evaluations.change(sessionId, (before) => next(before, doing), {
      actor: user.name,
      wallMs: doing.wallMs,
    });
    if (!evaluation) throw new InvalidInput('not_found', `changing evaluation ${sessionId}: there is none`);
    orders.ordered(evaluation.roomId, evaluation.revision);
    return evaluation;
  };
  /** Only where the room was heard: a box that is off yet may be given an evaluation all the same. */
  const checkSeats = (roomId: string, seatIds: readonly string[]) => {
    const known = rooms.layout(roomId)?.seats;
    const stranger = known && seatIds.find((seatId) => !known.some((seat) => seat.seatId === seatId));
    if (stranger !== undefined)
      throw new InvalidInput('seat_unknown', `room ${roomId} has no seat ${stranger}: choose one of its layout`);
  };

  return {
    async list(who, { room, before, limit }) {
      requireViewer(who);
      const [open, past] = await Promise.all([
        store.evaluations.open(room === undefined ? undefined : [room]),
        store.evaluations.past({
          limit,
          ...(room === undefined ? {} : { roomId: room }),
          ...(before === undefined ? {} : { beforeWallMs: before }),
        }),
      ]);
      return { open, past };
    },
    async detail(who, sessionId) {
      requireViewer(who);
      const evaluation = await store.evaluations.find(sessionId);
      if (!evaluation) throw new InvalidInput('not_found', `looking for evaluation ${sessionId}: there is none`);
      return { evaluation, steps: await store.evaluations.steps(sessionId) };
    },
    async alerts(who, sessionId, page) {
      requireViewer(who);
      const evaluation = await store.evaluations.find(sessionId);
      if (!evaluation) throw new InvalidInput('not_found', `looking for evaluation ${sessionId}: there is none`);
      return store.sessionAlerts({ ...page, sessionId, roomId: evaluation.roomId });
    },
    async begin(who, roomId, request) {
      const { user } = requireSupervisor(who);
      const known = rooms.layout(roomId) ?? (await store.devices()).find((device) => device.roomId === roomId);
      if (!known) throw new InvalidInput('room_unknown', `beginning an evaluation: no box of room ${roomId} is known`);
      checkSeats(
        roomId,
        request.roster.map(({ seatId }) => seatId),
      );
      const doing = { by: user.name, wallMs: clock.wallMs() };
      const first = begun(request, { sessionId: randomUUID(), roomId }, doing);
      const evaluation = await store.evaluations.begin(first, { actor: user.name, wallMs: doing.wallMs });
      orders.ordered(evaluation.roomId, evaluation.revision);
      return evaluation;
    },
    phase: (who, sessionId, phase) => change(who, sessionId, (before, doing) => phased(before, phase, doing)),
    async permit(who, sessionId, request) {
      requireSupervisor(who);
      const permitId = randomUUID();
      return change(who, sessionId, (before, doing) => {
        checkSeats(before.roomId, request.seatId === undefined ? [] : [request.seatId]);
        return permitted(before, request, permitId, doing);
      });
    },
    revoke: (who, sessionId, permitId) => change(who, sessionId, (before, doing) => revoked(before, permitId, doing)),
    end: (who, sessionId) => change(who, sessionId, ended),
    ofRooms: (roomIds) => store.evaluations.open(roomIds),
  };
}
