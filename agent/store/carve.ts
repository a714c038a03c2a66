/** Inside salvage.ts: events cut out of the bytes of an outbox file or of its log, whatever is broken around them. */
import { isIntact } from './schema.ts';

/** An event whose bytes are those that were written. */
export interface Carved {
  readonly eventId: string;
  readonly json: string;
  /** stream.number * 2^32 + seq; undefined where it cannot be read. */
  readonly key: number | undefined;
  /** Order of acceptance; 0 where the file is of format 1. */
  readonly taken: number;
}

type Page = Buffer;
/** The image of a page by its number, from 1. */
type Pages = ReadonlyMap<number, Page>;

const WAL_HEADER_BYTES = 32;
/** Without its last bit, which says how sums are counted. */
const WAL_MAGIC = 0x377f0682 >>> 1;
const FRAME_HEADER_BYTES = 24;
/** Of an event's row: its key is null there, since it is the row's own number, and its name is a UUID: 36 letters. */
const KEY_TYPE = 0x00;
const NAME_TYPE = 13 + 2 * 36;
const MARK = Buffer.from([KEY_TYPE, NAME_TYPE]);
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const INT_BYTES: Readonly<Record<number, number>> = { 1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8, 8: 0, 9: 0 };

/**
 * Looks at every place of every page for a row of the table `event` (SQLite's documented record format), and takes it when its CRC
 * holds. Rows that SQLite has let go are found too: who calls says which of them the cloud has.
 */
export function carve(file: Buffer, wal: Buffer): ReadonlyMap<string, Carved> {
  const pageBytes = pageBytesOf(file, wal);
  const main = new Map<number, Page>();
  for (let at = 0, page = 1; at < file.length; at += pageBytes, page++)
    main.set(page, file.subarray(at, at + pageBytes));
  const images = [...main.values()];
  const newest = new Map(main);
  for (const { page, image } of frames(wal, pageBytes)) {
    images.push(image);
    newest.set(page, image);
  }
  const found = new Map<string, Carved>();
  for (const image of images)
    for (let at = image.indexOf(MARK); at >= 0; at = image.indexOf(MARK, at + 1)) {
      const event = rowAt(image, at, newest) ?? rowAt(image, at, main);
      if (event && (found.get(event.eventId)?.key ?? -1) < (event.key ?? 0)) found.set(event.eventId, event);
    }
  return found;
}

/** True for the bytes of a write-ahead log. */
export const isLog = (bytes: Buffer): boolean =>
  bytes.length >= WAL_HEADER_BYTES && bytes.readUInt32BE(0) >>> 1 === WAL_MAGIC;

/** As a header says, or what SQLite takes by default where that is damaged. */
function pageBytesOf(file: Buffer, wal: Buffer): number {
  const told = file.length >= 18 ? file.readUInt16BE(16) : isLog(wal) ? wal.readUInt32BE(8) : 0;
  const bytes = told === 1 ? 65_536 : told;
  return bytes >= 512 && (bytes & (bytes - 1)) === 0 ? bytes : 4096;
}

/** Images of the log, whether their sums hold or not: each event has a sum of its own. */
function* frames(wal: Buffer, pageBytes: number): Generator<{ readonly page: number; readonly image: Page }> {
  const step = FRAME_HEADER_BYTES + pageBytes;
  for (let at = WAL_HEADER_BYTES; at + step <= wal.length; at += step)
    yield { page: wal.readUInt32BE(at), image: wal.subarray(at + FRAME_HEADER_BYTES, at + step) };
}

/** The row whose header holds MARK at `at`. */
function rowAt(image: Page, at: number, pages: Pages): Carved | undefined {
  const headerAt = at - 1;
  const headerBytes = image[headerAt];
  if (headerBytes === undefined || headerBytes < 5 || headerBytes > 12) return undefined;
  const types: number[] = [];
  let place = at;
  while (place < headerAt + headerBytes) {
    const read = varint(image, place);
    if (!read) return undefined;
    types.push(read.value);
    place = read.next;
  }
  const [, , crcType = -1, jsonType = -1, takenType] = types;
  const crcBytes = INT_BYTES[crcType];
  const takenBytes = takenType === undefined ? 0 : takenType === 0 ? 0 : INT_BYTES[takenType];
  if (crcBytes === undefined || takenBytes === undefined || jsonType < 13 || jsonType % 2 === 0) return undefined;
  const jsonBytes = (jsonType - 13) / 2;
  const body = bodyAt(image, headerAt, headerBytes + 36 + crcBytes + jsonBytes + takenBytes, pages);
  if (!body) return undefined;
  let from = headerBytes;
  const take = (bytes: number) => {
    from += bytes;
    return body.subarray(from - bytes, from);
  };
  const eventId = take(36).toString('latin1');
  if (!UUID.test(eventId)) return undefined;
  const crc = whole(take(crcBytes), crcType);
  const json = take(jsonBytes);
  if (!isIntact(eventId, json, crc)) return undefined;
  const taken = takenType === undefined || takenType === 0 ? 0 : whole(take(takenBytes), takenType);
  return { eventId, json: json.toString('utf8'), key: keyBefore(image, headerAt), taken };
}

/** A whole record from `at` on: what does not fit its page goes on in a chain of others (file format, 1.6). */
function bodyAt(image: Page, at: number, bytes: number, pages: Pages): Buffer | undefined {
  const usable = image.length;
  const most = usable - 35;
  const least = Math.floor(((usable - 12) * 32) / 255) - 23;
  const fitting = least + ((bytes - least) % (usable - 4));
  const local = bytes <= most ? bytes : fitting <= most ? fitting : least;
  if (at + local > image.length) return undefined;
  const parts = [image.subarray(at, at + local)];
  let left = bytes - local;
  if (left > 0 && at + local + 4 > image.length) return undefined;
  let next = left > 0 ? image.readUInt32BE(at + local) : 0;
  for (let hops = 0; left > 0; hops++) {
    const page = pages.get(next);
    if (!page || page.length < 4 || hops > bytes) return undefined;
    const part = page.subarray(4, 4 + left);
    parts.push(part);
    left -= part.length;
    next = page.readUInt32BE(0);
  }
  return Buffer.concat(parts);
}

/** The row's number stands before its header, read backwards: only its last byte is below 0x80. */
function keyBefore(image: Page, headerAt: number): number | undefined {
  let from = headerAt - 1;
  while (from > 0 && headerAt - from < 9 && (image[from - 1]! & 0x80) !== 0) from--;
  const read = from >= 0 ? varint(image, from) : undefined;
  return read && read.next === headerAt && Number.isSafeInteger(read.value) ? read.value : undefined;
}

/** SQLite's variable-length integer: up to eight bytes of seven bits, and a ninth of eight. */
function varint(bytes: Buffer, at: number): { readonly value: number; readonly next: number } | undefined {
  let value = 0;
  for (let index = 0; index < 9; index++) {
    const byte = bytes[at + index];
    if (byte === undefined) return undefined;
    if (index === 8) return { value: value * 256 + byte, next: at + 9 };
    value = value * 128 + (byte & 0x7f);
    if (byte < 0x80) return { value, next: at + index + 1 };
  }
  return undefined;
}

const whole = (bytes: Buffer, type: number): number =>
  type === 8 ? 0 : type === 9 ? 1 : type === 6 ? Number(bytes.readBigInt64BE(0)) : bytes.readIntBE(0, bytes.length);
