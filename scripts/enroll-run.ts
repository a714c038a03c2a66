/** Does what `evalroom enroll` says: finds the folder, refuses a code for another room, and says what room.yaml has to say. */
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parse } from 'yaml';
import { enroll } from '../agent/identity.ts';
import { InvalidInput } from '../protocol/errors.ts';
import type { EnrollOptions } from './enroll.ts';

/** Resolves when the certificate is on the disk. Throws what `enroll` throws, and InvalidInput `enrol_room`, `enrol_ca`. */
export async function enrollBox(options: EnrollOptions): Promise<void> {
  const room = options.room === undefined ? undefined : readRoom(options.room);
  const folder = resolve(options.data ?? room?.folder ?? 'identity');
  const done = await enroll({
    cloud: options.cloud,
    code: options.code,
    folder,
    ...(options.ca === undefined ? {} : { ca: readCa(options.ca) }),
    check({ deviceId, roomId }) {
      // The code is used up by now, but a box under a wrong name would be worse.
      for (const [what, wanted, given] of [
        ['identity.deviceId', room?.deviceId, deviceId],
        ['room.id', room?.roomId, roomId],
      ] as const)
        if (wanted !== undefined && wanted !== given)
          throw new InvalidInput(
            'enrol_room',
            `enrolling: ${options.room} has ${what} ${wanted}, the code was made for ${given}; ask for a code for ${wanted}, or change the file`,
          );
    },
  });
  const { deviceId, roomId, mqtt, caFingerprint } = done;
  const notAfter = new Date(done.notAfterWallMs).toISOString();
  const upload = new URL(options.cloud).origin;
  if (options.json) {
    console.log(JSON.stringify({ deviceId, roomId, folder, caSha256: caFingerprint, notAfter, mqtt, upload }));
    return;
  }
  console.log(
    [
      `This box is ${deviceId} of room ${roomId}, until ${notAfter}; the agent renews it.`,
      `Key and certificate: ${folder}`,
      `Authority of the cloud (SHA-256): ${caFingerprint}`,
      '',
      'room.yaml has to say:',
      'cloud:',
      `  mqtt: ${mqtt ?? 'mqtts://…   # ask who runs the broker'}`,
      `  upload: ${upload}`,
      ...(options.ca === undefined ? [] : [`  ca: ${resolve(options.ca)}`]),
      'identity:',
      `  deviceId: ${deviceId}`,
      `  certificate: ${folder}`,
    ].join('\n'),
  );
}

/** What the file says of itself, without the checks of a box that is ready: it is not, yet. */
function readRoom(path: string): { folder?: string; deviceId?: string; roomId?: string } {
  let content: unknown;
  try {
    content = parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new InvalidInput('enrol_room', `reading ${path}: ${(cause as Error).message}`, cause);
  }
  const { identity, room } = (content ?? {}) as { identity?: Record<string, unknown>; room?: Record<string, unknown> };
  const text = (value: unknown) => (typeof value === 'string' ? value : undefined);
  const [certificate, deviceId, roomId] = [text(identity?.certificate), text(identity?.deviceId), text(room?.id)];
  return {
    ...(certificate === undefined ? {} : { folder: resolve(dirname(resolve(path)), certificate) }),
    ...(deviceId === undefined ? {} : { deviceId }),
    ...(roomId === undefined ? {} : { roomId }),
  };
}

function readCa(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new InvalidInput('enrol_ca', `reading ${path}: ${(cause as Error).message}`, cause);
  }
}
