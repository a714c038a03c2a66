/** Beside the own PostgreSQL of benchmarks, storms and tests: the two things that are asked of it. */
import pg from 'pg';

/** True when a connection is answered; waits at most 2 s for it. */
export async function answers(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.end();
    return true;
  } catch {
    return false;
  }
}

/** Makes an empty database; `name` is one of ours, letters and digits. */
export async function createDatabase(url: string, name: string): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  await client.query(`create database ${name}`);
  await client.end();
}
