/** Person detector of the default model set: CenterNet from npm alone, on TensorFlow.js' WebAssembly backend, one thread. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { GraphModel } from '@tensorflow/tfjs-converter';
import type * as TensorFlow from '@tensorflow/tfjs-core';
import { Corrupt } from '../../protocol/errors.ts';
import { dropSlices, suppress } from './boxes.ts';
import { COCO_PERSON, COCO_PHONE, PHONE_SCORE } from './coco.ts';
import { checkPicture, letterbox, WHOLE } from './crop.ts';
import type { Detection, PersonDetector } from './detector.ts';

const SIZE = 512;
/** Rows of x1, y1, x2, y2 (pixels of the input), score, class. */
const OUTPUT = 'tower_0/detections';
const VALUES = 6;

export interface CenterNetOptions {
  /** Path of centernet.json; its weights lie beside it. Hashes already verified. */
  readonly file: string;
  /** Lowest score of a person, 0..1. Below the default this model sees people in empty chairs. */
  readonly threshold?: number;
}

/** Loads TensorFlow.js and the model; Corrupt `model_unreadable` when the files are not what they should be. */
export async function createCenterNet({ file, threshold = 0.3 }: CenterNetOptions): Promise<PersonDetector> {
  const tf = await startTensorFlow();
  const model = await loadGraph(file);
  return {
    name: 'centernet',
    async detect(picture, region = WHOLE) {
      checkPicture(picture);
      const boxed = letterbox(picture, region, SIZE, 114);
      const values = await infer(tf, model, boxed.rgb);
      const found: Detection[] = [];
      for (let at = 0; at + VALUES <= values.length; at += VALUES) {
        const score = values[at + 4]!;
        const kind = values[at + 5]! | 0;
        const label = kind === COCO_PERSON ? 'person' : kind === COCO_PHONE ? 'phone' : undefined;
        if (!label || score < (label === 'person' ? threshold : PHONE_SCORE)) continue;
        const [x0, y0] = boxed.toPicture(values[at]!, values[at + 1]!);
        const [x1, y1] = boxed.toPicture(values[at + 2]!, values[at + 3]!);
        if (x1 > x0 && y1 > y0) found.push({ box: [x0, y0, x1, y1], score, label });
      }
      return dropSlices(suppress(found));
    },
    async close() {
      model.dispose();
    },
  };
}

/** TensorFlow.js on WebAssembly. Loaded late: its modules take a second, and only this model set needs them. */
export async function startTensorFlow(): Promise<typeof TensorFlow> {
  const tf = await import('@tensorflow/tfjs-core');
  const wasm = await import('@tensorflow/tfjs-backend-wasm');
  const folder = dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm'));
  wasm.setWasmPaths(`${folder}/`);
  await tf.setBackend('wasm');
  await tf.ready();
  return tf;
}

/** A TensorFlow.js graph whose weights lie beside its JSON file. Throws Corrupt `model_unreadable`. */
export async function loadGraph(file: string): Promise<GraphModel> {
  const { loadGraphModel } = await import('@tensorflow/tfjs-converter');
  try {
    const graph = JSON.parse(await readFile(file, 'utf8'));
    const groups: { paths: string[]; weights: TensorFlow.io.WeightsManifestEntry[] }[] = graph.weightsManifest;
    const parts = await Promise.all(
      groups.flatMap(({ paths }) => paths.map((path) => readFile(join(dirname(file), path)))),
    );
    const weightData = new Uint8Array(Buffer.concat(parts)).buffer;
    return await loadGraphModel({
      load: async () => ({
        modelTopology: graph.modelTopology,
        format: graph.format,
        signature: graph.signature,
        weightSpecs: groups.flatMap(({ weights }) => weights),
        weightData,
      }),
    });
  } catch (cause) {
    throw new Corrupt('model_unreadable', `TensorFlow.js cannot read ${file}: run npm ci`, cause);
  }
}

async function infer(tf: typeof TensorFlow, model: GraphModel, rgb: Uint8Array) {
  const input = tf.tensor(new Float32Array(rgb), [1, SIZE, SIZE, 3]);
  try {
    const output = model.execute(input, [OUTPUT]);
    const tensor = Array.isArray(output) ? output[0]! : output;
    try {
      return await tensor.data();
    } finally {
      tensor.dispose();
    }
  } finally {
    input.dispose();
  }
}
