/** The file of the outbox itself: neither what was taken out for its age nor what the cloud has acked stays readable in it. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { virtualClock } from '../../../agent/clock.ts';
import { openOutbox } from '../../../agent/store/sqlite.ts';
import type { DraftEvent } from '../../../protocol/event.ts';
import { episodeBody } from '../cloud/events.ts';

const SAID = '评审费今天就要给';
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'evalroom-words-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const places = () => readdirSync(folder).filter((name) => readFileSync(join(folder, name)).includes(SAID));

it.each(['taken out', 'acked'] as const)('holds no words that were %s', async (way) => {
  const clock = virtualClock({ wallMs: 1_800_000_000_000 });
  const log = pino({ level: 'silent' });
  const open = () =>
    openOutbox({
      path: join(folder, 'outbox.db'),
      roomId: 'room-1',
      clock,
      log,
      quotaEvents: 9999,
      ballastBytes: 65_536,
    });
  let outbox = open();
  const draft = (n: number): DraftEvent => ({
    at: clock.now(),
    body: {
      ...episodeBody(`e${n}`, 'end'),
      behaviour: 'speech_fee',
      sentence: { zh: `听到“${SAID}”`, en: '' },
      transcript: { language: 'zh-CN', engine: 'fsmn', text: SAID, hit: [0, 3] },
    },
  });
  // More than one look, and rows that fill pages of their own.
  const events = Array.from({ length: 1300 }, (_, n) => outbox.accept([draft(n)])[0]!);
  expect(places()).not.toEqual([]);
  const { streamId } = events[0]!;
  if (way === 'taken out') {
    await clock.advance(8 * 86_400_000);
    const looks = Array.from({ length: 3 }, () => outbox.removeWords({ fee: 7 }));
    expect(looks).toEqual([500, 500, 300]);
    expect(places()).toEqual([]);
    outbox.close();
    outbox = open();
    expect(outbox.events(streamId, 0, 9999)).toHaveLength(1300);
  } else {
    outbox.sent(streamId, 1300);
    expect(outbox.ack({ streamId, through: 1300, eventId: events.at(-1)!.eventId })).toBe('progress');
    outbox.close();
    expect(places()).toEqual([]);
    outbox = open();
  }
  outbox.close();
});

it('holds nothing any more that was deleted before deleted rows were overwritten', () => {
  const path = join(folder, 'outbox.db');
  const clock = virtualClock({ wallMs: 1_800_000_000_000 });
  const lines: string[] = [];
  const log = pino({ level: 'warn' }, { write: (line: string) => void lines.push(line) });
  const open = () => openOutbox({ path, roomId: 'room-1', clock, log, quotaEvents: 9999, ballastBytes: 65_536 });
  open().close();
  // As an older version left it.
  const old = new Database(path);
  old.pragma('secure_delete = OFF');
  old.pragma('application_id = 0');
  const insert = old.prepare("insert into damaged values ('s', ?, 'e', ?, 0)");
  for (let n = 0; n < 300; n++) insert.run(n, Buffer.from(`${SAID} ${'x'.repeat(200)}`));
  old.exec('delete from damaged where seq > 3');
  old.exec("update damaged set json = x'00'");
  old.close();
  expect(places()).not.toEqual([]);
  open().close();
  expect(places()).toEqual([]);
  expect(lines).toEqual([]);
  // Once: what is marked is not written anew.
  const again = new Database(path);
  expect(again.pragma('application_id', { simple: true })).not.toBe(0);
  again.close();
});
