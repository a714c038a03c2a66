/** Looks at one camera as the agent will use it: who it says it is, then pictures, evidence and sound out of its streams. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { systemClock } from '../../agent/clock.ts';
import type { CameraConfig } from '../../agent/config.ts';
import type { Role, RoleHealth } from '../../hardware/camera.ts';
import { resolveCamera } from '../../hardware/onvif/resolve.ts';
import { createRtspCamera, type RtspSource } from '../../hardware/rtsp/camera.ts';
import { attention, broken, type Finding, ok } from './finding.ts';

/** A finished segment takes a keyframe beyond 2 s, and cameras send one every 2 to 10 s. */
const WATCH_MS = 15_000;
const STEP_MS = 100;

/** ONVIF where the camera is named by it, and what each role of its streams delivers. Throws what resolveCamera throws. */
export async function lookAtCamera(camera: CameraConfig, watchMs = WATCH_MS): Promise<Finding[]> {
  const { cameraId, source, user, password } = camera;
  const credentials = { ...(user === undefined ? {} : { user }), ...(password === undefined ? {} : { password }) };
  if (source.kind === 'rtsp') {
    const { main, sub } = source;
    return lookAtStreams(camera, { main, ...(sub === undefined ? {} : { sub }), ...credentials }, watchMs);
  }
  const { host, port } = source;
  const { manufacturer, model, firmware, main, sub, profiles } = await resolveCamera({
    host,
    port,
    ...credentials,
    clock: systemClock(),
  });
  const sizes = profiles.map(({ width, height, fps, encoding }) => `${width}×${height} ${encoding} ${fps}/s`);
  const found = `${manufacturer} ${model}, firmware ${firmware}; ${sizes.join(', ')}`;
  const findings = [
    sub === undefined
      ? attention(
          cameraId,
          `${found}; no sub-stream`,
          'the large picture is decoded for analysis too: set up a second profile of about 640×360',
        )
      : ok(cameraId, found),
  ];
  const streams = { main, ...(sub === undefined ? {} : { sub }), ...credentials };
  return [...findings, ...(await lookAtStreams(camera, streams, watchMs))];
}

// The agent's own capture runs until each role has delivered or time is up, so what is found is what the agent would get.
async function lookAtStreams({ cameraId, analyseFps, audio }: CameraConfig, source: RtspSource, watchMs: number) {
  const clock = systemClock();
  const segmentFolder = await mkdtemp(join(tmpdir(), 'evalroom-doctor-'));
  const camera = createRtspCamera({
    cameraId,
    source,
    options: { analyseFps, audio },
    segmentFolder,
    clock,
    log: pino({ level: 'silent' }),
  });
  const stop = new AbortController();
  const wanted: readonly Role[] = audio ? ['decode', 'record', 'audio'] : ['decode', 'record'];
  const settled = ({ delivered, reason }: RoleHealth) => delivered > 0 || reason !== undefined;
  try {
    await camera.start(stop.signal);
    const endMs = clock.monoMs() + watchMs;
    while (clock.monoMs() < endMs && !wanted.every((role) => settled(camera.health()[role])))
      await clock.sleep(STEP_MS);
    const health = camera.health();
    return wanted.map((role) => wordRole(cameraId, role, health[role], watchMs));
  } finally {
    stop.abort();
    await camera.close();
    await rm(segmentFolder, { recursive: true, force: true });
  }
}

const ROLES: Readonly<Record<Role, { readonly name: string; readonly without: string }>> = {
  decode: { name: 'picture', without: 'the room is blind on this camera' },
  record: { name: 'evidence', without: 'no clip can be cut' },
  audio: { name: 'sound', without: 'the room is deaf on this camera; set `audio: false` if it has no microphone' },
};

function wordRole(cameraId: string, role: Role, { delivered, reason }: RoleHealth, watchMs: number): Finding {
  const { name, without } = ROLES[role];
  const part = `${cameraId} ${name}`;
  if (delivered > 0) return ok(part, 'arrives');
  const found = reason ?? `nothing within ${watchMs / 1000} s`;
  return role === 'audio' ? attention(part, found, without) : broken(part, found, without);
}
