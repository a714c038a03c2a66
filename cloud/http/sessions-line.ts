/** Beside feed-line.ts: tells every open line of a changed evaluation, and ends the lines of a session that has ended. */
import type { Logger } from 'pino';
import type { Evaluations } from '../review/evaluations.ts';
import type { Orders } from '../review/orders.ts';
import type { Sessions } from '../review/sessions.ts';
import type { OpenLine } from './feed-line.ts';
import type { SessionLine } from './sessions-api.ts';

/** `join` for the line of a session. A change is read and written out once for all lines. */
export function createSessionLines(parts: {
  readonly sessions: Pick<Sessions, 'onEnd'>;
  readonly evaluations: Pick<Evaluations, 'ofRoom'>;
  readonly orders: Pick<Orders, 'onChange'>;
  readonly log: Logger;
}): (sessionId: string, line: OpenLine) => () => void {
  const { sessions, evaluations, orders, log } = parts;
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
  const tell = async (roomId: string) => {
    const evaluation = await evaluations.ofRoom(roomId);
    const body: SessionLine = { roomId, ...(evaluation ? { evaluation } : {}) };
    const text = `event: session\ndata: ${JSON.stringify(body)}\n\n`;
    for (const line of lines.keys()) line.put(text);
  };
  return (sessionId, line) => {
    lines.set(line, sessionId);
    // Nobody looks at orders for the sake of browsers that are not there.
    stop ??= orders.onChange((roomId) => {
      tell(roomId).catch((error: unknown) =>
        log.warn({ err: error, roomId }, 'a changed evaluation could not be told'),
      );
    });
    return () => {
      lines.delete(line);
      if (lines.size > 0) return;
      stop?.();
      stop = undefined;
    };
  };
}
