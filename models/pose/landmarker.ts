/** Pose estimator: MediaPipe's PoseLandmarker on the CPU, in plain Node, run on a crop around each person. */

import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { runInThisContext } from 'node:vm';
import type { Landmark } from '@mediapipe/tasks-vision';
import { Corrupt } from '../../protocol/errors.ts';
import type { Keypoint } from '../../protocol/observation.ts';
import type { Box } from '../../protocol/seat.ts';
import { BLAZEPOSE_TO_COCO, shoulderMidpoint } from './coco.ts';
import { CROP_FACTOR, checkPicture, cut, enlarge } from './crop.ts';
import type { Picture, PoseEstimator } from './detector.ts';
import { type RgbaPicture, SoftCanvas } from './soft-gl.ts';

/** A neighbour often reaches into the crop: with one pose only, the model may return the wrong person. */
const POSES_PER_CROP = 2;

export interface LandmarkerOptions {
  /** Path of the assembled .task, its hash already verified. */
  readonly file: string;
  readonly name: string;
}

/**
 * Loads the model. Sets globals that the package expects of a browser, so it belongs into a worker thread of its own.
 * Corrupt `model_unreadable` when the runtime refuses the file.
 */
export async function createLandmarker({ file, name }: LandmarkerOptions): Promise<PoseEstimator> {
  const wasm = imitateBrowser();
  const { PoseLandmarker } = await import('@mediapipe/tasks-vision');
  const modelAssetBuffer = new Uint8Array(await readFile(file));
  let landmarker: InstanceType<typeof PoseLandmarker>;
  try {
    landmarker = await PoseLandmarker.createFromOptions(wasm, {
      baseOptions: { modelAssetBuffer, delegate: 'CPU' },
      canvas: new SoftCanvas(),
      runningMode: 'IMAGE',
      numPoses: POSES_PER_CROP,
      minPoseDetectionConfidence: 0.3,
      minPosePresenceConfidence: 0.3,
    });
  } catch (cause) {
    throw new Corrupt('model_unreadable', `MediaPipe cannot read ${file}: run node scripts/build-task.mjs`, cause);
  }
  return {
    name,
    async estimate(picture, box) {
      checkPicture(picture);
      const { picture: crop, region } = cut(picture, enlarge(box, CROP_FACTOR));
      const result = landmarker.detect(toRgba(crop));
      const poses = result.landmarks.map((landmarks) => toCoco(landmarks, region));
      result.close?.();
      return poseOf(poses, box);
    },
    async close() {
      landmarker.close();
    },
  };
}

/** Of several poses the one whose shoulder midpoint lies in the box, nearest to the box's vertical axis. */
export function poseOf(poses: readonly (readonly Keypoint[])[], box: Box): readonly Keypoint[] | undefined {
  const [x0, y0, x1, y1] = box;
  const offAxis = (pose: readonly Keypoint[]) => Math.abs(shoulderMidpoint(pose)[0] - (x0 + x1) / 2);
  return poses
    .filter((pose) => {
      const [x, y] = shoulderMidpoint(pose);
      return x >= x0 && x <= x1 && y >= y0 && y <= y1;
    })
    .sort((a, b) => offAxis(a) - offAxis(b))[0];
}

/** BlazePose's 33 points in fractions of `region` to the 17 of COCO in fractions of the picture. */
export function toCoco(landmarks: readonly Landmark[], region: Box): Keypoint[] {
  return BLAZEPOSE_TO_COCO.map((index) => {
    const { x, y, visibility } = landmarks[index]!;
    return [
      region[0] + x * (region[2] - region[0]),
      region[1] + y * (region[3] - region[1]),
      Math.min(1, Math.max(0, visibility)),
    ];
  });
}

function toRgba({ width, height, rgb }: Picture): RgbaPicture {
  const data = new Uint8ClampedArray(width * height * 4);
  for (let i = 0, p = 0; i < data.length; i += 4, p += 3) {
    data[i] = rgb[p]!;
    data[i + 1] = rgb[p + 1]!;
    data[i + 2] = rgb[p + 2]!;
    data[i + 3] = 255;
  }
  return { width, height, data };
}

/** What the package looks for in a browser's worker; gives the paths of its WebAssembly. */
function imitateBrowser(): { wasmLoaderPath: string; wasmBinaryPath: string } {
  const require = createRequire(import.meta.url);
  const folder = join(dirname(require.resolve('@mediapipe/tasks-vision')), 'wasm');
  const loader = join(folder, 'vision_wasm_internal.js');
  const scope = globalThis as Record<string, unknown>;
  scope.self ??= globalThis;
  scope.WebGLRenderingContext ??= class {};
  scope.WebGL2RenderingContext ??= class {};
  // The loader takes itself for a CommonJS script in Node and reads its .wasm by these.
  scope.require ??= require;
  scope.__dirname = folder;
  scope.__filename = loader;
  scope.importScripts = (file: string) => runInThisContext(readFileSync(file, 'utf8'), { filename: file });
  return { wasmLoaderPath: loader, wasmBinaryPath: join(folder, 'vision_wasm_internal.wasm') };
}
