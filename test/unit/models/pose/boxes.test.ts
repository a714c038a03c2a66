import { describe, expect, it } from 'vitest';
import { dropSlices, joinRegions, suppress } from '../../../../models/pose/boxes.ts';
import type { Detection } from '../../../../models/pose/detector.ts';
import type { Box } from '../../../../protocol/seat.ts';

const person = (box: Box, score = 0.5): Detection => ({ box, score, label: 'person' });

describe('suppress', () => {
  it('keeps the best of boxes that overlap by half, best first', () => {
    const weak = person([0.1, 0.1, 0.2, 0.4], 0.4);
    const best = person([0.11, 0.1, 0.21, 0.4], 0.9);
    const other = person([0.5, 0.1, 0.6, 0.4], 0.6);
    expect(suppress([weak, other, best])).toEqual([best, other]);
  });

  it('takes two boxes that share the head for one person, however long each is', () => {
    const torso = person([0.1, 0.1, 0.2, 0.25], 0.6);
    const whole = person([0.1, 0.1, 0.2, 0.5], 0.5);
    expect(suppress([torso, whole])).toEqual([torso]);
  });

  it('keeps a seated person under one who stands over the same desk', () => {
    const seated = person([0.1, 0.4, 0.2, 0.6], 0.8);
    const standing = person([0.08, 0.2, 0.22, 0.6], 0.7);
    expect(suppress([seated, standing])).toHaveLength(2);
  });

  it('never lets a phone be suppressed by the person that holds it', () => {
    const phone: Detection = { box: [0.15, 0.15, 0.17, 0.19], score: 0.3, label: 'phone' };
    expect(suppress([person([0.1, 0.1, 0.2, 0.4]), phone])).toHaveLength(2);
  });
});

describe('dropSlices', () => {
  it('drops a small box wholly inside a better one and keeps one that is better itself', () => {
    const whole = person([0.1, 0.1, 0.3, 0.5], 0.6);
    expect(dropSlices([whole, person([0.22, 0.2, 0.28, 0.4], 0.4)])).toEqual([whole]);
    expect(dropSlices([whole, person([0.22, 0.2, 0.28, 0.4], 0.8)])).toHaveLength(2);
  });
});

describe('joinRegions', () => {
  const left: Box = [0, 0, 0.6, 1];

  it('adds who was found in a region only', () => {
    const far = person([0.3, 0.3, 0.35, 0.45]);
    expect(joinRegions([person([0.7, 0.1, 0.8, 0.5])], [{ region: left, found: [far] }])).toContain(far);
  });

  it('drops who is cut by the inner border of a region, but not who is cut by the border of the picture', () => {
    const cut = person([0.5, 0.3, 0.6, 0.6]);
    const atEdge = person([0, 0.3, 0.1, 0.6]);
    expect(joinRegions([], [{ region: left, found: [cut, atEdge] }])).toEqual([atEdge]);
  });

  it('counts a person seen in the whole and in two regions once', () => {
    const seen = (score: number) => person([0.45, 0.3, 0.55, 0.6], score);
    const joined = joinRegions(
      [seen(0.5)],
      [
        { region: left, found: [seen(0.6)] },
        { region: [0.4, 0, 1, 1], found: [seen(0.7)] },
      ],
    );
    expect(joined).toEqual([seen(0.5)]);
  });
});
