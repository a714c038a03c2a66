/** `evalroom bench outbox`: how many events a room accepts per second, beside bare inserts of the same bytes. */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../agent/clock.ts';
import { createLog } from '../../agent/log.ts';
import { openOutbox } from '../../agent/store/sqlite.ts';
import type { DraftEvent } from '../../protocol/event.ts';
import type { OutboxOptions } from '../bench.ts';
import { episodeBody } from './events.ts';
import { percentile, rounded } from './figures.ts';
import { openBareOutbox } from './store/outbox.ts';

/**
 * Taken in turns of so many, each pair of turns in the other order than the one before: what else the disk has to do then
 * falls on both alike, and the median of the pairs leaves out the flushes that took it a hundred times as long.
 */
const TURN = 50;
const WARM_TURNS = 10;

/** Prints a table, and with --json one object as the last line. */
export async function benchOutbox({ events, json, folder: where }: OutboxOptions): Promise<void> {
  const folder = await mkdtemp(join(where ?? tmpdir(), 'evalroom-outbox-'));
  const clock = systemClock();
  const log = createLog({ name: 'bench', level: 'silent' });
  const outbox = openOutbox({ path: join(folder, 'outbox.db'), roomId: 'room-1', clock, log, quotaEvents: 1e7 });
  const bare = openBareOutbox(join(folder, 'bare.db'));
  try {
    // Made turn by turn: a heap full of events that wait to be accepted would be collected over and over.
    let drafts: DraftEvent[] = [];
    let rows: { readonly eventId: string; readonly json: string }[] = [];
    const prepare = (from: number) => {
      drafts = Array.from({ length: Math.min(TURN, events - from) }, (_, i): DraftEvent => {
        const at = clock.now();
        return { at, body: episodeBody(`e-${from + i - ((from + i) % 4)}`, from + i, at.wallMs) };
      });
      // The bytes that the outbox keeps, made beforehand: a bare insert knows nothing of events.
      rows = drafts.map(({ at, body }) => ({ eventId: randomUUID(), json: JSON.stringify({ at, body }) }));
    };
    const ours = { single: [] as number[], ms: 0 };
    const theirs = { single: [] as number[], ms: 0 };
    const turn = (side: typeof ours, one: (i: number) => void): number => {
      const begun = performance.now();
      for (let i = 0; i < drafts.length; i++) {
        const before = performance.now();
        one(i);
        side.single.push(performance.now() - before);
      }
      const ms = performance.now() - begun;
      side.ms += ms;
      return ms;
    };
    const accept = (i: number) => void outbox.accept([drafts[i]!]);
    const insert = (i: number) => bare.insert(rows[i]!.eventId, rows[i]!.json);
    const ratios: number[] = [];
    // Both first, uncounted: code that has never run is slow, and ours is more.
    for (let turns = 0; turns < WARM_TURNS; turns++) {
      prepare(0);
      turn({ single: [], ms: 0 }, accept);
      turn({ single: [], ms: 0 }, insert);
    }
    for (let from = 0; from < events; from += TURN) {
      prepare(from);
      const oursFirst = (from / TURN) % 2 === 0;
      const first = oursFirst ? turn(ours, accept) : turn(theirs, insert);
      const second = oursFirst ? turn(theirs, insert) : turn(ours, accept);
      ratios.push(oursFirst ? second / first : first / second);
    }
    const eventsPerS = (events * 1000) / ours.ms;
    const barePerS = (events * 1000) / theirs.ms;
    const figures = {
      eventsPerS: rounded(eventsPerS),
      barePerS: rounded(barePerS),
      // Of the turns, in the median: in the sums one flush that takes a shared disk a second weighs as much as thousands.
      ratio: rounded(percentile(ratios, 0.5), 2),
      sumsRatio: rounded(eventsPerS / barePerS, 2),
      events,
      p50Ms: rounded(percentile(ours.single, 0.5), 3),
      p99Ms: rounded(percentile(ours.single, 0.99), 3),
      bareP50Ms: rounded(percentile(theirs.single, 0.5), 3),
      bareP99Ms: rounded(percentile(theirs.single, 0.99), 3),
    };
    console.log(`accepted   ${figures.eventsPerS} events/s, p50 ${figures.p50Ms} ms, p99 ${figures.p99Ms} ms`);
    console.log(
      `bare       ${figures.barePerS} inserts/s of the same bytes, p50 ${figures.bareP50Ms} ms, p99 ${figures.bareP99Ms} ms`,
    );
    console.log(
      `ratio      ${figures.ratio} in the median of ${ratios.length} turns, ${figures.sumsRatio} of the sums`,
    );
    if (json) console.log(JSON.stringify(figures));
  } finally {
    outbox.close();
    bare.close();
    await rm(folder, { recursive: true, force: true });
  }
}
