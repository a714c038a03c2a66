/** The live line to the cloud: one EventSource, watched, reopened from the newest cursor; says what state it is in. */
import { afterLine, type Connection } from './connection.ts';
import type { FeedKind, FeedLine } from './feed.ts';

/** Beats come every 5 s: two missed and the line counts as dead. */
export const BEAT_TIMEOUT_MS = 12_000;
/** Waits before the line is opened anew, in ms; the last one repeats. */
export const BACKOFF_MS = [500, 1_000, 2_000, 5_000, 10_000] as const;

const KINDS: readonly FeedKind[] = ['event', 'action', 'clip', 'state', 'snapshot', 'session', 'beat'];

export interface LineParts {
  /** Where to go on. */
  readonly cursor: () => string;
  /** Corrected wall time (server's). */
  readonly now: () => number;
  readonly onLine: (line: FeedLine) => void;
  readonly onConnection: (connection: Connection) => void;
  /** Called when the server refused the line: false means that there is no session and the line must not reopen. */
  readonly onRefused: (attempt: number) => Promise<boolean>;
}

/** Opens the line and keeps it open until `signal` aborts. */
export function keepLine(parts: LineParts, signal: AbortSignal): void {
  let source: EventSource | undefined;
  let connection: Connection = { kind: 'connecting' };
  let heardAt = parts.now();
  let attempt = 0;
  let watchdog: ReturnType<typeof setTimeout> | undefined;
  let settle: ReturnType<typeof setTimeout> | undefined;

  function tell(next: Connection): void {
    if (next === connection) return;
    connection = next;
    parts.onConnection(next);
  }

  function lost(): void {
    clearTimeout(settle);
    if (connection.kind !== 'offline') tell({ kind: 'offline', sinceWallMs: heardAt });
  }

  function watch(): void {
    clearTimeout(watchdog);
    watchdog = setTimeout(() => {
      lost();
      reopen();
    }, BEAT_TIMEOUT_MS);
  }

  function reopen(): void {
    source?.close();
    clearTimeout(watchdog);
    if (signal.aborted) return;
    const wait = BACKOFF_MS[Math.min(attempt, BACKOFF_MS.length - 1)] ?? 10_000;
    attempt++;
    setTimeout(() => {
      if (!signal.aborted) open();
    }, wait);
  }

  function open(): void {
    const mine = new EventSource(`/api/feed?cursor=${encodeURIComponent(parts.cursor())}`);
    source = mine;
    watch();
    mine.onopen = () => {
      heardAt = parts.now();
      attempt = 0;
      watch();
      if (connection.kind !== 'live') tell({ kind: 'live' });
    };
    for (const kind of KINDS)
      mine.addEventListener(kind, (raw) => {
        if (mine !== source) return;
        const cursor = raw.lastEventId;
        const body: unknown = JSON.parse(raw.data);
        const line = { kind, body, ...(cursor ? { cursor } : {}) } as FeedLine;
        heardAt = parts.now();
        parts.onLine(line);
        tell(afterLine(connection, line, heardAt));
        clearTimeout(settle);
        if (connection.kind === 'catching') settle = setTimeout(() => tell({ kind: 'live' }), 1_000);
        watch();
      });
    mine.onerror = () => {
      if (mine !== source || signal.aborted) return;
      lost();
      // While it reconnects by itself it sends Last-Event-ID; once it gives up (a refusal) we decide.
      if (mine.readyState !== EventSource.CLOSED) return;
      void parts.onRefused(attempt).then((goOn) => {
        if (goOn) reopen();
      });
    };
  }

  signal.addEventListener('abort', () => {
    clearTimeout(watchdog);
    clearTimeout(settle);
    source?.close();
  });
  open();
}
