/** From the room's configuration to its hardware: how each camera is found and made, and the microphones besides. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { Camera } from '../hardware/camera.ts';
import type { Microphone } from '../hardware/microphone.ts';
import { type ResolvedCamera, resolveCamera } from '../hardware/onvif/resolve.ts';
import { createRtspCamera } from '../hardware/rtsp/camera.ts';
import { createMicrophone } from '../hardware/rtsp/microphone.ts';
import type { Clock } from '../protocol/time.ts';
import type { CameraPlan } from './capture.ts';
import type { CameraConfig, RoomConfig } from './config.ts';

interface Machine {
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * One plan for each camera of the room; an ONVIF camera is asked for its streams each time that it is opened, and while
 * nothing comes. `hwaccel`: how this box decodes, ffmpeg's arguments.
 */
export function cameraPlans(config: RoomConfig, hwaccel: readonly string[], machine: Machine): CameraPlan[] {
  return config.cameras.map((camera) => {
    const { cameraId, audio, source } = camera;
    return {
      cameraId,
      audio,
      open: async () => open(camera, join(config.dataFolder, 'incoming', cameraId), hwaccel, machine),
      ...(source.kind === 'rtsp'
        ? {}
        : { streams: async () => addressesOf(await lookUp(camera, source, machine.clock)) }),
    };
  });
}

function credentialsOf({ user, password }: CameraConfig) {
  return { ...(user === undefined ? {} : { user }), ...(password === undefined ? {} : { password }) };
}

type OnvifSource = Extract<CameraConfig['source'], { kind: 'onvif' }>;

/** What the camera says of itself over ONVIF. */
const lookUp = (camera: CameraConfig, { host, port }: OnvifSource, clock: Clock): Promise<ResolvedCamera> =>
  resolveCamera({ host, port, ...credentialsOf(camera), clock });

const addressesOf = ({ main, sub }: ResolvedCamera) => ({ main, ...(sub === undefined ? {} : { sub }) });

/** Where room.yaml says, or where the camera says over ONVIF. */
async function streamsOf(camera: CameraConfig, { clock, log }: Machine): Promise<{ main: string; sub?: string }> {
  const { cameraId, source } = camera;
  if (source.kind === 'rtsp') return source;
  const found = await lookUp(camera, source, clock);
  const { manufacturer, model, firmware, profiles } = found;
  log.info({ cameraId, manufacturer, model, firmware, profiles: profiles.length }, 'camera found');
  return addressesOf(found);
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
