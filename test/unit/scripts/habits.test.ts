import { describe, expect, it } from 'vitest';
import { findSlips } from '../../../scripts/house/habits.ts';
import { parseSource } from '../../../scripts/house/source.ts';

function slipsIn(path: string, text: string) {
  return findSlips([parseSource(path, text)]).map(({ habit }) => habit);
}

describe('the habits of the house', () => {
  it.each([
    ['environment-in-config', 'const a = process.env.HOME;'],
    ['environment-in-config', "const a = process['env'].HOME;"],
    ['environment-in-config', 'const { env } = process;'],
    ['environment-in-config', "import { env } from 'node:process';"],
    ['environment-in-config', "const a = globalThis.process.env['HOME'];"],
    ['time-in-clock', 'const a = Date.now();'],
    ['time-in-clock', 'const a = Date.now;'],
    ['time-in-clock', 'const a = new Date();'],
    ['time-in-clock', 'const a = performance.now();'],
    ['time-in-clock', 'const a = globalThis.performance.now();'],
    ['time-in-clock', 'const a = process.hrtime.bigint();'],
    ['time-in-clock', "import { performance as p } from 'node:perf_hooks';"],
    ['time-in-clock', 'const { now } = Date;'],
    ['sql-in-store', "const a = 'select a, b from events';"],
    ['sql-in-store', `const a = \`insert into events (a)\n values (\${1})\`;`],
    ['sql-in-store', "const a = 'PRAGMA journal_mode = WAL';"],
    ['errors-of-the-house', "throw new Error('no');"],
    ['errors-of-the-house', "throw TypeError('no');"],
    ['imports-in-sight', 'const a = import(name);'],
  ])('%s is noticed in: %s', (habit, text) => {
    expect(slipsIn('agent/forward.ts', text)).toEqual([habit]);
  });

  it.each([
    ['agent/config.ts', 'const a = process.env.HOME;'],
    ['agent/clock.ts', 'const a = Date.now();'],
    ['cloud/clock.ts', 'const a = performance.now();'],
    ['cloud/store/sqlite.ts', "const a = 'select a from events';"],
    ['scripts/bench.ts', 'const a = process.env.HOME ?? performance.now();'],
    ['test/unit/a.test.ts', "throw new Error('select a from b');"],
    ['agent/forward.ts', 'const a = new Date(wallMs).toISOString();'],
    ['agent/forward.ts', 'const a = clock.now(); const env = { ...given };'],
    ['agent/forward.ts', "const a = 'select a camera from the list';".replace(' from', ' in')],
    ['agent/forward.ts', "const a = import('./other.ts');"],
    ['cloud/web/clock.ts', 'const a = Date.now();'],
  ])('%s may hold: %s', (path, text) => {
    expect(slipsIn(path, text)).toEqual([]);
  });

  it('names the line and what would be right', () => {
    expect(findSlips([parseSource('agent/forward.ts', '\n\nDate.now();')])).toEqual([
      expect.objectContaining({ path: 'agent/forward.ts', line: 3, comment: expect.stringContaining('take a Clock') }),
    ]);
  });
});
