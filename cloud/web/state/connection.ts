/** In which state the live line is, as the frame says it: pure. */
import type { FeedLine } from './feed.ts';

export type Connection =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'live' }
  | { readonly kind: 'catching'; readonly count: number }
  | { readonly kind: 'offline'; readonly sinceWallMs: number };

/** A stored line this much older than now is history being replayed. */
export const REPLAY_AGE_MS = 4_000;
/** The connection after a line: replayed rows count up; anything fresh means that the desk is live. */
export function afterLine(connection: Connection, line: FeedLine, nowMs: number): Connection {
  const stored = storedAt(line);
  if (stored !== undefined && nowMs - stored > REPLAY_AGE_MS)
    return { kind: 'catching', count: connection.kind === 'catching' ? connection.count + 1 : 1 };
  // State lines are live by nature but may be interleaved with a replay; only a beat or a fresh row ends it.
  if (connection.kind === 'catching' && stored === undefined && line.kind !== 'beat') return connection;
  return connection.kind === 'live' ? connection : { kind: 'live' };
}

function storedAt(line: FeedLine): number | undefined {
  if (line.kind === 'event') return line.body.event.storedWallMs;
  if (line.kind === 'action') return line.body.action.wallMs;
  return undefined;
}
