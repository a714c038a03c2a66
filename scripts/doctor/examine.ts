/** All looks of the doctor, in the order in which a person would make them. */
import { DEFAULT_FOLDER } from '../../models/manifest.ts';
import type { DoctorOptions } from '../doctor.ts';
import { lookAtCamera } from './camera.ts';
import { type Finding, look } from './finding.ts';
import { lookAtClock, lookAtDisk, lookAtPort, lookAtPrograms, lookForDamage } from './machine.ts';
import { lookAtMicrophones } from './microphone.ts';
import { lookAtCloud, lookAtRoom } from './room.ts';
import { lookAtWeights } from './weights.ts';

/** Makes every look that the options ask for; each failure is a finding, none ends the others. */
export async function examine({ room, data, port }: DoctorOptions): Promise<Finding[]> {
  const file = room === undefined ? undefined : lookAtRoom(room);
  const config = file?.config;
  const folder = data ?? config?.dataFolder ?? '.data';
  const looks: Promise<readonly Finding[]>[] = [
    look('programs', lookAtPrograms),
    look('clock', async () => [await lookAtClock()]),
    look('disk', async () => [await lookAtDisk(folder), ...lookForDamage(folder)]),
    look('models', () => (config ? lookAtWeights([config.modelsFolder, DEFAULT_FOLDER]) : lookAtWeights())),
  ];
  // A box in a room needs no port; the machine of the page does.
  if (room === undefined) looks.push(look('port', async () => [await lookAtPort(port, 'the page (--port)')]));
  if (file) looks.push(Promise.resolve(file.findings));
  for (const camera of config?.cameras ?? []) looks.push(look(camera.cameraId, () => lookAtCamera(camera)));
  if (config && config.microphones.length > 0) looks.push(look('microphones', () => lookAtMicrophones(config)));
  if (config) looks.push(look('cloud', () => lookAtCloud(config)));
  return (await Promise.all(looks)).flat();
}
