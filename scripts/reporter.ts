/** What a test run says at its end: each skip with its reason, each file that could not be loaded, and the two counts. */
import { writeFileSync } from 'node:fs';
import type { Reporter, SerializedError, TestModule } from 'vitest/node';

/** Counts of one run. A file that did not load, a failed hook and an error outside any test each count as failed. */
export interface RunTotals {
  readonly passed: number;
  readonly failed: number;
  /** Reason to number of tests. */
  readonly skipped: Readonly<Record<string, number>>;
}

/** Adds up a finished run. */
export function totals(modules: readonly TestModule[], errors: readonly SerializedError[]): RunTotals {
  let passed = 0;
  let failed = errors.length;
  const skipped: Record<string, number> = {};
  for (const module of modules) {
    failed += module.errors().length;
    for (const suite of module.children.allSuites()) failed += suite.errors().length;
    for (const test of module.children.allTests()) {
      const result = test.result();
      if (result.state === 'passed') passed++;
      else if (result.state === 'skipped') {
        const reason = result.note ?? 'no reason given';
        skipped[reason] = (skipped[reason] ?? 0) + 1;
      } else failed++;
    }
  }
  return { passed, failed, skipped };
}

/** `skipped N: reason (n), reason (n)`, or undefined where nothing was skipped. */
export function skippedLine(skipped: RunTotals['skipped']): string | undefined {
  const reasons = Object.entries(skipped).sort(([, a], [, b]) => b - a);
  if (reasons.length === 0) return undefined;
  const count = reasons.reduce((sum, [, n]) => sum + n, 0);
  return `skipped ${count}: ${reasons.map(([reason, n]) => `${reason} (${n})`).join(', ')}`;
}

/** Writes the totals where scripts/run-tests.mjs looks for them; vitest's own reporter shows the tests themselves. */
export default class TotalsReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly SerializedError[]): void {
    const run = totals(modules, errors);
    const line = skippedLine(run.skipped);
    const file = process.env.EVALROOM_TEST_TOTALS;
    if (file) writeFileSync(file, JSON.stringify({ ...run, line }));
    else if (line) console.log(line);
  }
}
