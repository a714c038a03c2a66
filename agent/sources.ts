/** From the room's configuration to its hardware: how each camera is found and made, and the microphones besides. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { detectBox } from '../hardware/box/detect.ts';
import type { Camera } from '../hardware/camera.ts';
import type { Microphone } from '../hardware/microphone.ts';
import { resolveCamera } from '../hardware/onvif/resolve.ts';
import { createRtspCamera } from '../hardware/rtsp/camera.ts';
import { createMicrophone } from '../hardware/rtsp/microphone.ts';
import type { Clock } from '../protocol/time.ts';
import type { CameraPlan } from './capture.ts';
import type { CameraConfig, RoomConfig } from './config.ts';

interface Machine {
  readonly clock: Clock;
  readonly log: Logger;
}

/** One plan for each camera of the room; an ONVIF camera is asked for its streams each time that it is opened. */
export async function cameraPlans(config: RoomConfig, machine: Machine): Promise<CameraPlan[]> {
  const { hwaccel } = await detectBox();
  return config.cameras.map((camera) => ({
    cameraId: camera.cameraId,
    audio: camera.audio,
    open: async () => open(camera, join(config.dataFolder, 'incoming', camera.cameraId), hwaccel, machine),
  }));
}

async function open(
  camera: CameraConfig,
  segmentFolder: string,
  hwaccel: readonly string[],
  { clock, log }: Machine,
): Promise<Camera> {
  const { cameraId, analyseFps, audio } = camera;
  const credentials = {
    ...(camera.user === undefined ? {} : { user: camera.user }),
    ...(camera.password === undefined ? {} : { password: camera.password }),
  };
  let streams: { readonly main: string; readonly sub?: string };
  if (camera.source.kind === 'rtsp') streams = camera.source;
  else {
    const found = await resolveCamera({ ...camera.source, ...credentials, clock });
    const { manufacturer, model, firmware } = found;
    log.info({ cameraId, manufacturer, model, firmware, profiles: found.profiles.length }, 'camera found');
    streams = found;
  }
  // What a killed agent left half recorded: no list names it, no clip can hold it, and nobody else would clear it away.
  await rm(segmentFolder, { recursive: true, force: true });
  const { main, sub } = streams;
  return createRtspCamera({
    cameraId,
    source: { main, ...(sub === undefined ? {} : { sub }), ...credentials },
    options: { analyseFps, audio, hwaccel },
    segmentFolder,
    clock,
    log,
  });
}

/** The microphones that are no camera's audio track. */
export function microphonesOf(config: RoomConfig, { clock, log }: Machine): Microphone[] {
  return config.microphones.map(({ microphoneId, source, user, password }) =>
    createMicrophone({
      microphoneId,
      source:
        source.kind === 'alsa'
          ? { alsa: source.device }
          : {
              rtsp: source.url,
              ...(user === undefined ? {} : { user }),
              ...(password === undefined ? {} : { password }),
            },
      clock,
      log,
    }),
  );
}
