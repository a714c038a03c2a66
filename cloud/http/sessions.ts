/** The routes of evaluations: each turns a request into one call, which checks access itself. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { InvalidInput } from '../../protocol/errors.ts';
import type { RosterEntry } from '../../protocol/room.ts';
import { requireSupervisor } from '../review/access.ts';
import type { Evaluations } from '../review/evaluations.ts';
import {
  type BeginRequest,
  BIDDER_NAMES_MAX,
  CHOSEN_PHASES,
  PERMIT_KINDS,
  type PermitRequest,
  SEAT_PERMIT_KINDS,
} from './sessions-api.ts';

const LIST_MAX = 200;
const ALERTS_MAX = 500;
const TITLE_MAX = 200;
const SEATS_MAX = 64;
const BIDDERS_MAX = 50;
const MINUTES_MAX = 12 * 60;

type Fields = Readonly<Record<string, unknown>>;

export function routeSessions(app: FastifyInstance, { evaluations }: { readonly evaluations: Evaluations }): void {
  const params = (request: FastifyRequest) => request.params as Readonly<Record<string, string>>;
  const body = (request: FastifyRequest): Fields => {
    // Who asks is answered before what they ask.
    requireSupervisor(request.viewer);
    return (typeof request.body === 'object' && request.body !== null ? request.body : {}) as Fields;
  };

  app.get('/api/sessions', async (request) => {
    const { room, before, limit } = request.query as Readonly<Record<string, string | undefined>>;
    return evaluations.list(request.viewer, {
      limit: Math.min(LIST_MAX, limit === undefined ? 50 : whole(Number(limit), 'limit', 1)),
      ...(room === undefined || room === '' ? {} : { room }),
      ...(before === undefined ? {} : { before: whole(Number(before), 'before', 1) }),
    });
  });
  app.get('/api/sessions/:sessionId', async (request) =>
    evaluations.detail(request.viewer, params(request).sessionId!),
  );
  app.get('/api/sessions/:sessionId/alerts', async (request) => {
    const { before, beforeId, limit } = request.query as Readonly<Record<string, string | undefined>>;
    return evaluations.alerts(request.viewer, params(request).sessionId!, {
      limit: Math.min(ALERTS_MAX, limit === undefined ? 100 : whole(Number(limit), 'limit', 1)),
      ...(before === undefined
        ? {}
        : {
            before: {
              lastStoredWallMs: whole(Number(before), 'before', 1),
              episodeId: text(beforeId, 'beforeId', 200),
            },
          }),
    });
  });
  app.post('/api/rooms/:roomId/session', async (request, reply) => {
    const wanted = beginOf(body(request));
    return reply.code(201).send(await evaluations.begin(request.viewer, params(request).roomId!, wanted));
  });
  app.post('/api/sessions/:sessionId/phase', async (request) => {
    const { phase } = body(request);
    const chosen = CHOSEN_PHASES.find((one) => one === phase);
    if (!chosen) throw wrong('phase');
    return evaluations.phase(request.viewer, params(request).sessionId!, chosen);
  });
  app.post('/api/sessions/:sessionId/permits', async (request, reply) => {
    const wanted = permitOf(body(request));
    return reply.code(201).send(await evaluations.permit(request.viewer, params(request).sessionId!, wanted));
  });
  app.post('/api/sessions/:sessionId/permits/:permitId/revoke', async (request) => {
    const { sessionId, permitId } = params(request);
    return evaluations.revoke(request.viewer, sessionId!, permitId!);
  });
  app.post('/api/sessions/:sessionId/end', async (request) =>
    evaluations.end(request.viewer, params(request).sessionId!),
  );
}

const wrong = (what: string) => new InvalidInput('bad_request', `an evaluation: ${what} is not valid`);

function whole(value: unknown, what: string, min: number, max = Number.MAX_SAFE_INTEGER): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < min || value > max) throw wrong(what);
  return value;
}

/** Trimmed, and fit for a database and for the wire down. */
function text(value: unknown, what: string, max: number, min = 1): string {
  const trimmed = typeof value === 'string' ? value.trim() : '';
  if ((typeof value !== 'string' && value !== undefined) || trimmed.length < min || trimmed.length > max)
    throw wrong(what);
  if (trimmed.includes('\u0000') || !trimmed.isWellFormed()) throw wrong(what);
  return trimmed;
}

function list(value: unknown, what: string, max: number, min = 0): readonly unknown[] {
  if (value === undefined && min === 0) return [];
  if (!Array.isArray(value) || value.length < min || value.length > max) throw wrong(what);
  return value;
}

function beginOf({ title, project, roster, bidders, startWallMs }: Fields): BeginRequest {
  const people = list(roster, 'roster', SEATS_MAX).map((one): RosterEntry => {
    const { seatId, expertId, name } = (one ?? {}) as Fields;
    const called = text(name, 'roster.name', 100, 0);
    return {
      seatId: text(seatId, 'roster.seatId', 64),
      expertId: text(expertId, 'roster.expertId', 100),
      ...(called === '' ? {} : { name: called }),
    };
  });
  if (people.length === 0 || new Set(people.map(({ seatId }) => seatId)).size !== people.length) throw wrong('roster');
  return {
    title: text(title, 'title', TITLE_MAX),
    project: text(project, 'project', TITLE_MAX, 0),
    roster: people,
    bidders: list(bidders, 'bidders', BIDDERS_MAX).map((names) =>
      list(names, 'bidders', BIDDER_NAMES_MAX, 1).map((one) => text(one, 'bidders', 100)),
    ),
    ...(startWallMs === undefined ? {} : { startWallMs: whole(startWallMs, 'startWallMs', 1) }),
  };
}

function permitOf({ kind, seatId, minutes, people }: Fields): PermitRequest {
  const known = PERMIT_KINDS.find((one) => one === kind);
  if (!known) throw wrong('kind');
  return {
    kind: known,
    minutes: whole(minutes, 'minutes', 1, MINUTES_MAX),
    ...(known === 'staff'
      ? { people: people === undefined ? 1 : whole(people, 'people', 1, SEATS_MAX) }
      : SEAT_PERMIT_KINDS.some((one) => one === known)
        ? { seatId: text(seatId, 'seatId', 64) }
        : {}),
  };
}
