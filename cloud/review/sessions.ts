/** People come in: the first supervisor by a one-time token, later ones by password; every step is in the log. */
import { randomUUID } from 'node:crypto';
import { Forbidden } from '../../protocol/errors.ts';
import type { Clock } from '../../protocol/time.ts';
import type { LoginRequest, SessionView, SetupRequest, UserView } from '../http/api.ts';
import type { Store } from '../store/store.ts';
import { requireViewer, type Viewer } from './access.ts';
import { checkName, checkPassword, hashPassword, newToken, passwordMatches, tokenId } from './passwords.ts';

export const SESSION_MS = 12 * 3_600_000;
const SETUP_TOKEN_MS = 24 * 3_600_000;

export interface Sessions {
  /** The person behind a cookie's value. */
  viewer(cookie: string | undefined): Promise<Viewer | undefined>;
  view(viewer: Viewer | undefined): Promise<SessionView>;
  setUp(request: SetupRequest): Promise<{ readonly cookie: string; readonly user: UserView }>;
  logIn(request: LoginRequest): Promise<{ readonly cookie: string; readonly user: UserView }>;
  logOut(viewer: Viewer | undefined): Promise<void>;
  /** A session for somebody who has proven who they are. Returns the cookie's value. */
  begin(user: UserView): Promise<{ readonly cookie: string; readonly user: UserView }>;
  /** Sessions that somebody else has ended in the store. */
  ended(sessionIds: readonly string[]): void;
  /** Called with the sessions that this process has ended, at once. */
  onEnd(listener: (sessionIds: readonly string[]) => void): void;
  /** A fresh one-time token where no supervisor exists yet, else undefined. Shown once, kept as a hash. */
  offerSetup(): Promise<string | undefined>;
}

export function createSessions({ store, clock }: { readonly store: Store; readonly clock: Clock }): Sessions {
  const begin = async (user: UserView) => {
    const cookie = newToken();
    const begunWallMs = clock.wallMs();
    await store.beginSession({
      sessionId: tokenId(cookie),
      userId: user.userId,
      begunWallMs,
      expiresWallMs: begunWallMs + SESSION_MS,
    });
    return { cookie, user };
  };
  const listeners: ((sessionIds: readonly string[]) => void)[] = [];
  const ended = (sessionIds: readonly string[]) => {
    for (const listener of listeners) listener(sessionIds);
  };
  return {
    begin,
    ended,
    onEnd: (listener) => void listeners.push(listener),
    async viewer(cookie) {
      if (cookie === undefined || cookie === '') return undefined;
      const sessionId = tokenId(cookie);
      const user = await store.session(sessionId, clock.wallMs());
      return user && { user, sessionId };
    },
    async view(viewer) {
      return { setupNeeded: (await store.users()) === 0, ...(viewer ? { user: viewer.user } : {}) };
    },
    async setUp({ token, name, password }) {
      checkPassword(password);
      const user: UserView = { userId: randomUUID(), name: checkName(name), role: 'supervisor' };
      const row = { ...user, password: await hashPassword(password) };
      const done = await store.setUpFirstUser(row, tokenId(token), clock.wallMs());
      if (done === 'already_set_up')
        throw new Forbidden('already_set_up', 'setting up: a supervisor exists already; log in instead');
      if (done === 'token_invalid')
        throw new Forbidden(
          'token_invalid',
          'setting up: the one-time token is wrong, used or expired; restart the cloud for a new one',
        );
      return begin(user);
    },
    async logIn({ name, password }) {
      const found = await store.userByName(name.trim());
      const matches = await passwordMatches(password, found?.password);
      // What was typed as a name may be a password by mistake: only names that exist go into the log.
      const entry = { wallMs: clock.wallMs(), actor: found?.name ?? 'unknown' };
      if (!found || !matches) {
        await store.appendLog({ ...entry, action: 'login_refused', object: '' });
        throw new Forbidden('login_refused', 'logging in: name or password is wrong');
      }
      await store.appendLog({ ...entry, action: 'login', object: found.userId });
      return begin({ userId: found.userId, name: found.name, role: found.role });
    },
    async logOut(viewer) {
      const { user, sessionId } = requireViewer(viewer);
      await store.endSession(sessionId);
      ended([sessionId]);
      await store.appendLog({ wallMs: clock.wallMs(), actor: user.name, action: 'logout', object: user.userId });
    },
    async offerSetup() {
      if ((await store.users()) > 0) return undefined;
      const token = newToken();
      await store.offerSetupToken(tokenId(token), clock.wallMs() + SETUP_TOKEN_MS);
      return token;
    },
  };
}
