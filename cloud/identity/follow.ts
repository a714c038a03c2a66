/** Tells the broker of devices and revocations that are new in the store, whichever process put them there. */
import type { Logger } from 'pino';
import type { Clock } from '../../protocol/time.ts';
import type { Broker } from '../broker/broker.ts';
import type { Store } from '../store/store.ts';
import type { Trust } from './trust.ts';

/** How soon the broker knows of what another process has changed. */
const FOLLOW_MS = 2000;

export interface Follower {
  /** Resolves when the broker knows what is in the store now, and whoever was revoked is out. */
  check(): Promise<void>;
  /** The device of a room, as it was at the last check; undefined when there is none or more than one. */
  onlyDevice(roomId: string): string | undefined;
  /** Checks every two seconds until the signal. */
  run(signal: AbortSignal): Promise<void>;
}

export function createFollower(parts: {
  readonly store: Store;
  readonly trust: Trust | undefined;
  readonly broker: Broker;
  readonly clock: Clock;
  readonly log: Logger;
}): Follower {
  const { store, trust, broker, clock, log } = parts;
  let known:
    | { readonly devices: string; readonly ids: readonly string[]; readonly revoked: ReadonlySet<string> }
    | undefined;
  let rooms: ReadonlyMap<string, string | undefined> = new Map();
  let checking: Promise<void> = Promise.resolve();

  const look = async () => {
    const devices = await store.devices();
    const byRoom = new Map<string, string | undefined>();
    for (const { roomId, deviceId } of devices) byRoom.set(roomId, byRoom.has(roomId) ? undefined : deviceId);
    rooms = byRoom;
    const certificates = trust ? await store.identity.certificates(clock.wallMs()) : [];
    // What a renewal has superseded is in no hand but its owner's: the list has it with the next reason to write one.
    const revoked = certificates.filter((one) => one.revokedWallMs !== undefined && one.reason !== 'superseded');
    const next = {
      devices: JSON.stringify(devices),
      ids: devices.map(({ deviceId }) => deviceId),
      revoked: new Set(revoked.map(({ serial }) => serial)),
    };
    const before = known;
    const fresh = before ? revoked.filter(({ serial }) => !before.revoked.has(serial)) : [];
    // The first time, too: something may have changed since the broker was started with what was there.
    const changed = before === undefined ? trust !== undefined : before.devices !== next.devices || fresh.length > 0;
    if (changed) {
      if (fresh.length > 0 || before === undefined) await trust?.writeList();
      await broker.setDevices(devices);
      const gone = (before?.ids ?? []).filter((id) => !next.ids.includes(id));
      for (const deviceId of new Set([...gone, ...fresh.map((one) => one.deviceId)])) await broker.drop(deviceId);
    }
    // Only now: what failed on the way is tried again.
    known = next;
  };
  const check = () => {
    const work = checking.then(look);
    checking = work.catch(() => undefined);
    return work;
  };
  return {
    check,
    onlyDevice: (roomId) => rooms.get(roomId),
    async run(signal) {
      while (!signal.aborted) {
        await check().catch((error: unknown) => {
          log.warn({ err: error }, 'the broker could not be told of its devices; trying again');
        });
        await clock.sleep(FOLLOW_MS, signal);
      }
    },
  };
}
