/** The cloud's only reader of the machine's clocks: everything else is given this Clock. */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import type { Clock } from '../protocol/time.ts';

/** The kernel's boot id where there is one, so that restarts within one boot share it. */
function bootIdOf(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return randomUUID();
  }
}

/** The machine's clocks. `clock` is `doubtful` always: the cloud does not measure its own offset. */
export function systemClock(): Clock {
  const bootId = bootIdOf();
  const wallMs = () => Date.now();
  const monoMs = () => Number(process.hrtime.bigint() / 1000n) / 1000;
  return {
    wallMs,
    monoMs,
    now: () => ({ wallMs: wallMs(), monoMs: monoMs(), bootId, clock: 'doubtful' }),
    async sleep(ms, signal) {
      try {
        await wait(Math.max(0, ms), undefined, signal ? { signal } : {});
      } catch {
        // Only an abort ends here, and an aborted sleep ends early by contract.
      }
    },
  };
}
