/** Runs the fake camera as a process; a parent sets faults and asks for its playhead over IPC. */
import { readFile } from 'node:fs/promises';
import { systemClock } from '../agent/clock.ts';
import { createLog } from '../agent/log.ts';
import { createFakeCamera, type Fault, type StreamName } from '../hardware/fake/camera.ts';
import { demoFilm, demoSchedule } from '../hardware/fake/demo-film.ts';
import { buildSoundtrack } from '../hardware/fake/soundtrack.ts';
import type { FakeCameraOptions } from './fake-camera.ts';
import { runPart, tellParent } from './part.ts';

/** Runs until SIGINT or SIGTERM. Orders: `{fault, stream?}` and `{positionMs}`, which is answered `{positionMs, monoMs}`. */
export async function serveFakeCamera(options: FakeCameraOptions): Promise<void> {
  const film = demoFilm();
  const password = (await readFile(options.passwordFile, 'utf8')).trim();
  const own = options.main !== undefined;
  const camera = createFakeCamera({
    main: options.main ?? film.main,
    sub: options.sub ?? options.main ?? film.sub,
    ...(options.sound ? { sound: options.sound } : own ? {} : { sound: await demoSound(options.cache) }),
    user: options.user,
    password,
    clock: systemClock(),
    log: createLog({ name: 'camera' }),
    options: { startAtMs: options.from, ports: { onvif: options.onvifPort, rtsp: options.rtspPort } },
  });
  await runPart(async (signal) => {
    await camera.start(signal);
    const { main, sub, onvif } = camera.urls();
    return {
      ready: { main, sub, onvif: new URL(onvif).host, loopMs: camera.loopMs() },
      onOrder(order) {
        if ('fault' in order) void camera.setFault(order.fault as Fault | null, order.stream as StreamName | undefined);
        if (typeof order.positionMs === 'number')
          tellParent({ positionMs: order.positionMs, monoMs: camera.monoAt(order.positionMs) });
      },
      close: () => camera.close(),
    };
  });
}

async function demoSound(folder: string): Promise<string> {
  const phrases = await demoSchedule(process.env.EVALROOM_MEDIA);
  return buildSoundtrack({ phrases, durationMs: 320_000, folder });
}
