/** One browser's line: stored rows with their cursor, volatile states between them, and a beat, as server-sent events. */
import type { ServerResponse } from 'node:http';
import type { Clock } from '../../protocol/time.ts';
import type { Feed } from '../alerts/feed.ts';
import type { RoomChange, Rooms } from '../ingest/rooms.ts';
import type { FeedItem, Position } from '../store/store.ts';
import type { FeedLines } from './api.ts';

export const BEAT_MS = 5000;
/** What may wait for one browser. Beyond it a line that nobody repeats closes the connection, and a state is left out. */
const BUFFER_BYTES = 2 * 1024 * 1024;
const VOLATILE_BYTES = 256 * 1024;
const LINGER_MS = 10_000;

const written = new WeakMap<FeedItem, string>();

/** The text of a stored row, made once for all browsers. */
export function feedText(item: FeedItem): string {
  const known = written.get(item);
  if (known !== undefined) return known;
  const line: FeedLines['event'] | FeedLines['action'] | FeedLines['clip'] =
    item.kind === 'event'
      ? { event: item.event, ...(item.alert ? { alert: item.alert } : {}) }
      : item.kind === 'action'
        ? { action: item.action, alert: item.alert }
        : { clipId: item.clipId, episodeId: item.episodeId, alert: item.alert };
  const text = `id: ${item.cursor}\nevent: ${item.kind}\ndata: ${JSON.stringify(line)}\n\n`;
  written.set(item, text);
  return text;
}

const pages = new WeakMap<readonly FeedItem[], Buffer>();

/** The bytes of a page of rows, made once for all browsers that get the same page. */
function pageBytes(items: readonly FeedItem[]): Buffer {
  const known = pages.get(items);
  if (known) return known;
  const bytes = Buffer.from(items.map(feedText).join(''));
  pages.set(items, bytes);
  return bytes;
}

/** The same state goes to every browser; the last one is remembered so that it is written out once. */
export function changeWriter(): (change: RoomChange) => string {
  let last: { change: RoomChange; text: string } | undefined;
  return (change) => {
    if (last?.change === change) return last.text;
    const { kind, ...line } = change;
    const text = `event: ${kind}\ndata: ${JSON.stringify(line)}\n\n`;
    last = { change, text };
    return text;
  };
}

/** What somebody else may do with an open line. */
export interface OpenLine {
  /** What nobody repeats: where the browser does not keep up the line ends, and it comes back and asks anew. */
  put(text: string): void;
  end(): void;
}

export interface LineParts {
  readonly feed: Feed;
  readonly rooms: Rooms;
  readonly changeText: (change: RoomChange) => string;
  /** Others who write on this line, or end it, while it is open; returns how to leave. */
  readonly join?: (line: OpenLine) => () => void;
  /** False when the session is over: the line ends. Asked at each beat. */
  readonly stillAllowed: () => Promise<boolean>;
  readonly clock: Clock;
}

/** Takes the response over. Rejects before the first byte when the place is unknown; resolves when the line is open. */
export async function openLine(response: ServerResponse, from: Position, parts: LineParts): Promise<void> {
  const { feed, rooms, changeText, join, stillAllowed, clock } = parts;
  let open = false;
  let over = false;
  let held: (string | Buffer)[] = [];
  const onGone: (() => void)[] = [];
  const end = () => {
    if (over) return;
    over = true;
    for (const leave of onGone.splice(0)) leave();
    // A browser that has left takes nothing more: no wait for it may hold up the end of the process.
    if (!open || response.destroyed) return;
    response.end();
    // A browser that does not read would keep what waits for it in memory: given this long to take it, then cut off.
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    void clock.sleep(LINGER_MS, gone.signal).then(() => response.destroy());
  };
  const put = (text: string | Buffer) => {
    if (open) response.write(text);
    else held.push(text);
  };
  const beat = () => {
    const line: FeedLines['beat'] = { serverWallMs: clock.wallMs() };
    put(`: beat\nevent: beat\ndata: ${JSON.stringify(line)}\n\n`);
  };

  onGone.push(
    await feed.subscribe(from, {
      send(items) {
        put(pageBytes(items));
        return response.writableLength < BUFFER_BYTES;
      },
      drained() {
        if (over || response.destroyed || !response.writableNeedDrain) return Promise.resolve();
        return new Promise((resolve) => {
          // Whichever comes takes the other one off: a slow browser is waited for as often as there are pages.
          const done = () => {
            response.off('drain', done).off('close', done);
            resolve();
          };
          response.on('drain', done).on('close', done);
        });
      },
      end,
    }),
  );
  if (over || response.destroyed) return end();
  response.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
    'x-content-type-options': 'nosniff',
  });
  open = true;
  beat();
  for (const text of held) response.write(text);
  held = [];
  onGone.push(
    rooms.onChange((change) => {
      if (response.writableLength < VOLATILE_BYTES) response.write(changeText(change));
    }),
  );
  if (join)
    onGone.push(
      join({
        put(text) {
          if (over) return;
          if (response.writableLength < BUFFER_BYTES) response.write(text);
          else end();
        },
        end,
      }),
    );
  const ending = new AbortController();
  onGone.push(() => ending.abort());
  void beating(ending.signal);
  response.once('close', end);

  async function beating(signal: AbortSignal): Promise<void> {
    for (;;) {
      await clock.sleep(BEAT_MS, signal);
      if (signal.aborted) return;
      // A session that can not be asked about is over: the browser comes back and asks again.
      if (!(await stillAllowed().catch(() => false))) return end();
      // Ended while the session was looked up: a write after the end would be an error that nobody hears, and end the cloud.
      if (over) return;
      if (response.writableLength < VOLATILE_BYTES) beat();
    }
  }
}
