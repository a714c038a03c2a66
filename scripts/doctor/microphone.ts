/** Looks at the microphones that are no camera's: each is opened as the agent will open it, until sound comes or a reason why not. */
import { pino } from 'pino';
import { systemClock } from '../../agent/clock.ts';
import type { RoomConfig } from '../../agent/config.ts';
import { microphonesOf } from '../../agent/sources.ts';
import type { Microphone } from '../../hardware/microphone.ts';
import { broken, type Finding, ok } from './finding.ts';

/** A camera's sound track has to be looked for first. */
const WATCH_MS = 12_000;
const STEP_MS = 100;

/** Never throws for what a microphone does not give. Throws InvalidInput for an address or a device name that is none. */
export async function lookAtMicrophones(config: RoomConfig, watchMs = WATCH_MS): Promise<Finding[]> {
  const microphones = microphonesOf(config, { clock: systemClock(), log: pino({ level: 'silent' }) });
  return Promise.all(microphones.map((microphone) => listen(microphone, watchMs)));
}

async function listen(microphone: Microphone, watchMs: number): Promise<Finding> {
  const clock = systemClock();
  const part = `${microphone.microphoneId} sound`;
  const stop = new AbortController();
  try {
    await microphone.start(stop.signal);
    const endMs = clock.monoMs() + watchMs;
    let { delivered, reason } = microphone.health();
    while (delivered === 0 && reason === undefined && clock.monoMs() < endMs) {
      await clock.sleep(STEP_MS);
      ({ delivered, reason } = microphone.health());
    }
    if (delivered > 0) return ok(part, 'arrives');
    return broken(part, reason ?? `nothing within ${watchMs / 1000} s`, 'the room is deaf at this microphone');
  } finally {
    stop.abort();
    await microphone.close();
  }
}
