/** Does what `evalroom outbox salvage` says. */
import { systemClock } from '../agent/clock.ts';
import { bringBack, readSalvage } from '../agent/store/salvage.ts';
import type { SalvageOptions } from './outbox.ts';

/** Prints what was found and, with `into`, brought back. Throws InvalidInput `salvage_file`, Unavailable `outbox_in_use`. */
export function salvage(file: string, { into, json }: SalvageOptions): void {
  const { events, acked, unfit, ackedKnown } = readSalvage(file);
  const found = { intact: events.length, acked, unfit, ackedKnown };
  const done = into === undefined ? undefined : bringBack(into, { events }, systemClock());
  if (json) {
    console.log(JSON.stringify({ ...found, ...done }));
    return;
  }
  console.log(
    `${file}: ${events.length} intact events wait for the cloud, ${acked} more it has acked, ${unfit} are unfit`,
  );
  if (!ackedKnown)
    console.log(
      'Which of them the cloud has acked can not be read any more: it refuses those that it has, by their names.',
    );
  if (done) console.log(`${into}: ${done.brought} brought back, ${done.there} were there already`);
  else console.log('Nothing was written; add --into FILE.');
}
