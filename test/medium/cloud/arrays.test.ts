/** What the driver writes as binary arrays, PostgreSQL reads as the same values. */
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openPostgres } from '../../../cloud/store/postgres.ts';
import type { Sql } from '../../../cloud/store/sql.ts';
import { postgresBin, startPostgres, type TestPostgres } from './postgres.ts';

const bin = postgresBin();

describe('columns as binary arrays', () => {
  let server: TestPostgres | undefined;
  let sql: Sql | undefined;
  beforeAll(async () => {
    if (!bin) return;
    server = await startPostgres(bin);
    sql = openPostgres(await server.database());
    await sql.write((tx) =>
      sql!.script(tx, 'create table kept (place bigint primary key, number bigint, words text, tree text)'),
    );
  }, 60_000);
  afterAll(async () => {
    await sql?.close();
    await server?.stop();
  });
  beforeEach((ctx) => {
    if (!sql) ctx.skip('needs the Debian package postgresql');
  });

  const columns = { place: 'int', number: 'int', words: 'text', tree: 'json' } as const;

  it('come back as they were: any text, any whole number, nulls, none and many', async () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 40 }).filter((words) => !words.includes('\u0000'));
    const row = fc.tuple(
      fc.option(fc.maxSafeInteger()),
      fc.option(fc.oneof(text, fc.constantFrom('', 'NULL', '{"a"}', '\\', '评标, "专家"\n', '🂡'.repeat(2000)))),
      fc.jsonValue().map((value) => JSON.stringify(value).replaceAll('\\u0000', '')),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(row, { maxLength: 30 }), async (rows) => {
        const found = await sql!.write(async (tx) => {
          await tx.all('delete from kept');
          await tx.insertMany({ table: 'kept', columns, rows: rows.map((values, place) => [place, ...values]) });
          return tx.all<{ number: number; words: string; tree: string }>('select * from kept order by place');
        });
        expect(found.map(({ number, words, tree }) => [number, words, tree])).toEqual(rows);
      }),
      { numRuns: 60, seed: 20261124 },
    );
  });

  it('refuse a number that is not whole as the row itself, so that its neighbours can be stored without it', async () => {
    const insert = (number: number) =>
      sql!.write((tx) => tx.insertMany({ table: 'kept', columns, rows: [[1000, number, 'a', '{}']] }));
    for (const number of [0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 60])
      await expect(insert(number)).rejects.toMatchObject({ kind: 'InvalidInput', code: 'row_refused' });
    await expect(
      sql!.write((tx) => tx.insertMany({ table: 'kept', columns, rows: [[1, 1, 'a\u0000', '{}']] })),
    ).rejects.toMatchObject({ kind: 'InvalidInput', code: 'row_refused' });
  });
});
