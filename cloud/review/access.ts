/** Who asks, and whether they may: the first line of every function of the desk. */
import { Forbidden } from '../../protocol/errors.ts';
import type { UserView } from '../http/api.ts';

/** A person with a session. `sessionId` is the hash of the cookie's value. */
export interface Viewer {
  readonly user: UserView;
  readonly sessionId: string;
}

/** The viewer, or Forbidden `no_session` (answered with 401). */
export function requireSupervisor(viewer: Viewer | undefined): Viewer {
  if (viewer?.user.role !== 'supervisor')
    throw new Forbidden('no_session', 'asking the desk without a session: log in first');
  return viewer;
}
