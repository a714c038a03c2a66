/** Between the models and a person: which poses can be meant, and the box of somebody of whom there is only a pose. */
import type { Keypoint, Person } from '../../protocol/observation.ts';
import type { Box } from '../../protocol/seat.ts';
import { shoulderMidpoint } from './coco.ts';

/** A key point below this is guessed by the model, not seen. */
const SEEN = 0.3;
/** All in shoulder widths: above the nose to the hair, beside the outermost point, from the shoulders to the lower edge. */
const ABOVE_NOSE = 0.6;
const BESIDE = 0.2;
const TORSO = { least: 0.8, most: 1.6 } as const;
/** Nose above the shoulders of somebody upright, in shoulder widths: who turns sideways has narrow shoulders in the picture. */
const NECK = 0.8;
/** Shoulders against the width of the box: usually, and when something is wrong with one of them. */
const USUAL_IN_BOX = 0.55;
const SMALL_IN_BOX = 0.3;
/** Against the other people: who is further away in a room is not so much smaller. */
const SMALL_AMONG = 0.45;

/**
 * The same persons, poses taken off that are miniatures: now and then the model puts a whole body onto a chin. Such a
 * pose is far smaller than its box and far smaller than the other people in the picture.
 */
export function withoutMiniatures(persons: readonly Person[], aspect: number): readonly Person[] {
  const sizes = persons.map(({ pose }) => (pose ? scaleOf(pose, aspect) : 0));
  return persons.map((person, i) => {
    const { box, score, pose } = person;
    if (!pose || sizes[i]! >= SMALL_IN_BOX * (box[2] - box[0]) * aspect) return person;
    const others = sizes.filter((size, j) => j !== i && size > 0).sort((a, b) => a - b);
    const usual = others[others.length >> 1] ?? (box[2] - box[0]) * aspect * USUAL_IN_BOX;
    return sizes[i]! < SMALL_AMONG * usual ? { box, score } : person;
  });
}

/** Width of the shoulders in picture heights, as they would be seen from the front; 0 where the model saw none. */
function scaleOf(pose: readonly Keypoint[], aspect: number): number {
  const [nose, left, right] = [pose[0]!, pose[5]!, pose[6]!];
  if (left[2] <= SEEN || right[2] <= SEEN) return 0;
  const [x, y] = shoulderMidpoint(pose);
  const wide = Math.hypot((left[0] - right[0]) * aspect, left[1] - right[1]);
  const neck = nose[2] > SEEN ? Math.hypot((nose[0] - x) * aspect, nose[1] - y) : 0;
  return Math.max(wide, neck / NECK);
}

/** The box that a detector would draw: from the hair to the hips, elbows included; undefined where the model saw no shoulders. `aspect` is the picture's width over its height. */
export function boxOfPose(pose: readonly Keypoint[], aspect: number): Box | undefined {
  const nose = pose[0]!;
  const middle = shoulderMidpoint(pose);
  const shoulders = scaleOf(pose, aspect);
  if (shoulders <= 0) return undefined;
  const across = [0, 3, 4, 5, 6, 7, 8].flatMap((i) => (pose[i]![2] > SEEN ? [pose[i]![0]] : []));
  const hips = (pose[11]![1] + pose[12]![1]) / 2;
  const top = Math.min(middle[1], nose[2] > SEEN ? nose[1] : middle[1] - NECK * shoulders) - ABOVE_NOSE * shoulders;
  const bottom = Math.min(middle[1] + TORSO.most * shoulders, Math.max(middle[1] + TORSO.least * shoulders, hips));
  const beside = (BESIDE * shoulders) / aspect;
  return [Math.min(...across) - beside, top, Math.max(...across) + beside, bottom];
}
