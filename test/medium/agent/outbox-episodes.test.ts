/** Open episodes of the outbox on disk: whatever has been accepted, acked, moved or closed between two openings. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../agent/clock.ts';
import type { Outbox } from '../../../agent/store/outbox.ts';
import { openOutbox } from '../../../agent/store/sqlite.ts';
import type { DraftEvent, Phase } from '../../../protocol/event.ts';

const log = pino({ level: 'silent' });
const clock = systemClock();
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'evalroom-episodes-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const open = (path: string): Outbox =>
  openOutbox({ path, roomId: 'room-1', clock, log, quotaEvents: 1_000_000, ballastBytes: 4096 });
const episode = (episodeId: string, phase: Phase, durationMs: number): DraftEvent => ({
  at: clock.now(),
  body: {
    kind: 'episode',
    episodeId,
    phase,
    behaviour: 'left_seat',
    level: 'notice',
    seatIds: ['3'],
    beganWallMs: 1,
    from: 'SEATED',
    to: 'AWAY',
    durationMs,
    rule: { pack: 'demo', packVersion: '1', ruleId: 'left_seat', citation: '' },
    figures: [],
    sentence: { zh: '离席', en: 'left' },
  },
});
const known = (outbox: Outbox) =>
  outbox
    .openEpisodes()
    .map(({ body }) => (body.kind === 'episode' ? `${body.episodeId} ${body.phase} ${body.durationMs}` : body.kind));

type Step =
  | { readonly do: 'accept'; readonly ids: readonly number[]; readonly ends: boolean }
  | { readonly do: 'ack'; readonly stream: number; readonly share: number }
  | { readonly do: 'quarantine'; readonly stream: number }
  | { readonly do: 'rollOver' }
  | { readonly do: 'reopen' };
const steps: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('accept' as const),
      ids: fc.array(fc.nat(3), { minLength: 1, maxLength: 3 }),
      ends: fc.boolean(),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('ack' as const), stream: fc.nat(3), share: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('quarantine' as const), stream: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.constant({ do: 'rollOver' as const }) },
  { weight: 2, arbitrary: fc.constant({ do: 'reopen' as const }) },
);

describe('open episodes on disk', () => {
  it('are those of the accepted events, in the order in which they began', () => {
    let runs = 0;
    fc.assert(
      fc.property(fc.array(steps, { maxLength: 25 }), (plan) => {
        const path = join(folder, `outbox-${++runs}.db`);
        let outbox = open(path);
        const model = new Map<string, string>();
        /** An episode that has ended never goes on: its next event begins another one. */
        const generation = new Map<number, number>();
        let order = 0;
        try {
          for (const step of plan) {
            if (step.do === 'accept') {
              const drafts = [...new Set(step.ids)].map((id) => {
                const episodeId = `e-${id}-${generation.get(id) ?? 0}`;
                const phase = step.ends ? 'end' : model.has(episodeId) ? 'update' : 'begin';
                order += 1;
                if (phase === 'end') {
                  model.delete(episodeId);
                  generation.set(id, (generation.get(id) ?? 0) + 1);
                } else model.set(episodeId, `${episodeId} ${phase} ${order}`);
                return episode(episodeId, phase, order);
              });
              outbox.accept(drafts);
            } else if (step.do === 'reopen') {
              outbox.close();
              outbox = open(path);
            } else if (step.do === 'rollOver') outbox.rollOver('alert');
            else if (step.do === 'ack' || step.do === 'quarantine') {
              const streams = outbox.streams();
              const { streamId, through, lastSeq } = streams[step.stream % streams.length]!;
              if (step.do === 'quarantine') outbox.quarantine(streamId, 'a test');
              else {
                const to = through + Math.ceil(((lastSeq - through) * step.share) / 3);
                outbox.sent(streamId, to);
                outbox.ack({ streamId, through: to });
              }
            }
            expect(known(outbox)).toEqual([...model.values()]);
          }
          outbox.close();
          outbox = open(path);
          expect(known(outbox)).toEqual([...model.values()]);
        } finally {
          outbox.close();
        }
      }),
      { numRuns: 30, seed: 20261124 },
    );
  });

  it('survive a damaged event that has told of them', () => {
    const path = join(folder, 'outbox.db');
    const first = open(path);
    first.accept([episode('e-1', 'begin', 1)]);
    const [, second] = [first.accept([episode('e-2', 'begin', 2)]), first.accept([episode('e-2', 'update', 3)])];
    first.close();
    const database = new Database(path);
    database
      .prepare(`update event set json = replace(json, 'SEATED', 'SEATEX') where event_id = ?`)
      .run(second[0]!.eventId);
    database.close();
    const again = open(path);
    expect(known(again)).toEqual(['e-1 begin 1', 'e-2 begin 2']);
    again.close();
  });

  it('of a file of format 1 are those of its table, whatever its events say', () => {
    const path = join(folder, 'outbox.db');
    const first = open(path);
    first.accept([episode('e-1', 'begin', 1), episode('e-2', 'begin', 2)]);
    const { streamId } = first.streams().find(({ lastSeq }) => lastSeq > 0)!;
    first.close();
    const database = new Database(path);
    // Format 1 had written e-2 into its table, and had already let go of the end of e-1.
    const json = database.prepare('select json from event order by key desc limit 1').pluck().get();
    database.exec(
      'delete from episode; drop table episode_mark; alter table event drop column taken; alter table stream drop column chain',
    );
    database.prepare(`insert into episode values ('e-2', ?, ?)`).run(2 ** 32 + 2, json);
    database.pragma('user_version = 1');
    database.close();
    const second = open(path);
    expect(known(second)).toEqual(['e-2 begin 2']);
    second.accept([episode('e-3', 'begin', 3), episode('e-2', 'update', 4)]);
    expect(known(second)).toEqual(['e-2 update 4', 'e-3 begin 3']);
    second.close();
    const third = open(path);
    expect(known(third)).toEqual(['e-2 update 4', 'e-3 begin 3']);
    expect(third.events(streamId, 0, 9)).toHaveLength(2);
    third.close();
  });
});
