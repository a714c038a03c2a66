/** `evalroom bench feed`: from the commit to every open page, with hundreds of pages and hundreds of events a second. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Unavailable } from '../../protocol/errors.ts';
import type { FeedOptions } from '../bench.ts';
import { type Child, startChild } from '../children.ts';
import { openDesk } from '../stand.ts';
import { type BenchBroker, benchPostgres, startBenchBroker } from './cloud.ts';
import { rounded } from './figures.ts';
import { launchSenders, sendAll } from './ingest.ts';
import { processTree } from './processes.ts';

const BOXES = 50;
const SETTLE_MS = 60_000;

interface Report {
  readonly byMs: readonly number[];
  readonly counts: readonly number[];
  readonly bytes: number;
}

/** Prints a table, and with --json one object. Throws Unavailable when a client missed an event or saw one twice. */
export async function benchFeed({ clients, perS, seconds, json }: FeedOptions): Promise<void> {
  const say = (text: string) => void process.stderr.write(`${text}\n`);
  const perBox = Math.ceil((perS * seconds) / BOXES);
  const postgres = await benchPostgres();
  let broker: BenchBroker | undefined;
  const children: Child[] = [];
  try {
    broker = await startBenchBroker(BOXES);
    const store = await postgres.database();
    await broker.launch(['ingest'], store);
    const web = await broker.launch(['web'], store);
    const desk = await openDesk(String(web.ready.setupUrl));
    const { cursor } = await desk.get<{ cursor: string }>('/api/overview');
    const setup = join(broker.folder, 'browsers.json');
    const { url } = web.ready;
    await writeFile(setup, JSON.stringify({ url, cookie: desk.cookie, cursor, clients }), { mode: 0o600 });
    say(`opening ${clients} lines …`);
    const browsers = await startChild({ name: 'browsers', args: ['bench', 'browsers', '--setup', setup] });
    const senders = await launchSenders(broker, { from: 0, to: BOXES, events: perBox, perS });
    children.push(browsers, senders);
    const total = perBox * BOXES;
    say(`${total} events, ${perS} a second …`);
    const cpuMs = (pid: number) => processTree(pid)[0]!.cpuMs;
    const [webBefore, browsersBefore] = [cpuMs(web.pid), cpuMs(browsers.pid)];
    const { ms } = await sendAll(senders);
    const { byMs, counts, bytes } = await reportOf(browsers, total);
    const [webCore, browsersCore] = [cpuMs(web.pid) - webBefore, cpuMs(browsers.pid) - browsersBefore];
    const wrong = counts.filter((count) => count !== total).length;
    if (wrong > 0)
      throw new Unavailable('bench_lost', `${wrong} of ${clients} clients did not see exactly the ${total} events`);
    const figures = {
      clients,
      eventsPerS: rounded((total * 1000) / ms),
      p50Ms: quantile(byMs, 0.5),
      p99Ms: quantile(byMs, 0.99),
      events: total,
      deliveries: total * clients,
      mbPerS: rounded(bytes / 1e6 / (ms / 1000)),
      webCore: rounded(webCore / ms, 2),
      browsersCore: rounded(browsersCore / ms, 2),
    };
    console.log(
      `${clients} clients, ${figures.eventsPerS} events/s: commit to delivery p50 ${figures.p50Ms} ms, p99 ${figures.p99Ms} ms`,
    );
    console.log(
      `${figures.deliveries} deliveries, ${figures.mbPerS} MB/s; the web process used ${figures.webCore} of a core, the clients ${figures.browsersCore}`,
    );
    if (json) console.log(JSON.stringify(figures));
  } finally {
    for (const child of children) await child.close();
    await broker?.close();
    await postgres.stop();
  }
}

/** Asks until every client has seen `total` events, or for a minute. */
async function reportOf(browsers: Child, total: number): Promise<Report> {
  let report: Report | undefined;
  browsers.onSaid((said) => {
    if (Array.isArray(said.byMs)) report = said as unknown as Report;
  });
  const until = performance.now() + SETTLE_MS;
  for (;;) {
    report = undefined;
    browsers.send({ report: true });
    while (report === undefined) await wait(50);
    const { counts } = report as Report;
    if (counts.every((count) => count >= total) || performance.now() > until) return report;
    await wait(200);
  }
}

/** Smallest number of ms within which the share of all came. */
function quantile(byMs: readonly number[], share: number): number {
  const all = byMs.reduce((sum, count) => sum + count, 0);
  let seen = 0;
  for (const [ms, count] of byMs.entries()) {
    seen += count;
    if (seen >= all * share) return ms;
  }
  return byMs.length;
}
