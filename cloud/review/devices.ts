/** Boxes of rooms: known to the broker and the upload by their certificate, or on this machine alone by a secret. */
import { Forbidden, InvalidInput } from '../../protocol/errors.ts';
import type { Clock } from '../../protocol/time.ts';
import type { Broker } from '../broker/broker.ts';
import { hashSecret, newSecret, secretMatches } from '../broker/secret.ts';
import type { DevicesView } from '../http/api.ts';
import type { Identity, Peer } from '../identity/identity.ts';
import type { Store } from '../store/store.ts';
import { CONSOLE, requireSupervisor, requireViewer, type Viewer } from './access.ts';

export interface NewDevice {
  readonly deviceId: string;
  readonly roomId: string;
}

export interface Devices {
  /**
   * For the program itself (enrolment on the command line). Resolves when the device may connect. With `secret` the box
   * keeps the one that it has: a store that knows it changes nothing, one that was lost learns of the box again.
   */
  add(device: NewDevice & { readonly secret?: string }): Promise<string>;
  /** The same for a person at the page. */
  addBy(who: Viewer | undefined, device: NewDevice): Promise<string>;
  list(who: Viewer | undefined): Promise<DevicesView['devices']>;
  /**
   * The device of a request: over TLS by its certificate alone, on this machine by `Authorization: Device <id>:<secret>`.
   * Throws Forbidden `device_refused`.
   */
  authenticate(request: { readonly authorization?: string; readonly peer?: Peer }): Promise<NewDevice>;
}

const ID = /^[A-Za-z0-9_-]{1,64}$/;
const RESERVED = 'evalroom-';
const HEADER = /^Device ([A-Za-z0-9_-]{1,64}):([A-Za-z0-9_-]{1,128})$/;

/** A copied certificate is shown beside its device for so long after it was last seen. */
const CLONED_MS = 7 * 24 * 3_600_000;

/** Throws InvalidInput `bad_id` when an id could not be a topic level, or is one of the cloud's own. */
export function checkDeviceId({ deviceId, roomId }: NewDevice): void {
  for (const [what, id] of [
    ['deviceId', deviceId],
    ['roomId', roomId],
  ] as const)
    if (!ID.test(id) || id.startsWith(RESERVED))
      throw new InvalidInput(
        'bad_id',
        `adding a device: ${what} "${id.slice(0, 80)}" must be 1 to 64 letters, digits, - or _, and not begin with ${RESERVED}`,
      );
}

export function createDevices(parts: {
  readonly store: Store;
  readonly broker: Pick<Broker, 'setDevices'>;
  /** Absent where nothing goes beyond this machine. */
  readonly identity?: Pick<Identity, 'deviceOf'>;
  readonly clock: Clock;
}): Devices {
  const { store, broker, identity, clock } = parts;
  const add = async ({ deviceId, roomId }: NewDevice, by: string, secret = newSecret()) => {
    checkDeviceId({ deviceId, roomId });
    await store.putDevice({ deviceId, roomId, secretHash: hashSecret(secret), addedWallMs: clock.wallMs() }, by);
    await broker.setDevices(await store.devices());
    return secret;
  };
  return {
    async add({ secret, ...device }) {
      if (secret === undefined) return add(device, CONSOLE);
      const known = await store.device(device.deviceId);
      if (known?.roomId === device.roomId && secretMatches(secret, known.secretHash)) return secret;
      return add(device, CONSOLE, secret);
    },
    async addBy(who, device) {
      const { user } = requireSupervisor(who);
      return add(device, user.name);
    },
    async list(who) {
      requireViewer(who);
      const nowWallMs = clock.wallMs();
      const [devices, certificates, clones] = await Promise.all([
        store.devices(),
        store.identity.certificates(nowWallMs),
        store.identity.clones(nowWallMs - CLONED_MS),
      ]);
      const [current, cloned] = [
        new Map(certificates.filter((one) => one.revokedWallMs === undefined).map((one) => [one.deviceId, one])),
        new Map(clones.map((one) => [one.deviceId, one])),
      ];
      return devices.map(({ deviceId, roomId, addedWallMs }) => {
        const [certificate, clone] = [current.get(deviceId), cloned.get(deviceId)];
        return {
          deviceId,
          roomId,
          addedWallMs,
          ...(certificate
            ? {
                certificate: {
                  serial: certificate.serial,
                  issuedWallMs: certificate.issuedWallMs,
                  notAfterWallMs: certificate.notAfterWallMs,
                },
              }
            : {}),
          ...(clone
            ? { fault: { code: 'certificate_cloned' as const, wallMs: clone.wallMs, words: clone.words } }
            : {}),
        };
      });
    },
    async authenticate({ authorization, peer }) {
      if (peer && identity) return identity.deviceOf(peer);
      const [, deviceId, secret] = HEADER.exec(authorization ?? '') ?? [];
      const device = deviceId === undefined ? undefined : await store.device(deviceId);
      if (!device || !secret || !secretMatches(secret, device.secretHash))
        throw new Forbidden(
          'device_refused',
          'taking in a device: the device or its secret is not known here; enrol the box again',
        );
      return { deviceId: device.deviceId, roomId: device.roomId };
    },
  };
}
