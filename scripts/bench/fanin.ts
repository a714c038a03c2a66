/** `evalroom bench fanin`: thousands of real MQTT connections, one event each at the same instant, as after an outage. */
import { readFileSync } from 'node:fs';
import { Unavailable } from '../../protocol/errors.ts';
import type { FaninOptions } from '../bench.ts';
import type { Child } from '../children.ts';
import { type BenchBroker, benchPostgres, startBenchBroker } from './cloud.ts';
import { percentile, rounded } from './figures.ts';
import { launchSenders, sendAll } from './ingest.ts';
import { processTree } from './processes.ts';
import { storedRows } from './store/bare.ts';

/** Boxes in one process: its own files and timers must not be what is measured. */
const BOXES = 5000;
/** Files that the broker needs besides its connections. */
const SPARE = 200;

/** Prints a table, and with --json one object. Throws Unavailable where this shell may not open so many files. */
export async function benchFanin({ connections, workers, json }: FaninOptions): Promise<void> {
  requireFiles(connections + SPARE);
  const say = (text: string) => void process.stderr.write(`${text}\n`);
  const postgres = await benchPostgres();
  let broker: BenchBroker | undefined;
  const senders: Child[] = [];
  try {
    broker = await startBenchBroker(connections);
    const store = await postgres.database();
    const ingest = [await broker.launch(['ingest'], store)];
    while (ingest.length < workers) ingest.push(await broker.launch(['ingest'], store));
    say(`connecting ${connections} boxes …`);
    for (let from = 0; from < connections; from += BOXES)
      senders.push(await launchSenders(broker, { from, to: Math.min(connections, from + BOXES), events: 1 }));
    const peak = watchMemory({ broker: [await broker.pid()], worker: ingest.map(({ pid }) => pid) });
    say('all are connected; now one event each …');
    const begunMs = performance.now();
    const sent = await Promise.all(senders.map(sendAll));
    const drainMs = performance.now() - begunMs;
    const memory = peak();
    const { stored, delaysMs } = await storedRows(store);
    const figures = {
      connections,
      accepted: connections,
      stored,
      drainMs: rounded(drainMs),
      p50Ms: rounded(percentile(delaysMs, 0.5)),
      p99Ms: rounded(percentile(delaysMs, 0.99)),
      brokerRssMb: rounded(memory.broker!),
      workerRssMb: rounded(memory.worker!),
      workers,
      resends: sent.reduce((sum, { resends }) => sum + resends, 0),
    };
    console.log(
      `${figures.stored} of ${figures.accepted} events stored, the last one acked after ${figures.drainMs} ms`,
    );
    console.log(`accept to row       p50 ${figures.p50Ms} ms, p99 ${figures.p99Ms} ms, ${figures.resends} resends`);
    console.log(
      `memory              broker ${figures.brokerRssMb} MB, ${workers} ingest workers together ${figures.workerRssMb} MB`,
    );
    if (json) console.log(JSON.stringify(figures));
    if (stored !== connections)
      throw new Unavailable('bench_lost', `${connections} events were accepted and ${stored} are stored`);
  } finally {
    await Promise.all(senders.map((child) => child.close()));
    await broker?.close();
    await postgres.stop();
  }
}

/** The broker inherits this shell's limit; each connection is a file. */
function requireFiles(needed: number): void {
  const line = /^Max open files\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8'));
  const limit = line?.[1] === 'unlimited' ? Number.POSITIVE_INFINITY : Number(line?.[1] ?? 0);
  if (limit >= needed) return;
  throw new Unavailable(
    'bench_files',
    `this benchmark needs ${needed} open files and this shell may have ${limit}: run \`ulimit -n ${needed}\` first (as root also \`ulimit -Hn ${needed}\`; for good: /etc/security/limits.conf, or LimitNOFILE= of the broker's unit), or fewer --connections`,
  );
}

/** Watches the memory of each group of process trees; the answer is the highest sum seen, in MB. */
function watchMemory(groups: Readonly<Record<string, readonly number[]>>): () => Record<string, number> {
  const highest: Record<string, number> = {};
  const look = () => {
    for (const [name, pids] of Object.entries(groups)) {
      const bytes = pids.flatMap((pid) => processTree(pid)).reduce((sum, { rssBytes }) => sum + rssBytes, 0);
      highest[name] = Math.max(highest[name] ?? 0, bytes / 1024 / 1024);
    }
  };
  look();
  const timer = setInterval(look, 250);
  return () => {
    clearInterval(timer);
    look();
    return highest;
  };
}
