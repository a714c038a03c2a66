/** What a drill needs: a real cloud with its broker, a room's outbox on a real disk, the forwarder, and a screen. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Logger, pino } from 'pino';
import { systemClock } from '../../agent/clock.ts';
import { createForward, type Forward } from '../../agent/forward.ts';
import type { Outbox } from '../../agent/store/outbox.ts';
import { openOutbox } from '../../agent/store/sqlite.ts';
import { systemClock as cloudClock } from '../../cloud/clock.ts';
import { parseCloudConfig } from '../../cloud/config.ts';
import { type Cloud, startCloud } from '../../cloud/main.ts';
import type { DraftEvent } from '../../protocol/event.ts';
import type { Clock } from '../../protocol/time.ts';
import { openDesk } from '../../scripts/stand.ts';
import { readStored } from '../../scripts/storm/oracle.ts';
import { openScreen, type Screen } from '../../scripts/storm/screen.ts';
import { episodeDraft, gapDraft, ticketOf } from '../../scripts/storm/tickets.ts';

export const DRILL_ROOM = 'room-drill';
export const DRILL_DEVICE = 'box-drill';

export interface Drill {
  readonly folder: string;
  readonly cloud: Cloud;
  readonly screen: Screen;
  readonly secret: string;
  /** Of a supervisor's session. */
  readonly cookie: string;
  /** Lines of the agent's log. */
  readonly said: { readonly level: number; readonly msg: string }[];
  openBox(options?: { readonly path?: string; readonly clock?: Clock; readonly ballastBytes?: number }): Box;
  /** What the store holds, and how often each ticket. */
  stored(): Promise<{
    readonly times: ReadonlyMap<string, number>;
    readonly quarantined: number;
    readonly rejected: number;
  }>;
  close(): Promise<void>;
}

/** The room's half: outbox and, once connected, the line. */
export interface Box {
  readonly outbox: Outbox;
  /** Accepts drafts of `count` decisions and gives their tickets. */
  accept(count: number, draft?: (index: number) => DraftEvent): string[];
  connect(): Promise<Forward>;
  close(): Promise<void>;
}

export async function startDrill(options: { readonly cloudClock?: Clock } = {}): Promise<Drill> {
  const folder = mkdtempSync(join(tmpdir(), 'evalroom-drill-'));
  const said: { level: number; msg: string }[] = [];
  const log: Logger = pino({ level: 'info' }, { write: (line: string) => void said.push(JSON.parse(line)) });
  const config = parseCloudConfig(`{ data: ${folder}/cloud, http: { port: 0 } }`, folder);
  const clock = options.cloudClock ?? cloudClock();
  const cloud = await startCloud(config, { log: pino({ level: 'silent' }), clock });
  const secret = await cloud.addDevice({ deviceId: DRILL_DEVICE, roomId: DRILL_ROOM });
  const { cookie } = await openDesk(cloud.setupUrl!);
  const screen = openScreen([cloud.url], cookie, []);
  await until('the screen is open', () => screen.cursor() !== undefined);
  let boxes = 0;
  const openBox: Drill['openBox'] = ({
    path = join(folder, 'outbox.db'),
    clock: own,
    ballastBytes = 1_048_576,
  } = {}) => {
    const boxClock = own ?? systemClock();
    const outbox = openOutbox({ path, roomId: DRILL_ROOM, clock: boxClock, log, quotaEvents: 1e6, ballastBytes });
    const name = `d${boxes++}`;
    let count = 0;
    let forward: Forward | undefined;
    return {
      outbox,
      accept: (number, draft) => {
        const drafts = Array.from({ length: number }, () => {
          const index = count++;
          if (draft) return draft(index);
          const at = boxClock.now();
          return index % 4 === 3 ? gapDraft(at, `${name}-g${index}`) : episodeDraft(at, `${name}-e`, index, -1);
        });
        const events = outbox.accept(drafts);
        forward?.poke();
        return events.map(ticketOf);
      },
      async connect() {
        const connection = { url: cloud.mqttUrl, clientId: DRILL_DEVICE, username: DRILL_DEVICE, password: secret };
        forward = createForward({ outbox, connection, roomId: DRILL_ROOM, clock: boxClock, log });
        await forward.start(new AbortController().signal);
        return forward;
      },
      async close() {
        await forward?.close();
        outbox.close();
      },
    };
  };
  return {
    folder,
    cloud,
    screen,
    secret,
    cookie,
    said,
    openBox,
    async stored() {
      const { events, quarantined, rejected } = await readStored(config.store);
      const times = new Map<string, number>();
      for (const event of events) times.set(ticketOf(event), (times.get(ticketOf(event)) ?? 0) + 1);
      return { times, quarantined, rejected };
    },
    async close() {
      await screen.close();
      await cloud.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Polls until it holds; fails after a minute. */
export async function until(what: string, holds: () => boolean, everyMs = 10): Promise<void> {
  const deadline = performance.now() + 60_000;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`did not come true in a minute: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
