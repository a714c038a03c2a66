/** Beside the ingest: payloads that cannot be read are kept with their reason, but no box can make the database busy with them. */
import type { Logger } from 'pino';
import type { Clock } from '../../protocol/time.ts';
import type { Store, Unreadable } from '../store/store.ts';

/** Of one room so many at once are kept, and then one more each time so long has passed: enough to see what is wrong. */
const BURST = 20;
const ONE_MORE_MS = 10_000;
/** Rooms whose share is remembered: more than a broker lets one attacker name. */
const ROOMS_MAX = 2000;
/** Being written at this moment, of all rooms together. */
const WRITING_MAX = 16;

interface Share {
  left: number;
  readonly sinceMonoMs: number;
}

/** Policy beyond the bounds: the payload is counted and not kept; its agent was never told that it was stored. */
export function createUnreadable({
  store,
  clock,
  log,
}: {
  readonly store: Pick<Store, 'keepUnreadable'>;
  readonly clock: Clock;
  readonly log: Logger;
}): {
  keep(unreadable: Unreadable): void;
  counts(): { readonly unreadable: number; readonly unreadableNotKept: number };
} {
  const shares = new Map<string, Share>();
  let seen = 0;
  let notKept = 0;
  let writing = 0;

  /** Takes one from the room's share, where something is left of it. */
  const mayKeep = (roomId: string): boolean => {
    const now = clock.monoMs();
    let share = shares.get(roomId) ?? { left: BURST, sinceMonoMs: now };
    const more = Math.floor((now - share.sinceMonoMs) / ONE_MORE_MS);
    if (more > 0)
      share = { left: Math.min(BURST, share.left + more), sinceMonoMs: share.sinceMonoMs + more * ONE_MORE_MS };
    // The one that was heard of longest ago stands first.
    shares.delete(roomId);
    shares.set(roomId, share);
    if (shares.size > ROOMS_MAX) shares.delete(shares.keys().next().value!);
    if (share.left === 0 || writing >= WRITING_MAX) return false;
    share.left--;
    return true;
  };

  return {
    keep(unreadable) {
      const { roomId, code } = unreadable;
      seen++;
      if (!mayKeep(roomId)) {
        if (notKept++ % 1000 === 0)
          log.warn({ roomId, code, notKept }, 'unreadable payloads come faster than they are kept; they are counted');
        return;
      }
      writing++;
      store
        .keepUnreadable(unreadable, clock.wallMs())
        .catch((error: Error) => log.warn({ err: error, roomId, code }, 'an unreadable payload could not be kept'))
        .finally(() => writing--);
    },
    counts: () => ({ unreadable: seen, unreadableNotKept: notKept }),
  };
}
