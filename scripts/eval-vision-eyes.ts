/** What the real eyes see in a video, in virtual time; kept by the hash of everything that it depends on, so that a second run is fast. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { virtualClock } from '../agent/clock.ts';
import type { Frame } from '../hardware/camera.ts';
import { frameCutter } from '../hardware/rtsp/raw.ts';
import { PICTURE_CODING, shapeFilter } from '../hardware/rtsp/shape.ts';
import { Corrupt, Unavailable } from '../protocol/errors.ts';
import type { FrameObservation } from '../protocol/observation.ts';
import type { RoomLayout } from '../protocol/room.ts';
import type { Instant } from '../protocol/time.ts';
import type { Variant } from './eval-vision-augment.ts';
import { type AnswerMemory, createAnswerMemory } from './eval-vision-memory.ts';
import type { Part } from './eval-vision-parts.ts';

/** Where virtual time begins. */
export const BEGIN: Instant = { wallMs: 1_800_000_000_000, monoMs: 1_000_000, bootId: 'eval', clock: 'sure' };

/** As the agent's own, so that a video of any shape is looked at as a camera of that shape is. */
const SHAPE = shapeFilter();
const KEPT = join('.data', 'eval-vision');
const ROOT = join(import.meta.dirname, '..');

export interface WatcherOptions {
  /** Analysed frames per second. */
  readonly fps: number;
  /** Keep what was seen, and use what was kept. */
  readonly cache: boolean;
  readonly modelsFolder: string | undefined;
}

interface Sight {
  readonly modelSet: string;
  /** CPU time of both threads for all frames, as it was measured when they were looked at. */
  readonly cpuMs: number;
  readonly frames: readonly FrameObservation[];
}

export interface Watcher {
  /** All observations of one video in order of time. */
  watch(video: string, cameraId: string, layout: RoomLayout, variant: Variant): Promise<readonly FrameObservation[]>;
  modelSet(): string;
  /** Mean over everything watched; null before the first frame. */
  cpuMsPerFrame(): number | null;
  close(): Promise<void>;
}

/** Opens the eyes at the first video that was not kept. */
export function createWatcher(options: WatcherOptions): Watcher {
  let opened: ReturnType<typeof openEyes> | undefined;
  let memory: AnswerMemory | undefined;
  let modelSet = 'none';
  let [frames, cpuMs] = [0, 0];
  return {
    async watch(video, cameraId, layout, variant) {
      const kept = options.cache ? await keptAs(video, cameraId, layout, variant, options) : undefined;
      let sight = kept && (await read(kept));
      if (!sight) {
        memory ??= createAnswerMemory();
        opened ??= openEyes(options.modelsFolder, memory);
        const answers = options.cache ? await answersAs(video, cameraId, variant, options.modelsFolder) : undefined;
        await memory.open(answers);
        sight = await look(await opened, video, cameraId, layout, variant, options.fps);
        // Kept for the speed of a second run alone: without a place for it the figures are the same.
        await memory.keep(answers).catch(() => undefined);
        if (kept) await write(kept, sight).catch(() => undefined);
      }
      modelSet = sight.modelSet;
      frames += sight.frames.length;
      cpuMs += sight.cpuMs;
      return sight.frames;
    },
    modelSet: () => modelSet,
    cpuMsPerFrame: () => (frames > 0 ? Math.round((10 * cpuMs) / frames) / 10 : null),
    async close() {
      if (!opened) return;
      const { eyes, stop } = await opened;
      stop.abort();
      await eyes.close();
    },
  };
}

type Opened = Awaited<ReturnType<typeof openEyes>>;

async function openEyes(modelsFolder: string | undefined, memory: AnswerMemory) {
  const [{ createEyes }, { createPerceive }, { systemClock }, { default: pino }] = await Promise.all([
    import('../models/pose/eyes.ts'),
    import('../agent/perceive.ts'),
    import('../agent/clock.ts'),
    import('pino'),
  ]);
  const log = pino({ level: 'silent' });
  const eyes = createEyes({ modelsFolder, dataFolder: '.data', clock: systemClock(), log, threads: memory.threads });
  const stop = new AbortController();
  await eyes.start(stop.signal);
  return { eyes, stop, log, createPerceive };
}

async function look(
  { eyes, createPerceive, log }: Opened,
  video: string,
  cameraId: string,
  layout: RoomLayout,
  variant: Variant,
  fps: number,
): Promise<Sight> {
  const used = () => eyes.health().detector.cpuMs + eyes.health().pose.cpuMs;
  const before = used();
  const camera = { cameraId, frames: () => framesOf(video, variant, variant.fps ?? fps) };
  // A clock that stands still: what the eyes take is counted by the threads themselves.
  const perceive = createPerceive({ camera, eyes, layout, clock: virtualClock(), log });
  const frames: FrameObservation[] = [];
  const { restarts } = eyes.health();
  try {
    for await (const observation of perceive.observations()) frames.push(observation);
  } finally {
    await perceive.close();
  }
  const { detector, pose, ...after } = eyes.health();
  // Frames of which nothing was seen would count against the rules, and be kept for the next run.
  if (after.restarts > restarts || detector.state !== 'running' || pose.state !== 'running')
    throw new Unavailable(
      'eyes_down',
      `${video}: the eyes went down while they looked (${after.reason ?? detector.reason ?? pose.reason ?? 'no reason given'}); run it again`,
    );
  if (frames.length === 0)
    throw new Unavailable(
      'nothing_seen',
      `${video}: the eyes gave no observation (${perceive.health().reason ?? 'no frames'})`,
    );
  return { modelSet: eyes.modelSet, cpuMs: Math.max(0, used() - before), frames };
}

/** The file that keeps what was seen: named by the video's bytes, the variant, the zones, and the eyes themselves. */
async function keptAs(
  video: string,
  cameraId: string,
  layout: RoomLayout,
  variant: Variant,
  { fps, modelsFolder }: WatcherOptions,
): Promise<string> {
  const hash = createHash('sha256');
  hash.update(await readFile(video));
  const zones = layout.seats.map((s) => [s.seatId, s.views.find((v) => v.cameraId === cameraId)?.zone]);
  hash.update(JSON.stringify([cameraId, variant, fps, SHAPE, zones]));
  const models = (await readdir(join(ROOT, 'models'))).filter((name) => name.endsWith('.ts')).sort();
  const pose = (await readdir(join(ROOT, 'models', 'pose'))).sort();
  const sources = [
    ...[...models, ...pose.map((name) => `pose/${name}`)].map((name) => join('models', name)),
    ...['perceive.ts', 'attention.ts', 'closer.ts', 'tiles.ts'].map((name) => join('agent', name)),
  ];
  hash.update(await sourcesHash(sources, modelsFolder));
  return join(KEPT, `${cameraId}-${variant.name}-${hash.digest('hex').slice(0, 24)}.json.gz`);
}

/** What makes the models' answers; whatever else of the eyes changes, the same question has the same answer. */
const ANSWERS = ['blazepose', 'boxes', 'centernet', 'coco', 'crop', 'landmarker', 'load', 'soft-gl', 'worker', 'yolox'];

/** The file that keeps the models' answers on one video. */
async function answersAs(video: string, cameraId: string, variant: Variant, modelsFolder: string | undefined) {
  const hash = createHash('sha256');
  hash.update(await readFile(video));
  hash.update(JSON.stringify(variant));
  hash.update(
    await sourcesHash(
      ANSWERS.map((name) => join('models', 'pose', `${name}.ts`)),
      modelsFolder,
    ),
  );
  return join(KEPT, 'answers', `${cameraId}-${variant.name}-${hash.digest('hex').slice(0, 24)}.json.gz`);
}

/** Changes with these sources and with the files of the models, whatever they are called. */
async function sourcesHash(sources: readonly string[], modelsFolder: string | undefined): Promise<string> {
  const hash = createHash('sha256');
  for (const source of [...sources, join('models', 'manifest.json')]) hash.update(await readFile(join(ROOT, source)));
  for (const folder of [modelsFolder, join('.data', 'models')]) {
    const names = folder ? await readdir(folder).catch(() => []) : [];
    for (const name of names.sort()) {
      const { size } = await stat(join(folder!, name));
      hash.update(`${name} ${size}\n`);
    }
  }
  return hash.digest('hex');
}

async function read(path: string): Promise<Sight | undefined> {
  const bytes = await readFile(path).catch(() => undefined);
  if (!bytes) return undefined;
  try {
    return JSON.parse(gunzipSync(bytes).toString()) as Sight;
  } catch {
    // Cut short by a full disk or a kill: looked at anew and written over.
    return undefined;
  }
}

async function write(path: string, sight: Sight): Promise<void> {
  await mkdir(KEPT, { recursive: true });
  const part = `${path}.${process.pid}.part`;
  await writeFile(part, gzipSync(JSON.stringify(sight)));
  await rename(part, path);
}

/** Frames of a film as a camera's sub-stream would give them, at their own time: all of a file, or parts of it one after another. */
async function* framesOf(file: string, variant: Variant, fps: number): AsyncGenerator<Frame> {
  let shownS = 0;
  for (const part of variant.parts ?? [undefined]) {
    for await (const frame of framesIn(file, variant, fps, part))
      yield { ...frame, frame: frame.frame + Math.round(shownS * fps), at: instant(shownS + frame.frame / fps) };
    if (part) shownS += part[1] - part[0];
  }
}

async function* framesIn(file: string, variant: Variant, fps: number, part: Part | undefined): AsyncGenerator<Frame> {
  const stretch = part ? ['-ss', String(part[0]), '-t', String(part[1] - part[0])] : [];
  const last = [`fps=${fps}:round=down:start_time=0`, SHAPE];
  const coded =
    variant.crf === undefined
      ? undefined
      : spawnFfmpeg([
          ...[...stretch, '-i', file, '-vf', [...variant.filters, SHAPE].join(',')],
          ...['-an', '-c:v', 'libx264', '-threads', '1', '-preset', 'veryfast', '-crf', String(variant.crf)],
          ...['-f', 'matroska', 'pipe:1'],
        ]);
  const filters = coded ? last : [...variant.filters, ...last];
  const source = coded ? ['-i', 'pipe:0'] : [...stretch, '-i', file];
  const shown = spawnFfmpeg([...source, '-vf', filters.join(','), ...PICTURE_CODING, 'pipe:1']);
  if (coded) {
    // A reader that ends first is not an error of the writer; its own exit code says what went wrong.
    shown.child.stdin.on('error', () => undefined);
    coded.child.stdout.pipe(shown.child.stdin);
  } else shown.child.stdin.end();
  const ready: Frame[] = [];
  // New buffers each time: frames are kept until they are looked at.
  const pool = { take: (bytes: number) => new Uint8Array(bytes), give: () => undefined };
  const cutter = frameCutter(pool, virtualClock(), 0, (frame) => ready.push(frame));
  try {
    for await (const chunk of shown.child.stdout as AsyncIterable<Buffer>) {
      for (let from = 0; from < chunk.length; ) {
        const room = cutter.room();
        const take = Math.min(room.length, chunk.length - from);
        room.set(chunk.subarray(from, from + take));
        from += take;
        cutter.took(take);
      }
      yield* ready.splice(0);
    }
    const fault = cutter.fault();
    for (const run of [coded, shown])
      if (fault !== undefined || (run && (await run.ended) !== 0))
        throw new Corrupt('bad_video', `ffmpeg could not decode ${file} to its end: ${fault ?? run?.said().trim()}`);
  } finally {
    coded?.child.kill('SIGKILL');
    shown.child.kill('SIGKILL');
  }
}

function spawnFfmpeg(args: readonly string[]) {
  const child = spawn('ffmpeg', ['-v', 'error', ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-500);
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  // Awaited only when all frames are read; until then a failure to start must not end the process.
  ended.catch(() => undefined);
  return { child, ended, said: () => said };
}

/** Virtual time at a second of the video. */
export function instant(seconds: number): Instant {
  const ms = Math.round(seconds * 1000);
  return { ...BEGIN, wallMs: BEGIN.wallMs + ms, monoMs: BEGIN.monoMs + ms };
}
