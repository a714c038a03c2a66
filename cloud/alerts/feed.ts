/** The live feed: each subscriber is a place in the stored rows; commits only poke, so that nobody misses what was missed. */
import type { Logger } from 'pino';
import { InvalidInput } from '../../protocol/errors.ts';
import type { Clock } from '../../protocol/time.ts';
import type { FeedItem, FeedPage, Position, Store } from '../store/store.ts';

/** Other processes commit too. PostgreSQL tells of it; with SQLite, or while that line is cut, this process looks by itself. */
const POLL_MS = 1000;
/**
 * Shortest time from one page to the next while commits follow each other: every page costs one write for every browser.
 * A commit after a pause is shown at once.
 */
const PAGE_MS = 40;

export interface FeedSink {
  /** Stored rows in order. False: the buffer of this browser is full; it is closed and comes back with its cursor. */
  send(items: readonly FeedItem[]): boolean;
  /** Resolves when there is room for a page again, or when the browser is gone. */
  drained(): Promise<void>;
  /** Nothing more comes. */
  end(reason: 'slow' | 'failed' | 'closed'): void;
}

export interface Feed {
  start(): Promise<void>;
  /** After a commit. */
  poke(): void;
  /** Everything after `from`, then what comes. Throws InvalidInput `cursor_unknown`. Returns how to leave. */
  subscribe(from: Position, sink: FeedSink): Promise<() => void>;
  subscribers(): number;
  counts(): FeedCounts;
  close(): Promise<void>;
}

export interface FeedCounts {
  readonly lines: number;
  /** Given to browsers, each browser counted. */
  readonly rows: number;
  readonly closed: { readonly slow: number; readonly failed: number };
}

interface Subscriber {
  readonly sink: FeedSink;
  position: Position;
  gone: boolean;
}

const compare = (a: Position, b: Position) => a.pos - b.pos || a.seq - b.seq;

/**
 * One reader follows the head for all subscribers that have caught up (`live`); those behind read for themselves until
 * they meet it. So a thousand browsers cost one query per commit.
 */
export function createFeed(parts: {
  readonly store: Pick<Store, 'since' | 'head' | 'watchFeed'>;
  readonly log: Logger;
  readonly clock: Clock;
}): Feed {
  const { store, log, clock } = parts;
  const live = new Set<Subscriber>();
  const behind = new Set<Subscriber>();
  const closing = new AbortController();
  let tail: Position = { pos: 0, seq: 0 };
  let poked = false;
  let rows = 0;
  const closed = { slow: 0, failed: 0 };
  let wake: () => void = () => undefined;
  let following: Promise<void> = Promise.resolve();
  let stopWatching: () => Promise<void> = async () => undefined;
  const poke = () => {
    poked = true;
    wake();
  };

  const drop = (subscriber: Subscriber, reason: 'slow' | 'failed' | 'closed') => {
    if (subscriber.gone) return;
    subscriber.gone = true;
    live.delete(subscriber);
    behind.delete(subscriber);
    if (reason !== 'closed') closed[reason]++;
    subscriber.sink.end(reason);
  };

  const give = (subscriber: Subscriber, page: FeedPage) => {
    // Mostly all of it: the same array for every browser, so that its text is made once.
    const first = page.items[0];
    const items =
      first && compare(first.position, subscriber.position) > 0
        ? page.items
        : page.items.filter((item) => compare(item.position, subscriber.position) > 0);
    if (compare(page.position, subscriber.position) > 0) subscriber.position = page.position;
    if (items.length === 0 || subscriber.gone) return;
    rows += items.length;
    if (!subscriber.sink.send(items)) drop(subscriber, 'slow');
  };

  const follow = async () => {
    let failing = false;
    while (!closing.signal.aborted) {
      poked = false;
      const begunMonoMs = clock.monoMs();
      try {
        const page = await store.since(tail);
        failing = false;
        tail = page.position;
        for (const subscriber of [...live]) give(subscriber, page);
        if (page.more) continue;
        if (page.items.length > 0 && live.size > 0)
          await clock.sleep(PAGE_MS - (clock.monoMs() - begunMonoMs), closing.signal);
      } catch (error) {
        if (!failing) log.error({ err: error }, 'reading the feed failed; trying again every second');
        failing = true;
        poked = false;
      }
      if (poked) continue;
      const nap = new AbortController();
      wake = () => nap.abort();
      await clock.sleep(POLL_MS, AbortSignal.any([nap.signal, closing.signal]));
    }
  };

  /** Reads on until it meets the tail; between the comparison and joining nothing can run, so no row falls between. */
  const catchUp = async (subscriber: Subscriber) => {
    while (!subscriber.gone) {
      if (compare(subscriber.position, tail) >= 0) {
        behind.delete(subscriber);
        live.add(subscriber);
        return;
      }
      // Behind, there is no hurry: the next page waits until the browser has taken the last one.
      await subscriber.sink.drained();
      if (!subscriber.gone) give(subscriber, await store.since(subscriber.position));
    }
  };

  return {
    async start() {
      tail = await store.head();
      following = follow();
      stopWatching = store.watchFeed(poke);
    },
    poke,
    async subscribe(from, sink) {
      if (closing.signal.aborted) throw new InvalidInput('cursor_unknown', 'subscribing to a feed that is closed');
      const subscriber: Subscriber = { sink, position: from, gone: false };
      // The first page is read here, so that a place that does not exist is refused and not a silent line.
      const first = await store.since(from);
      behind.add(subscriber);
      give(subscriber, first);
      void catchUp(subscriber).catch((error: Error) => {
        log.warn({ err: error }, 'a subscriber could not catch up and is closed');
        drop(subscriber, 'failed');
      });
      return () => {
        subscriber.gone = true;
        live.delete(subscriber);
        behind.delete(subscriber);
      };
    },
    subscribers: () => live.size + behind.size,
    counts: () => ({ lines: live.size + behind.size, rows, closed: { ...closed } }),
    async close() {
      closing.abort();
      wake();
      for (const subscriber of [...live, ...behind]) drop(subscriber, 'closed');
      await Promise.all([following, stopWatching()]);
    },
  };
}
