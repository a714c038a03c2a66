/** Who asks, and whether they may: the first line of every function of the desk. */
import { Forbidden } from '../../protocol/errors.ts';
import type { UserView } from '../http/api.ts';

/** In the log: whoever works at the command line of the cloud's machine, of whom no name is known. */
export const CONSOLE = 'console';

/** A person with a session. `sessionId` is the hash of the cookie's value. */
export interface Viewer {
  readonly user: UserView;
  readonly sessionId: string;
}

/** For looking: anybody with a session, or Forbidden `no_session` (answered with 401). */
export function requireViewer(viewer: Viewer | undefined): Viewer {
  if (!viewer) throw new Forbidden('no_session', 'asking the desk without a session: log in first');
  return viewer;
}

/** For acting and administering: a supervisor, or Forbidden `no_session` (401), `role_forbidden` (403). */
export function requireSupervisor(viewer: Viewer | undefined): Viewer {
  const known = requireViewer(viewer);
  if (known.user.role !== 'supervisor')
    throw new Forbidden('role_forbidden', `acting as ${known.user.role}: only supervisors may; ask one of them`);
  return known;
}
