/** Measures the eyes on footage with known truth: CPU per picture, and the share of people who were found. */
import { spawn } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pino from 'pino';
import { z } from 'zod';
import { systemClock } from '../agent/clock.ts';
import type { Picture } from '../models/pose/detector.ts';
import { createEyes, type Look } from '../models/pose/eyes.ts';
import type { ModelSetName } from '../models/pose/model-set.ts';
import { InvalidInput, Unavailable } from '../protocol/errors.ts';
import type { Person } from '../protocol/observation.ts';
import { type Box, iou } from '../protocol/seat.ts';

/** The part of a truth file that is needed here; boxes and points in pixels. */
export const TruthSchema = z.object({
  width: z.number(),
  height: z.number(),
  frames: z.array(
    z.object({
      frame: z.number(),
      image: z.string(),
      people: z.array(
        z.object({
          state: z.string(),
          in_room: z.boolean(),
          visible_px: z.number().optional(),
          /** Of the whole body, and of what furniture and others leave visible of it. */
          bbox: z.array(z.number()).nullish(),
          bbox_visible: z.array(z.number()).nullish(),
          keypoints: z.array(z.array(z.number())).nullish(),
        }),
      ),
    }),
  ),
});

export interface MeasureOptions {
  /** Folder of NAME.mp4 with NAME.json beside each. */
  readonly media: string;
  readonly set: ModelSetName;
  /** Every so many frames is looked at. */
  readonly every: number;
  readonly modelsFolder?: string;
  readonly dataFolder: string;
  readonly regions?: readonly Box[];
}

export interface VideoFigures {
  readonly video: string;
  readonly frames: number;
  readonly people: number;
  /** Share of visible people with a box of IoU over 0.4 with the whole body or its visible part. */
  readonly found: number;
  /** Boxes of persons that meet nobody, per frame. */
  readonly falsePerFrame: number;
  /** Share of the found who got a pose. */
  readonly posed: number;
  /** Median distance of nose and shoulders from the truth, in shoulder widths of the truth. */
  readonly poseError: number;
}

export interface EyesFigures {
  readonly modelSet: string;
  readonly detectorCpuMs: number;
  readonly poseCpuMs: number;
  readonly videos: readonly VideoFigures[];
}

/** Runs the model set over every video of the folder. CPU is thread time, so other work on the machine does not count. */
export async function measureEyes(options: MeasureOptions): Promise<EyesFigures> {
  const { media, set, every, modelsFolder, dataFolder, regions } = options;
  const names = (await readdir(media)).filter((name) => name.endsWith('.mp4')).sort();
  if (names.length === 0) throw new InvalidInput('no_media', `${media} holds no .mp4 with a truth file beside it`);
  const eyes = createEyes({ modelsFolder, dataFolder, set, clock: systemClock(), log: pino({ level: 'silent' }) });
  const stop = new AbortController();
  try {
    await eyes.start(stop.signal);
    const videos: VideoFigures[] = [];
    let looks = 0;
    let poses = 0;
    let before: { detector: number; pose: number } | undefined;
    for (const name of names) {
      const truth = TruthSchema.parse(JSON.parse(await readFile(join(media, name.replace(/mp4$/, 'json')), 'utf8')));
      const tally = createTally(name, truth.width, truth.height);
      let index = 0;
      for await (const picture of everyNth(join(media, name), every)) {
        const at = truth.frames[index++ * every];
        if (!at || at.image === 'covered') continue;
        const seen = await eyes.look(picture, { wantPose: sureOnes, ...(regions ? { regions } : {}) });
        const look = { persons: seen.persons.filter(({ score }) => score >= SURE_SCORE) };
        if (before) {
          looks += 1;
          poses += look.persons.length;
        }
        // The first picture pays for compilation.
        before ??= { detector: eyes.health().detector.cpuMs, pose: eyes.health().pose.cpuMs };
        tally.add(at.people.filter(isVisible), look);
      }
      videos.push(tally.figures());
    }
    const { detector, pose } = eyes.health();
    return {
      modelSet: eyes.modelSet,
      detectorCpuMs: round((detector.cpuMs - (before?.detector ?? 0)) / Math.max(1, looks)),
      poseCpuMs: round((pose.cpuMs - (before?.pose ?? 0)) / Math.max(1, poses)),
      videos,
    };
  } finally {
    stop.abort();
    await eyes.close();
  }
}

/** Weaker ones are reported for those who follow persons over time, and count nowhere by themselves. */
const SURE_SCORE = 0.3;
const sureOnes = (persons: readonly Pick<Person, 'score'>[]) =>
  [...persons.keys()].filter((index) => persons[index]!.score >= SURE_SCORE);

export type TruthPerson = z.infer<typeof TruthSchema>['frames'][number]['people'][number];

/** Somebody in the room of whom more than a hand can be seen. */
export function isVisible(person: TruthPerson): boolean {
  return person.in_room && Boolean(person.bbox_visible) && (person.visible_px ?? 0) > 1500;
}

function createTally(video: string, width: number, height: number) {
  let frames = 0;
  let people = 0;
  let found = 0;
  let strangers = 0;
  let posed = 0;
  const errors: number[] = [];
  return {
    add(truth: readonly TruthPerson[], { persons }: Pick<Look, 'persons'>) {
      frames += 1;
      people += truth.length;
      const free = new Set(persons);
      for (const person of truth) {
        const boxes = [person.bbox_visible, person.bbox].flatMap((box) =>
          box ? [toFractions(box, width, height)] : [],
        );
        // Detectors draw a person behind a desk either way.
        const overlap = ({ box }: Person) => Math.max(...boxes.map((truthBox) => iou(truthBox, box)));
        const best = [...free].sort((a, b) => overlap(b) - overlap(a))[0];
        if (!best || overlap(best) <= 0.4) continue;
        free.delete(best);
        found += 1;
        if (!best.pose) continue;
        posed += 1;
        const points = person.keypoints ?? [];
        const [left, right] = [points[5], points[6]];
        if (!left || !right) continue;
        const unit = Math.max(20, Math.hypot(left[0]! - right[0]!, left[1]! - right[1]!));
        for (const i of [0, 5, 6]) {
          const [x, y, visible] = points[i] as [number, number, number];
          const [px, py] = best.pose[i]!;
          if (visible === 2) errors.push(Math.hypot(px * width - x, py * height - y) / unit);
        }
      }
      strangers += free.size;
    },
    figures(): VideoFigures {
      errors.sort((a, b) => a - b);
      return {
        video,
        frames,
        people,
        found: round(found / Math.max(1, people)),
        falsePerFrame: round(strangers / Math.max(1, frames)),
        posed: round(posed / Math.max(1, found)),
        poseError: round(errors[Math.floor(errors.length / 2)] ?? 0),
      };
    },
  };
}

/** [x0, y0, x1, y1] in pixels as fractions of the picture. */
export function toFractions(box: readonly number[], width: number, height: number): Box {
  const [x0, y0, x1, y1] = box as [number, number, number, number];
  return [x0 / width, y0 / height, x1 / width, y1 / height];
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}

/** Every nth frame of a video as 640 × 360 RGB24, as the agent gets it from a sub-stream. */
export async function* everyNth(file: string, every: number): AsyncGenerator<Picture> {
  const [width, height] = [640, 360];
  const filter = `select=not(mod(n\\,${every})),scale=${width}:${height}`;
  const args = [
    '-v',
    'error',
    '-i',
    file,
    '-vf',
    filter,
    '-fps_mode',
    'passthrough',
    '-pix_fmt',
    'rgb24',
    '-f',
    'rawvideo',
  ];
  const child = spawn('ffmpeg', [...args, 'pipe:1'], { stdio: ['ignore', 'pipe', 'ignore'] });
  const ended = new Promise<void>((resolve, reject) => {
    child.once('error', (cause) =>
      reject(new Unavailable('ffmpeg', `ffmpeg cannot be started to read ${file}`, cause)),
    );
    child.once('exit', () => resolve());
  });
  const size = width * height * 3;
  let rgb = new Uint8Array(size);
  let filled = 0;
  try {
    for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
      for (let at = 0; at < chunk.length; ) {
        const take = Math.min(size - filled, chunk.length - at);
        rgb.set(chunk.subarray(at, at + take), filled);
        filled += take;
        at += take;
        if (filled < size) continue;
        yield { width, height, rgb };
        rgb = new Uint8Array(size);
        filled = 0;
      }
    }
    await ended;
  } finally {
    child.kill('SIGKILL');
  }
}
