/** Starts the demo: camera, cloud and agent as processes of their own, one URL on the screen, nothing left after Ctrl-C. */
import { randomBytes } from 'node:crypto';
import { createWriteStream, existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { demoFilm } from '../../hardware/fake/demo-film.ts';
import { type Child, startChild } from '../children.ts';
import type { DemoOptions } from '../demo.ts';
import {
  boxOf,
  CAMERA_ROOM,
  type CameraAddress,
  cameraRoom,
  type DemoCloud,
  FILM_ROOM,
  filmRoom,
  ownRoom,
  parseCameraAddress,
  roomIdOf,
  type WrittenRoom,
} from './room.ts';
import type { Running } from './running.ts';
import { createScreen, type Screen } from './screen.ts';
import { runSmoke } from './smoke.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const MODELS = join(ROOT, '.data/models');

/** Runs until Ctrl-C (or, with --smoke, until the first alert's clip was decoded) and returns the exit code. */
export async function runDemo(options: DemoOptions): Promise<number> {
  const startedMs = performance.now();
  // What the person wrote is judged before anything is started.
  const address = options.camera === undefined ? undefined : parseCameraAddress(options.camera);
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stop.abort());
  const screen = createScreen(process.stdout, { quiet: options.smoke === true });
  const data = options.smoke ? await mkdtemp(join(tmpdir(), 'evalroom-smoke-')) : resolve(options.data);
  if (options.fresh) await rm(data, { recursive: true, force: true });
  await mkdir(join(data, 'logs'), { recursive: true });
  const children: Child[] = [];
  try {
    const running = await startAll({ ...options, address }, data, children, screen, startedMs);
    if (options.smoke) return await runSmoke(running, stop.signal);
    screen.running(running);
    await untilEnd(running, stop.signal, screen);
    return process.exitCode === 1 ? 1 : 0;
  } finally {
    screen.ending();
    for (const child of children.reverse()) await child.close();
    if (options.smoke) await rm(data, { recursive: true, force: true });
    screen.ended();
  }
}

/** The options with the camera's address taken apart. */
type Wanted = DemoOptions & { readonly address: CameraAddress | undefined };

async function startAll(
  options: Wanted,
  data: string,
  children: Child[],
  screen: Screen,
  startedMs: number,
): Promise<Running> {
  const launch = async (name: string, args: string[], env: Record<string, string> = {}): Promise<Child> => {
    const log = createWriteStream(join(data, 'logs', `${name}.log`), { flags: 'a' });
    // A full disk must not end the demo: the room itself says that the disk is full.
    log.on('error', () => undefined);
    try {
      const child = await startChild({ name, args, env, onLine: (line) => void log.write(`${line}\n`) });
      void child.ended.then(() => log.end());
      children.push(child);
      return child;
    } catch (error) {
      log.end();
      throw error;
    }
  };
  const roomId = options.room ? await roomIdOf(options.room) : options.camera ? CAMERA_ROOM : FILM_ROOM;
  const box = boxOf(roomId, data);
  const [cloud, camera] = await Promise.all([
    screen.step('cloud (broker, store, page)', () =>
      launch('cloud', [
        'cloud',
        '--data',
        join(data, 'cloud'),
        '--port',
        String(options.port),
        '--box',
        `${box.deviceId}:${roomId}:${box.secretFile}`,
      ]),
    ),
    options.room || options.camera
      ? undefined
      : screen.step('camera (film over ONVIF and RTSP)', () => startFilm(data, launch)),
  ]);
  const address: DemoCloud = {
    mqttUrl: String(cloud.ready.mqttUrl),
    uploadUrl: String(cloud.ready.url),
    ...box,
  };
  const room = await writeRoom(options, address, camera);
  const models = process.env.EVALROOM_MODELS ?? MODELS;
  if (!existsSync(join(models, 'fsmn-zh/kwsr.net'))) void fetchMandarin(models, launch, screen);
  const agent = await screen.step('agent (eyes and ears)', () =>
    launch('agent', ['agent', '--room', room.path], { EVALROOM_MODELS: models }),
  );
  const running = { children, url: String(cloud.ready.url), roomId: room.roomId, agent, startedMs };
  return typeof cloud.ready.setupUrl === 'string' ? { ...running, setupUrl: cloud.ready.setupUrl } : running;
}

interface Film {
  readonly onvif: string;
  readonly user: string;
  readonly passwordFile: string;
}

async function startFilm(data: string, launch: (name: string, args: string[]) => Promise<Child>): Promise<Film> {
  const passwordFile = join(data, 'camera.password');
  await writeFile(passwordFile, `${randomBytes(12).toString('base64url')}\n`, { mode: 0o600 });
  const camera = await launch('camera', ['fake-camera', '--user', 'viewer', '--password-file', passwordFile]);
  return { onvif: String(camera.ready.onvif), user: 'viewer', passwordFile };
}

async function writeRoom(options: Wanted, cloud: DemoCloud, film: Film | undefined): Promise<WrittenRoom> {
  if (options.room) return ownRoom(options.room, cloud);
  if (options.address) return cameraRoom(options.address, cloud);
  return filmRoom(demoFilm().room, film!.onvif, film!.user, film!.passwordFile, cloud);
}

/** The room is deaf in Mandarin until this succeeds; the page says so, and the ear notices the files by itself. */
async function fetchMandarin(
  folder: string,
  launch: (name: string, args: string[]) => Promise<Child>,
  screen: Screen,
): Promise<void> {
  try {
    const child = await launch('models', ['models', 'fetch', 'zh', '--folder', folder, '--connect-limit', '5000']);
    const code = await child.ended;
    if (code !== 0)
      screen.note('The Mandarin model could not be fetched: the room is deaf in Mandarin (evalroom models fetch zh).');
  } catch {
    screen.note('The Mandarin model could not be fetched: the room is deaf in Mandarin (evalroom models fetch zh).');
  }
}

async function untilEnd(running: Running, signal: AbortSignal, screen: Screen): Promise<void> {
  running.agent.onSaid((said) => screen.said(said));
  const aborted = new Promise<string>((done) => signal.addEventListener('abort', () => done('stop'), { once: true }));
  const fallen = running.children
    .filter((child) => child.name !== 'models')
    .map((child) => child.ended.then((code) => `${child.name} ended with ${code}`));
  const first = signal.aborted ? 'stop' : await Promise.race([aborted, ...fallen]);
  if (first !== 'stop' && !signal.aborted) {
    screen.note(`${first}; its log is in the logs folder of the demo's data`);
    process.exitCode = 1;
  }
}
