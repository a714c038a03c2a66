/** Fake of the eyes beside their interface: plays a script of persons by frame number, and misbehaves when told to. */
import { Unavailable } from '../../protocol/errors.ts';
import type { Keypoint, Person } from '../../protocol/observation.ts';
import { iou } from '../../protocol/seat.ts';
import { checkPicture } from './crop.ts';
import type { PersonDetector, PoseEstimator } from './detector.ts';

/** What is seen from frame `from` on, until the next step begins. */
export interface ScriptStep {
  readonly from: number;
  readonly persons: readonly Person[];
  /**
   * `throw`: detect() rejects. `hang`: it never settles and blocks its thread for ever.
   * `crash`: the thread ends with an uncaught error.
   */
  readonly act?: 'throw' | 'hang' | 'crash';
  /** Extra time that each detection takes. */
  readonly delayMs?: number;
}

export interface Script {
  /** In rising order of `from`; before the first one nobody is seen. */
  readonly steps: readonly ScriptStep[];
  /** The script begins anew every so many frames. */
  readonly loop?: number;
}

/** Detector and pose estimator in one; `at` sets the frame number, which else counts detections from 0. */
export interface ScriptedEyes extends PersonDetector, PoseEstimator {
  at(frame: number): void;
}

/** The step that holds at a frame. */
export function stepAt({ steps, loop }: Script, frame: number): ScriptStep | undefined {
  const position = loop ? frame % loop : frame;
  return steps.findLast((step) => step.from <= position);
}

/** Plays `script`. Of the picture only the size is looked at. */
export function createScripted(script: Script): ScriptedEyes {
  let frame = -1;
  let fixed = false;
  return {
    name: 'scripted',
    at(value) {
      frame = value;
      fixed = true;
    },
    async detect(picture, region) {
      checkPicture(picture);
      if (!fixed) frame += 1;
      const step = stepAt(script, frame);
      if (!step) return [];
      await misbehave(step, frame);
      return step.persons
        .filter(
          ({ box }) =>
            !region || (box[0] >= region[0] && box[1] >= region[1] && box[2] <= region[2] && box[3] <= region[3]),
        )
        .map(({ box, score }) => ({ box, score, label: 'person' as const }))
        .sort((a, b) => b.score - a.score);
    },
    async estimate(_picture, box): Promise<readonly Keypoint[] | undefined> {
      const persons = stepAt(script, frame)?.persons ?? [];
      const best = persons.toSorted((a, b) => iou(b.box, box) - iou(a.box, box))[0];
      return best && iou(best.box, box) > 0.5 ? best.pose : undefined;
    },
    async close() {},
  };
}

async function misbehave({ act, delayMs }: ScriptStep, frame: number): Promise<void> {
  if (delayMs) await new Promise((resolve) => setTimeout(resolve, delayMs));
  if (act === 'throw') throw new Unavailable('scripted_failure', `the script fails at frame ${frame}`);
  if (act === 'crash') {
    setImmediate(() => {
      throw new Unavailable('scripted_crash', `the script crashes at frame ${frame}`);
    });
    await new Promise(() => {});
  }
  if (act === 'hang') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}
