/** How long a frame takes from the camera to the agent: a film whose every frame says by its brightness which one it is. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { createFakeCamera } from '../../hardware/fake/camera.ts';
import { runFfmpeg } from '../../hardware/ffmpeg/run.ts';
import { resolveCamera } from '../../hardware/onvif/resolve.ts';
import { createRtspCamera } from '../../hardware/rtsp/camera.ts';
import type { Clock } from '../../protocol/time.ts';

const FPS = 5;
/** Frames that can be told apart: a delay below `STEPS / FPS` seconds is unambiguous. */
const STEPS = 15;
const LOOP_MS = (STEPS / FPS) * 1000;

/** Delays in ms between a frame leaving the camera and its last byte leaving ffmpeg's pipe, over `seconds`. */
export async function pipeDelays(
  folder: string,
  seconds: number,
  { clock, log }: { clock: Clock; log: Logger },
): Promise<number[]> {
  await mkdir(folder, { recursive: true });
  const file = join(folder, 'steps.mp4');
  await runFfmpeg({
    doing: 'making a film of grey steps',
    args: [
      ...['-v', 'error', '-f', 'lavfi', '-i', `color=black:size=640x360:rate=${FPS}:duration=${STEPS / FPS}`],
      ...[
        '-vf',
        `geq=lum='24+14*mod(N,${STEPS})':cb=128:cr=128`,
        '-c:v',
        'libx264',
        '-preset',
        'veryfast',
        '-crf',
        '12',
      ],
      ...['-g', String(STEPS), '-bf', '0', '-pix_fmt', 'yuv420p', '-y', file],
    ],
  });
  const stop = new AbortController();
  const fake = createFakeCamera({ main: file, sub: file, user: 'viewer', password: 'bench', clock, log });
  const { onvif } = await fake.start(stop.signal);
  try {
    const { main, sub } = await resolveCamera({
      host: '127.0.0.1',
      port: onvif,
      user: 'viewer',
      password: 'bench',
      clock,
    });
    const camera = createRtspCamera({
      cameraId: 'bench',
      source: { main, ...(sub ? { sub } : {}), user: 'viewer', password: 'bench' },
      options: { analyseFps: FPS, audio: false },
      segmentFolder: join(folder, 'segments'),
      clock,
      log,
    });
    await camera.start(stop.signal);
    const endMonoMs = clock.monoMs() + seconds * 1000;
    const delays: number[] = [];
    for await (const frame of camera.frames()) {
      if (clock.monoMs() > endMonoMs) break;
      // The first frames come as a burst from the last keyframe: they are old when they are sent.
      if (frame.frame < STEPS) continue;
      const step = stepOf(frame.rgb);
      const played = fake.monoAt((step * 1000) / FPS);
      // monoAt gives the last time that this frame was played; a later one than `at` belongs to the next round.
      delays.push(frame.at.monoMs - (played > frame.at.monoMs ? played - LOOP_MS : played));
    }
    await camera.close();
    return delays;
  } finally {
    stop.abort();
    await fake.close();
  }
}

/** Which frame of the film this is: full range RGB of a studio-range grey. */
function stepOf(rgb: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < rgb.length; i += 300) sum += rgb[i]!;
  const mean = sum / Math.ceil(rgb.length / 300);
  const luma = 16 + (mean * 219) / 255;
  return Math.round((luma - 24) / 14) % STEPS;
}
