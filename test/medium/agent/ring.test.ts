/** The ring of segments in a real folder: what it keeps, what it lets go, and what it finds again. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createRing, type RingLimits } from '../../../agent/record/ring.ts';

const MS = 2000;

describe('ring', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'evalroom-ring-'));
    mkdirSync(join(folder, 'capture'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const limits = { segmentMs: 1e9, segmentBytes: 1e12, keepFreeBytes: 0 };
  const ringOf = (over: Partial<RingLimits>) =>
    createRing({ folder: join(folder, 'ring'), limits: { ...limits, ...over }, log: pino({ level: 'silent' }) });
  const fill = async (ring: ReturnType<typeof ringOf>, from: number, count: number) => {
    for (let i = from; i < from + count; i++) {
      const path = join(folder, 'capture', `r-${i}.mp4`);
      writeFileSync(path, Buffer.alloc(1000, i));
      await ring.add('cam-a', { path, beginWallMs: i * MS, endWallMs: (i + 1) * MS, bytes: 1000 });
    }
  };
  const kept = (ring: ReturnType<typeof ringOf>) =>
    ring.span('cam-a', 0, 1e12).map((segment) => segment.beginWallMs / MS);

  it('keeps a time, and what is pinned', async () => {
    const ring = ringOf({ segmentMs: 5 * MS });
    await ring.open();
    ring.pin('clip', 'cam-a', 2.5 * MS, 3.5 * MS);
    await fill(ring, 0, 10);
    expect(kept(ring)).toEqual([2, 3, 5, 6, 7, 8, 9]);
    ring.unpin('clip');
    await fill(ring, 10, 1);
    expect(kept(ring)).toEqual([6, 7, 8, 9, 10]);
  });

  it('keeps a number of bytes, oldest first out', async () => {
    const ring = ringOf({ segmentBytes: 3500 });
    await ring.open();
    await fill(ring, 0, 10);
    expect(kept(ring)).toEqual([7, 8, 9]);
    expect(ring.health()).toMatchObject({ segments: 3, bytes: 3000, low: false });
  });

  it('gives up everything but what is pinned when the disk is low', async () => {
    const ring = ringOf({ keepFreeBytes: 1e18 });
    await ring.open();
    ring.pin('clip', 'cam-a', 0, MS);
    await fill(ring, 0, 5);
    expect(kept(ring)).toEqual([0]);
    expect(ring.health().low).toBe(true);
  });

  it('is not emptied by a clock that leaps ahead', async () => {
    const ring = ringOf({ segmentMs: 20 * MS });
    await ring.open();
    await fill(ring, 0, 5);
    const path = join(folder, 'capture', 'leap.mp4');
    writeFileSync(path, 'x');
    await ring.add('cam-a', { path, beginWallMs: 1e12, endWallMs: 1e12 + MS, bytes: 1 });
    expect(ring.health().segments).toBe(6);
  });

  it('finds its segments again, clears a few orphans, and refuses to clear many', async () => {
    const first = ringOf({});
    await first.open();
    await fill(first, 0, 6);
    const place = join(folder, 'ring', 'cam-a');
    writeFileSync(join(place, 'half.mp4'), 'x');
    writeFileSync(join(folder, 'ring', 'notes.txt'), 'whose?');
    const second = ringOf({});
    await second.open();
    expect(kept(second)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(readdirSync(place)).toHaveLength(6);
    await fill(second, 6, 1);
    expect(kept(second)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    for (let i = 0; i < 5; i++) writeFileSync(join(place, `recording-${i}.mp4`), 'precious');
    await ringOf({}).open();
    expect(readdirSync(place)).toHaveLength(12);
  });
});
