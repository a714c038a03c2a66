/** How the tests run: one project for each kind, quick and parallel first, browsers one at a time last. */
import { defineConfig } from 'vitest/config';

interface Kind {
  readonly name: string;
  readonly timeoutMs: number;
  readonly order: number;
  /** One file at a time: the kinds that start servers, encoders and browsers would starve each other on two cores. */
  readonly serial?: boolean;
}

const KINDS: readonly Kind[] = [
  { name: 'unit', timeoutMs: 10_000, order: 0 },
  { name: 'contract', timeoutMs: 60_000, order: 1 },
  { name: 'medium', timeoutMs: 120_000, order: 2 },
  { name: 'storm', timeoutMs: 120_000, order: 3, serial: true },
  { name: 'e2e', timeoutMs: 120_000, order: 4, serial: true },
  { name: 'long', timeoutMs: 3_600_000, order: 5, serial: true },
];

export default defineConfig({
  test: {
    pool: 'forks',
    reporters: ['default', './scripts/reporter.ts'],
    projects: KINDS.map(({ name, timeoutMs, order, serial }) => ({
      test: {
        name,
        include: [`test/${name}/**/*.test.ts`],
        pool: 'forks' as const,
        testTimeout: timeoutMs,
        hookTimeout: timeoutMs,
        fileParallelism: serial !== true,
        // Projects that run in parallel must agree on the number of workers; each kind has its own group instead.
        sequence: { groupOrder: order },
      },
    })),
  },
});
