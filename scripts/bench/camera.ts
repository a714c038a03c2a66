/** `evalroom bench camera`: what one camera with five seats costs, beside the same decode and the same inferences with nothing around them. */
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { AgentCost } from '../../agent/main.ts';
import { demoFilm } from '../../hardware/fake/demo-film.ts';
import { runFfmpeg } from '../../hardware/ffmpeg/run.ts';
import { CROP_FACTOR, cut, enlarge } from '../../models/pose/crop.ts';
import type { Picture } from '../../models/pose/detector.ts';
import type { CameraOptions, CameraSet } from '../bench.ts';
import type { Child } from '../children.ts';
import { startStand } from '../stand.ts';
import { modelsFor, type OpenedEyes, openEyes, sameEyes } from './eyes.ts';
import { rounded } from './figures.ts';
import { type ProcessUse, processTree } from './processes.ts';

const FILM_FPS = 25;
/** Templates are learnt and hot code is compiled by then: after half as long, V8 still compiles for a third of a percent of a core. */
const WARM_UP_MS = 60_000;
const WIDTH = 640;
const HEIGHT = 360;

interface Measured {
  readonly modelSet: string;
  readonly ffmpegMs: number;
  readonly nodeMs: number;
  readonly spanMs: number;
  readonly cost: AgentCost;
  readonly rssBytes: number;
}

/** Prints percent of one core per stage, and with --json one object as the last line. */
export async function benchCamera({ seconds, fps, set, json }: CameraOptions): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'evalroom-camera-'));
  const say = (text: string) => void process.stderr.write(`${text}\n`);
  let eyes: OpenedEyes | undefined;
  try {
    // Kept open for the bare measurement: LiteRT opens once in a process.
    eyes = await openEyes(set, folder);
    say('making a film of 1080p25 at 4 Mbit/s with a sub-stream of 640×360 …');
    const film = await cameraFilm(folder);
    say(`one camera, five seats, ${fps} frames per second: ${seconds} s after ${WARM_UP_MS / 1000} s …`);
    const measured = await measure(join(folder, 'stand'), film, { seconds, fps, set, eyes: eyes.name });
    say('the same decode and the same inferences, bare …');
    const bareMs = (await bareFfmpeg(film, measured.spanMs, fps)) + (await bareInferences(film.sub, measured, eyes));
    print(measured, bareMs, json === true);
  } finally {
    await eyes?.close();
    await rm(folder, { recursive: true, force: true });
  }
}

function print({ modelSet, ffmpegMs, nodeMs, spanMs, cost, rssBytes }: Measured, bareMs: number, json: boolean): void {
  const core = (ms: number) => rounded(ms / spanMs, 3);
  const totalMs = ffmpegMs + nodeMs;
  const figures = {
    modelSet,
    ffmpegCore: core(ffmpegMs),
    detectorCore: core(cost.detector.cpuMs),
    poseCore: core(cost.pose.cpuMs),
    restCore: core(nodeMs - cost.detector.cpuMs - cost.pose.cpuMs),
    totalCore: core(totalMs),
    bareCore: core(bareMs),
    overhead: rounded(totalMs / bareMs - 1, 2),
    analysedFps: rounded(cost.analysedFps, 2),
    drops: cost.drops,
    rssMb: rounded(rssBytes / 1e6),
  };
  const percent = (value: number | null) => `${((value ?? Number.NaN) * 100).toFixed(1).padStart(6)} % of a core`;
  console.log(
    `model set  ${modelSet}, ${figures.analysedFps} frames per second, ${cost.detector.runs} detections, ${cost.pose.runs} poses, ${cost.drops} drops`,
  );
  console.log(`ffmpeg     ${percent(figures.ffmpegCore)}`);
  console.log(`detector   ${percent(figures.detectorCore)}`);
  console.log(`pose       ${percent(figures.poseCore)}`);
  console.log(`rest       ${percent(figures.restCore)}`);
  console.log(`total      ${percent(figures.totalCore)}   memory ${figures.rssMb} MB`);
  console.log(`bare       ${percent(figures.bareCore)}   overhead ${((figures.overhead ?? 0) * 100).toFixed(0)} %`);
  if (json) console.log(JSON.stringify(figures));
}

export interface Film {
  readonly main: string;
  readonly sub: string;
}

/** 1080p25 at 4 Mbit/s and a sub-stream of 640×360, of people who sit. */
export async function cameraFilm(folder: string): Promise<Film> {
  const main = join(folder, 'main.mp4');
  const sub = join(folder, 'sub.mp4');
  const encode = (size: string, rate: string, out: string) => [
    ...['-map', '0:v', '-vf', `fps=${FILM_FPS},scale=${size}`, '-c:v', 'libx264', '-preset', 'ultrafast', '-b:v', rate],
    ...['-minrate', rate, '-maxrate', rate, '-bufsize', rate, '-g', '50', '-bf', '0', '-pix_fmt', 'yuv420p', '-y', out],
  ];
  // Forty seconds of people who sit, as rooms look nearly all the time, then one who leaves.
  await runFfmpeg({
    doing: 'making the film of the camera bench',
    args: [
      '-v',
      'error',
      '-t',
      '40',
      '-i',
      demoFilm().main,
      ...encode('1920:1080', '4M', main),
      ...encode('640:360', '700k', sub),
    ],
  });
  return { main, sub };
}

async function measure(
  folder: string,
  film: Film,
  { seconds, fps, set, eyes }: { seconds: number; fps: number; set: CameraSet; eyes: string },
): Promise<Measured> {
  const stand = await startStand({
    data: folder,
    film,
    // The film is silent: a camera that promised sound would raise an alarm, and its clips are not what is measured.
    roomCamera: { analyseFps: fps, audio: false },
    room: { languages: [], rulePack: 'default' },
    env: { EVALROOM_MODELS: modelsFor(set, folder) },
  });
  try {
    const agent = stand.agent();
    sameEyes(agent, eyes);
    await pause(WARM_UP_MS);
    const before = await snapshot(agent);
    await pause(seconds * 1000);
    const after = await snapshot(agent);
    const spent = (name: (one: ProcessUse) => boolean) =>
      sum(after.tree.filter(name)) -
      sum(before.tree.filter((one) => name(one) && after.tree.some((two) => two.pid === one.pid)));
    return {
      modelSet: String(agent.ready.modelSet),
      ffmpegMs: spent((one) => one.name === 'ffmpeg'),
      nodeMs: spent((one) => one.name !== 'ffmpeg') + ended(after) - ended(before),
      spanMs: after.monoMs - before.monoMs,
      cost: less(after.cost, before.cost),
      rssBytes: after.tree.reduce((total, one) => total + one.rssBytes, 0),
    };
  } finally {
    await stand.close();
  }
}

/** Of processes that came and went, such as those that join clips: part of the rest. */
const ended = ({ tree }: { tree: readonly ProcessUse[] }) => tree.reduce((total, one) => total + one.endedMs, 0);

const sum = (uses: readonly ProcessUse[]) => uses.reduce((total, one) => total + one.cpuMs, 0);

function less(after: AgentCost, before: AgentCost): AgentCost {
  const part = (key: 'detector' | 'pose') => ({
    cpuMs: after[key].cpuMs - before[key].cpuMs,
    runs: after[key].runs - before[key].runs,
  });
  return {
    ...after,
    detector: part('detector'),
    pose: part('pose'),
    drops: after.drops - before.drops,
  };
}

async function snapshot(agent: Child): Promise<{ tree: ProcessUse[]; cost: AgentCost; monoMs: number }> {
  return { cost: await costOf(agent), tree: processTree(agent.pid), monoMs: performance.now() };
}

/** Asks the agent what its eyes have cost so far. */
export async function costOf(agent: Child): Promise<AgentCost> {
  const cost = new Promise<AgentCost>((resolve) =>
    agent.onSaid((said) => {
      if (said.cost) resolve(said.cost as AgentCost);
    }),
  );
  agent.send({ cost: true });
  return await cost;
}

/** Processor ms of ffmpeg alone for the same span: decode of the sub-stream to the same frames, and a copy of the main stream. */
async function bareFfmpeg(film: Film, spanMs: number, fps: number): Promise<number> {
  const seconds = String(spanMs / 1000);
  const decode = [
    '-stream_loop',
    '-1',
    '-t',
    seconds,
    '-i',
    film.sub,
    '-vf',
    `fps=${fps}`,
    '-pix_fmt',
    'rgb24',
    '-f',
    'rawvideo',
    '/dev/null',
  ];
  const copy = ['-stream_loop', '-1', '-t', seconds, '-i', film.main, '-c', 'copy', '-f', 'mpegts', '/dev/null'];
  return (await cpuOf(['-v', 'error', '-y', ...decode])) + (await cpuOf(['-v', 'error', '-y', ...copy]));
}

/** ffmpeg prints what it used itself: `bench: utime=0.5s stime=0.1s rtime=…`. */
async function cpuOf(args: readonly string[]): Promise<number> {
  const child = spawn('ffmpeg', ['-benchmark', '-v', 'info', ...args.slice(2)], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let text = '';
  child.stderr.on('data', (chunk) => {
    text += chunk;
  });
  await new Promise((resolve) => child.once('close', resolve));
  const match = /utime=([\d.]+)s stime=([\d.]+)s/.exec(text);
  return match ? (Number(match[1]) + Number(match[2])) * 1000 : Number.NaN;
}

/** Processor ms of as many detections and poses as were made, in this process, with nothing around them. */
async function bareInferences(sub: string, { cost }: Measured, { detector, pose }: OpenedEyes): Promise<number> {
  const picture = await firstFrame(sub);
  const [person] = await detector.detect(picture);
  const box = person?.box ?? ([0.4, 0.4, 0.6, 0.8] as const);
  const crop = cut(picture, enlarge(box, CROP_FACTOR));
  await pose.estimate(crop.picture, [0.2, 0.2, 0.8, 0.8]);
  const detecting = await timed(cost.detector.runs, () => detector.detect(picture));
  const posing = await timed(cost.pose.runs, () => pose.estimate(crop.picture, [0.2, 0.2, 0.8, 0.8]));
  return detecting + posing;
}

/** At most a hundred are run; more are counted in proportion. */
async function timed(runs: number, run: () => Promise<unknown>): Promise<number> {
  const done = Math.min(runs, 100);
  if (done === 0) return 0;
  const before = process.cpuUsage();
  for (let i = 0; i < done; i += 1) await run();
  const { user, system } = process.cpuUsage(before);
  return ((user + system) / 1000) * (runs / done);
}

async function firstFrame(file: string): Promise<Picture> {
  const args = ['-v', 'error', '-i', file, '-frames:v', '1', '-f', 'rawvideo', '-pix_fmt', 'rgb24', 'pipe:1'];
  const { stdout } = await runFfmpeg({ doing: 'reading a frame for the camera bench', args });
  return { width: WIDTH, height: HEIGHT, rgb: new Uint8Array(stdout) };
}
