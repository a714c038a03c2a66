/** What a phrase gets by chance: what the net hears of its syllables where nobody speaks, and what that does to its limit. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { chanceOf, commonness } from '../../../../models/speech/chance.ts';
import { limitsOf } from '../../../../models/speech/confirm.ts';
import { readFsmnModel } from '../../../../models/speech/fsmn-files.ts';
import { createSyllables } from '../../../../models/speech/syllables.ts';
import { writeSmallModel } from './small-net.ts';

const scratch = mkdtempSync(join(tmpdir(), 'evalroom-chance-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
writeSmallModel(scratch, 18);
const model = readFsmnModel(scratch);
const syllables = createSyllables(model.tokens);
const spelt = (...classes: number[]) => classes.map((c) => [c]);

describe('chanceOf', () => {
  it('is the same every time and finite for every class', () => {
    const once = chanceOf({ net: model.net, mvn: model.mvn, syllables });
    expect(once).toHaveLength(syllables.names.length);
    expect(once.every(Number.isFinite)).toBe(true);
    expect(chanceOf({ net: model.net, mvn: model.mvn, syllables })).toEqual(once);
    expect(model.chance!(syllables)).toEqual(once);
    expect(model.chance!(syllables)).toBe(model.chance!(syllables));
  });

  it('lies in the mean of all syllables as far under the usual one as talk prefers usual ones', () => {
    const sounds = chanceOf({ net: model.net, mvn: model.mvn, syllables }).subarray(1, -1);
    expect(sounds.reduce((sum, one) => sum + one, 0) / sounds.length).toBeCloseTo(-1.8);
  });

  it('gives a syllable more that has the mass of more characters', () => {
    // The same net with a second character for each: what both share is heard more easily.
    const alone = model.chance!(syllables);
    const [first, second] = [1, 2];
    const pooled: typeof syllables = {
      ...syllables,
      pool(posterior) {
        const logs = syllables.pool(posterior);
        logs[first] = Math.log(Math.exp(logs[first]!) + Math.exp(logs[second]!));
        return logs;
      },
    };
    const both = chanceOf({ net: model.net, mvn: model.mvn, syllables: pooled });
    expect(both[first]! - both[second]!).toBeGreaterThan(alone[first]! - alone[second]!);
  });
});

describe('commonness', () => {
  it('is the mean over the syllables, all readings of a character together', () => {
    const chance = Float32Array.from([0, 1, -2, 0]);
    expect(commonness(spelt(1, 2), chance)).toBeCloseTo(-0.5);
    expect(commonness([[1, 2], [2]], chance)).toBeCloseTo((Math.log(Math.E + Math.exp(-2)) - 2) / 2);
    expect(commonness([], chance)).toBe(0);
  });
});

describe('the limit of a form', () => {
  const chance = Float32Array.from([0, 1, 1, 1, 1, -1, -1, -1, -1, 9, 9, 9, -9, -9, -9]);

  it('is stricter for syllables that are easily heard by chance and laxer for those that are not, by half of it', () => {
    const plain = limitsOf(spelt(1, 2, 3));
    expect(limitsOf(spelt(1, 2, 3), 0, chance).mean).toBeCloseTo(plain.mean + 0.5);
    expect(limitsOf(spelt(5, 6, 7), 0, chance).mean).toBeCloseTo(plain.mean - 0.5);
    expect(limitsOf(spelt(1, 2, 3, 5, 6, 7), 0, chance).running).toBeCloseTo(limitsOf(spelt(1, 2, 3, 5, 6, 7)).running);
    expect(limitsOf(spelt(5, 6, 7), 0, chance)).toMatchObject({ worst: plain.worst, cap: plain.cap });
  });

  it('stays within one either way, and within reach', () => {
    const plain = limitsOf(spelt(1, 2, 3)).mean;
    expect(limitsOf(spelt(9, 10, 11), 0, chance).mean).toBeCloseTo(plain + 1);
    expect(limitsOf(spelt(12, 13, 14), 0, chance).mean).toBeCloseTo(plain - 1);
    expect(limitsOf(spelt(9, 10, 11), 0, chance).suspected).toBeLessThan(0);
  });

  it('does not change for one or two different syllables, whose limits are strict as they are', () => {
    for (const form of [spelt(1, 2), spelt(1, 2, 1, 2), spelt(5, 6), spelt(1, 2, 1)])
      expect(limitsOf(form, 0, chance)).toEqual(limitsOf(form));
  });
});
