/** A box without cameras: the real way down and the real decisions, over people who are scripted and a time that is told to pass. */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { systemClock } from '../../agent/clock.ts';
import { type Input, type RoomContext, startRoom, step } from '../../agent/decide/room.ts';
import { openOrders } from '../../agent/orders.ts';
import type { Cloud } from '../../cloud/main.ts';
import type { DraftEvent, EpisodeBody } from '../../protocol/event.ts';
import type { Person } from '../../protocol/observation.ts';
import { type Batch, PROTOCOL_VERSION, type RoomState, topics } from '../../protocol/stream.ts';
import type { Instant } from '../../protocol/time.ts';
import { Box } from '../medium/cloud/cloud.ts';
import { frame, pack, layout as plain, sitting, standing } from '../unit/agent/decide/world.ts';
import { stateOf } from './web-world.ts';

const clock = systemClock();

export interface ScriptedBox {
  /** Everything that was decided so far. */
  readonly episodes: EpisodeBody[];
  session(): { readonly phase: string; readonly permits: number } | undefined;
  /** Everybody sits for so many seconds, or all but seat 3, whose person stands elsewhere. */
  sit(seconds: number): Promise<void>;
  away(seconds: number): Promise<void>;
  close(): Promise<void>;
}

/** Enters as a device of `roomId`; its state goes up once a second of real time. */
export async function startScriptedBox(cloud: Cloud, roomId: string, name: string): Promise<ScriptedBox> {
  const deviceId = `box-${roomId}`;
  const secret = await cloud.addDevice({ deviceId, roomId });
  const line = await Box.enter(cloud, deviceId, roomId, secret);
  const folder = mkdtempSync(join(tmpdir(), 'evalroom-scripted-'));
  const layout = { ...plain, roomId, name, centre: '示范公共资源交易中心', roster: plain.roster.slice(0, 3) };
  const context: RoomContext = { layout, pack, runId: randomUUID() };
  const [streamId, episodes] = [randomUUID(), [] as EpisodeBody[]];
  let second = 0;
  let seq = 0;
  // Durations pass as they are told; the time of day is the real one, so that permits count as they do.
  const at = (): Instant => ({ ...clock.now(), monoMs: 500_000 + second * 1000, bootId: 'boot', clock: 'sure' });
  let machine = startRoom(context, at(), []);
  let view: ReturnType<typeof step>['view'] = { seats: [], tracks: [], faults: [], nudged: [] };

  const send = async (drafts: readonly DraftEvent[]) => {
    for (const draft of drafts) {
      if (draft.body.kind === 'episode') episodes.push(draft.body);
      seq += 1;
      const event = { ...draft, eventId: randomUUID(), streamId, seq, roomId };
      const batch: Batch = { v: PROTOCOL_VERSION, streamId, lane: 'alert', events: [event] };
      await line.publish(Buffer.from(JSON.stringify(batch)));
    }
  };
  const feed = (input: Input) => {
    const next = step(machine, input, context);
    machine = next.machine;
    view = next.view;
    return send(next.drafts);
  };
  const orders = openOrders({
    folder,
    roomId,
    connection: { url: cloud.url, deviceId, secret },
    clock,
    log: pino({ level: 'silent' }),
  });
  orders.on('session', (session) => feed({ kind: 'session', at: at(), session }));
  const tell = () => {
    const { roster } = machine.session ?? {};
    const shown = roster ? { ...layout, roster } : layout;
    const { revision } = orders.report();
    const state: RoomState = {
      ...stateOf(shown),
      seats: view.seats.map((seat) => ({ ...seat, sinceWallMs: Math.min(seat.sinceWallMs, clock.wallMs()) })),
      ...(revision > 0 ? { orders: orders.report() } : {}),
    };
    line.client.publish(topics.state(roomId), JSON.stringify(state));
  };
  const telling = setInterval(tell, 300);
  await orders.start(new AbortController().signal);
  const play = async (seconds: number, persons: readonly Person[], empty: Readonly<Record<string, 'empty'>>) => {
    for (const end = second + seconds; second < end; second += 0.5) {
      await feed({ ...frame(0, { persons, looks: empty }), at: at() });
      if (Number.isInteger(second)) await feed({ kind: 'tick', at: at() });
    }
    tell();
  };
  return {
    episodes,
    session: () => machine.session && { phase: machine.session.phase, permits: machine.session.permits.length },
    sit: (seconds) =>
      play(
        seconds,
        ['1', '2', '3'].map((seat) => sitting(seat)),
        {},
      ),
    away: (seconds) => play(seconds, [sitting('1'), sitting('2'), standing(0.6)], { '3': 'empty' }),
    async close() {
      clearInterval(telling);
      await orders.close();
      line.leave();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
