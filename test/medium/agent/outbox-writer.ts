/** A process of its own that accepts events until it is killed, and prints every eventId after its commit. */
import { writeSync } from 'node:fs';
import { pino } from 'pino';
import { systemClock } from '../../../agent/clock.ts';
import { openOutbox } from '../../../agent/store/sqlite.ts';

const [path, batch] = process.argv.slice(2);
const clock = systemClock();
const outbox = openOutbox({
  path: path!,
  roomId: 'room-1',
  clock,
  log: pino({ level: 'silent' }),
  quotaEvents: 1e6,
  ballastBytes: 65_536,
});
for (;;) {
  const events = outbox.accept(
    Array.from({ length: Number(batch) }, () => ({
      at: clock.now(),
      body: {
        kind: 'gap',
        sourceId: 'cam-a',
        role: 'record',
        fromWallMs: 1,
        toWallMs: 2,
        reason: 'x'.repeat(300),
      } as const,
    })),
  );
  writeSync(1, events.map((event) => `${event.eventId} ${event.streamId} ${event.seq}\n`).join(''));
}
