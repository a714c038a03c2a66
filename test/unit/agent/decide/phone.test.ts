import { describe, expect, it } from 'vitest';
import { phoneArm } from '../../../../agent/decide/phone.ts';
import type { Keypoint } from '../../../../protocol/observation.ts';
import { posed } from './bodies.ts';
import { sitting } from './world.ts';

const tracked = (change: (pose: Keypoint[]) => void) => {
  const { box, pose } = posed(sitting('2'), { left: 'ear' });
  const points = [...pose!];
  change(points);
  return { track: { box, pose: points } } as unknown as Parameters<typeof phoneArm>[0];
};
const WRIST = 9;
const ELBOW = 7;

describe('an arm with a telephone', () => {
  it('is one hand at the ear', () => {
    expect(phoneArm(tracked(() => undefined))).toBeGreaterThan(0);
  });

  it.each<[string, (pose: Keypoint[]) => void]>([
    [
      'seen from behind',
      (p) => {
        for (const [a, b] of [
          [5, 6],
          [7, 8],
          [9, 10],
          [3, 4],
        ] as const)
          [p[a], p[b]] = [p[b]!, p[a]!];
      },
    ],
    ['with a guessed wrist', (p) => (p[WRIST] = [p[WRIST]![0], p[WRIST]![1], 0.35])],
    ['without a forearm', (p) => (p[ELBOW] = [p[WRIST]![0], p[WRIST]![1] + 0.002, 0.9])],
    ['with the elbow on the desk', (p) => (p[ELBOW] = [p[ELBOW]![0], p[5]![1] + 0.42 * 0.1 * (16 / 9), 0.9])],
    ['with the wrist under the face', (p) => (p[WRIST] = [p[0]![0] + 0.025, p[5]![1] - 0.005, 0.9])],
  ])('is not one %s', (_name, change) => {
    expect(phoneArm(tracked(change))).toBeUndefined();
  });
});
