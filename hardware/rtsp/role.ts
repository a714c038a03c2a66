/** Keeps the health of one role (decode, record, audio) of a camera or microphone: when it last delivered, and why it does not. */

import type { MonoMs } from '../../protocol/time.ts';
import type { RoleHealth } from '../camera.ts';

export interface RoleRecord {
  /** One frame, block or segment went to the reader: the role runs. */
  delivered(monoMs: MonoMs): void;
  /** It does not deliver, and why, in plain words without credentials; `inUse`: another program has the device. */
  down(reason: string, inUse?: boolean): void;
  restarted(): void;
  lastMonoMs(): MonoMs;
  health(dropped: number): RoleHealth;
}

/** A role that has not begun: `starting`, or down from the first with the reason given. */
export function createRole(downFromStart?: string): RoleRecord {
  let state: RoleHealth['state'] = downFromStart === undefined ? 'starting' : 'down';
  let reason = downFromStart;
  let inUse = false;
  let last = 0;
  let count = 0;
  let restarts = 0;
  return {
    delivered(monoMs) {
      state = 'running';
      reason = undefined;
      inUse = false;
      last = monoMs;
      count++;
    },
    down(why, taken = false) {
      state = 'down';
      reason = why;
      inUse = taken;
    },
    restarted() {
      restarts++;
    },
    lastMonoMs: () => last,
    health: (dropped) => ({
      state,
      lastMonoMs: last,
      delivered: count,
      dropped,
      restarts,
      ...(reason === undefined ? {} : { reason }),
      ...(inUse ? { inUse } : {}),
    }),
  };
}
