/** Storms of hundreds of kills, on both stores, and in the processes of a large deployment. */
import { expect, it } from 'vitest';
import { postgresBin } from '../../scripts/postgres.ts';
import { runStorm, type StormResult } from '../../scripts/storm/run.ts';
import type { StormOptions } from '../../scripts/storm.ts';

/** Nothing lost or doubled, and nothing that an honest room sent was refused on the way. */
const WHOLE = {
  ...{ lost: 0, storedTwice: 0, shownTwice: 0, missingOnScreen: 0 },
  ...{ quarantined: 0, rejected: 0, faults: [] },
};
const needsPostgres = 'needs PostgreSQL (Debian package postgresql)';

/** Prints the numbers, and why anything was refused. */
async function ride(options: Omit<StormOptions, 'rooms'> & { readonly seed: number }): Promise<StormResult> {
  const said: string[] = [];
  const result = await runStorm({ ...options, rooms: 3 }, (text) => void said.push(text));
  console.log(
    JSON.stringify(result),
    said.filter((text) => text.startsWith('refused')),
  );
  return result;
}

it('300 kills on SQLite', async () => {
  expect(await ride({ kills: 300, store: 'sqlite', seed: 300 })).toMatchObject({ kills: 300, ...WHOLE });
});

it('300 kills on PostgreSQL with two clouds', async (ctx) => {
  if (postgresBin() === undefined) ctx.skip(needsPostgres);
  expect(await ride({ kills: 300, store: 'postgres', seed: 301 })).toMatchObject({ kills: 300, ...WHOLE });
});

it('60 kills of a cloud in processes: workers, web processes, broker and database apart', async (ctx) => {
  if (postgresBin() === undefined) ctx.skip(needsPostgres);
  const result = await ride({ kills: 60, store: 'postgres', layout: 'split', seed: 302 });
  expect(result).toMatchObject({ kills: 60, ...WHOLE });
  // Its seed has nine.
  expect(result.atCommit).toBeGreaterThanOrEqual(5);
});
