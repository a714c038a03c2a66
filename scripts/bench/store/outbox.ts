/** The bare insert that the outbox is measured against: the same bytes into one table, one commit each, same pragmas. */
import Database from 'better-sqlite3';

export interface BareOutbox {
  /** One transaction with one row of these bytes, on disk when it returns. */
  insert(eventId: string, json: string): void;
  close(): void;
}

export function openBareOutbox(path: string): BareOutbox {
  const database = new Database(path);
  database.pragma('auto_vacuum = INCREMENTAL');
  database.pragma('locking_mode = EXCLUSIVE');
  database.pragma('journal_mode = WAL');
  database.pragma('synchronous = FULL');
  database.pragma('journal_size_limit = 4194304');
  database.exec('create table event (key integer primary key, event_id text not null, json text not null) strict');
  const statement = database.prepare('insert into event (event_id, json) values (?, ?)');
  return {
    insert: (eventId, json) => void statement.run(eventId, json),
    close: () => database.close(),
  };
}
