/** Storms of hundreds of kills, on both stores, and in the processes of a large deployment. */
import { expect, it } from 'vitest';
import { postgresBin } from '../../scripts/postgres.ts';
import { runStorm } from '../../scripts/storm/run.ts';

const WHOLE = { lost: 0, storedTwice: 0, shownTwice: 0, missingOnScreen: 0, faults: [] };

it('300 kills on SQLite', async () => {
  const result = await runStorm({ kills: 300, rooms: 3, store: 'sqlite', seed: 300 }, () => undefined);
  expect(result).toMatchObject({ kills: 300, ...WHOLE });
});

it('300 kills on PostgreSQL with two clouds', async (ctx) => {
  if (postgresBin() === undefined) ctx.skip('needs PostgreSQL (Debian package postgresql)');
  const result = await runStorm({ kills: 300, rooms: 3, store: 'postgres', seed: 301 }, () => undefined);
  expect(result).toMatchObject({ kills: 300, ...WHOLE });
});

it('60 kills of a cloud in processes: workers, web processes, broker and database apart', async (ctx) => {
  if (postgresBin() === undefined) ctx.skip('needs PostgreSQL (Debian package postgresql)');
  const result = await runStorm(
    { kills: 60, rooms: 3, store: 'postgres', layout: 'split', seed: 302 },
    () => undefined,
  );
  expect(result).toMatchObject({ kills: 60, ...WHOLE });
  // As many as this seed has.
  expect(result.atCommit).toBeGreaterThanOrEqual(5);
});
