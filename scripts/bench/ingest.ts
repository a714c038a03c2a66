/** `evalroom bench ingest`: from MQTT to committed rows on PostgreSQL with 1, 2 and 4 workers, beside a bare insert. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Unavailable } from '../../protocol/errors.ts';
import type { IngestOptions } from '../bench.ts';
import { type Child, startChild } from '../children.ts';
import type { OwnPostgres } from '../postgres.ts';
import { type BenchBroker, benchPostgres, startBenchBroker } from './cloud.ts';
import { roomEvents } from './events.ts';
import { rounded } from './figures.ts';
import { processTree } from './processes.ts';
import { bareUnnest, storedRows } from './store/bare.ts';

const ROOMS = 100;
const DONE_MS = 300_000;

/** Prints a line for each number of workers, and with --json one object. Throws Unavailable when an event is missing. */
export async function benchIngest({ events, workers, json }: IngestOptions): Promise<void> {
  const say = (text: string) => void process.stderr.write(`${text}\n`);
  const postgres = await benchPostgres();
  try {
    const runs = [];
    for (const count of workers) {
      // Beside each run, since the machine may be busier at one time than at another.
      const bare = Array.from({ length: ROOMS }, (_, i) => roomEvents(`room-${i}`, events / ROOMS, Date.now())).flat();
      const both = { postgres: [postgres.pid], client: [process.pid] };
      const begun = cpuOf(both);
      let bareCpuUs: CpuUs = {};
      const before = await bareUnnest(await postgres.database(), bare, () => {
        bareCpuUs = perEvent(begun, cpuOf(both), events);
      });
      say(`bare unnest insert: ${rounded(before)} rows/s; now ${count} workers …`);
      const { eventsPerS, cpuUs } = await oneRun(postgres, count, events);
      const after = await bareUnnest(await postgres.database(), bare);
      const barePerS = (before + after) / 2;
      const run = {
        workers: count,
        eventsPerS: rounded(eventsPerS),
        barePerS: rounded(barePerS),
        ratio: rounded(eventsPerS / barePerS, 2),
        cpuUs,
        bareCpuUs,
      };
      console.log(
        `${count} workers   ${run.eventsPerS} events/s, bare ${run.barePerS} rows/s, ratio ${run.ratio}; processor µs an event: ${words(cpuUs)}; bare: ${words(bareCpuUs)}`,
      );
      runs.push(run);
    }
    if (json) console.log(JSON.stringify({ events, rooms: ROOMS, runs }));
  } finally {
    await postgres.stop();
  }
}

async function oneRun(
  postgres: OwnPostgres,
  workers: number,
  events: number,
): Promise<{ eventsPerS: number; cpuUs: CpuUs }> {
  const broker = await startBenchBroker(ROOMS);
  let senders: Child | undefined;
  try {
    const store = await postgres.database();
    const first = await broker.launch(['ingest'], store);
    const others = await Promise.all(Array.from({ length: workers - 1 }, () => broker.launch(['ingest'], store)));
    senders = await launchSenders(broker, 0, ROOMS, events / ROOMS);
    const roots = {
      postgres: [postgres.pid],
      workers: [first, ...others].map(({ pid }) => pid),
      broker: [await broker.pid()],
      senders: [senders.pid],
    };
    const before = cpuOf(roots);
    const { ms } = await sendAll(senders);
    const after = cpuOf(roots);
    const { stored } = await storedRows(store);
    if (stored !== events) throw new Unavailable('bench_lost', `${events} events were acked and ${stored} are stored`);
    return { eventsPerS: events / (ms / 1000), cpuUs: perEvent(before, after, events) };
  } finally {
    await senders?.close();
    await broker.close();
  }
}

/** Processor time in µs an event, by group of processes. */
type CpuUs = Readonly<Record<string, number | null>>;

const words = (cpuUs: CpuUs) =>
  Object.entries(cpuUs)
    .map(([name, us]) => `${name} ${us}`)
    .join(', ');

function perEvent(before: Map<string, number>, after: Map<string, number>, events: number): CpuUs {
  return Object.fromEntries(
    [...before].map(([name, ms]) => [name, rounded(((after.get(name)! - ms) * 1000) / events)]),
  );
}

/** Processor time in ms of each group of process trees. */
function cpuOf(roots: Readonly<Record<string, readonly number[]>>): Map<string, number> {
  return new Map(
    Object.entries(roots).map(([name, pids]) => [
      name,
      pids.flatMap((pid) => processTree(pid)).reduce((sum, { cpuMs }) => sum + cpuMs, 0),
    ]),
  );
}

/** A process with the boxes `from` … `to`, connected, each with its payloads ready; `perS` events a second of all together. */
export async function launchSenders(
  broker: BenchBroker,
  from: number,
  to: number,
  events: number,
  perS?: number,
): Promise<Child> {
  const setup = join(broker.folder, `senders-${from}.json`);
  const boxes = broker.boxes.slice(from, to);
  await writeFile(setup, JSON.stringify({ url: broker.url, boxes, events, perS }), { mode: 0o600 });
  return startChild({ name: `senders-${from}`, args: ['bench', 'senders', '--setup', setup], readyMs: 180_000 });
}

/** Lets them send; resolves with the time in ms until the last event is acked, and how often something was sent again. */
export function sendAll(senders: Child): Promise<{ readonly ms: number; readonly resends: number }> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Unavailable('bench_not_done', `not all events were acked within ${DONE_MS / 1000} s`)),
      DONE_MS,
    );
    senders.onSaid((said) => {
      if (said.done !== true) return;
      clearTimeout(timer);
      resolve({ ms: Number(said.ms), resends: Number(said.resends) });
    });
    senders.send({ go: true });
  });
}
