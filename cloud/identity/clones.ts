/** Finds out that one certificate is used by two machines at a time, from what the broker and the rooms show anyway. */
import type { MonoMs } from '../../protocol/time.ts';

/** Names of the cloud's own processes, which no device may have: several machines share one certificate of theirs. */
const OWN = 'evalroom-';
/** One after the other the same device entered from another address, and the first one again: so soon is no move of a box. */
const RETURN_MS = 10 * 60_000;
/** Taken over so many times in so long: a box alone leaves before it comes back. */
const TAKEOVERS = 4;
const TAKEOVER_MS = 60_000;
/** The same fault of the same device is told again after this long. */
const TOLD_MS = 10 * 60_000;
/** Devices that are remembered; beyond it the one that was silent longest is forgotten. */
const DEVICES = 20_000;
const TRAIL = 6;

export interface Clones {
  /** A device came in; `instead`: its former connection was thrown out for it. Words of suspicion, or undefined. */
  entered(deviceId: string, from: { address: string; instead: boolean }, now: MonoMs): string | undefined;
  /** A room's state came with this boot id. */
  booted(deviceId: string, bootId: string, now: MonoMs): string | undefined;
}

interface Trail {
  readonly value: string;
  monoMs: MonoMs;
}

interface Seen {
  readonly addresses: Trail[];
  readonly boots: Trail[];
  takeovers: MonoMs[];
  toldMonoMs?: MonoMs;
}

export function createClones(): Clones {
  const devices = new Map<string, Seen>();
  const seenOf = (deviceId: string): Seen => {
    const seen = devices.get(deviceId) ?? { addresses: [], boots: [], takeovers: [] };
    devices.delete(deviceId);
    devices.set(deviceId, seen);
    if (devices.size > DEVICES) devices.delete(devices.keys().next().value!);
    return seen;
  };
  /** True when `value` was left for another one and is back within `RETURN_MS`. */
  const returned = (trail: Trail[], value: string, now: MonoMs): boolean => {
    const last = trail.at(-1);
    if (last?.value === value) {
      last.monoMs = now;
      return false;
    }
    const before = trail.some((one) => one.value === value && now - one.monoMs < RETURN_MS);
    trail.push({ value, monoMs: now });
    if (trail.length > TRAIL) trail.shift();
    return before;
  };
  const tell = (seen: Seen, words: string, now: MonoMs): string | undefined => {
    if (seen.toldMonoMs !== undefined && now - seen.toldMonoMs < TOLD_MS) return undefined;
    seen.toldMonoMs = now;
    return words;
  };
  return {
    entered(deviceId, { address, instead }, now) {
      if (deviceId.startsWith(OWN)) return undefined;
      const seen = seenOf(deviceId);
      const other = seen.addresses.at(-1)?.value;
      if (returned(seen.addresses, address, now))
        return tell(seen, `enters from ${other} and from ${address} in turn`, now);
      if (!instead) return undefined;
      seen.takeovers = [...seen.takeovers.filter((at) => now - at < TAKEOVER_MS), now];
      if (seen.takeovers.length < TAKEOVERS) return undefined;
      return tell(seen, `threw itself out ${seen.takeovers.length} times in a minute from ${address}`, now);
    },
    booted(deviceId, bootId, now) {
      const seen = seenOf(deviceId);
      // A boot never comes back: two that take turns are two machines.
      return returned(seen.boots, bootId, now) ? tell(seen, 'two boots of it speak in turn', now) : undefined;
    },
  };
}
