/** Thread of one half of the eyes: loads the detector or the pose estimator and answers one request at a time. */
import { parentPort, workerData } from 'node:worker_threads';
import { Bug, EvalroomError } from '../../protocol/errors.ts';
import type { Keypoint } from '../../protocol/observation.ts';
import type { Box } from '../../protocol/seat.ts';
import { joinRegions } from './boxes.ts';
import type { Detection, PersonDetector, Picture, PoseEstimator } from './detector.ts';
import { type DetectorKind, loadDetector } from './load.ts';
import { createScripted, type Script, type ScriptedEyes } from './scripted.ts';

/** What a thread is to be. */
export type WorkerModel =
  | {
      readonly kind: DetectorKind | 'landmarker';
      readonly file: string;
      readonly name: string;
      /** Execution providers of ONNX Runtime, best first. */
      readonly providers?: readonly string[];
    }
  | { readonly kind: 'scripted'; readonly script: Script };

/** Work for the thread. The bytes of `picture` lie in memory that is shared; they hold still until the answer. */
export type WorkerRequest =
  | {
      readonly id: number;
      readonly job: 'detect';
      readonly picture: Picture;
      readonly regions: readonly Box[];
      readonly frame: number;
    }
  | {
      readonly id: number;
      readonly job: 'estimate';
      readonly picture: Picture;
      readonly boxes: readonly Box[];
      readonly frame: number;
    };

/** First answer: `ready` or `failed`. `cpuMs` is what this thread burnt for the request, `runs` how often the model ran for it. */
export type WorkerAnswer =
  /** `note`: what is not as it was wished, in plain words. */
  | { readonly kind: 'ready'; readonly cpuMs: number; readonly note?: string }
  | { readonly kind: 'failed'; readonly id?: number; readonly error: { kind: string; code: string; text: string } }
  | {
      readonly kind: 'detected';
      readonly id: number;
      readonly found: Detection[];
      readonly cpuMs: number;
      readonly runs: number;
    }
  | {
      readonly kind: 'estimated';
      readonly id: number;
      readonly poses: (readonly Keypoint[] | undefined)[];
      readonly cpuMs: number;
      readonly runs: number;
    };

interface Models {
  readonly note?: string;
  readonly detector?: PersonDetector;
  readonly pose?: PoseEstimator;
  readonly script?: ScriptedEyes;
}

async function load(model: WorkerModel): Promise<Models> {
  switch (model.kind) {
    case 'scripted': {
      const script = createScripted(model.script);
      return { detector: script, pose: script, script };
    }
    case 'landmarker':
      return { pose: await (await import('./landmarker.ts')).createLandmarker(model) };
    default: {
      const notes: string[] = [];
      const { providers } = model;
      const detector = await loadDetector(model.kind, model.file, {
        ...(providers ? { providers } : {}),
        onNote: (note) => notes.push(note),
      });
      return { detector, ...(notes.length > 0 ? { note: notes.join('; ') } : {}) };
    }
  }
}

async function detect(models: Models, request: Extract<WorkerRequest, { job: 'detect' }>): Promise<Detection[]> {
  const { detector, script } = models;
  if (!detector) throw new Bug('wrong_worker', 'a detection was asked of the thread that estimates poses');
  script?.at(request.frame);
  const whole = await detector.detect(request.picture);
  if (request.regions.length === 0) return whole;
  const regions = [];
  for (const region of request.regions) regions.push({ region, found: await detector.detect(request.picture, region) });
  return joinRegions(whole, regions);
}

async function estimate(models: Models, request: Extract<WorkerRequest, { job: 'estimate' }>) {
  const { pose, script } = models;
  if (!pose) throw new Bug('wrong_worker', 'a pose was asked of the thread that detects persons');
  script?.at(request.frame);
  const poses = [];
  for (const box of request.boxes) poses.push(await pose.estimate(request.picture, box));
  return poses;
}

function failure(error: unknown, id?: number): WorkerAnswer {
  const known = error instanceof EvalroomError;
  const text = error instanceof Error ? error.message : String(error);
  const described = { kind: known ? error.kind : 'Unavailable', code: known ? error.code : 'inference_failed', text };
  return id === undefined ? { kind: 'failed', error: described } : { kind: 'failed', id, error: described };
}

function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

const port = parentPort;
if (port) {
  let models: Models | undefined;
  const say = (answer: WorkerAnswer) => port.postMessage(answer);
  try {
    models = await load(workerData as WorkerModel);
    say({ kind: 'ready', cpuMs: cpuMs(), ...(models.note === undefined ? {} : { note: models.note }) });
  } catch (error) {
    say(failure(error));
    port.close();
  }
  port.on('message', async (request: WorkerRequest | 'close') => {
    if (request === 'close') {
      await models?.detector?.close();
      if (!models?.script) await models?.pose?.close();
      port.close();
      return;
    }
    if (!models) return;
    const before = cpuMs();
    try {
      if (request.job === 'detect') {
        const found = await detect(models, request);
        const runs = 1 + request.regions.length;
        say({ kind: 'detected', id: request.id, found, cpuMs: cpuMs() - before, runs });
      } else {
        const poses = await estimate(models, request);
        say({ kind: 'estimated', id: request.id, poses, cpuMs: cpuMs() - before, runs: poses.length });
      }
    } catch (error) {
      say(failure(error, request.id));
    }
  });
}
