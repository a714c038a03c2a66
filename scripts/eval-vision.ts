/** `evalroom eval vision`: footage with known truth through the real eyes and the real deciding, in virtual time, as fast as the machine can. */
import { spawn } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import { virtualClock } from '../agent/clock.ts';
import { type Input, startRoom, step } from '../agent/decide/room.ts';
import type { Frame } from '../hardware/camera.ts';
import { Corrupt, InvalidInput, Unavailable } from '../protocol/errors.ts';
import type { DraftEvent } from '../protocol/event.ts';
import type { FrameObservation } from '../protocol/observation.ts';
import type { RoomLayout } from '../protocol/room.ts';
import type { RulePack } from '../protocol/rules.ts';
import type { Instant } from '../protocol/time.ts';
import { episodesOf, pool, type RoomScore, type Said, scoreEpisodes, scoreOccupancy } from './eval-vision-score.ts';
import { layoutOf, readRooms, type TruthRoom } from './eval-vision-truth.ts';

export interface EvalVisionOptions {
  /** Folder of NAME.mp4 with NAME.json beside each. */
  readonly dir: string;
  /** Name or folder of the rule pack. */
  readonly rules: string;
  /** Analysed frames per second. */
  readonly fps: number;
  /** Keep and use what the eyes saw in `.data/eval-vision`. */
  readonly cache?: boolean;
  /** Only videos whose name contains this. */
  readonly only?: string;
  /** Each camera for itself. */
  readonly single?: boolean;
  readonly json?: boolean;
}

/** Where virtual time begins. */
const BEGIN: Instant = { wallMs: 1_800_000_000_000, monoMs: 1_000_000, bootId: 'eval', clock: 'sure' };
/** Size of a camera's sub-stream. */
const WIDTH = 640;
const HEIGHT = 360;
const CACHE = join('.data', 'eval-vision');

/** Adds `vision` to the `eval` command. */
export function evalVisionCommand(program: Command): void {
  program
    .command('vision')
    .description('score the eyes and the state machines on footage with truth files')
    .requiredOption(
      '--dir <folder>',
      'folder of NAME.mp4 with NAME.json beside each; files that share a name up to _cam? are one room',
    )
    .option('--rules <pack>', 'rule pack: its name or its folder', 'eval')
    .option('--fps <number>', 'analysed frames per second', Number, 2)
    .option('--only <text>', 'only videos whose name contains this')
    .option('--single', 'score each camera alone instead of fusing the cameras of a room')
    .option('--cache', `keep what the eyes saw under ${CACHE} and use it again`)
    .option('--json', 'print one JSON object as the last line')
    .addHelpText(
      'after',
      '\nEVALROOM_MODELS names a folder with fetched models; without it the set that comes with npm is measured.',
    )
    .action(async (options: EvalVisionOptions) => {
      const result = await evalVision(options, (line) => process.stdout.write(`${line}\n`));
      if (options.json) process.stdout.write(`${JSON.stringify(result)}\n`);
    });
}

/** Runs the evaluation; `print` gets the lines for people. Rejects with InvalidInput for a folder or truth file that cannot be used. */
export async function evalVision(options: EvalVisionOptions, print: (line: string) => void) {
  const { loadRulePack } = await import('../models/rules/load.ts');
  if (!(options.fps > 0 && options.fps <= 25))
    throw new InvalidInput('bad_fps', `--fps ${options.fps}: a number between 0 and 25 is needed`);
  const pack = loadRulePack(options.rules);
  const rooms = await readRooms(options);
  const eyes = createWatcher(options);
  const scores: RoomScore[] = [];
  try {
    for (const room of rooms) {
      const observations: FrameObservation[] = [];
      const layout = layoutOf(room);
      for (const { cameraId } of room.cameras) observations.push(...(await eyes.watch(cameraId, layout)));
      const score = scoreRoom(room, layout, observations, pack);
      scores.push(score);
      printRoom(score, print);
    }
  } finally {
    await eyes.close();
  }
  const result = pool(scores, eyes.cpuMsPerFrame(), eyes.modelSet());
  printPool(result, print);
  return result;
}

/** Opens the eyes at the first video that is not in the cache. */
function createWatcher(options: EvalVisionOptions) {
  let opened: Promise<Awaited<ReturnType<typeof openEyes>>> | undefined;
  let modelSet = 'none';
  let frames = 0;
  let cpu = 0;
  return {
    async watch(cameraId: string, layout: RoomLayout): Promise<readonly FrameObservation[]> {
      const kept = join(CACHE, `${cameraId}@${options.fps}-${process.env.EVALROOM_MODELS ? 'fetched' : 'npm'}.json`);
      if (options.cache) {
        const cached = await readFile(kept, 'utf8').catch(() => undefined);
        if (cached) {
          const list = JSON.parse(cached) as FrameObservation[];
          modelSet = list[0]?.modelSet ?? modelSet;
          return list;
        }
      }
      opened ??= openEyes();
      const { createPerceive, eyes, log } = await opened;
      const camera = { cameraId, frames: () => framesOf(join(options.dir, `${cameraId}.mp4`), options.fps) };
      // A clock that stands still: what the eyes take is counted by the threads themselves.
      const perceive = createPerceive({ camera, eyes, layout, clock: virtualClock(), log });
      const list: FrameObservation[] = [];
      try {
        for await (const observation of perceive.observations()) list.push(observation);
      } finally {
        await perceive.close();
      }
      if (list.length === 0)
        throw new Unavailable(
          'nothing_seen',
          `${cameraId}: the eyes gave no observation (${perceive.health().reason ?? 'no frames'})`,
        );
      frames += list.length;
      modelSet = eyes.modelSet;
      if (options.cache) {
        await mkdir(CACHE, { recursive: true });
        await writeFile(kept, JSON.stringify(list));
      }
      return list;
    },
    modelSet: () => modelSet,
    cpuMsPerFrame: () => (frames > 0 ? Math.round((10 * cpu) / frames) / 10 : null),
    async close() {
      if (!opened) return;
      const { eyes, stop } = await opened;
      const health = eyes.health();
      cpu = health.detector.cpuMs + health.pose.cpuMs;
      stop.abort();
      await eyes.close();
    },
  };
}
async function openEyes() {
  const [{ createEyes }, { createPerceive }, { systemClock }, { default: pino }] = await Promise.all([
    import('../models/pose/eyes.ts'),
    import('../agent/perceive.ts'),
    import('../agent/clock.ts'),
    import('pino'),
  ]);
  const log = pino({ level: 'silent' });
  const modelsFolder = process.env.EVALROOM_MODELS;
  const eyes = createEyes({ modelsFolder, dataFolder: '.data', clock: systemClock(), log });
  const stop = new AbortController();
  await eyes.start(stop.signal);
  return { eyes, stop, log, createPerceive };
}

/** Frames of a file as a camera's sub-stream would give them, at their own time. */
async function* framesOf(file: string, fps: number): AsyncGenerator<Frame> {
  const args = [
    '-v',
    'error',
    '-i',
    file,
    '-vf',
    `fps=${fps}:round=down:start_time=0,scale=${WIDTH}:${HEIGHT}`,
    '-pix_fmt',
    'rgb24',
    '-f',
    'rawvideo',
    'pipe:1',
  ];
  const child = spawn('ffmpeg', args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-500);
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  const size = WIDTH * HEIGHT * 3;
  let rgb = new Uint8Array(size);
  let [filled, frame] = [0, 0];
  try {
    for await (const chunk of child.stdout as AsyncIterable<Buffer>)
      for (let from = 0; from < chunk.length; ) {
        const take = Math.min(size - filled, chunk.length - from);
        rgb.set(chunk.subarray(from, from + take), filled);
        [from, filled] = [from + take, filled + take];
        if (filled < size) continue;
        const at = instant(frame / fps);
        yield { width: WIDTH, height: HEIGHT, rgb, at, frame: frame++ };
        rgb = new Uint8Array(size);
        filled = 0;
      }
    const code = await ended;
    if (code !== 0) throw new Corrupt('bad_video', `ffmpeg could not decode ${file} to its end: ${said.trim()}`);
  } finally {
    child.kill('SIGKILL');
  }
}

function instant(seconds: number): Instant {
  const ms = Math.round(seconds * 1000);
  return { ...BEGIN, wallMs: BEGIN.wallMs + ms, monoMs: BEGIN.monoMs + ms };
}

/** The state machines over all cameras of the room in order of time, with a tick a second. */
export function scoreRoom(
  room: TruthRoom,
  layout: RoomLayout,
  observations: readonly FrameObservation[],
  pack: RulePack,
): RoomScore {
  const truth = room.cameras[0]!.truth;
  const inputs: Input[] = [...observations];
  for (let s = 1; s <= truth.duration_s; s++) inputs.push({ kind: 'tick', at: instant(s) });
  inputs.sort((a, b) => a.at.monoMs - b.at.monoMs);
  const context = { layout, pack, runId: 'eval' };
  let machine = startRoom(context, instant(0), []);
  const drafts: DraftEvent[] = [];
  const said: Said[] = [];
  for (const input of inputs) {
    const result = step(machine, input, context);
    machine = result.machine;
    drafts.push(...result.drafts);
    if (input.kind !== 'frame') continue;
    const seats = Object.fromEntries(result.view.seats.map((s) => [s.seatId, s.occupancy]));
    said.push({ t: (input.at.monoMs - BEGIN.monoMs) / 1000, seats });
  }
  const predicted = episodesOf(drafts, BEGIN.wallMs, truth.duration_s);
  return {
    name: room.name,
    hours: truth.duration_s / 3600,
    ...scoreEpisodes(room, predicted, pack),
    ...scoreOccupancy(truth, said),
  };
}

function printRoom(score: RoomScore, print: (line: string) => void): void {
  const seats = Object.values(score.occupancy);
  const sum = (k: 'right' | 'frames' | 'unknown') => seats.reduce((n, s) => n + s[k], 0);
  print(
    `${score.name}: occupancy right ${sum('right')} of ${sum('frames')}, unknown ${sum('unknown')}; fault frames right ${score.fault.right} of ${score.fault.frames}`,
  );
  for (const miss of score.misses) print(`  missed  ${miss}`);
  for (const wrong of score.wrong) print(`  false   ${wrong}`);
}

function printPool(result: ReturnType<typeof pool>, print: (line: string) => void): void {
  for (const [name, b] of Object.entries(result.behaviours))
    print(
      `${name.padEnd(14)} found ${b.found} of ${b.episodes}, false ${b.false}, start error median ${b.startErrorMedianS ?? '–'} s, time to alert median ${b.timeToAlertMedianS ?? '–'} s`,
    );
  print(
    `occupancy accuracy ${result.occupancyAccuracy}, unknown ${result.unknownShare}, fault frames right ${result.faultFramesRight}`,
  );
  print(
    `false alarms per room-hour ${result.falseAlarmsPerRoomHour}, false notices ${result.falseNoticesPerRoomHour}, over ${result.roomHours} h`,
  );
  print(
    `model set ${result.modelSet}${result.cpuMsPerFrame === null ? '' : `, ${result.cpuMsPerFrame} ms of CPU per frame`}; unscored: ${JSON.stringify(result.unscored)}`,
  );
}
