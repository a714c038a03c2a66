/** The routes about people: each turns a request into one call, which checks access itself; links of invited people need no session. */
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteShorthandOptions } from 'fastify';
import { InvalidInput } from '../../protocol/errors.ts';
import { requireSupervisor, requireViewer } from '../review/access.ts';
import type { People } from '../review/people.ts';
import type { SessionView } from './api.ts';
import { type PeopleView, ROLES } from './people-api.ts';

/** Longer than any token or password that is taken. */
const TEXT_MAX = 1200;

export function routePeople(
  app: FastifyInstance,
  parts: {
    readonly staff: People;
    /** Slows guessing down. */
    readonly guarded: RouteShorthandOptions;
    readonly setCookie: (reply: FastifyReply, value: string) => unknown;
  },
): void {
  const { staff, guarded, setCookie } = parts;
  const userId = (request: FastifyRequest) => (request.params as { userId: string }).userId;
  const fields = (request: FastifyRequest) =>
    (typeof request.body === 'object' && request.body !== null ? request.body : {}) as Readonly<
      Record<string, unknown>
    >;

  app.get('/api/people', async (request): Promise<PeopleView> => ({ people: await staff.list(request.viewer) }));
  app.post('/api/people', async (request, reply) => {
    // Who asks is answered before what they ask.
    requireSupervisor(request.viewer);
    const { name, role } = fields(request);
    const known = ROLES.find((one) => one === role);
    if (!known) throw new InvalidInput('bad_request', 'inviting a person: role is not valid');
    return reply.code(201).send(await staff.add(request.viewer, { name: text(name), role: known }));
  });
  app.post('/api/people/:userId/link', async (request) => staff.link(request.viewer, userId(request)));
  app.post('/api/people/:userId/disable', async (request) => staff.disable(request.viewer, userId(request)));
  app.post('/api/people/:userId/enable', async (request) => staff.enable(request.viewer, userId(request)));
  app.post('/api/password', guarded, async (request, reply) => {
    requireViewer(request.viewer);
    const { password, next } = fields(request);
    await staff.changePassword(request.viewer, { password: text(password), next: text(next) });
    return reply.code(204).send();
  });

  app.post('/api/invitation', guarded, async (request) => staff.invitation(text(fields(request).token)));
  app.post('/api/invitation/accept', guarded, async (request, reply): Promise<SessionView> => {
    const { token, password } = fields(request);
    const { cookie, user } = await staff.accept({ token: text(token), password: text(password) });
    setCookie(reply, cookie);
    return { setupNeeded: false, user };
  });
}

function text(value: unknown): string {
  if (typeof value !== 'string' || value.length > TEXT_MAX)
    throw new InvalidInput('bad_request', 'a person: a field is missing or too long');
  return value;
}
