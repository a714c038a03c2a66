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
    ...(camera.source.kind === 'rtsp' ? {} : { streams: () => streamsOf(camera, machine) }),
  }));
}

function credentialsOf({ user, password }: CameraConfig) {
  return { ...(user === undefined ? {} : { user }), ...(password === undefined ? {} : { password }) };
}

/** Where room.yaml says, or where the camera says over ONVIF. */
async function streamsOf(camera: CameraConfig, { clock, log }: Machine): Promise<{ main: string; sub?: string }> {
  if (camera.source.kind === 'rtsp') return camera.source;
  const { cameraId } = camera;
  const found = await resolveCamera({ ...camera.source, ...credentialsOf(camera), clock });
  const { manufacturer, model, firmware, main, sub } = found;
  log.info({ cameraId, manufacturer, model, firmware, profiles: found.profiles.length }, 'camera found');
  return { main, ...(sub === undefined ? {} : { sub }) };
}

async function open(
  camera: CameraConfig,
  segmentFolder: string,
  hwaccel: readonly string[],
  { clock, log }: Machine,
): Promise<Camera> {
  const { cameraId, analyseFps, audio } = camera;
  const streams = await streamsOf(camera, { clock, log });
  // What a killed agent left half recorded: no list names it, no clip can hold it, and nobody else would clear it away.
  await rm(segmentFolder, { recursive: true, force: true });
  return createRtspCamera({
    cameraId,
    source: { ...streams, ...credentialsOf(camera) },
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
