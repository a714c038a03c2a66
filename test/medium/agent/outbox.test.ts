/** The outbox on a real disk: kill -9, a second opener, damage, a full disk. */
import { execFileSync, spawn } from 'node:child_process';
import {
  closeSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../agent/clock.ts';
import type { Outbox } from '../../../agent/store/outbox.ts';
import { openOutbox } from '../../../agent/store/sqlite.ts';
import { Full } from '../../../protocol/errors.ts';
import type { DraftEvent } from '../../../protocol/event.ts';

const log = pino({ level: 'silent' });
const clock = systemClock();
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'evalroom-outbox-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const open = (path = join(folder, 'outbox.db'), ballastBytes = 65_536): Outbox =>
  openOutbox({ path, roomId: 'room-1', clock, log, quotaEvents: 1_000_000, ballastBytes });
const gap = (size = 300): DraftEvent => ({
  at: clock.now(),
  body: { kind: 'gap', sourceId: 'cam-a', role: 'record', fromWallMs: 1, toWallMs: 2, reason: 'x'.repeat(size) },
});
const allOf = (outbox: Outbox) =>
  outbox.streams().flatMap((stream) => outbox.events(stream.streamId, stream.through, 1_000_000));

describe('outbox on disk', () => {
  it('says which folder it can not have', () => {
    writeFileSync(join(folder, 'data'), 'a file');
    expect(() => open(join(folder, 'data', 'outbox.db'))).toThrowError(
      expect.objectContaining({ code: 'data_folder', message: expect.stringContaining('data in room.yaml') }),
    );
    // Where nobody may make a folder Node alone would try for ever.
    for (const place of ['/proc/evalroom', '/proc/self/evalroom/data'])
      expect(() => open(join(place, 'outbox.db'))).toThrowError(expect.objectContaining({ code: 'data_folder' }));
    const deep = join(folder, 'made', 'of', 'three');
    open(join(deep, 'outbox.db')).close();
    expect(readdirSync(deep)).not.toContain('.writable');
  });

  it('holds every event that a killed process had accepted, in streams without holes', async () => {
    const path = join(folder, 'outbox.db');
    const printed: string[] = [];
    for (let round = 0; round < 4; round++) {
      const child = spawn(
        process.execPath,
        [join(import.meta.dirname, 'outbox-writer.ts'), path, round % 2 ? '7' : '1'],
        {
          stdio: ['ignore', 'pipe', 'inherit'],
        },
      );
      let output = '';
      const enough = 200 + round * 137;
      const ended = new Promise((resolve) => child.on('close', resolve));
      child.stdout.on('data', (chunk: Buffer) => {
        output += chunk;
        if (output.split('\n').length > enough) child.kill('SIGKILL');
      });
      await ended;
      printed.push(
        ...output
          .slice(0, output.lastIndexOf('\n') + 1)
          .split('\n')
          .filter(Boolean),
      );
    }
    const outbox = open();
    const stored = allOf(outbox);
    const known = new Set(stored.map((event) => `${event.eventId} ${event.streamId} ${event.seq}`));
    expect(printed.length).toBeGreaterThan(800);
    expect(printed.filter((line) => !known.has(line))).toEqual([]);
    for (const { streamId, lastSeq } of outbox.streams())
      expect(outbox.events(streamId, 0, 1_000_000).map((event) => event.seq)).toEqual(
        Array.from({ length: lastSeq }, (_, i) => i + 1),
      );
    // One stream for each opening that left something, and the two empty ones of this opening.
    expect(outbox.streams()).toHaveLength(6);
    outbox.close();
  });

  it('refuses a second opener, clearly, and lets it in once the first is gone', () => {
    const first = open();
    expect(() => open()).toThrow(expect.objectContaining({ kind: 'Unavailable', code: 'outbox_in_use' }));
    first.accept([gap()]);
    first.close();
    const second = open();
    expect(second.stats().events).toBe(1);
    second.close();
  });

  it('takes the ack for a stream of which an older version deleted events without counting them', () => {
    const first = open();
    const [, two, three] = first.accept([gap(), gap(), gap()]);
    const { streamId } = first.streams().find((stream) => stream.lastSeq === 3)!;
    first.sent(streamId, 3);
    expect(first.ack({ streamId, through: 1 })).toBe('progress');
    first.close();
    const database = new Database(join(folder, 'outbox.db'));
    database.exec('alter table stream drop column chain');
    database.pragma('user_version = 2');
    database.close();
    const second = open();
    // The cloud has counted from the first event on.
    expect(second.ack({ streamId, through: 2, eventId: two!.eventId, chain: 12_345 })).toBe('progress');
    expect(second.ack({ streamId, through: 3, eventId: 'another', chain: 12_345 })).toBe('other_event');
    expect(second.events(streamId, 0, 9).map(({ eventId }) => eventId)).toEqual([three!.eventId]);
    second.close();
  });

  it('lets an ack for events of an earlier opening pass: how far that one had sent is not known', () => {
    const first = open();
    first.accept([gap(), gap(), gap()]);
    const { streamId } = first.streams().find((stream) => stream.lastSeq === 3)!;
    first.close();
    const second = open();
    expect(second.ack({ streamId, through: 4 })).toBe('beyond_sent');
    expect(second.ack({ streamId, through: 2 })).toBe('progress');
    second.close();
    const third = open();
    expect(third.events(streamId, 0, 9).map((event) => event.seq)).toEqual([3]);
    expect(third.ack({ streamId, through: 3 })).toBe('progress');
    expect(third.streams().map((stream) => stream.streamId)).not.toContain(streamId);
    third.close();
  });

  it('keeps the bytes of a damaged file and begins anew, aloud', () => {
    const first = open();
    first.accept(Array.from({ length: 500 }, () => gap()));
    first.close();
    const path = join(folder, 'outbox.db');
    const file = openSync(path, 'r+');
    for (let page = 1; page < 30; page++) writeSync(file, Buffer.alloc(64, 0xee), 0, 64, page * 4096);
    closeSync(file);
    const second = open();
    expect(second.opening).toMatchObject({ kind: 'replaced' });
    expect(readdirSync(folder).some((name) => /^outbox\.db\.damaged-\d+$/.test(name))).toBe(true);
    expect(allOf(second).map((event) => event.body)).toMatchObject([
      { kind: 'gap', sourceId: 'outbox', reason: /damaged/ },
    ]);
    second.close();
  });

  it('sets an event with a flipped bit aside, sends the others without a hole, and says so', () => {
    const first = open();
    const accepted = first.accept(Array.from({ length: 5 }, () => gap()));
    first.close();
    const path = join(folder, 'outbox.db');
    const database = new Database(path);
    database.exec(
      `update event set json = replace(json, '"fromWallMs":1,', '"fromWallMs":9,') where event_id = '${accepted[2]!.eventId}'`,
    );
    database.close();
    const second = open();
    const old = second.streams().find((stream) => stream.lastSeq === 5)!;
    expect(second.events(old.streamId, 0, 50)).toEqual([]);
    const events = allOf(second);
    expect(events.slice(0, 4).map((event) => event.eventId)).toEqual(
      [0, 1, 3, 4].map((index) => accepted[index]!.eventId),
    );
    expect(events.map((event) => event.seq)).toEqual([1, 2, 3, 4, 5]);
    expect(events[4]?.body).toMatchObject({ kind: 'gap', reason: /damaged/ });
    expect(second.stats().events).toBe(5);
    second.close();
    const check = new Database(path);
    expect(check.prepare('select stream_id, seq, event_id from damaged').all()).toEqual([
      { stream_id: old.streamId, seq: 3, event_id: accepted[2]!.eventId },
    ]);
    check.close();
  });

  it('tells damage inside the log from the torn end of a power cut, and says that events are lost', async () => {
    const path = join(folder, 'outbox.db');
    const child = spawn(process.execPath, [join(import.meta.dirname, 'outbox-writer.ts'), path, '1'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    const ended = new Promise((resolve) => child.on('close', resolve));
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk;
      if (output.split('\n').length > 40) child.kill('SIGKILL');
    });
    await ended;
    const crashed = join(folder, 'crashed');
    mkdirSync(crashed);
    for (const name of readdirSync(folder))
      if (name.startsWith('outbox.db')) cpSync(join(folder, name), join(crashed, name));
    const copyTo = (name: string, change: (wal: Buffer) => Buffer) => {
      const place = join(folder, name);
      cpSync(crashed, place, { recursive: true });
      const wal = join(place, 'outbox.db-wal');
      writeFileSync(wal, change(readFileSync(wal)));
      return open(join(place, 'outbox.db'));
    };
    const frame = 24 + 4096;
    const whole = copyTo('whole', (wal) => wal);
    expect(whole.opening.kind).toBe('existing');
    const stored = whole.stats().events;
    whole.close();

    const torn = copyTo('torn', (wal) =>
      wal.subarray(0, 32 + (Math.floor((wal.length - 32) / frame) - 1) * frame + 100),
    );
    expect(torn.opening.kind).toBe('existing');
    torn.close();

    const flipped = copyTo('flipped', (wal) => {
      wal[32 + 10 * frame + 500]! ^= 1;
      return wal;
    });
    expect(flipped.opening).toMatchObject({ kind: 'shortened', reason: /frames of its log/ });
    expect(flipped.stats().events).toBeLessThan(stored);
    expect(allOf(flipped).at(-1)?.body).toMatchObject({ kind: 'gap', sourceId: 'outbox', reason: /shortened/ });
    expect(readdirSync(join(folder, 'flipped')).some((name) => /-wal\.damaged-\d+$/.test(name))).toBe(true);
    flipped.close();
  });

  it('refuses a file of a newer version without touching it', () => {
    open().close();
    const path = join(folder, 'outbox.db');
    const database = new Database(path);
    database.pragma('user_version = 99');
    database.close();
    expect(() => open()).toThrow(expect.objectContaining({ kind: 'InvalidInput', code: 'outbox_newer' }));
    expect(readdirSync(folder).filter((name) => name.includes('damaged'))).toEqual([]);
  });

  it('stops accepting on a full disk, still takes acks, and recovers by itself', (ctx) => {
    const disk = join(folder, 'disk');
    mkdirSync(disk);
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'none', disk], { stdio: 'ignore' });
    } catch {
      ctx.skip('needs the right to mount a tmpfs');
    }
    try {
      const outbox = open(join(disk, 'outbox.db'), 4 * 1024 * 1024);
      const accepted: string[] = [];
      let refused: unknown;
      while (!refused)
        try {
          accepted.push(...outbox.accept(Array.from({ length: 50 }, () => gap(800))).map((event) => event.eventId));
        } catch (error) {
          refused = error;
        }
      expect(refused).toBeInstanceOf(Full);
      expect(refused).toMatchObject({ code: 'disk_full' });
      expect(outbox.stats()).toMatchObject({ full: true, events: accepted.length });
      expect(allOf(outbox).map((event) => event.eventId)).toEqual(accepted);

      // Someone else fills what is left, to the last byte: nothing but the ballast can help now.
      const filler = openSync(join(disk, 'filler'), 'w');
      for (const size of [65_536, 4096])
        try {
          for (;;) if (writeSync(filler, Buffer.alloc(size)) < size) break;
        } catch {}
      closeSync(filler);
      expect(statfsSync(disk).bavail).toBe(0);

      const { streamId, lastSeq } = outbox.streams().find((stream) => stream.lastSeq > 0)!;
      outbox.sent(streamId, lastSeq);
      for (let through = 200; through < lastSeq; through += 200)
        expect(outbox.ack({ streamId, through })).toBe('progress');
      expect(outbox.ack({ streamId, through: lastSeq })).toBe('progress');
      expect(outbox.stats().events).toBe(0);

      rmSync(join(disk, 'filler'));
      const deadline = clock.monoMs() + 5000;
      let again = 0;
      while (again === 0 && clock.monoMs() < deadline)
        try {
          again = outbox.accept([gap()]).length;
        } catch (error) {
          expect(error).toBeInstanceOf(Full);
        }
      expect(again).toBe(1);
      expect(outbox.stats().full).toBe(false);
      expect(existsSync(join(disk, 'outbox.db-ballast'))).toBe(true);
      outbox.close();
      const reopened = open(join(disk, 'outbox.db'), 4 * 1024 * 1024);
      expect(reopened.stats().events).toBe(1);
      reopened.close();
    } finally {
      execFileSync('umount', ['-l', disk]);
    }
  });

  it('is not moved by jumps of the wall clock', () => {
    const times = [0, 1_900_000_000_000, 1_700_000_000_000];
    const jumpy = { ...clock, wallMs: () => times[0]!, now: () => ({ ...clock.now(), wallMs: times[0]! }) };
    const outbox = openOutbox({
      path: join(folder, 'outbox.db'),
      roomId: 'room-1',
      clock: jumpy,
      log,
      quotaEvents: 100,
      ballastBytes: 0,
    });
    const seqs: number[] = [];
    for (; times.length > 0; times.shift()) seqs.push(outbox.accept([{ ...gap(), at: jumpy.now() }])[0]!.seq);
    expect(seqs).toEqual([1, 2, 3]);
    expect(outbox.stats().oldestMs).toBeLessThan(60_000);
    outbox.close();
    expect(readFileSync(join(folder, 'outbox.db')).subarray(0, 15).toString()).toBe('SQLite format 3');
  });
});
