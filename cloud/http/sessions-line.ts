/** Beside feed-line.ts: tells every open line of a changed evaluation, and ends the lines of a session that has ended. */
import type { Logger } from 'pino';
import type { Clock } from '../../protocol/time.ts';
import type { Evaluations } from '../review/evaluations.ts';
import type { Orders } from '../review/orders.ts';
import type { Sessions } from '../review/sessions.ts';
import type { OpenLine } from './feed-line.ts';
import type { SessionLine } from './sessions-api.ts';

/** Pause after a change that could not be read. */
const AGAIN_MS = 1000;

/** `join` for the line of a session. A change is read and written out once for all lines. */
export function createSessionLines(parts: {
  readonly sessions: Pick<Sessions, 'onEnd'>;
  readonly evaluations: Pick<Evaluations, 'ofRooms'>;
  readonly orders: Pick<Orders, 'onChange'>;
  readonly log: Logger;
  readonly clock: Clock;
}): (sessionId: string, line: OpenLine) => () => void {
  const { sessions, evaluations, orders, log, clock } = parts;
  const lines = new Map<OpenLine, string>();
  let stop: (() => void) | undefined;
  // Here, at once; in another process the line notices at its next beat.
  sessions.onEnd((ended) => {
    for (const [line, sessionId] of [...lines]) {
      if (!ended.includes(sessionId)) continue;
      // The browser comes back soon, is refused, and shows the login: not after its usual three seconds.
      line.put('retry: 100\n\n');
      line.end();
    }
  });
  /** Rooms whose evaluation is still to be told, with the newest revision heard. */
  const changed = new Map<string, number>();
  let telling = false;
  /** One after the other: two answers that overtake each other would leave the older one on the page. */
  const tellAll = async () => {
    if (telling) return;
    telling = true;
    while (changed.size > 0 && lines.size > 0) {
      // All at once: a pack that is published changes the orders of every room, and a query for each would be a storm.
      const taken = new Map(changed);
      changed.clear();
      try {
        const on = new Map((await evaluations.ofRooms([...taken.keys()])).map((one) => [one.roomId, one]));
        const text = [...taken].map(([roomId, revision]) => {
          const evaluation = on.get(roomId);
          const body: SessionLine = { roomId, revision, ...(evaluation ? { evaluation } : {}) };
          return `event: session\ndata: ${JSON.stringify(body)}\n\n`;
        });
        for (const line of [...lines.keys()]) line.put(text.join(''));
      } catch (error) {
        log.warn({ err: error, rooms: taken.size }, 'changed evaluations could not be told; trying again');
        for (const [roomId, revision] of taken) if (!changed.has(roomId)) changed.set(roomId, revision);
        await clock.sleep(AGAIN_MS);
      }
    }
    // Who comes later asks for all that are on.
    if (lines.size === 0) changed.clear();
    telling = false;
  };
  return (sessionId, line) => {
    lines.set(line, sessionId);
    // Nobody looks at orders for the sake of browsers that are not there.
    stop ??= orders.onChange((roomId, revision) => {
      changed.set(roomId, revision);
      void tellAll();
    });
    return () => {
      lines.delete(line);
      if (lines.size > 0) return;
      stop?.();
      stop = undefined;
    };
  };
}
