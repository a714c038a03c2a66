/** Boxes of rooms: added here, known to the broker and the upload by one hash; the secret is shown once. */
import { Forbidden, InvalidInput } from '../../protocol/errors.ts';
import type { Clock } from '../../protocol/time.ts';
import type { Broker } from '../broker/broker.ts';
import { hashSecret, newSecret, secretMatches } from '../broker/secret.ts';
import type { Store } from '../store/store.ts';
import { requireSupervisor, type Viewer } from './access.ts';

export interface NewDevice {
  readonly deviceId: string;
  readonly roomId: string;
}

export interface Devices {
  /** For the program itself (enrolment on the command line). Resolves when the device may connect. */
  add(device: NewDevice): Promise<string>;
  /** The same for a person at the page. */
  addBy(who: Viewer | undefined, device: NewDevice): Promise<string>;
  list(who: Viewer | undefined): Promise<readonly (NewDevice & { readonly addedWallMs: number })[]>;
  /** The device behind `Authorization: Device <id>:<secret>`. Throws Forbidden `device_refused`. */
  authenticate(authorization: string | undefined): Promise<NewDevice>;
}

const ID = /^[A-Za-z0-9_-]{1,64}$/;
const RESERVED = 'evalroom-';
const HEADER = /^Device ([A-Za-z0-9_-]{1,64}):([A-Za-z0-9_-]{1,128})$/;

export function createDevices(parts: {
  readonly store: Store;
  readonly broker: Pick<Broker, 'setDevices'>;
  readonly clock: Clock;
}): Devices {
  const { store, broker, clock } = parts;
  const add = async ({ deviceId, roomId }: NewDevice, by: string) => {
    for (const [what, id] of [
      ['deviceId', deviceId],
      ['roomId', roomId],
    ] as const)
      if (!ID.test(id) || id.startsWith(RESERVED))
        throw new InvalidInput(
          'bad_id',
          `adding a device: ${what} "${id.slice(0, 80)}" must be 1 to 64 letters, digits, - or _, and not begin with ${RESERVED}`,
        );
    const secret = newSecret();
    await store.putDevice({ deviceId, roomId, secretHash: hashSecret(secret), addedWallMs: clock.wallMs() }, by);
    await broker.setDevices(await store.devices());
    return secret;
  };
  return {
    add: (device) => add(device, 'cloud'),
    async addBy(who, device) {
      const { user } = requireSupervisor(who);
      return add(device, user.name);
    },
    async list(who) {
      requireSupervisor(who);
      const devices = await store.devices();
      return devices.map(({ deviceId, roomId, addedWallMs }) => ({ deviceId, roomId, addedWallMs }));
    },
    async authenticate(authorization) {
      const [, deviceId, secret] = HEADER.exec(authorization ?? '') ?? [];
      const device = deviceId === undefined ? undefined : await store.device(deviceId);
      if (!device || !secret || !secretMatches(secret, device.secretHash))
        throw new Forbidden(
          'device_refused',
          'uploading: the device or its secret is not known here; enrol the box again',
        );
      return { deviceId: device.deviceId, roomId: device.roomId };
    },
  };
}
