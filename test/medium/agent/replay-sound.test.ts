/** The sound of a ring in which a file is broken: nothing after it moves in time, and what is lost is said. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RATE, segmentsOf, soundOf } from '../../../agent/replay-sound.ts';

const BEGAN = 1_700_000_000_000;
const LENGTH_MS = 2000;
const SEGMENTS = 24;

describe('the sound of kept segments', () => {
  const folder = mkdtempSync(join(tmpdir(), 'evalroom-kept-sound-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const span = { fromWallMs: 0, toWallMs: BEGAN * 2 };
  const all = join(folder, 'all');
  const pathOf = (order: number) => {
    const from = BEGAN + order * LENGTH_MS;
    return join(all, `${String(order).padStart(12, '0')}_${from}_${from + LENGTH_MS}_00000000.mkv`);
  };

  beforeAll(() => {
    mkdirSync(all);
    // A click at the end of each segment.
    const click = `aevalsrc='if(gt(t,1.9),0.5,0)':s=${RATE}:d=2`;
    execFileSync('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', click, '-c:a', 'pcm_s16le', pathOf(0)]);
    for (let order = 1; order < SEGMENTS; order++) execFileSync('cp', [pathOf(0), pathOf(order)]);
  });

  async function clicks() {
    const sound = soundOf(segmentsOf(all, span));
    const heard: number[] = [];
    let position = 0;
    let loud = false;
    for await (const block of sound.blocks()) {
      for (const [i, sample] of block.entries()) {
        if (Math.abs(sample) > 8000 && !loud) heard.push(position + i);
        loud = Math.abs(sample) > 8000;
      }
      position += block.length;
    }
    return { sound, wallMs: heard.map((sample) => Math.round(sound.wallMs(sample) - BEGAN)) };
  }

  it('is silent for as long as a broken one was, and says how much was lost', async () => {
    const whole = await clicks();
    expect(whole.sound.lostMs()).toBe(0);
    expect(whole.wallMs).toHaveLength(SEGMENTS);
    writeFileSync(pathOf(20), 'broken');
    const { sound, wallMs } = await clicks();
    expect(sound.lostMs()).toBe(LENGTH_MS);
    expect(wallMs).toHaveLength(SEGMENTS - 1);
    for (const ms of wallMs) expect(Math.abs((ms % LENGTH_MS) - 1900)).toBeLessThan(20);
    expect(wallMs).toContain(wallMs[0]! + (SEGMENTS - 1) * LENGTH_MS);
  }, 120_000);

  it('is no silence when there is no ffmpeg', async () => {
    const path = process.env.PATH;
    process.env.PATH = folder;
    try {
      await expect(clicks()).rejects.toMatchObject({ kind: 'Unavailable', code: 'ffmpeg_missing' });
    } finally {
      process.env.PATH = path;
    }
  });
});
