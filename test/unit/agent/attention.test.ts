import { describe, expect, it } from 'vitest';
import { createAttention } from '../../../agent/attention.ts';
import type { Frame } from '../../../hardware/camera.ts';
import type { Motion } from '../../../models/motion.ts';
import type { Person } from '../../../protocol/observation.ts';
import type { Box, Polygon } from '../../../protocol/seat.ts';

const door: Box = [0, 0, 0.4, 0.5];
const seat: Polygon = [
  [0.2, 0.2],
  [0.4, 0.2],
  [0.4, 0.6],
  [0.2, 0.6],
];
const sitter: Person = { box: [0.22, 0.2, 0.38, 0.6], score: 0.9 };
const guest: Person = { box: [0.02, 0.1, 0.12, 0.5], score: 0.5 };
const frame = (second: number, number = second): Frame => ({
  width: 1,
  height: 1,
  rgb: new Uint8Array(3),
  at: { wallMs: 0, monoMs: second * 1000, bootId: 'b', clock: 'sure' },
  frame: number,
});
const motion = (everywhere: number, inDoor = everywhere): Motion => ({
  within: (region) => (region === door ? inDoor : everywhere),
});
const make = () => createAttention({ regions: [door], zones: [seat] });

describe('attention', () => {
  it('repeats what was seen while nothing moves, and no longer than two seconds', () => {
    const attention = make();
    expect(attention.plan(frame(0), motion(0))).toMatchObject({ strained: false });
    attention.saw(frame(0), [sitter]);
    expect(attention.plan(frame(1), motion(0)).repeat).toEqual([sitter]);
    expect(attention.plan(frame(1.5), motion(0.001)).repeat).toBeUndefined();
    attention.saw(frame(1.5), [sitter]);
    expect(attention.plan(frame(2), motion(0)).repeat).toEqual([sitter]);
    expect(attention.plan(frame(3.5), motion(0)).repeat).toBeUndefined();
  });

  it('repeats a pose as old as it was, and older', () => {
    const attention = make();
    const pose: Person['pose'] = [];
    attention.saw(frame(0), [
      { ...sitter, pose },
      { ...guest, pose, poseAgeMs: 600 },
    ]);
    expect(attention.plan(frame(1), motion(0)).repeat?.map(({ poseAgeMs }) => poseAgeMs)).toEqual([1000, 1600]);
  });

  it('repeats nothing after the eyes failed', () => {
    const attention = make();
    attention.saw(frame(0), [sitter]);
    attention.forget();
    expect(attention.plan(frame(1), motion(0)).repeat).toBeUndefined();
  });

  it('looks into a region while something moves there and a while longer, and now and then anyway', () => {
    const attention = make();
    const looks = [...Array(30).keys()].filter(
      (second) => attention.plan(frame(second), motion(0.1, second === 12 ? 0.1 : 0)).regions.length > 0,
    );
    expect(looks).toEqual([0, 10, 12, 13, 14, 15, 25]);
  });

  it('leaves sitting people out of what moves in a region', () => {
    const attention = make();
    attention.plan(frame(0), motion(0.1, 0));
    attention.saw(frame(0), [sitter]);
    let left: readonly Box[] | undefined;
    const spy: Motion = {
      within: (region, except) => {
        if (region === door) left = except;
        return region === door ? 0 : 0.1;
      },
    };
    expect(attention.plan(frame(1), spy).regions).toEqual([]);
    expect(left).toHaveLength(1);
    expect(left![0]![0]).toBeLessThan(sitter.box[0]);
  });

  it('looks into a region as long as somebody is there who does not sit', () => {
    const attention = make();
    for (let second = 0; second < 9; second++) {
      attention.plan(frame(second), motion(0.1, 0));
      attention.saw(frame(second), [guest]);
    }
    expect(attention.plan(frame(9), motion(0.1, 0)).regions).toEqual([door]);
  });

  it('is strained while frames are dropped again and again, and calm some time after', () => {
    const attention = make();
    let number = 0;
    const feed = (count: number, step: number) => {
      let strained = false;
      for (let i = 0; i < count; i++) {
        number += step;
        strained = attention.plan(frame(i, number), motion(1)).strained;
      }
      return strained;
    };
    expect(feed(10, 1)).toBe(false);
    expect(feed(1, 2)).toBe(false);
    expect(feed(12, 2)).toBe(true);
    expect(attention.strained()).toBe(true);
    expect(feed(5, 1)).toBe(true);
    expect(feed(30, 1)).toBe(false);
    number = 0;
    expect(feed(1, 1)).toBe(false);
  });
});
