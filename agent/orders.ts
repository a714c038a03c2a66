/** The way down into the room: asks the cloud what it wants, keeps the answer on the disk, and tells each part that something changed for it. */
import { readFileSync } from 'node:fs';
import { Agent as PlainAgent, request as requestPlain } from 'node:http';
import { request as requestTls, Agent as TlsAgent } from 'node:https';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { EvalroomError, Unavailable } from '../protocol/errors.ts';
import { ORDER_PARTS, ORDERS_BYTES, type OrderPart, type OrdersReport, type RoomOrders } from '../protocol/orders.ts';
import { parseOrders } from '../protocol/orders-schema.ts';
import type { Clock } from '../protocol/time.ts';
import { cloudUrl } from './identity-line.ts';
import { keepFile } from './keep.ts';
import { withoutCredentials } from './log.ts';
import type { UploadConnection } from './upload.ts';

type Refused = OrdersReport['refused'][number];
/** Takes a part that differs from the one before; undefined: the box's own files count again. What it throws is a refusal. */
export type OrderListener<P extends OrderPart> = (value: RoomOrders[P]) => void | Promise<void>;

export interface Orders {
  /** What runs: the last orders that were taken, from the disk after a restart. To be begun with. */
  current(): RoomOrders;
  /** Called for what changes from now on; at most one listener a part. */
  on<P extends OrderPart>(part: P, listener: OrderListener<P>): void;
  /** A part of `current()` can not be used after all: it is given up, and the report says so. */
  refuse(part: OrderPart, error: unknown): void;
  /** For the room's state. */
  report(): OrdersReport;
  health(): { readonly answers: number; readonly failures: number; readonly reason?: string };
  start(signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

const FILE = 'orders.json';
const PATH = '/api/device/orders';
/** How long the cloud may hold the question back, and how much longer nothing at all may come. */
const WAIT_S = 25;
const SLACK_MS = 15_000;
/** After the first, second … failure in a row; the last holds on. */
const WAITS_MS = [500, 1000, 2000, 5000, 15_000, 30_000] as const;
const JITTER = 0.25;
/** A cloud that says "nothing new" sooner than this has too many who wait: the box rests before it asks again. */
const HASTY_MS = 5000;

/** Reads what was kept in `folder`; what can not be read is left aside and asked for again. */
export function openOrders(parts: {
  readonly folder: string;
  readonly roomId: string;
  readonly connection: Pick<UploadConnection, 'url' | 'deviceId' | 'secret' | 'tls'>;
  readonly clock: Clock;
  readonly log: Logger;
}): Orders {
  const { folder, roomId, connection, clock, log } = parts;
  const ask = askerOf(connection);
  const ending = new AbortController();
  const listeners = new Map<OrderPart, (value: never) => void | Promise<void>>();
  const counts = { answers: 0, failures: 0 };
  let { orders: running, refused } = readKept(folder, roomId, log);
  /** What the cloud is told that this box has: after a restart a part that was refused is tried once more. */
  let known = refused.length > 0 ? 0 : running.revision;
  let reason: string | undefined;
  let loop: Promise<void> | undefined;

  const keep = () => {
    try {
      // Readable by nobody else: the names in a roster are for the box alone.
      keepFile(join(folder, FILE), JSON.stringify({ orders: running, refused } satisfies Kept));
    } catch (error) {
      log.warn(
        { err: error },
        'the orders could not be kept on the disk: a restart without the cloud begins with older ones',
      );
    }
  };
  const refusalOf = (part: OrderPart, error: unknown): Refused => {
    log.error({ err: error, part }, 'an order of the cloud is refused: what ran before goes on');
    const code = error instanceof EvalroomError ? error.code : 'bug';
    return { part, code, reason: withoutCredentials((error as Error | null)?.message ?? String(error)).slice(0, 300) };
  };
  /** One part after the other; a part that is refused stays as it was. */
  const take = async (wanted: RoomOrders, unread: readonly Refused[]) => {
    const next: { [P in OrderPart]?: RoomOrders[P] } = {};
    const refusals: Refused[] = [];
    for (const part of ORDER_PARTS) {
      const [value, before] = [wanted[part], running[part]];
      const bad = unread.find((one) => one.part === part);
      if (bad) {
        log.error({ part, reason: bad.reason }, 'an order of the cloud is not understood: what ran before goes on');
        refusals.push(bad);
      } else if (JSON.stringify(value) === JSON.stringify(before)) {
        if (value !== undefined) Object.assign(next, { [part]: value });
        continue;
      } else {
        try {
          await listeners.get(part)?.(value as never);
          if (value !== undefined) Object.assign(next, { [part]: value });
          continue;
        } catch (error) {
          refusals.push(refusalOf(part, error));
        }
      }
      if (before !== undefined) Object.assign(next, { [part]: before });
    }
    running = { roomId, revision: wanted.revision, ...next };
    refused = refusals;
    keep();
    log.info({ revision: running.revision, parts: Object.keys(next) }, 'the room follows new orders');
  };
  const turn = async (): Promise<'changed' | 'same'> => {
    const bytes = await ask({ revision: known, clock, signal: ending.signal });
    counts.answers += 1;
    if (bytes === undefined) return 'same';
    const parsed = parseOrders(bytes, roomId);
    if (!parsed.ok)
      throw new Unavailable('orders_unread', `reading the orders of room ${roomId}: ${parsed.code}, ${parsed.reason}`);
    if (parsed.orders.revision === known) return 'same';
    await take(parsed.orders, parsed.refused);
    known = parsed.orders.revision;
    return 'changed';
  };
  const run = async () => {
    let failures = 0;
    while (!ending.signal.aborted) {
      const askedMonoMs = clock.monoMs();
      try {
        const what = await turn();
        if (reason !== undefined) log.info('the cloud answers about orders again');
        failures = 0;
        reason = undefined;
        if (what === 'same' && clock.monoMs() - askedMonoMs < HASTY_MS) await rest(HASTY_MS);
      } catch (error) {
        if (ending.signal.aborted) return;
        counts.failures += 1;
        const text = withoutCredentials(error instanceof Error ? error.message : String(error));
        if (text !== reason) log.warn({ reason: text }, 'the cloud can not be asked for orders: the last ones go on');
        reason = text;
        await rest(WAITS_MS[Math.min(failures++, WAITS_MS.length - 1)]!);
      }
    }
  };
  const rest = (ms: number) => clock.sleep(ms * (1 + JITTER * (2 * Math.random() - 1)), ending.signal);

  return {
    current: () => running,
    on: (part, listener) => void listeners.set(part, listener),
    refuse(part, error) {
      const { [part]: _given, ...rest } = running;
      running = rest;
      refused = [...refused.filter((one) => one.part !== part), refusalOf(part, error)];
      known = 0;
    },
    report: () => ({ revision: running.revision, refused }),
    health: () => ({ ...counts, ...(reason === undefined ? {} : { reason }) }),
    async start(signal) {
      signal.addEventListener('abort', () => ending.abort(), { once: true });
      if (signal.aborted) ending.abort();
      loop ??= run();
    },
    async close() {
      ending.abort();
      await loop;
    },
  };
}

/** The question, on one line that stays open; another one when the box has a new certificate. Undefined: nothing new. */
function askerOf({ url, deviceId, secret, tls }: Pick<UploadConnection, 'url' | 'deviceId' | 'secret' | 'tls'>) {
  const base = cloudUrl(url);
  const secure = base.protocol === 'https:';
  let line: { readonly agent: PlainAgent; readonly cert: string | undefined } | undefined;
  const lineOf = () => {
    const credentials = secure ? (tls?.() ?? {}) : {};
    if (line && line.cert === credentials.cert) return line.agent;
    line?.agent.destroy();
    const options = { keepAlive: true, maxSockets: 1 };
    line = {
      agent: secure ? new TlsAgent({ ...options, ...credentials }) : new PlainAgent(options),
      cert: credentials.cert,
    };
    return line.agent;
  };
  const failed = (why: string, cause?: unknown) =>
    new Unavailable('orders_unavailable', `asking ${base.origin} for orders: ${why}`, cause);
  const send = secure ? requestTls : requestPlain;

  return ({ revision, clock, signal }: { revision: number; clock: Clock; signal: AbortSignal }) =>
    new Promise<Buffer | undefined>((resolve, reject) => {
      const agent = lineOf();
      const over = new AbortController();
      const sent = send(new URL(`${PATH}?revision=${revision}&wait=${WAIT_S}`, base), {
        agent,
        headers: secret === undefined ? {} : { authorization: `Device ${deviceId}:${secret}` },
        signal: AbortSignal.any([signal, over.signal]),
      });
      const finish = (act: () => void) => {
        over.abort();
        if (signal.aborted) agent.destroy();
        act();
      };
      // Last in line is this clock's own wait: a line on which nothing comes at all is given up.
      void clock.sleep(WAIT_S * 1000 + SLACK_MS, over.signal).then(() => {
        if (!over.signal.aborted) sent.destroy(failed('no answer'));
      });
      sent.once('error', (cause) =>
        finish(() => reject(cause instanceof EvalroomError ? cause : failed(codeOf(cause), cause))),
      );
      sent.once('response', (response) => {
        const chunks: Buffer[] = [];
        let bytes = 0;
        response.on('data', (chunk: Buffer) => {
          bytes += chunk.length;
          chunks.push(chunk);
          if (bytes > ORDERS_BYTES) sent.destroy(failed('the answer is too long'));
        });
        response.once('error', (cause) =>
          finish(() => reject(cause instanceof EvalroomError ? cause : failed(codeOf(cause), cause))),
        );
        response.once('end', () =>
          finish(() => {
            if (response.statusCode === 204) resolve(undefined);
            else if (response.statusCode === 200) resolve(Buffer.concat(chunks));
            else reject(failed(`it answers ${response.statusCode}`));
          }),
        );
      });
      sent.end();
    });
}

const codeOf = (cause: unknown) => (cause as NodeJS.ErrnoException).code ?? (cause as Error).message;

interface Kept {
  readonly orders: RoomOrders;
  readonly refused: readonly Refused[];
}

/** What a box kept in its data folder: also for whoever looks at a box that does not run. Nothing readable: none. */
export function readKept(folder: string, roomId: string, log: Logger): Kept {
  const none: Kept = { orders: { roomId, revision: 0 }, refused: [] };
  let text: string;
  try {
    text = readFileSync(join(folder, FILE), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
      log.error({ err: error }, 'the kept orders can not be read: the room begins with its own files');
    return none;
  }
  try {
    const kept = JSON.parse(text) as Kept;
    const parsed = parseOrders(Buffer.from(JSON.stringify(kept.orders)), roomId);
    if (parsed.ok) return { orders: parsed.orders, refused: [...kept.refused, ...parsed.refused] };
    log.error({ reason: parsed.reason }, 'the kept orders are damaged: the room begins with its own files');
  } catch (error) {
    log.error({ err: error }, 'the kept orders are damaged: the room begins with its own files');
  }
  return none;
}
