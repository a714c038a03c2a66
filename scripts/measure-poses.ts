/** `evalroom models measure --poses`: pose estimators side by side on the same people of footage with truth. */
import { readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { loadGraph, startTensorFlow } from '../models/pose/centernet.ts';
import { cut, enlarge, letterbox, WHOLE } from '../models/pose/crop.ts';
import type { PoseEstimator } from '../models/pose/detector.ts';
import { createLandmarker } from '../models/pose/landmarker.ts';
import { InvalidInput } from '../protocol/errors.ts';
import type { Keypoint } from '../protocol/observation.ts';
import { percentile, rounded } from './bench/figures.ts';
import { everyNth, isVisible, TruthSchema, toFractions } from './measure-eyes.ts';

/** Estimators that npm brings, by the name of their weights. */
const ESTIMATORS = ['pose-lite', 'pose-full', 'movenet-lightning'] as const;
type Estimator = (typeof ESTIMATORS)[number];

export interface PoseFigures {
  readonly estimator: Estimator;
  readonly people: number;
  /** Share of the people who got a pose. */
  readonly posed: number;
  /** Process CPU per person, crop included. */
  readonly cpuMs: number;
  /** Median distance of visible points from the truth, in shoulder widths; null where nobody got a pose. */
  readonly headError: number | null;
  readonly shoulderError: number | null;
  readonly wristError: number | null;
}

/** Nose and ears, shoulders, wrists in the order of COCO. */
const PARTS = { head: [0, 3, 4], shoulder: [5, 6], wrist: [9, 10] } as const;
type Part = keyof typeof PARTS;

/** Every estimator gets the true box of everybody: what differs is the estimator alone. */
export async function measurePoses(media: string, every: number, modelsFolder: string): Promise<PoseFigures[]> {
  const names = (await readdir(media)).filter((name) => name.endsWith('.mp4')).sort();
  if (names.length === 0) throw new InvalidInput('no_media', `${media} holds no .mp4 with a truth file beside it`);
  const figures: PoseFigures[] = [];
  for (const estimator of ESTIMATORS) {
    const model = await open(estimator, modelsFolder);
    try {
      figures.push({ estimator, ...(await measure(model, media, names, every)) });
    } finally {
      await model.close();
    }
  }
  return figures;
}

async function measure(model: PoseEstimator, media: string, names: readonly string[], every: number) {
  const errors: Record<Part, number[]> = { head: [], shoulder: [], wrist: [] };
  let [people, posed, cpuMs, warm] = [0, 0, 0, false];
  for (const name of names) {
    const truth = TruthSchema.parse(JSON.parse(await readFile(join(media, name.replace(/mp4$/, 'json')), 'utf8')));
    let index = 0;
    for await (const picture of everyNth(join(media, name), every)) {
      const at = truth.frames[index++ * every];
      if (!at || at.image === 'covered') continue;
      for (const person of at.people.filter(isVisible)) {
        const box = toFractions(person.bbox_visible!, truth.width, truth.height);
        // The first one pays for compilation.
        if (!warm) await model.estimate(picture, box);
        warm = true;
        const before = process.cpuUsage();
        const pose = await model.estimate(picture, box);
        const { user, system } = process.cpuUsage(before);
        cpuMs += (user + system) / 1000;
        people += 1;
        if (!pose) continue;
        posed += 1;
        compare(pose, person.keypoints ?? [], truth, errors);
      }
    }
  }
  const median = (values: readonly number[]) => rounded(percentile(values, 0.5), 3);
  const share = (sum: number) => Math.round((1000 * sum) / Math.max(1, people)) / 1000;
  return {
    people,
    posed: share(posed),
    cpuMs: Math.round((10 * cpuMs) / Math.max(1, people)) / 10,
    headError: median(errors.head),
    shoulderError: median(errors.shoulder),
    wristError: median(errors.wrist),
  };
}

function compare(
  pose: readonly Keypoint[],
  points: readonly (readonly number[])[],
  { width, height }: { readonly width: number; readonly height: number },
  errors: Record<Part, number[]>,
): void {
  const [left, right] = [points[5], points[6]];
  if (!left || !right) return;
  const unit = Math.max(20, Math.hypot(left[0]! - right[0]!, left[1]! - right[1]!));
  for (const part of Object.keys(PARTS) as Part[])
    for (const i of PARTS[part]) {
      const [x, y, visible] = points[i] as [number, number, number];
      const [px, py] = pose[i]!;
      if (visible === 2) errors[part].push(Math.hypot(px * width - x, py * height - y) / unit);
    }
}

async function open(estimator: Estimator, modelsFolder: string): Promise<PoseEstimator> {
  if (estimator === 'movenet-lightning') return await openMoveNet();
  const file = join(modelsFolder, `pose_landmarker_${estimator.slice('pose-'.length)}.task`);
  return await createLandmarker({ file, name: estimator });
}

const MOVENET_SIZE = 192;
/** A point of less confidence is no pose. */
const MOVENET_SURE = 0.2;

/** MoveNet Lightning from npm, on TensorFlow.js; 17 points of COCO as y, x, confidence. Measured, not used. */
async function openMoveNet(): Promise<PoseEstimator> {
  const tf = await startTensorFlow();
  const folder = join(dirname(createRequire(import.meta.url).resolve('@vladmandic/human')), '..', 'models');
  const model = await loadGraph(join(folder, 'movenet-lightning.json'));
  return {
    name: 'movenet-lightning',
    async estimate(picture, box) {
      const { picture: crop, region } = cut(picture, enlarge(box, 1.3));
      const boxed = letterbox(crop, WHOLE, MOVENET_SIZE, 0);
      const input = tf.tensor(Int32Array.from(boxed.rgb), [1, MOVENET_SIZE, MOVENET_SIZE, 3], 'int32');
      const output = model.execute(input) as ReturnType<typeof tf.tensor>;
      const values = await output.data();
      input.dispose();
      output.dispose();
      const points = Array.from({ length: 17 }, (_, i): Keypoint => {
        const [y, x, score] = [values[3 * i]!, values[3 * i + 1]!, values[3 * i + 2]!];
        const [cx, cy] = boxed.toPicture(x * MOVENET_SIZE, y * MOVENET_SIZE);
        return [
          region[0] + cx * (region[2] - region[0]),
          region[1] + cy * (region[3] - region[1]),
          Math.min(1, Math.max(0, score)),
        ];
      });
      return points[5]![2] + points[6]![2] < 2 * MOVENET_SURE ? undefined : points;
    },
    async close() {
      model.dispose();
    },
  };
}
