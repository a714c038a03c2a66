/** Beside the store: brings its schema up, each step of migrations.ts once, in order, all in one transaction. */
import { randomBytes } from 'node:crypto';
import { Corrupt } from '../../protocol/errors.ts';
import { MIGRATIONS } from './migrations.ts';
import type { Sql } from './sql.ts';

/** Brings the schema to this version, or to `last` where an older one is wanted to try an upgrade. Throws Corrupt for a store written by a newer version. Returns the store's identity. */
export async function migrate(
  sql: Sql,
  last = MIGRATIONS.at(-1)!.version,
): Promise<{ readonly storeId: string; readonly grantKey: string }> {
  const postgres = sql.dialect === 'postgres';
  return sql.write(async (tx) => {
    // A step over a large table takes as long as it takes, and so does waiting for one that another process makes; given up
    // half-way, it would be given up at every start.
    if (postgres) await tx.all('set local statement_timeout = 0');
    // Several workers may start at once on an empty database.
    if (postgres) await tx.all('select pg_advisory_xact_lock(20837465)');
    const int = postgres ? 'bigint' : 'integer';
    await sql.script(tx, `create table if not exists schema_versions (version ${int} primary key, name text not null)`);
    const known = await tx.all<{ version: number }>('select version from schema_versions order by version');
    const newest = known.at(-1)?.version ?? 0;
    if (newest > last)
      throw new Corrupt(
        'store_newer',
        `opening the store: its schema is version ${newest}, this program knows ${last}`,
      );
    for (const step of MIGRATIONS.filter(({ version }) => version > newest && version <= last)) {
      const extra = postgres ? step.postgres : step.sqlite;
      await sql.script(tx, step.sql.replaceAll('{int}', int) + (extra ?? ''));
      await tx.all('insert into schema_versions (version, name) values ($1, $2)', step.version, step.name);
    }
    await tx.all(
      'insert into store_identity (only_row, store_id, grant_key) values (1, $1, $2) on conflict do nothing',
      randomBytes(5).toString('hex'),
      randomBytes(32).toString('hex'),
    );
    const rows = await tx.all<{ store_id: string; grant_key: string }>(
      'select store_id, grant_key from store_identity',
    );
    const row = rows[0]!;
    return { storeId: row.store_id, grantKey: row.grant_key };
  });
}
