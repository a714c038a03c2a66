/** Looks at the microphones that are no camera's: each is opened as the agent will open it, until sound comes or a reason why not. */
import { pino } from 'pino';
import { systemClock } from '../../agent/clock.ts';
import type { RoomConfig } from '../../agent/config.ts';
import { microphonesOf } from '../../agent/sources.ts';
import type { RoleHealth } from '../../hardware/camera.ts';
import type { Microphone } from '../../hardware/microphone.ts';
import { attention, broken, type Finding, ok } from './finding.ts';

/** A camera's sound track has to be looked for first. */
const WATCH_MS = 12_000;
const STEP_MS = 100;

/** Never throws for what a microphone does not give. Throws InvalidInput for an address or a device name that is none. */
export async function lookAtMicrophones(config: RoomConfig, watchMs = WATCH_MS): Promise<Finding[]> {
  const microphones = microphonesOf(config, { clock: systemClock(), log: pino({ level: 'silent' }) });
  return Promise.all(microphones.map((microphone) => listen(microphone, watchMs)));
}

/** What the health of a microphone says after it was listened to for so long. */
export function soundFinding(
  part: string,
  { delivered, reason, inUse }: Pick<RoleHealth, 'delivered' | 'reason' | 'inUse'>,
  watchMs: number,
): Finding {
  if (delivered > 0) return ok(part, 'arrives');
  // A sound card has one reader; on a box that works that is the agent.
  if (inUse)
    return attention(
      part,
      'in use; by the agent itself, if it runs',
      "if it is not the agent, end that program; whether the agent hears stands in the room's health on the page",
    );
  return broken(part, reason ?? `nothing within ${watchMs / 1000} s`, 'the room is deaf at this microphone');
}

async function listen(microphone: Microphone, watchMs: number): Promise<Finding> {
  const clock = systemClock();
  const part = `${microphone.microphoneId} sound`;
  const stop = new AbortController();
  try {
    await microphone.start(stop.signal);
    const endMs = clock.monoMs() + watchMs;
    let health = microphone.health();
    while (health.delivered === 0 && health.reason === undefined && clock.monoMs() < endMs) {
      await clock.sleep(STEP_MS);
      health = microphone.health();
    }
    return soundFinding(part, health, watchMs);
  } finally {
    stop.abort();
    await microphone.close();
  }
}
