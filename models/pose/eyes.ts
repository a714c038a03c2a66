/** The eyes of an agent: a model set on two threads that turns pictures into persons, shared by all its cameras. */
import type { Logger } from 'pino';
import { Bug } from '../../protocol/errors.ts';
import type { Keypoint, Person } from '../../protocol/observation.ts';
import type { Box } from '../../protocol/seat.ts';
import type { Clock } from '../../protocol/time.ts';
import { checkPicture } from './crop.ts';
import type { Detection, Picture } from './detector.ts';
import { chooseModels, type ModelSet, type ModelSetName } from './model-set.ts';
import type { Script } from './scripted.ts';
import { createThread, type Thread, type ThreadHealth, type ThreadOptions } from './thread.ts';

export interface EyesOptions {
  /** Folder of fetched models (EVALROOM_MODELS), where there is one. */
  readonly modelsFolder?: string | undefined;
  /** The agent's data folder; fetched models may also lie in its `models`. */
  readonly dataFolder: string;
  /** Default `auto`. */
  readonly set?: ModelSetName;
  /** For the set `scripted`. */
  readonly script?: Script;
  /** Execution providers of ONNX Runtime that suit the machine, best first; default the processor. */
  readonly providers?: readonly string[];
  /** Makes both threads; default `createThread`. A measurement may put a memory in between. */
  readonly threads?: (options: ThreadOptions) => Thread;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface LookOptions {
  /** Indexes of the persons that get a pose, most urgent first; default: all. */
  readonly wantPose?: (persons: readonly Pick<Person, 'box' | 'score'>[]) => readonly number[];
  /** Where the pose model looks for somebody whom the detector did not find, each at the cost of one more pose. */
  readonly closer?: (persons: readonly Pick<Person, 'box' | 'score'>[]) => readonly Box[];
  /** Looked into besides the whole picture, each at the cost of one more detection. */
  readonly regions?: readonly Box[];
  /** Frame number for the scripted set; default: counts looks from 0. */
  readonly frame?: number;
}

export interface Look {
  /** Best first. A pose is present only where the pose model ran on this very picture and found the person. */
  readonly persons: readonly Person[];
  /** Weak hints only: where something like a telephone was seen. */
  readonly phones: readonly Detection[];
  /** For each of the boxes of `closer` the pose that was found in it. */
  readonly closer: readonly (readonly Keypoint[] | undefined)[];
  readonly detectorMs: number;
  readonly poseMs: number;
}

export interface EyesHealth {
  /** That of the detector: without it nothing is seen. */
  readonly state: ThreadHealth['state'];
  /** What is wrong with either thread or with the choice of models, in plain words. */
  readonly reason?: string;
  readonly restarts: number;
  readonly detector: ThreadHealth;
  readonly pose: ThreadHealth;
}

export interface Eyes {
  /** Such as `yolox-nano+pose-lite`; `none` before start(). */
  readonly modelSet: string;
  /**
   * Chooses and verifies the models and starts the threads. Rejects when files are missing or not what they should be;
   * resolves when both threads are up or being restarted.
   */
  start(signal: AbortSignal): Promise<void>;
  /**
   * Copies the bytes of `picture` into memory that the threads share. Rejects with Unavailable while the detector is
   * down; a pose thread that is down only means persons without poses.
   */
  look(picture: Picture, options?: LookOptions): Promise<Look>;
  health(): EyesHealth;
  close(): Promise<void>;
}

const NOT_STARTED: ThreadHealth = { state: 'starting', restarts: 0, cpuMs: 0, runs: 0 };

/** Assigns only; `start()` begins. */
export function createEyes(options: EyesOptions): Eyes {
  const { clock, log } = options;
  let models: ModelSet | undefined;
  let detector: Thread | undefined;
  let pose: Thread | undefined;
  let looks = 0;

  const memory = createMemory();

  async function estimate(picture: Picture, boxes: readonly Box[], frame: number) {
    if (!pose || boxes.length === 0) return [];
    try {
      const answer = await pose.ask({ job: 'estimate', picture, boxes, frame });
      return answer.kind === 'estimated' ? answer.poses : [];
    } catch {
      // The thread reports its fault in health() and in the log; persons without poses are still worth having.
      return [];
    }
  }

  async function see(
    picture: Picture,
    { wantPose, closer, regions, frame }: Required<LookOptions>,
  ): Promise<Pick<Look, 'persons' | 'phones' | 'closer'> & { detectedMs: number }> {
    const answer = await detector!.ask({ job: 'detect', picture, regions, frame });
    if (answer.kind !== 'detected') throw new Bug('wrong_answer', 'the detector thread answered with poses');
    const detectedMs = clock.monoMs();
    const found = answer.found.filter(({ label }) => label === 'person');
    const wanted = [...wantPose(found)];
    const boxes = [...wanted.map((index) => found[index]!.box), ...closer(found)];
    const poses = await estimate(picture, boxes, frame);
    const byIndex = new Map(wanted.map((index, i) => [index, poses[i]]));
    return {
      persons: found.map(({ box, score }, index) => toPerson(box, score, byIndex.get(index))),
      phones: answer.found.filter(({ label }) => label === 'phone'),
      closer: poses.slice(wanted.length),
      detectedMs,
    };
  }

  return {
    get modelSet() {
      return models?.name ?? 'none';
    },
    async start(signal) {
      const { modelsFolder, dataFolder, script, providers, set = 'auto', threads = createThread } = options;
      models = await chooseModels({ modelsFolder, dataFolder, set, script, providers, log });
      detector = threads({ name: 'detector', model: models.detector, clock, log });
      pose = threads({ name: 'pose', model: models.pose, clock, log });
      await Promise.all([detector.start(signal), pose.start(signal)]);
      log.info({ modelSet: models.name }, 'the eyes are open');
    },
    async look(given, { wantPose = everybody, closer = nobody, regions = [], frame = looks } = {}) {
      if (!detector) throw new Bug('eyes_not_started', 'look() was called before start()');
      checkPicture(given);
      looks += 1;
      const beganMs = clock.monoMs();
      const slot = memory.take(given.rgb);
      try {
        const { width, height } = given;
        const picture = { width, height, rgb: slot };
        const { detectedMs, ...seen } = await see(picture, { wantPose, closer, regions, frame });
        return { ...seen, detectorMs: detectedMs - beganMs, poseMs: clock.monoMs() - detectedMs };
      } finally {
        memory.give(slot);
      }
    },
    health() {
      const [d, p] = [detector?.health() ?? NOT_STARTED, pose?.health() ?? NOT_STARTED];
      const reason = reasonOf(d, p, models?.note);
      const restarts = d.restarts + p.restarts;
      return { state: d.state, ...(reason === undefined ? {} : { reason }), restarts, detector: d, pose: p };
    },
    async close() {
      await Promise.allSettled([detector?.close(), pose?.close()]);
    },
  };
}

const everybody = (persons: readonly unknown[]) => [...persons.keys()];
const nobody = () => [];

function toPerson(box: Box, score: number, pose: readonly Keypoint[] | undefined): Person {
  return pose ? { box, score, pose } : { box, score };
}

function reasonOf(detector: ThreadHealth, pose: ThreadHealth, note: string | undefined): string | undefined {
  const parts = [
    detector.reason === undefined ? undefined : `detector: ${detector.reason}`,
    pose.reason === undefined ? undefined : `pose: ${pose.reason}`,
    note,
  ].filter((part) => part !== undefined);
  return parts.length > 0 ? parts.join('; ') : undefined;
}

/**
 * Memory that both threads read pictures from. Handing the bytes over instead would cost a new buffer for each frame,
 * and the collector's work for it was dearer than all that the main thread does. As many buffers as looks at one time.
 */
function createMemory() {
  const free: Uint8Array[] = [];
  return {
    /** A shared copy of `bytes`. */
    take(bytes: Uint8Array): Uint8Array {
      const at = free.findIndex(({ length }) => length === bytes.length);
      const slot = at < 0 ? new Uint8Array(new SharedArrayBuffer(bytes.length)) : free.splice(at, 1)[0]!;
      slot.set(bytes);
      return slot;
    },
    give(slot: Uint8Array): void {
      free.push(slot);
      // A camera whose pictures changed their size must not leave the old buffers behind for ever.
      if (free.length > FREE_SLOTS) free.shift();
    },
  };
}

/** Cameras of one room, and some. */
const FREE_SLOTS = 16;
