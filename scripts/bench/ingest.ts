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
import { type BareTable, bareRow, openBareTable, storedRows } from './store/bare.ts';

const ROOMS = 100;
const DONE_MS = 300_000;
/**
 * Taken in turns with the bare insert: what else the machine does falls on both. One more of each comes first and is not
 * counted: code that has never run is slow in every process, and there are more of ours.
 */
const ROUNDS = 4;

/** Prints a line for each number of workers, and with --json one object. Throws Unavailable when an event is missing. */
export async function benchIngest({ events, workers, json }: IngestOptions): Promise<void> {
  const say = (text: string) => void process.stderr.write(`${text}\n`);
  const rounds = events % (ROOMS * ROUNDS) === 0 ? ROUNDS : 1;
  const postgres = await benchPostgres();
  try {
    const runs = [];
    for (const count of workers) {
      say(`${count} workers and the bare unnest insert in turns, ${rounds} rounds each …`);
      const { ours, bare } = await oneRun(postgres, { workers: count, events, rounds });
      const eventsPerS = (events * 1000) / sum(ours.ms);
      const barePerS = (events * 1000) / sum(bare.ms);
      const run = {
        workers: count,
        eventsPerS: rounded(eventsPerS),
        barePerS: rounded(barePerS),
        ratio: rounded(eventsPerS / barePerS, 2),
        ratios: ours.ms.map((ms, round) => rounded(bare.ms[round]! / ms, 2)),
        cpuUs: perEvent(ours.cpuMs, events),
        bareCpuUs: perEvent(bare.cpuMs, events),
      };
      console.log(
        `${count} workers   ${run.eventsPerS} events/s, bare ${run.barePerS} rows/s, ratio ${run.ratio} (rounds: ${run.ratios.join(', ')}); processor µs an event: ${words(run.cpuUs)}; bare: ${words(run.bareCpuUs)}`,
      );
      runs.push(run);
    }
    if (json) console.log(JSON.stringify({ events, rooms: ROOMS, runs }));
  } finally {
    await postgres.stop();
  }
}

/** Wall time of each round, and processor time of each group of processes over all rounds. */
interface Turns {
  readonly ms: number[];
  readonly cpuMs: Map<string, number>;
}

async function oneRun(
  postgres: OwnPostgres,
  { workers, events, rounds }: { readonly workers: number; readonly events: number; readonly rounds: number },
): Promise<{ ours: Turns; bare: Turns }> {
  const broker = await startBenchBroker(ROOMS);
  let senders: Child | undefined;
  let table: BareTable | undefined;
  try {
    const store = await postgres.database();
    const first = await broker.launch(['ingest'], store);
    const others = await Promise.all(Array.from({ length: workers - 1 }, () => broker.launch(['ingest'], store)));
    const size = events / rounds;
    const all = events + size;
    senders = await launchSenders(broker, { from: 0, to: ROOMS, events: all / ROOMS, rounds: rounds + 1 });
    table = await openBareTable(await postgres.database());
    const rows = Array.from({ length: ROOMS }, (_, i) => roomEvents(`room-${i}`, all / ROOMS, Date.now()))
      .flat()
      .map(bareRow);
    const roots = {
      postgres: [postgres.pid],
      workers: [first, ...others].map(({ pid }) => pid),
      broker: [await broker.pid()],
      senders: [senders.pid],
    };
    let ours: Turns = { ms: [], cpuMs: new Map() };
    let bare: Turns = { ms: [], cpuMs: new Map() };
    const ourTurn = async () => {
      const before = cpuOf(roots);
      const { ms } = await sendAll(senders!);
      ours.ms.push(ms);
      add(ours.cpuMs, before, cpuOf(roots));
    };
    const bareTurn = async (round: number) => {
      const both = { postgres: [postgres.pid], client: [process.pid] };
      const before = cpuOf(both);
      bare.ms.push(await table!.insert(rows.slice(round * size, (round + 1) * size)));
      add(bare.cpuMs, before, cpuOf(both));
    };
    for (let round = 0; round <= rounds; round++) {
      if (round % 2 === 1) await bareTurn(round);
      await ourTurn();
      if (round % 2 === 0) await bareTurn(round);
      if (round > 0) continue;
      ours = { ms: [], cpuMs: new Map() };
      bare = { ms: [], cpuMs: new Map() };
    }
    const { stored } = await storedRows(store);
    if (stored !== all) throw new Unavailable('bench_lost', `${all} events were acked and ${stored} are stored`);
    return { ours, bare };
  } finally {
    await table?.close();
    await senders?.close();
    await broker.close();
  }
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

/** Processor time in µs an event, by group of processes. */
type CpuUs = Readonly<Record<string, number | null>>;

const words = (cpuUs: CpuUs) =>
  Object.entries(cpuUs)
    .map(([name, us]) => `${name} ${us}`)
    .join(', ');

function perEvent(cpuMs: ReadonlyMap<string, number>, events: number): CpuUs {
  return Object.fromEntries([...cpuMs].map(([name, ms]) => [name, rounded((ms * 1000) / events)]));
}

function add(
  total: Map<string, number>,
  before: ReadonlyMap<string, number>,
  after: ReadonlyMap<string, number>,
): void {
  for (const [name, ms] of after) total.set(name, (total.get(name) ?? 0) + ms - before.get(name)!);
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

/**
 * A process with the boxes `from` … `to`, connected, each with its payloads ready: `events` of each box, in `rounds`;
 * `perS` events a second of all together.
 */
export async function launchSenders(
  broker: BenchBroker,
  some: {
    readonly from: number;
    readonly to: number;
    readonly events: number;
    readonly rounds?: number;
    readonly perS?: number;
  },
): Promise<Child> {
  const { from, to, ...sending } = some;
  const setup = join(broker.folder, `senders-${from}.json`);
  const boxes = broker.boxes.slice(from, to);
  await writeFile(setup, JSON.stringify({ url: broker.url, boxes, ...sending }), { mode: 0o600 });
  return startChild({ name: `senders-${from}`, args: ['bench', 'senders', '--setup', setup], readyMs: 180_000 });
}

/** Lets them send a round; resolves with the time in ms until its last event is acked, and how often something was sent again. */
export function sendAll(senders: Child): Promise<{ readonly ms: number; readonly resends: number }> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Unavailable('bench_not_done', `not all events were acked within ${DONE_MS / 1000} s`)),
      DONE_MS,
    );
    let over = false;
    senders.onSaid((said) => {
      if (said.done !== true || over) return;
      over = true;
      clearTimeout(timer);
      resolve({ ms: Number(said.ms), resends: Number(said.resends) });
    });
    senders.send({ go: true });
  });
}
