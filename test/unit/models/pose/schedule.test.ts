import { describe, expect, it } from 'vitest';
import { createPoseSchedule } from '../../../../models/pose/schedule.ts';
import type { Box } from '../../../../protocol/seat.ts';

const at = (x: number, y = 0.4): Box => [x, y, x + 0.1, y + 0.2];

describe('the pose schedule', () => {
  it('poses newcomers, then nobody while all sit still, then all again when their poses are old', () => {
    const schedule = createPoseSchedule({ maxAgeMs: 4_000 });
    const boxes = [at(0.1), at(0.4)];
    expect(schedule.plan(boxes, 0)).toEqual([0, 1]);
    expect(schedule.plan(boxes, 500)).toEqual([]);
    expect(schedule.plan([at(0.1005), at(0.4, 0.405)], 1_000)).toEqual([]);
    expect(schedule.plan(boxes, 4_000)).toEqual([0, 1]);
  });

  it('poses who moved, measured from the last pose and not from the last frame', () => {
    const schedule = createPoseSchedule({ moved: 0.1 });
    schedule.plan([at(0.1), at(0.4)], 0);
    expect(schedule.plan([at(0.1), at(0.412)], 100)).toEqual([]);
    expect(schedule.plan([at(0.1), at(0.424)], 200)).toEqual([1]);
    expect(schedule.plan([at(0.1), at(0.424, 0.36)], 300)).toEqual([1]);
  });

  it('never asks for more than the bound, and who waited longest is first the next time', () => {
    const schedule = createPoseSchedule({ perFrame: 2, maxAgeMs: 1_000 });
    const boxes = [at(0.1), at(0.3), at(0.5), at(0.7)];
    expect(schedule.plan(boxes, 1)).toEqual([0, 1]);
    expect(schedule.plan(boxes, 2)).toEqual([2, 3]);
    expect(schedule.plan(boxes, 3)).toEqual([]);
    expect(schedule.plan(boxes, 1_001)).toEqual([0, 1]);
  });

  it('forgets who is gone', () => {
    const schedule = createPoseSchedule();
    schedule.plan([at(0.1)], 0);
    schedule.plan([], 100);
    expect(schedule.plan([at(0.1)], 200)).toEqual([0]);
  });
});
