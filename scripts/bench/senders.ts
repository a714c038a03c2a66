/** Many boxes in one process: each connects, sends its payloads in a window as an agent does, and counts what is acked. */
import { connect, type MqttClient } from 'mqtt';
import { Unavailable } from '../../protocol/errors.ts';
import { parseAck } from '../../protocol/schema.ts';
import { LIMITS, topics } from '../../protocol/stream.ts';
import { runPart } from '../part.ts';
import type { BenchBox } from './cloud.ts';
import { payloads, roomEvents } from './events.ts';

/** No ack for so long: sent again from `through` + 1. */
const RESEND_MS = 10_000;

/** What the file of `--setup` holds; `events` for each box. */
export interface SenderSetup {
  readonly url: string;
  readonly boxes: readonly BenchBox[];
  readonly events: number;
  /** In so many rounds, each begun by its own order; default 1. */
  readonly rounds?: number;
  /** Events a second of all boxes together, one in each batch; without it as fast as the window allows. */
  readonly perS?: number;
}

interface Sender {
  readonly client: MqttClient;
  readonly roomId: string;
  readonly topic: string;
  batches: readonly { readonly lastSeq: number; readonly bytes: Buffer }[];
  /** Last seq of the round. */
  last: number;
  through: number;
  /** Index of the next batch to publish. */
  next: number;
  heardMonoMs: number;
}

/** Connects all boxes with their payloads ready; says so; sends at `{go: true}`; says `{done}` when all is acked. */
export async function runSenders(setup: SenderSetup): Promise<void> {
  await runPart(async () => {
    const { perS } = setup;
    const size = perS === undefined ? LIMITS.batchEvents : 1;
    const senders: Sender[] = [];
    let pace: NodeJS.Timeout | undefined;
    let waiting = 0;
    let begunMonoMs = 0;
    let resends = 0;
    const publish = (sender: Sender) => {
      for (; sender.next < sender.batches.length; sender.next++) {
        const batch = sender.batches[sender.next]!;
        if (batch.lastSeq > Math.min(sender.last, sender.through + LIMITS.windowEvents)) return;
        sender.client.publish(sender.topic, batch.bytes, { qos: 1 });
      }
    };
    const onAck = (sender: Sender, bytes: Uint8Array) => {
      const parsed = parseAck(bytes);
      if (!parsed.ok || parsed.ack.through <= sender.through) return;
      sender.through = parsed.ack.through;
      sender.heardMonoMs = performance.now();
      if (sender.through < sender.last) {
        if (perS === undefined) publish(sender);
      } else if (--waiting === 0) process.send?.({ done: true, ms: performance.now() - begunMonoMs, resends });
    };
    const queue = [...setup.boxes];
    await Promise.all(
      Array.from({ length: 50 }, async () => {
        for (let box = queue.pop(); box; box = queue.pop()) {
          // A single event is made at the instant it is sent, so that its own time says when it was accepted.
          const events = setup.events === 1 ? [] : roomEvents(box.roomId, setup.events, Date.now());
          const batches = inRounds(events, setup.rounds ?? 1).flatMap((some) => payloads(some, size));
          const client = await enter(setup.url, box);
          const sender: Sender = {
            client,
            roomId: box.roomId,
            topic: topics.events(box.roomId, 'alert'),
            batches,
            last: 0,
            through: 0,
            next: 0,
            heardMonoMs: 0,
          };
          client.on('message', (_topic, bytes) => onAck(sender, bytes));
          senders.push(sender);
        }
      }),
    );
    /** One batch of the box whose turn it is, as often as the pace asks for. */
    const keepPace = (rate: number) => {
      let turn = 0;
      pace = setInterval(() => {
        const due = ((performance.now() - begunMonoMs) / 1000) * rate;
        for (; turn < due && turn < senders.length * setup.events; turn++) {
          const sender = senders[turn % senders.length]!;
          const batch = sender.batches[sender.next++];
          if (batch) sender.client.publish(sender.topic, batch.bytes, { qos: 1 });
        }
      }, 5);
    };
    const watch = setInterval(() => {
      const now = performance.now();
      if (begunMonoMs === 0) return;
      for (const sender of senders) {
        if (sender.through >= sender.last || now - Math.max(begunMonoMs, sender.heardMonoMs) < RESEND_MS) continue;
        resends++;
        sender.heardMonoMs = now;
        sender.next = sender.batches.findIndex(({ lastSeq }) => lastSeq > sender.through);
        publish(sender);
      }
    }, 1000);
    return {
      ready: { connected: senders.length },
      onOrder(order) {
        if (order.go !== true) return;
        begunMonoMs = performance.now();
        waiting = senders.length;
        for (const sender of senders) sender.last += setup.events / (setup.rounds ?? 1);
        if (perS !== undefined) return keepPace(perS);
        for (const sender of senders) {
          if (setup.events === 1) sender.batches = payloads(roomEvents(sender.roomId, 1, Date.now()));
          publish(sender);
        }
      },
      async close() {
        clearInterval(watch);
        clearInterval(pace);
        for (const { client } of senders) client.end(true);
      },
    };
  });
}

/** Parts of equal size, so that no batch belongs to two rounds. */
function inRounds<T>(all: readonly T[], rounds: number): (readonly T[])[] {
  const size = all.length / rounds;
  return Array.from({ length: rounds }, (_, round) => all.slice(round * size, (round + 1) * size));
}

async function enter(url: string, box: BenchBox): Promise<MqttClient> {
  const client = connect(url, {
    protocolVersion: 5,
    clientId: box.deviceId,
    username: box.deviceId,
    password: box.secret,
    keepalive: 120,
    reconnectPeriod: 0,
    connectTimeout: 60_000,
    queueQoSZero: false,
  });
  await new Promise<void>((resolve, reject) => {
    client.once('connect', () => resolve());
    client.once('error', (error) =>
      reject(new Unavailable('bench_no_connection', `connecting ${box.deviceId}: ${error.message}`, error)),
    );
  });
  client.on('error', () => undefined);
  await client.subscribeAsync(topics.ack(box.roomId), { qos: 1 });
  return client;
}
