/** `evalroom bench camera --most`: adds cameras to one room until a seat's state is older than 1.5 s or frames are left out; says how many were held. */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parse } from 'yaml';
import { demoFilm } from '../../hardware/fake/demo-film.ts';
import type { CameraOptions, CameraSet } from '../bench.ts';
import { startStand } from '../stand.ts';
import { cameraFilm, costOf, type Film } from './camera.ts';
import { modelsFor, provenEyes, sameEyes } from './eyes.ts';
import { rounded } from './figures.ts';
import { processTree } from './processes.ts';

/** A room has at most 64 seats: twelve cameras with five seats each. */
const MOST = 12;
const WARM_UP_MS = 20_000;
const LIMIT_MS = 1500;
/** Older than the limit in this share of the looks is a hiccup of the machine, in more it is too much. */
const HICCUPS = 0.01;

interface Held {
  readonly cameras: number;
  readonly analysedFps: number;
  readonly drops: number;
  readonly stateP99Ms: number;
  readonly core: number;
  readonly rssMb: number;
}

/** Frames in the quantity that was asked for, but for a rounding, and no state too old. */
const isHeld = ({ stateP99Ms, analysedFps }: Held, fps: number) => stateP99Ms <= LIMIT_MS && analysedFps >= 0.95 * fps;

interface RoomFile {
  readonly cameras: readonly Record<string, unknown>[];
  readonly seats: readonly { readonly id: string; readonly views: readonly Record<string, unknown>[] }[];
}

/** Prints a line for each number of cameras, and with --json one object as the last line. */
export async function benchMostCameras({ seconds, fps, set, json }: CameraOptions): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'evalroom-cameras-'));
  const say = (text: string) => void process.stderr.write(`${text}\n`);
  const tried: Held[] = [];
  try {
    const eyes = await provenEyes(set, folder);
    say('making a film of 1080p25 at 4 Mbit/s with a sub-stream of 640×360 …');
    const film = await cameraFilm(folder);
    for (let cameras = 2; cameras <= MOST; cameras += 2) {
      say(`${cameras} cameras, ${seconds} s …`);
      const held = await hold(join(folder, String(cameras)), film, { cameras, seconds, fps, set, eyes });
      tried.push(held);
      console.log(
        `${String(cameras).padStart(2)} cameras  ${held.analysedFps} frames/s each, ${held.drops} drops, seat state p99 ${held.stateP99Ms} ms, ${held.core} cores, ${held.rssMb} MB`,
      );
      if (!isHeld(held, fps)) break;
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  const most = Math.max(0, ...tried.filter((one) => isHeld(one, fps)).map((one) => one.cameras));
  const cores = availableParallelism();
  console.log(
    `held: ${most} cameras on ${cores} cores, which also played the cameras${most === MOST ? '; more were not tried' : ''}`,
  );
  if (json) console.log(JSON.stringify({ cores, most, tried }));
}

async function hold(
  folder: string,
  film: Film,
  { cameras, seconds, fps, set, eyes }: { cameras: number; seconds: number; fps: number; set: CameraSet; eyes: string },
): Promise<Held> {
  const stand = await startStand({
    data: folder,
    film,
    cameras,
    roomCamera: { analyseFps: fps, audio: false },
    room: {
      languages: [],
      rulePack: 'default',
      seats: seatsFor(cameras),
      zones: [],
      doorLines: [],
      floor: [],
      roster: [],
    },
    env: { EVALROOM_MODELS: modelsFor(set, folder) },
  });
  try {
    const agent = stand.agent();
    sameEyes(agent, eyes);
    await pause(WARM_UP_MS);
    const cpuMs = () => processTree(agent.pid).reduce((sum, one) => sum + one.cpuMs, 0);
    const [before, beganMs, beganCpuMs] = [await costOf(agent), performance.now(), cpuMs()];
    const ages: number[] = [];
    for (const endMs = beganMs + seconds * 1000; performance.now() < endMs; ) {
      await pause(100);
      ages.push((await costOf(agent)).stateMs);
    }
    const after = await costOf(agent);
    ages.sort((a, b) => a - b);
    const spanMs = performance.now() - beganMs;
    return {
      cameras,
      analysedFps: rounded(after.analysedFps / cameras, 2) ?? 0,
      drops: after.drops - before.drops,
      stateP99Ms: Math.round(ages[Math.floor(ages.length * (1 - HICCUPS))] ?? Number.POSITIVE_INFINITY),
      core: rounded((cpuMs() - beganCpuMs) / spanMs, 2) ?? 0,
      rssMb: Math.round(processTree(agent.pid).reduce((sum, one) => sum + one.rssBytes, 0) / 1e6),
    };
  } finally {
    await stand.close();
  }
}

/** Five seats for each camera, which no other one sees. */
function seatsFor(cameras: number): unknown[] {
  const { seats } = parse(readFileSync(demoFilm().room, 'utf8')) as RoomFile;
  return Array.from({ length: cameras }, (_, n) =>
    seats.map((seat) => ({
      ...seat,
      id: `${n + 1}-${seat.id}`,
      views: seat.views.map((view) => ({ ...view, camera: `cam-${n + 1}` })),
    })),
  ).flat();
}
