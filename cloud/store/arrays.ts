/** Inside the PostgreSQL driver: a column of many rows as the binary array that the server reads, each text encoded once and nothing escaped. */
import { InvalidInput } from '../../protocol/errors.ts';
import type { ColumnType, Value } from './sql.ts';

/** Object ids of the built-in types; they are the same in every PostgreSQL. */
const TEXT = 25;
const INT8 = 20;
const HEADER = 20;
const NULL = -1;
const TWO_32 = 2 ** 32;

/** Column `index` of the rows: dimensions 1, a flag for nulls, the type, the length, lower bound 1; then each value behind its length. */
export function binaryArray(type: ColumnType, rows: readonly (readonly Value[])[], index: number): Buffer {
  return type === 'int' ? ints(rows, index) : texts(rows, index);
}

function header(bytes: Buffer, nulls: boolean, oid: number, length: number): void {
  bytes.writeInt32BE(1, 0);
  bytes.writeInt32BE(nulls ? 1 : 0, 4);
  bytes.writeInt32BE(oid, 8);
  bytes.writeInt32BE(length, 12);
  bytes.writeInt32BE(1, 16);
}

/** Throws InvalidInput `row_refused` for a number that an int8 cannot hold exactly. */
function ints(rows: readonly (readonly Value[])[], index: number): Buffer {
  const bytes = Buffer.allocUnsafe(HEADER + rows.length * 12);
  let at = HEADER;
  let nulls = false;
  for (const row of rows) {
    const value = row[index];
    if (value == null) {
      nulls = true;
      at = bytes.writeInt32BE(NULL, at);
      continue;
    }
    if (typeof value !== 'number' || !Number.isSafeInteger(value))
      throw new InvalidInput('row_refused', `writing a row: ${String(value)} is not a whole number`);
    const high = Math.floor(value / TWO_32);
    at = bytes.writeInt32BE(8, at);
    at = bytes.writeInt32BE(high, at);
    at = bytes.writeUInt32BE(value - high * TWO_32, at);
  }
  header(bytes, nulls, INT8, rows.length);
  return bytes.subarray(0, at);
}

function texts(rows: readonly (readonly Value[])[], index: number): Buffer {
  // A UTF-16 unit takes at most three bytes; what is too much is never touched.
  let most = HEADER;
  for (const row of rows) most += 4 + 3 * (row[index] == null ? 0 : String(row[index]).length);
  const bytes = Buffer.allocUnsafe(most);
  let at = HEADER;
  let nulls = false;
  for (const row of rows) {
    const value = row[index];
    if (value == null) {
      nulls = true;
      at = bytes.writeInt32BE(NULL, at);
      continue;
    }
    const length = bytes.write(String(value), at + 4);
    bytes.writeInt32BE(length, at);
    at += 4 + length;
  }
  header(bytes, nulls, TEXT, rows.length);
  return bytes.subarray(0, at);
}
