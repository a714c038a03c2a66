/** Inside the storm: a supervisor's screen without pixels: the page's own fold of the feed, on a line that breaks. */
import { setTimeout as pause } from 'node:timers/promises';
import type { OverviewView } from '../../cloud/http/api.ts';
import {
  applyLine,
  type DeskFeed,
  type FeedKind,
  type FeedLine,
  fromOverview,
  KnownIds,
} from '../../cloud/web/state/feed.ts';
import type { Sabotage } from '../storm.ts';
import { ticketOf } from './tickets.ts';

/** As the page: beats come every 5 s, two missed and the line is dead. */
const SILENCE_MS = 12_000;
const KNOWN = 20_000;
/** Looks, 100 ms apart, that a screen which forgets its place waits for news before it comes back. */
const AWAY_LOOKS = 100;

export interface Screen {
  /** How often each ticket was put on the screen since it was loaded. */
  readonly shown: ReadonlyMap<string, number>;
  /** Episodes that stand on it now. */
  episodes(): ReadonlySet<string>;
  cursor(): string | undefined;
  /** The line breaks; it comes back from its cursor. */
  unplug(): void;
  /** As F5: everything forgotten, the overview, a new line. */
  reload(): void;
  /** Refusals of a cursor and unreadable lines; an honest server gives none. */
  readonly faults: readonly string[];
  close(): Promise<void>;
}

/** `bases`: clouds that serve the same store; a screen goes to the next one when its line breaks. */
export function openScreen(bases: readonly string[], cookie: string, sabotage: readonly Sabotage[]): Screen {
  const faults: string[] = [];
  const shown = new Map<string, number>();
  const closing = new AbortController();
  let feed: DeskFeed | undefined;
  let known = new KnownIds(KNOWN);
  let line = new AbortController();
  let turn = 0;

  const forget = () => {
    feed = undefined;
    known = new KnownIds(KNOWN);
    shown.clear();
  };
  const take = ({ kind, body, cursor }: { kind: string; body: unknown; cursor: string | undefined }) => {
    const before = feed!;
    if (sabotage.includes('no_dedup')) known = new KnownIds(KNOWN);
    feed = applyLine(before, { kind: kind as FeedKind, body, ...(cursor ? { cursor } : {}) } as FeedLine, known);
    if (kind !== 'event' || feed.repeated > before.repeated) return;
    const { event } = body as Extract<FeedLine, { kind: 'event' }>['body'];
    const ticket = ticketOf(event);
    shown.set(ticket, (shown.get(ticket) ?? 0) + 1);
  };

  const follow = async (base: string, signal: AbortSignal) => {
    const ask = async (path: string) => {
      const response = await fetch(base + path, { headers: { cookie }, signal });
      if (response.status >= 400 && response.status < 500)
        faults.push(`${path} answered ${response.status}: ${(await response.text()).slice(0, 200)}`);
      if (!response.ok) throw new TypeError(`${path} answered ${response.status}`);
      return response;
    };
    if (!feed || sabotage.includes('forget_cursor')) {
      const look = async () => (await (await ask('/api/overview')).json()) as OverviewView;
      let view = await look();
      // The screen that forgets stays away until there is something to miss: otherwise its fault would be a matter of luck.
      for (let looks = 0; feed && view.cursor === feed.cursor && looks < AWAY_LOOKS; looks++) {
        await pause(100, undefined, { signal });
        view = await look();
      }
      feed = fromOverview(view, feed);
    }
    // A screen that knows nothing of ids asks for a little more than it lacks, as after a lost last line.
    const cursor = sabotage.includes('no_dedup') ? earlier(feed.cursor) : feed.cursor;
    const response = await ask(`/api/feed?cursor=${encodeURIComponent(cursor)}`);
    let rest = '';
    const text = new TextDecoder();
    for await (const chunk of withSilence(response.body!, signal)) {
      rest += text.decode(chunk, { stream: true });
      const blocks = rest.split('\n\n');
      rest = blocks.pop()!;
      for (const block of blocks) {
        const parsed = parseBlock(block);
        if (parsed) take(parsed);
      }
    }
  };

  const running = (async () => {
    while (!closing.signal.aborted) {
      line = new AbortController();
      const signal = AbortSignal.any([closing.signal, line.signal]);
      await follow(bases[turn++ % bases.length]!, signal).catch((error: unknown) => {
        // A cut line, a cloud that is down: the next try. What is not a matter of the line is a fault.
        if (error instanceof SyntaxError) faults.push(error.message);
      });
      await pause(150, undefined, { signal: closing.signal }).catch(() => undefined);
    }
  })();

  return {
    shown,
    faults,
    episodes: () => new Set(feed?.alerts.keys()),
    cursor: () => feed?.cursor,
    unplug: () => line.abort(),
    reload: () => {
      line.abort();
      forget();
    },
    close: async () => {
      closing.abort();
      await running;
    },
  };
}

/** One server-sent event (WHATWG HTML, 9.2.6), undefined for comments. */
function parseBlock(block: string): { kind: string; body: unknown; cursor: string | undefined } | undefined {
  const fields = new Map<string, string>();
  for (const text of block.split('\n')) {
    const at = text.indexOf(': ');
    if (at > 0) fields.set(text.slice(0, at), text.slice(at + 2));
  }
  const kind = fields.get('event');
  const data = fields.get('data');
  if (kind === undefined || data === undefined) return undefined;
  return { kind, body: JSON.parse(data), cursor: fields.get('id') };
}

async function* withSilence(body: ReadableStream<Uint8Array>, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const reader = body.getReader();
  try {
    for (;;) {
      const silent = new AbortController();
      const read = reader.read();
      const timeout = pause(SILENCE_MS, undefined, { signal: AbortSignal.any([silent.signal, signal]) }).then(
        () => undefined,
        () => read,
      );
      const next = await Promise.race([read, timeout]);
      silent.abort();
      if (!next || next.done) return;
      yield next.value;
    }
  } finally {
    reader.cancel().catch(() => undefined);
  }
}

const earlier = (cursor: string): string => {
  const [store, pos, ...others] = cursor.split('.');
  return [store, String(Math.max(0, Number(pos) - 3)), ...others.map(() => '0')].join('.');
};
