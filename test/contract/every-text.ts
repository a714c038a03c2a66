/** All text that a database of the cloud holds, column by column, whatever tables there are: for what must be nowhere. */
import Database from 'better-sqlite3';
import pg from 'pg';
import type { StoreConfig } from '../../cloud/store/open.ts';

/** Each text as `table.column: text`. */
export async function everyText(config: StoreConfig): Promise<string[]> {
  return config.kind === 'sqlite' ? ofSqlite(config.path) : ofPostgres(config.url);
}

/** Where the words stand, in clear, in JSON's escapes or in base64. */
export async function placesOf(config: StoreConfig, words: string): Promise<string[]> {
  const escaped = words.replaceAll(/[^ -~]/g, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`);
  const texts = await everyText(config);
  const found = texts.filter((text) => {
    const [, value = ''] = /^[^:]*: (.*)$/s.exec(text) ?? [];
    const decoded = /^[A-Za-z0-9+/]{16,}=*$/.test(value) ? Buffer.from(value, 'base64').toString('utf8') : '';
    return [value, decoded].some((one) => one.includes(words) || one.includes(escaped));
  });
  return [...new Set(found.map((text) => text.split(':')[0]!))].sort();
}

function ofSqlite(path: string): string[] {
  const database = new Database(path, { readonly: true });
  try {
    const tables = database.prepare("select name from sqlite_master where type = 'table'").pluck().all() as string[];
    return tables.flatMap((table) =>
      (database.prepare(`select * from "${table}"`).all() as Record<string, unknown>[]).flatMap((row) =>
        Object.entries(row).flatMap(([column, value]) =>
          value === null || typeof value === 'number' ? [] : [`${table}.${column}: ${String(value)}`],
        ),
      ),
    );
  } finally {
    database.close();
  }
}

async function ofPostgres(url: string): Promise<string[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ table: string; column: string }>(
      `select c.table_name as table, c.column_name as column from information_schema.columns c
       join information_schema.tables t using (table_schema, table_name)
       where c.table_schema = 'public' and t.table_type = 'BASE TABLE' and c.data_type in ('text', 'json', 'jsonb', 'bytea', 'character varying')`,
    );
    const texts: string[] = [];
    for (const { table, column } of rows) {
      const found = await client.query<{ value: string }>(
        `select "${column}"::text as value from "${table}" where "${column}" is not null`,
      );
      texts.push(...found.rows.map(({ value }) => `${table}.${column}: ${value}`));
    }
    return texts;
  } finally {
    await client.end();
  }
}
