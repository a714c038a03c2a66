/** The timeline of a microphone: jitter, bursts, holes and a drifting clock must not move a phrase by more than they must. */
import { describe, expect, it } from 'vitest';
import { createTimeline } from '../../../agent/listen-timeline.ts';

const at = (monoMs: number) => ({ wallMs: monoMs, monoMs, bootId: 'b', clock: 'sure' as const });

describe('createTimeline', () => {
  it('takes the earliest arrival for the truth and late ones for jitter', () => {
    const line = createTimeline();
    for (const late of [180, 205, 390, 400, 650]) line.push(1600, at(5000 + late));
    // True arrivals would be every 100 ms; the fourth block (400 ms of sound) came earliest against its count.
    expect(line.monoMs(6400)).toBeCloseTo(5400, 0);
    expect(line.monoMs(0)).toBeCloseTo(5000, 0);
  });

  it('survives a stall with its burst without moving the time', () => {
    const line = createTimeline();
    for (let i = 1; i <= 10; i++) line.push(1600, at(1000 + i * 100));
    for (let i = 11; i <= 40; i++) line.push(1600, at(5000));
    for (let i = 41; i <= 50; i++) line.push(1600, at(1000 + i * 100));
    expect(line.monoMs(1600 * 50)).toBeCloseTo(6000, 0);
    expect(line.monoMs(1600 * 5)).toBeCloseTo(1500, 0);
    expect(line.monoMs(1600 * 40)).toBeCloseTo(5000, 0);
  });

  it('sets the count anew after lost sound', () => {
    const line = createTimeline();
    for (let i = 1; i <= 10; i++) expect(line.push(1600, at(1000 + i * 100))).toBe(false);
    expect(line.push(1600, at(32_100))).toBe(true);
    expect(line.push(1600, at(32_200))).toBe(false);
    expect(line.monoMs(16_000 + 3200)).toBeCloseTo(32_200, 0);
    expect(line.monoMs(8000)).toBeCloseTo(1500, 0);
  });

  it('follows a sound card that runs slow', () => {
    const line = createTimeline();
    // An hour of blocks that take 100.01 ms each instead of 100.
    for (let i = 1; i <= 36_000; i++) line.push(1600, at(i * 100.01));
    expect(Math.abs(line.monoMs(1600 * 36_000) - 36_000 * 100.01)).toBeLessThan(5);
  });

  it('knows which block completed a sample', () => {
    const line = createTimeline();
    expect(line.instantOf(5)).toBeUndefined();
    for (let i = 1; i <= 3; i++) line.push(1600, at(i * 100));
    expect(line.instantOf(1600)!.monoMs).toBe(100);
    expect(line.instantOf(1601)!.monoMs).toBe(200);
    expect(line.instantOf(99_999)!.monoMs).toBe(300);
  });
});
