/** What the two database drivers have in common: transactions that run shared SQL, so that one text serves both. */

export type Value = string | number | null;
/** Arrays are only for `among()`. */
export type Param = Value | readonly string[] | readonly number[];
/** `json`: text that JSON.stringify has made, so free of control characters. */
export type ColumnType = 'text' | 'int' | 'json';

export type Dialect = 'sqlite' | 'postgres';

export interface Reader {
  readonly dialect: Dialect;
  /** Rows of one statement. Placeholders are `$1`, `$2` …; integers come back as numbers in both drivers. */
  all<R>(sql: string, ...params: Param[]): Promise<R[]>;
  /** `column` is one of the values of the array parameter `$index`. */
  among(column: string, index: number): string;
}

export interface InsertMany {
  readonly table: string;
  readonly columns: Readonly<Record<string, ColumnType>>;
  readonly rows: readonly (readonly Value[])[];
  /** `on conflict …` clause. */
  readonly conflict?: string;
  /** Columns to give back of the rows really inserted. */
  readonly returning?: string;
}

export interface Tx extends Reader {
  /** All rows in one statement (PostgreSQL: unnest) or one prepared statement (SQLite). */
  insertMany<R = never>(insert: InsertMany): Promise<R[]>;
  /** Row lock of a select where the database has rows to lock; SQLite has one writer anyway. */
  readonly forUpdate: string;
}

export interface Sql {
  readonly dialect: Dialect;
  /** One transaction; commits when `work` resolves, rolls back when it rejects. May run `work` again after a deadlock. */
  write<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
  /** One read-only transaction on one snapshot. */
  read<T>(work: (reader: Reader) => Promise<T>): Promise<T>;
  /** Statements of a migration, without parameters. Only inside `write`. */
  script(tx: Tx, sql: string): Promise<void>;
  /** Calls `heard` after each commit of any process that added to the feed, where the database tells. Returns how to stop. */
  watchFeed(heard: () => void): () => Promise<void>;
  close(): Promise<void>;
}
