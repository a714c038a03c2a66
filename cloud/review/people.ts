/** People of the desk: supervisors add and disable them, one-time links let them choose a password; every step is in the log. */
import { randomUUID } from 'node:crypto';
import { Forbidden, InvalidInput } from '../../protocol/errors.ts';
import type { Clock } from '../../protocol/time.ts';
import type { UserView } from '../http/api.ts';
import type {
  AcceptRequest,
  AddPersonRequest,
  InvitationView,
  PasswordRequest,
  PersonLinkView,
  PersonView,
} from '../http/people-api.ts';
import type { Store } from '../store/store.ts';
import { requireSupervisor, requireViewer, type Viewer } from './access.ts';
import { checkName, checkPassword, hashPassword, newToken, passwordMatches, tokenId } from './passwords.ts';
import type { Sessions } from './sessions.ts';

/** How long a one-time link may wait for its person. */
const LINK_MS = 72 * 3_600_000;

type Who = Viewer | undefined;

export interface People {
  list(who: Who): Promise<readonly PersonView[]>;
  /** Throws InvalidInput `name_empty`, `name_long`, `name_reserved`, `name_taken`. */
  add(who: Who, request: AddPersonRequest): Promise<PersonLinkView>;
  /** A new link, the older ones end. Throws InvalidInput `person_unknown`, `person_disabled`. */
  link(who: Who, userId: string): Promise<PersonLinkView>;
  /** Ends the person's sessions and live lines at once. Throws InvalidInput `person_unknown`, `last_supervisor`, `own_account`. */
  disable(who: Who, userId: string): Promise<PersonView>;
  enable(who: Who, userId: string): Promise<PersonView>;
  /** Without a session: the link is the proof. Throws Forbidden `link_invalid`. */
  invitation(token: string): Promise<InvitationView>;
  /** Without a session; begins one. Throws Forbidden `link_invalid`. */
  accept(request: AcceptRequest): Promise<{ readonly cookie: string; readonly user: UserView }>;
  /** The own one. Throws Forbidden `password_wrong`. */
  changePassword(who: Who, request: PasswordRequest): Promise<void>;
}

export function createPeople(parts: {
  readonly store: Store;
  readonly sessions: Pick<Sessions, 'begin' | 'ended'>;
  readonly clock: Clock;
}): People {
  const { store, sessions, clock } = parts;
  const newLink = () => {
    const token = newToken();
    const expiresWallMs = clock.wallMs() + LINK_MS;
    return { token, expiresWallMs, row: { tokenId: tokenId(token), expiresWallMs } };
  };
  const invalid = () =>
    new Forbidden(
      'link_invalid',
      'opening a one-time link: it is wrong, used or expired; ask a supervisor for a new one',
    );

  return {
    async list(who) {
      requireSupervisor(who);
      return store.staff.list(clock.wallMs());
    },
    async add(who, { name, role }) {
      const { user } = requireSupervisor(who);
      const called = checkName(name);
      const { token, expiresWallMs, row } = newLink();
      const by = { actor: user.name, wallMs: clock.wallMs() };
      const person = await store.staff.invite({ userId: randomUUID(), name: called, role }, row, by);
      return { person, token, expiresWallMs };
    },
    async link(who, userId) {
      const { user } = requireSupervisor(who);
      const { token, expiresWallMs, row } = newLink();
      const person = await store.staff.offerLink(userId, row, { actor: user.name, wallMs: clock.wallMs() });
      return { person, token, expiresWallMs };
    },
    async disable(who, userId) {
      const { user } = requireSupervisor(who);
      if (userId === user.userId)
        throw new InvalidInput(
          'own_account',
          `disabling ${userId}: nobody disables themselves; ask another supervisor`,
        );
      const { person, ended } = await store.staff.disable(userId, { actor: user.name, wallMs: clock.wallMs() });
      sessions.ended(ended);
      return person;
    },
    async enable(who, userId) {
      const { user } = requireSupervisor(who);
      return store.staff.enable(userId, { actor: user.name, wallMs: clock.wallMs() });
    },
    async invitation(token) {
      const user = await store.staff.link(tokenId(token), clock.wallMs());
      if (!user) throw invalid();
      return { name: user.name, role: user.role };
    },
    async accept({ token, password }) {
      checkPassword(password);
      const id = tokenId(token);
      // Before the work of hashing: whoever has no link must not cost it.
      if (!(await store.staff.link(id, clock.wallMs()))) throw invalid();
      const done = await store.staff.accept(id, await hashPassword(password), clock.wallMs());
      if (!done) throw invalid();
      sessions.ended(done.ended);
      return sessions.begin(done.user);
    },
    async changePassword(who, { password, next }) {
      const { user, sessionId } = requireViewer(who);
      checkPassword(next);
      const known = await store.userByName(user.name);
      if (!known || !(await passwordMatches(password, known.password))) {
        const entry = { wallMs: clock.wallMs(), actor: user.name, action: 'password_refused', object: user.userId };
        await store.appendLog(entry);
        throw new Forbidden('password_wrong', 'changing the password: the present one is wrong');
      }
      const by = { actor: user.name, wallMs: clock.wallMs() };
      sessions.ended(await store.staff.setPassword(user.userId, await hashPassword(next), sessionId, by));
    },
  };
}
