import { describe, expect, it } from 'vitest';
import { createPoseSchedule, type Found } from '../../../../models/pose/schedule.ts';
import type { Keypoint, Person } from '../../../../protocol/observation.ts';

const at = (x: number, y = 0.4, score = 0.8): Found => ({ box: [x, y, x + 0.1, y + 0.2], score });
const quiet = () => false;

describe('the pose schedule', () => {
  it('poses newcomers, then nobody while all sit still, then all again when their poses are old', () => {
    const schedule = createPoseSchedule({ maxAgeMs: 4_000 });
    const found = [at(0.1), at(0.4)];
    expect(schedule.plan(found, { nowMs: 0 })).toEqual([0, 1]);
    expect(schedule.plan(found, { nowMs: 500 })).toEqual([]);
    expect(schedule.plan([at(0.1005), at(0.4, 0.405)], { nowMs: 1_000 })).toEqual([]);
    expect(schedule.plan(found, { nowMs: 4_000 })).toEqual([0, 1]);
  });

  it('waits longer where nothing stirs, and remembers what stirred in between', () => {
    const schedule = createPoseSchedule({ maxAgeMs: 2_000, restMs: 8_000 });
    const found = [at(0.1), at(0.4)];
    schedule.plan(found, { nowMs: 0, stirs: quiet });
    expect(schedule.plan(found, { nowMs: 1_000, stirs: ([x]) => x === 0.4 })).toEqual([]);
    expect(schedule.plan(found, { nowMs: 2_000, stirs: quiet })).toEqual([1]);
    expect(schedule.plan(found, { nowMs: 4_500, stirs: quiet })).toEqual([]);
    expect(schedule.plan(found, { nowMs: 8_000, stirs: quiet })).toEqual([0]);
  });

  it('poses who moved, measured from the last pose and not from the last frame', () => {
    const schedule = createPoseSchedule({ moved: 0.1 });
    schedule.plan([at(0.1), at(0.4)], { nowMs: 0 });
    expect(schedule.plan([at(0.1), at(0.412)], { nowMs: 100 })).toEqual([]);
    expect(schedule.plan([at(0.1), at(0.424)], { nowMs: 200 })).toEqual([1]);
    expect(schedule.plan([at(0.1), at(0.424, 0.36)], { nowMs: 300 })).toEqual([1]);
  });

  it('never asks for more than the bound, and who waited longest is first the next time', () => {
    const schedule = createPoseSchedule({ perFrame: 2, maxAgeMs: 1_000 });
    const found = [at(0.1), at(0.3), at(0.5), at(0.7)];
    expect(schedule.plan(found, { nowMs: 1 })).toEqual([0, 1]);
    expect(schedule.plan(found, { nowMs: 2 })).toEqual([2, 3]);
    expect(schedule.plan(found, { nowMs: 3 })).toEqual([]);
    expect(schedule.plan(found, { nowMs: 1_001, perFrame: 1 })).toEqual([0]);
    expect(schedule.plan(found, { nowMs: 1_002 })).toEqual([1, 2]);
  });

  it('forgets who is gone', () => {
    const schedule = createPoseSchedule();
    schedule.plan([at(0.1)], { nowMs: 0 });
    schedule.plan([], { nowMs: 100 });
    expect(schedule.plan([at(0.1)], { nowMs: 200 })).toEqual([0]);
  });

  it('gives a weak detection no pose of its own, but goes on where a person was', () => {
    const schedule = createPoseSchedule({ maxAgeMs: 1_000 });
    expect(schedule.plan([at(0.1), at(0.4, 0.4, 0.15)], { nowMs: 0 })).toEqual([0]);
    expect(schedule.plan([at(0.1, 0.4, 0.15), at(0.4, 0.4, 0.15)], { nowMs: 1_000 })).toEqual([0]);
  });
});

describe('poses between two runs of the model', () => {
  const pose = (x: number, y: number): Keypoint[] => Array.from({ length: 17 }, () => [x, y, 0.9] as const);
  const look = (schedule: ReturnType<typeof createPoseSchedule>, found: readonly Found[], nowMs: number) => {
    const due = schedule.plan(found, { nowMs });
    const persons: Person[] = found.map((one, i) =>
      due.includes(i) ? { ...one, pose: pose(one.box[0] + 0.05, one.box[1] + 0.05) } : one,
    );
    return schedule.carry(persons, nowMs);
  };

  it('stay with their person, move with the box, and tell their age', () => {
    const schedule = createPoseSchedule({ maxAgeMs: 2_000 });
    expect(look(schedule, [at(0.1), at(0.5)], 0).map(({ poseAgeMs }) => poseAgeMs)).toEqual([undefined, undefined]);
    const [left, right] = look(schedule, [at(0.5), at(0.11, 0.41)], 500);
    expect(left).toMatchObject({ poseAgeMs: 500 });
    expect(right!.pose![0]![0]).toBeCloseTo(0.16);
    expect(right!.pose![0]![1]).toBeCloseTo(0.46);
  });

  it('end when the person is gone, and are not taken over by a second box', () => {
    const schedule = createPoseSchedule();
    look(schedule, [at(0.1)], 0);
    const both = schedule.carry([at(0.1), at(0.11, 0.41, 0.2)], 100);
    expect(both.map(({ pose }) => pose !== undefined)).toEqual([true, false]);
    look(schedule, [], 200);
    expect(schedule.carry([at(0.1)], 300)[0]!.pose).toBeUndefined();
  });

  it('are never older than the longest wait', () => {
    const schedule = createPoseSchedule({ restMs: 1_000 });
    look(schedule, [at(0.1)], 0);
    schedule.plan([at(0.1)], { nowMs: 1_000 });
    expect(schedule.carry([at(0.1)], 1_000)[0]).toMatchObject({ poseAgeMs: 1_000 });
    expect(schedule.carry([at(0.1)], 1_001)[0]!.pose).toBeUndefined();
  });
});
