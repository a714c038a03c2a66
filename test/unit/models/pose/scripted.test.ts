import { describe, expect, it } from 'vitest';
import { createScripted, stepAt } from '../../../../models/pose/scripted.ts';
import { KEYPOINTS, type Person } from '../../../../protocol/observation.ts';

const picture = { width: 4, height: 4, rgb: new Uint8Array(48) };
const pose = KEYPOINTS.map(() => [0.2, 0.3, 1] as const);
const anna: Person = { box: [0.1, 0.2, 0.3, 0.6], score: 0.9, pose };
const ben: Person = { box: [0.6, 0.2, 0.8, 0.6], score: 0.8 };
const script = {
  steps: [
    { from: 0, persons: [anna, ben] },
    { from: 10, persons: [ben] },
  ],
  loop: 20,
};

describe('the scripted eyes', () => {
  it.each([
    [0, 2],
    [9, 2],
    [10, 1],
    [19, 1],
    [20, 2],
    [35, 1],
  ])('hold a step until the next one and begin anew: frame %i', (frame, persons) => {
    expect(stepAt(script, frame)?.persons).toHaveLength(persons);
  });

  it('count frames by themselves, or take the number given', async () => {
    const eyes = createScripted({ steps: [{ from: 1, persons: [anna] }] });
    expect(await eyes.detect(picture)).toEqual([]);
    expect(await eyes.detect(picture)).toHaveLength(1);
    eyes.at(0);
    expect(await eyes.detect(picture)).toEqual([]);
  });

  it('give the pose of the person in the box', async () => {
    const eyes = createScripted(script);
    await eyes.detect(picture);
    expect(await eyes.estimate(picture, [0.11, 0.2, 0.3, 0.6])).toEqual(pose);
    expect(await eyes.estimate(picture, ben.box)).toBeUndefined();
    expect(await eyes.estimate(picture, [0.4, 0.2, 0.5, 0.6])).toBeUndefined();
  });

  it('fail when the script says so', async () => {
    const eyes = createScripted({ steps: [{ from: 0, persons: [], act: 'throw' }] });
    await expect(eyes.detect(picture)).rejects.toMatchObject({ kind: 'Unavailable', code: 'scripted_failure' });
  });
});
