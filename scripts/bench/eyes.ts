/** Before a benchmark of cameras: the models that it is asked for are there and open, so that no blind eyes are measured. */
import { fileURLToPath } from 'node:url';
import { createLog } from '../../agent/log.ts';
import type { PersonDetector } from '../../models/pose/detector.ts';
import { createLandmarker } from '../../models/pose/landmarker.ts';
import { loadDetector } from '../../models/pose/load.ts';
import { chooseModels } from '../../models/pose/model-set.ts';
import { Bug, EvalroomError, Unavailable } from '../../protocol/errors.ts';
import type { CameraSet } from '../bench.ts';
import type { Child } from '../children.ts';

const MODELS = fileURLToPath(new URL('../../.data/models', import.meta.url));
const HOW = 'run npm ci for those of npm, evalroom models fetch yolox-nano for the better detector';

/** Folder of models for the agent; for `default` one that has none: a path within `empty`. */
export function modelsFor(set: CameraSet, empty: string): string {
  return set === 'default' ? `${empty}/no-models` : (process.env.EVALROOM_MODELS ?? MODELS);
}

export interface OpenedEyes {
  readonly name: string;
  readonly detector: PersonDetector;
  readonly pose: Awaited<ReturnType<typeof createLandmarker>>;
  close(): Promise<void>;
}

/** The models that a room with this folder looks with, in this process. Unavailable `bench_eyes` or `model_missing` with what to run; Corrupt for files of another hash. */
export async function openEyes(set: CameraSet, empty: string): Promise<OpenedEyes> {
  const log = createLog({ name: 'bench', level: 'silent' });
  const models = await chooseModels({ modelsFolder: modelsFor(set, empty), dataFolder: empty, set, log });
  if (models.detector.kind === 'scripted' || models.pose.kind === 'scripted')
    throw new Bug('bench_scripted', 'the camera bench was given scripted models');
  let detector: PersonDetector | undefined;
  try {
    const opened = await loadDetector(models.detector.kind, models.detector.file);
    detector = opened;
    const pose = await createLandmarker(models.pose);
    return {
      name: models.name,
      detector: opened,
      pose,
      async close() {
        await opened.close();
        await pose.close();
      },
    };
  } catch (cause) {
    await detector?.close();
    const why = cause instanceof EvalroomError ? `: ${cause.message}` : '';
    throw new Unavailable(
      'bench_eyes',
      `the models ${models.name} do not open, and nothing is measured${why}; ${HOW}`,
      cause,
    );
  }
}

/** Throws what `openEyes` does, and keeps nothing open. Resolves with the name of the set. */
export async function provenEyes(set: CameraSet, empty: string): Promise<string> {
  const eyes = await openEyes(set, empty);
  await eyes.close();
  return eyes.name;
}

/** Throws Unavailable `bench_eyes` where the room looks with other models than those that were proven, or with none. */
export function sameEyes(agent: Pick<Child, 'ready'>, proven: string): void {
  const looking = String(agent.ready.modelSet);
  if (looking !== proven)
    throw new Unavailable(
      'bench_eyes',
      `the room looks with the models ${looking} and not with ${proven}, and nothing is measured; ${HOW}`,
    );
}
