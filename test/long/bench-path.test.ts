/** The benchmarks of the durable path in small: each runs to its end, loses nothing and prints what others read. */
import { describe, expect, it } from 'vitest';
import { postgresBin } from '../../scripts/postgres.ts';
import { bench } from './bench.ts';

const number = expect.any(Number);

describe('evalroom bench', () => {
  it('outbox', async () => {
    expect(await bench('outbox', '--events', '200')).toMatchObject({
      eventsPerS: number,
      barePerS: number,
      ratio: number,
    });
  });

  it('ingest', async (ctx) => {
    if (!postgresBin()) return ctx.skip('needs the Debian package postgresql');
    const run = { eventsPerS: number, barePerS: number, ratio: number };
    expect(await bench('ingest', '--events', '2000', '--workers', '1,2')).toMatchObject({
      runs: [
        { workers: 1, ...run },
        { workers: 2, ...run },
      ],
    });
  });

  it('fanin', async (ctx) => {
    if (!postgresBin()) return ctx.skip('needs the Debian package postgresql');
    expect(await bench('fanin', '--connections', '200')).toMatchObject({
      connections: 200,
      accepted: 200,
      stored: 200,
      drainMs: number,
      p99Ms: number,
      brokerRssMb: number,
      workerRssMb: number,
    });
  });

  it('feed', async (ctx) => {
    if (!postgresBin()) return ctx.skip('needs the Debian package postgresql');
    expect(await bench('feed', '--clients', '20', '--per-s', '50', '--seconds', '2')).toMatchObject({
      clients: 20,
      eventsPerS: number,
      p50Ms: number,
      p99Ms: number,
    });
  });
});
