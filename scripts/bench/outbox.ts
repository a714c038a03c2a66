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

/** Taken in turns of so many, so that a busy machine slows both alike. */
const TURN = 250;

/** Prints a table, and with --json one object as the last line. */
export async function benchOutbox({ events, json, folder: where }: OutboxOptions): Promise<void> {
  const folder = await mkdtemp(join(where ?? tmpdir(), 'evalroom-outbox-'));
  const clock = systemClock();
  const log = createLog({ name: 'bench', level: 'silent' });
  const outbox = openOutbox({ path: join(folder, 'outbox.db'), roomId: 'room-1', clock, log, quotaEvents: 1e7 });
  const bare = openBareOutbox(join(folder, 'bare.db'));
  try {
    const drafts = Array.from({ length: events }, (_, i): DraftEvent => {
      const at = clock.now();
      return { at, body: episodeBody(`e-${i - (i % 4)}`, i, at.wallMs) };
    });
    // The bytes that the outbox keeps, made beforehand: a bare insert knows nothing of events.
    const rows = drafts.map(({ at, body }) => ({ eventId: randomUUID(), json: JSON.stringify({ at, body }) }));
    const single: number[] = [];
    const bareSingle: number[] = [];
    let [oursMs, bareMs] = [0, 0];
    for (let from = 0; from < events; from += TURN) {
      const to = Math.min(events, from + TURN);
      let begun = performance.now();
      for (let i = from; i < to; i++) {
        const one = performance.now();
        outbox.accept([drafts[i]!]);
        single.push(performance.now() - one);
      }
      oursMs += performance.now() - begun;
      begun = performance.now();
      for (let i = from; i < to; i++) {
        const one = performance.now();
        bare.insert(rows[i]!.eventId, rows[i]!.json);
        bareSingle.push(performance.now() - one);
      }
      bareMs += performance.now() - begun;
    }
    const eventsPerS = (events * 1000) / oursMs;
    const barePerS = (events * 1000) / bareMs;
    const figures = {
      eventsPerS: rounded(eventsPerS),
      barePerS: rounded(barePerS),
      ratio: rounded(eventsPerS / barePerS, 2),
      events,
      p50Ms: rounded(percentile(single, 0.5), 2),
      p99Ms: rounded(percentile(single, 0.99), 2),
      bareP50Ms: rounded(percentile(bareSingle, 0.5), 2),
    };
    console.log(`accepted   ${figures.eventsPerS} events/s, p50 ${figures.p50Ms} ms, p99 ${figures.p99Ms} ms`);
    console.log(
      `bare       ${figures.barePerS} inserts/s of the same bytes, p50 ${figures.bareP50Ms} ms; ratio ${figures.ratio}`,
    );
    if (json) console.log(JSON.stringify(figures));
  } finally {
    outbox.close();
    bare.close();
    await rm(folder, { recursive: true, force: true });
  }
}
