/** What a damaged outbox file still holds comes back into the room's outbox, with its names; whatever was damaged, nothing false does. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../agent/clock.ts';
import type { Outbox } from '../../../agent/store/outbox.ts';
import { bringBack, readSalvage } from '../../../agent/store/salvage.ts';
import { openOutbox } from '../../../agent/store/sqlite.ts';
import type { DraftEvent, RoomEvent } from '../../../protocol/event.ts';
import { episodeDraft } from '../../../scripts/storm/tickets.ts';

const clock = systemClock();
const log = pino({ level: 'silent' });
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'evalroom-salvage-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const open = (path = join(folder, 'outbox.db')): Outbox =>
  openOutbox({ path, roomId: 'room-1', clock, log, quotaEvents: 1e6, ballastBytes: 0 });
const gap = (size: number): DraftEvent => ({
  at: clock.now(),
  body: { kind: 'gap', sourceId: 'cam-a', role: 'record', fromWallMs: 1, toWallMs: 2, reason: 'x'.repeat(size) },
});
/** Of every size, some longer than a page, in both lanes. */
const drafts = (count: number): DraftEvent[] =>
  Array.from({ length: count }, (_, index) => {
    if (index % 3 !== 0) return gap(1 + ((index * 37) % 900));
    const one = episodeDraft(clock.now(), 'e', index, -1);
    if (index % 30 !== 0 || one.body.kind !== 'episode') return one;
    return {
      ...one,
      body: {
        ...one.body,
        sentence: { zh: '离'.repeat(1000), en: 'x'.repeat(1000) },
        rule: { ...one.body.rule, citation: '条'.repeat(1500) },
      },
    };
  });
const idsOf = (events: readonly { readonly eventId: string }[]) => events.map(({ eventId }) => eventId).sort();
const contentOf = ({ at, body }: DraftEvent) => JSON.stringify({ at, body });
const held = (outbox: Outbox): RoomEvent[] =>
  outbox.streams().flatMap(({ streamId, through }) => outbox.events(streamId, through, 1e6));

/** A file in which some have been acked and let go; still with its log when `running`. */
function written(running: boolean): { readonly file: string; readonly waiting: readonly RoomEvent[] } {
  const source = join(folder, 'source.db');
  const outbox = open(source);
  outbox.accept(drafts(150));
  for (const { streamId, lastSeq } of outbox.streams()) {
    outbox.sent(streamId, lastSeq);
    outbox.ack({ streamId, through: Math.floor(lastSeq / 3) });
  }
  outbox.accept(drafts(60));
  const waiting = held(outbox);
  const file = join(folder, 'damaged.db');
  if (!running) outbox.close();
  for (const suffix of ['', '-wal'])
    if (existsSync(source + suffix)) copyFileSync(source + suffix, file + suffix);
    else rmSync(file + suffix, { force: true });
  if (running) outbox.close();
  rmSync(source);
  return { file, waiting };
}

describe('salvage', () => {
  it.each([false, true])(
    'finds all that waits in a file that is whole, and nothing that was acked (log beside it: %s)',
    (running) => {
      const { file, waiting } = written(running);
      const before = readFileSync(file);
      const found = readSalvage(file);
      expect(idsOf(found.events)).toEqual(idsOf(waiting));
      expect(found).toMatchObject({ unfit: 0, ackedKnown: true });
      expect(readFileSync(file)).toEqual(before);
    },
  );

  it('brings it into the outbox with its names, once, in the order in which it was accepted', () => {
    const { file, waiting } = written(false);
    const mine = open();
    const [own] = mine.accept([gap(5)]);
    mine.close();
    const path = join(folder, 'outbox.db');
    expect(bringBack(path, readSalvage(file), clock)).toEqual({ brought: waiting.length, there: 0 });
    expect(bringBack(path, readSalvage(file), clock)).toEqual({ brought: 0, there: waiting.length });
    const outbox = open();
    const now = held(outbox);
    expect(idsOf(now)).toEqual(idsOf([...waiting, own!]));
    const contents = new Map(waiting.map((event) => [event.eventId, contentOf(event)]));
    for (const event of now)
      if (event.eventId !== own!.eventId) expect(contentOf(event)).toBe(contents.get(event.eventId));
    for (const lane of ['alert', 'routine'] as const) {
      const order = new Map(
        waiting.filter((event) => laneIs(event, lane)).map(({ eventId }, index) => [eventId, index]),
      );
      const places = now.flatMap(({ eventId }) => order.get(eventId) ?? []);
      expect(places).toEqual([...places].sort((a, b) => a - b));
    }
    for (const { streamId, lastSeq } of outbox.streams()) {
      outbox.sent(streamId, lastSeq);
      outbox.ack({ streamId, through: lastSeq });
    }
    expect(outbox.stats().events).toBe(0);
    outbox.close();
  });

  it.each([false, true])(
    'loses at most the event that a flipped bit hit, and never brings a changed one (log: %s)',
    (running) => {
      const { file, waiting } = written(running);
      const target = running ? `${file}-wal` : file;
      const whole = readFileSync(target);
      const contents = new Map(waiting.map((event) => [event.eventId, contentOf(event)]));
      fc.assert(
        fc.property(
          // Behind the header, which the next test destroys.
          fc.array(fc.tuple(fc.integer({ min: 100, max: whole.length - 1 }), fc.nat({ max: 7 })), {
            minLength: 1,
            maxLength: 6,
          }),
          (flips) => {
            const bytes = Buffer.from(whole);
            for (const [at, bit] of flips) bytes[at]! ^= 1 << bit;
            writeFileSync(target, bytes);
            const { events } = readSalvage(file);
            const mine = events.filter(({ eventId }) => contents.has(eventId));
            for (const { eventId, draft } of mine) expect(contentOf(draft)).toBe(contents.get(eventId));
            expect(waiting.length - mine.length).toBeLessThanOrEqual(flips.length);
          },
        ),
        { seed: 20_261_124, numRuns: 100 },
      );
    },
  );

  it('finds what is left where the first page is gone, and where only the log is there', () => {
    const { file, waiting } = written(false);
    const bytes = readFileSync(file);
    bytes.fill(0, 0, 4096);
    writeFileSync(file, bytes);
    const found = readSalvage(file);
    expect(found.ackedKnown).toBe(false);
    const there = new Set(idsOf(found.events));
    expect(waiting.every(({ eventId }) => there.has(eventId))).toBe(true);
    const running = written(true);
    const logged = new Set(idsOf(readSalvage(`${running.file}-wal`).events));
    expect(running.waiting.filter(({ eventId }) => logged.has(eventId)).length).toBeGreaterThan(100);
  });

  it('is a command: it takes what the agent has kept aside, and refuses while an agent runs', () => {
    const { file, waiting } = written(false);
    const path = join(folder, 'outbox.db');
    const bytes = readFileSync(file);
    // The schema is gone: the agent puts such a file aside and begins anew.
    bytes.fill(0xff, 0, 2000);
    writeFileSync(path, bytes);
    const outbox = open();
    expect(outbox.opening.kind).toBe('replaced');
    const aside = join(folder, readdirSync(folder).find((name) => /^outbox\.db\.damaged-\d+$/.test(name))!);
    const cli = join(import.meta.dirname, '../../../scripts/cli.ts');
    const run = (...args: string[]) =>
      execFileSync(process.execPath, [cli, 'outbox', 'salvage', aside, ...args], { encoding: 'utf8', stdio: 'pipe' });
    expect(() => run('--into', path)).toThrow(/outbox_in_use/);
    outbox.close();
    expect(run()).toContain('Nothing was written');
    expect(JSON.parse(run('--into', path, '--json'))).toMatchObject({ unfit: 0, there: 0 });
    const again = open();
    const there = new Set(idsOf(held(again)));
    expect(waiting.filter(({ eventId }) => !there.has(eventId))).toEqual([]);
    again.close();
  });

  it('sets an event aside whose name has changed in the live file', () => {
    const outbox = open();
    const [one, two] = outbox.accept([gap(50), gap(50)]);
    outbox.close();
    const path = join(folder, 'outbox.db');
    const bytes = readFileSync(path);
    const at = bytes.indexOf(one!.eventId);
    bytes.write(one!.eventId[0] === 'a' ? 'b' : 'a', at, 'latin1');
    writeFileSync(path, bytes);
    const again = open();
    for (const { streamId } of again.streams()) again.events(streamId, 0, 10);
    expect(idsOf(held(again).filter(({ body }) => body.kind === 'gap' && body.sourceId === 'cam-a'))).toEqual([
      two!.eventId,
    ]);
    again.close();
  });
});

const laneIs = ({ body }: RoomEvent, lane: string) => (body.kind === 'gap' ? 'routine' : 'alert') === lane;
