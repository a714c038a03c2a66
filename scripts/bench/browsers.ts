/** Feed clients of a benchmark in a process of their own: each reads its line to the end and times every stored event on it. */
import { Agent, type IncomingMessage, request } from 'node:http';
import { Unavailable } from '../../protocol/errors.ts';
import { runPart } from '../part.ts';

/** What the file of `--setup` holds. */
export interface BrowserSetup {
  readonly url: string;
  readonly cookie: string;
  readonly cursor: string;
  readonly clients: number;
}

const EVENT = Buffer.from('\nevent: event\n');
const STORED = Buffer.from('"storedWallMs":');
const END = Buffer.from('\n\n');

/** Opens the lines, says so, answers the order `{report: true}` with delays by ms and events by client. */
export async function runBrowsers({ url, cookie, cursor, clients }: BrowserSetup): Promise<void> {
  await runPart(async () => {
    const agent = new Agent({ maxSockets: Number.POSITIVE_INFINITY, keepAlive: false });
    /** How many events came so many ms after their commit began; the last one counts all that took longer. */
    const byMs = new Int32Array(60_001);
    const counts = new Int32Array(clients);
    let bytes = 0;
    const read = (client: number, response: IncomingMessage) => {
      let rest: Buffer = Buffer.alloc(0);
      response.on('data', (chunk: Buffer) => {
        const nowMs = Date.now();
        bytes += chunk.length;
        const all = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
        const whole = all.lastIndexOf(END);
        if (whole === -1) {
          rest = all;
          return;
        }
        for (let at = all.indexOf(EVENT); at !== -1 && at < whole; at = all.indexOf(EVENT, at + EVENT.length)) {
          const from = all.indexOf(STORED, at) + STORED.length;
          const storedMs = Number(all.toString('latin1', from, from + 13));
          const delayMs = Math.min(60_000, Math.max(0, nowMs - storedMs));
          byMs[delayMs] = byMs[delayMs]! + 1;
          counts[client] = counts[client]! + 1;
        }
        // The line end before `event:` belongs to the pattern.
        rest = all.subarray(whole + 1);
      });
    };
    const open = (client: number) =>
      new Promise<IncomingMessage>((resolve, reject) => {
        const asked = request(`${url}/api/feed?cursor=${cursor}`, { agent, headers: { cookie } }, (response) => {
          if (response.statusCode === 200) resolve(response);
          else reject(new Unavailable('bench_no_feed', `opening line ${client}: answered ${response.statusCode}`));
        });
        asked.on('error', (cause) =>
          reject(new Unavailable('bench_no_feed', `opening line ${client}: ${cause.message}`, cause)),
        );
        asked.end();
      });
    const lines: IncomingMessage[] = [];
    for (let from = 0; from < clients; from += 25) {
      const some = Array.from({ length: Math.min(25, clients - from) }, (_, i) => from + i);
      for (const [i, response] of (await Promise.all(some.map(open))).entries()) {
        read(some[i]!, response);
        response.on('error', () => undefined);
        lines.push(response);
      }
    }
    return {
      ready: { open: lines.length },
      onOrder(order) {
        if (order.report === true) process.send?.({ byMs: [...byMs], counts: [...counts], bytes });
      },
      async close() {
        for (const line of lines) line.destroy();
        agent.destroy();
      },
    };
  });
}
