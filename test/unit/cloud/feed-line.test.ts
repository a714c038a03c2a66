/** One browser's line over a real HTTP response, with virtual time: beats, states, the end of a session, a browser that is slow. */
import { createServer, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { createFeed, type Feed, type FeedSink } from '../../../cloud/alerts/feed.ts';
import { changeWriter, openLine } from '../../../cloud/http/feed-line.ts';
import { createRooms, type Rooms } from '../../../cloud/ingest/rooms.ts';
import type { FeedItem, Position } from '../../../cloud/store/store.ts';
import type { RoomState } from '../../../protocol/stream.ts';
import { stillClock } from './still-clock.ts';

const poll = <T>(look: () => T) => expect.poll(look, { timeout: 9000, interval: 5 });
const item = (pos: number, note: string): FeedItem =>
  ({
    kind: 'action',
    action: { actionId: `a${pos}`, note },
    alert: { episodeId: 'e' },
    position: { pos, seq: 0 },
    cursor: `c${pos}`,
  }) as unknown as FeedItem;

describe('feed line', () => {
  let server: Server | undefined;
  let feed: Feed | undefined;
  afterEach(async () => {
    await feed?.close();
    server?.closeAllConnections();
    server?.close();
  });

  async function open(
    rows: FeedItem[],
    rooms: Rooms,
    stillAllowed = async () => true,
    reads = true,
    onError?: (error: Error) => void,
  ) {
    const { clock, pass, sleepers } = stillClock();
    const store = {
      watchFeed: () => async () => undefined,
      head: async () => ({ pos: rows.length, seq: 0 }),
      since: async (from: Position) => ({
        items: rows.slice(from.pos),
        position: { pos: rows.length, seq: 0 },
        more: false,
      }),
    };
    const live = createFeed({ store, log: pino({ level: 'silent' }), clock });
    feed = live;
    await live.start();
    server = createServer((_request, response) => {
      if (onError) response.on('error', onError);
      const parts = { feed: live, rooms, changeText: changeWriter(), stillAllowed, clock };
      void openLine(response, { pos: 0, seq: 0 }, parts);
    });
    await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve));
    const heard = { text: '', ended: false };
    const { port } = server.address() as AddressInfo;
    let leave: () => void = () => undefined;
    await new Promise<void>((resolve) =>
      request({ port, host: '127.0.0.1' }, (response) => {
        leave = () => response.destroy();
        response.setEncoding('utf8').on('close', () => {
          heard.ended = true;
        });
        if (reads)
          response.on('data', (text: string) => {
            heard.text += text;
          });
        resolve();
      })
        .on('error', () => undefined)
        .end(),
    );
    return { heard, pass, leave, sleepers, feed: live };
  }
  const count = (text: string, what: string) => text.split(what).length - 1;

  it('begins with a beat and what was missed, goes on with what comes, beats on', async () => {
    const rows = [item(1, 'one')];
    const rooms = createRooms();
    const { heard, pass, feed: live } = await open(rows, rooms);
    await poll(() => heard.text).toContain('id: c1\nevent: action\n');
    expect(heard.text).toMatch(/^: beat\nevent: beat\ndata: \{"serverWallMs":0\}\n\n/);
    rows.push(item(2, 'two'));
    live.poke();
    rooms.heardState('r1', {} as RoomState, 7);
    await poll(() => heard.text).toContain('id: c2\n');
    await poll(() => heard.text).toContain('event: state\ndata: {"roomId":"r1","heardWallMs":7,"state":{}}\n\n');
    pass();
    await poll(() => count(heard.text, 'event: beat')).toBe(2);
    expect(count(heard.text, 'id: ')).toBe(2);
    expect(heard.ended).toBe(false);
  });

  it('ends with the session', async () => {
    let allowed = true;
    const { heard, pass, feed: live } = await open([], createRooms(), async () => allowed);
    await poll(() => heard.text).toContain('beat');
    pass();
    await poll(() => count(heard.text, 'event: beat')).toBe(2);
    allowed = false;
    pass();
    await poll(() => heard.ended).toBe(true);
    expect(live.subscribers()).toBe(0);
  });

  it('writes no beat into a line that ended while its session was looked up', async () => {
    let answer: (allowed: boolean) => void = () => undefined;
    let asked = 0;
    const slow = () =>
      new Promise<boolean>((resolve) => {
        asked += 1;
        answer = resolve;
      });
    const errors: unknown[] = [];
    const { heard, pass, feed: live } = await open([], createRooms(), slow, true, (error) => void errors.push(error));
    await poll(() => heard.text).toContain('beat');
    pass();
    await poll(() => asked).toBe(1);
    // As when a browser is too slow or the cloud is being ended.
    void live.close();
    answer(true);
    await poll(() => heard.ended).toBe(true);
    await new Promise((resolve) => setImmediate(resolve));
    expect(errors).toEqual([]);
  });

  it('leaves nothing waiting when the browser leaves', async () => {
    const { leave, sleepers, heard, feed: live } = await open([], createRooms());
    await poll(() => heard.text).toContain('beat');
    leave();
    await poll(() => live.subscribers()).toBe(0);
    // What is left is the feed's own look for other workers' commits.
    await poll(sleepers).toBe(1);
  });

  it('closes when the browser does not read, and cuts it off when it takes nothing more', async () => {
    const rows: FeedItem[] = [];
    const rooms = createRooms();
    const { pass, feed: live } = await open(rows, rooms, undefined, false);
    await poll(() => live.subscribers()).toBe(1);
    // The kernel's own buffers take some megabytes before anything waits here.
    for (let i = 0; i < 400 && live.subscribers() > 0; i++) {
      rows.push(item(rows.length + 1, 'x'.repeat(100_000)));
      live.poke();
      await new Promise((resolve) => setImmediate(resolve));
      // Over the pause between two pages.
      if (live.subscribers() > 0) pass();
    }
    await poll(() => live.subscribers()).toBe(0);
    const connections = () => new Promise<number>((resolve) => server!.getConnections((_error, n) => resolve(n)));
    expect(await connections()).toBe(1);
    pass();
    await poll(connections).toBe(0);
  });

  it('keeps nothing of the waits for a browser that is slow again and again', async () => {
    let sink: FeedSink | undefined;
    let response: ServerResponse | undefined;
    const stub = {
      subscribe: async (_from: Position, to: FeedSink) => {
        sink = to;
        return () => undefined;
      },
    } as unknown as Feed;
    server = createServer((_request, answer) => {
      response = answer;
      const { clock } = stillClock();
      const parts = {
        feed: stub,
        rooms: createRooms(),
        changeText: changeWriter(),
        stillAllowed: async () => true,
        clock,
      };
      void openLine(answer, { pos: 0, seq: 0 }, parts);
    });
    await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    request({ port, host: '127.0.0.1' }, (got) => got.resume()).end();
    await poll(() => response?.headersSent).toBe(true);
    const before = response!.listenerCount('close');
    let waits = 0;
    for (let page = 1; page <= 20; page++) {
      sink!.send([item(page, 'x'.repeat(500_000))]);
      if (response!.writableNeedDrain) waits++;
      await sink!.drained();
    }
    expect(waits).toBeGreaterThan(0);
    expect([response!.listenerCount('close'), response!.listenerCount('drain')]).toEqual([before, 0]);
  });
});
