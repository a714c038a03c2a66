/** The phrase scorer and its second pass on made-up posteriors, where the right answer is known. */
import { describe, expect, it } from 'vitest';
import { align, isConfirmed, limitsOf } from '../../../../models/speech/confirm.ts';
import { type Candidate, createScorer } from '../../../../models/speech/scorer.ts';
import { createSyllables } from '../../../../models/speech/syllables.ts';
import { SMALL_TOKENS } from './small-net.ts';

const CLASSES = 8;
/** A frame where the named classes have the given log probability and all else -9. */
function frame(values: Record<number, number>): Float32Array {
  const logs = new Float32Array(CLASSES).fill(-9);
  for (const [c, value] of Object.entries(values)) logs[Number(c)] = value;
  return logs;
}
/** Each syllable on one frame, blanks between: as such nets speak. */
const say = (...classes: number[]) => [
  frame({ 0: 0 }),
  ...classes.flatMap((c) => [frame({ [c]: 0 }), frame({ 0: 0 }), frame({ 0: 0 })]),
  ...Array.from({ length: 6 }, () => frame({ 0: 0 })),
];
const spelling = (...classes: number[]) => classes.map((c) => [c]);
function run(frames: Float32Array[], forms: number[][], threshold = -2): Candidate[] {
  const scorer = createScorer(forms.map((form) => ({ spelling: spelling(...form), threshold })));
  return frames.flatMap((logs) => scorer.push(logs));
}

describe('createScorer', () => {
  it('finds a phrase with its span and a perfect score', () => {
    expect(run(say(1, 2, 3), [[1, 2, 3]])).toEqual([{ form: 0, score: 0, beginFrame: 1, endFrame: 7 }]);
  });

  it('finds a phrase in the midst of talk, and only that one', () => {
    const found = run(
      say(5, 4, 1, 2, 3, 6),
      [
        [1, 2, 3],
        [3, 2, 1],
        [1, 2, 4],
      ],
      -1,
    );
    expect(found.map((candidate) => candidate.form)).toEqual([0]);
  });

  it('shares prefixes and still tells phrases apart', () => {
    const forms = [
      [1, 2],
      [1, 2, 3],
      [1, 2, 4],
    ];
    expect(run(say(1, 2, 4), forms, -1).map((c) => c.form)).toEqual([0, 2]);
  });

  it('needs a blank between two equal syllables', () => {
    const held = [frame({ 0: 0 }), frame({ 1: 0 }), frame({ 1: 0 }), ...say()];
    expect(run(held, [[1, 1]], -1)).toEqual([]);
    expect(run(say(1, 1), [[1, 1]], -1)).toHaveLength(1);
  });

  it('scores a misheard syllable by its likelihood ratio', () => {
    const frames = say(1, 2, 3);
    frames[4] = frame({ 5: 0, 2: -3 });
    const [found] = run(frames, [[1, 2, 3]]);
    expect(found!.score).toBeCloseTo(-1, 5);
  });

  it('finds a phrase each time that it is said, however long the talk', () => {
    const talk = Array.from({ length: 50 }, () => say(6, 5, 1, 2, 3)).flat();
    const found = run(talk, [[1, 2, 3]]);
    expect(found).toHaveLength(50);
    expect(found.at(-1)!.endFrame).toBeGreaterThan(talk.length - 12);
  });

  it('does not put a phrase together out of syllables that are far apart', () => {
    const pause = (frames: number) => Array.from({ length: frames }, () => frame({ 0: 0 }));
    const apart = (frames: number) => [frame({ 1: 0 }), ...pause(frames), frame({ 2: 0 }), ...say()];
    expect(run(apart(20), [[1, 2]], -1)).toHaveLength(1);
    expect(run(apart(40), [[1, 2]], -1)).toEqual([]);
    expect(align(apart(40), spelling(1, 2))?.score ?? -99).toBeLessThan(-1);
  });

  it('lets a false start not stand in the way of the phrase, though it was said more clearly', () => {
    const talk = [
      frame({ 1: 0 }),
      ...Array.from({ length: 15 }, () => frame({ 0: 0 })),
      frame({ 1: -1, 5: 0 }),
      ...Array.from({ length: 18 }, () => frame({ 0: 0 })),
      frame({ 2: 0 }),
      ...say(),
    ];
    const [found] = run(talk, [[1, 2]], -1);
    expect(found).toMatchObject({ beginFrame: 16, endFrame: 35 });
  });

  it('accepts any of the classes of a character', () => {
    const scorer = createScorer([{ spelling: [[1, 6], [2]], threshold: -1 }]);
    expect(say(6, 2).flatMap((logs) => scorer.push(logs))).toHaveLength(1);
  });
});

describe('align', () => {
  it('agrees with the first pass and knows the worst syllable', () => {
    const frames = say(1, 2, 3);
    frames[4] = frame({ 5: 0, 2: -6 });
    const found = align(frames, spelling(1, 2, 3))!;
    expect(found.score).toBeCloseTo(-2, 5);
    expect(found.worst).toBeCloseTo(-6, 5);
    expect([found.beginFrame, found.endFrame]).toEqual([1, 7]);
  });

  it('refuses a syllable that was not there, and a pace that nobody speaks', () => {
    const good = { score: -1, worst: -3, clear: 3, named: 0, beginFrame: 0, endFrame: 30 };
    const limits = { mean: -2, worst: -10 };
    expect(isConfirmed(good, 5, limits)).toBe(true);
    expect(isConfirmed({ ...good, worst: -12 }, 5, limits)).toBe(false);
    expect(isConfirmed({ ...good, clear: 1 }, 5, limits)).toBe(false);
    expect(isConfirmed({ ...good, score: -2.1 }, 5, limits)).toBe(false);
    expect(isConfirmed({ ...good, endFrame: 4 }, 5, limits)).toBe(false);
    expect(isConfirmed({ ...good, endFrame: 300 }, 5, limits)).toBe(false);
  });

  it('lets one syllable of a long phrase be missing, and no more than one', () => {
    const six = spelling(1, 2, 3, 4, 5, 6);
    const without = (...gone: number[]) =>
      say(1, 2, 3, 4, 5, 6).map((logs, at) =>
        gone.includes(at) ? frame({ 0: 0, 1: -22, 2: -22, 3: -22, 4: -22, 5: -22, 6: -22 }) : logs,
      );
    const limits = limitsOf(six);
    const judged = (frames: Float32Array[]) => {
      const found = align(frames, six, limits.cap)!;
      return isConfirmed(found, 6, limits);
    };
    expect(judged(without(7))).toBe(true);
    expect(judged(without(7, 13))).toBe(false);
    expect(limitsOf(spelling(1, 2, 3, 4)).cap).toBe(Number.NEGATIVE_INFINITY);
  });

  it('has no path through nothing', () => {
    expect(align([], spelling(1, 2))).toBeUndefined();
  });
});

describe('limitsOf', () => {
  it('asks more of a phrase the fewer different syllables it has', () => {
    const lengths = Array.from({ length: 10 }, (_, n) =>
      limitsOf(spelling(...Array.from({ length: n + 2 }, (_, i) => i))),
    );
    for (let i = 1; i < lengths.length; i++) {
      expect(lengths[i]!.mean).toBeLessThanOrEqual(lengths[i - 1]!.mean);
      expect(lengths[i]!.worst).toBeLessThanOrEqual(lengths[i - 1]!.worst);
    }
    const twice = limitsOf(spelling(1, 2, 1, 2)).mean;
    expect(twice).toBeLessThan(limitsOf(spelling(1, 2)).mean);
    expect(twice).toBeGreaterThan(limitsOf(spelling(1, 2, 3)).mean);
  });
});

describe('createSyllables', () => {
  const syllables = createSyllables(SMALL_TOKENS);
  const names = (form: string) => syllables.spell(form).map((set) => set.map((c) => syllables.names[c]));

  it('spells with every reading of a character and ignores punctuation', () => {
    expect(names('回扣，五！')).toEqual([['hui'], ['kou'], ['wu']]);
    expect(names('了五')[0]).toEqual(['le', 'liao']);
  });

  it('refuses letters, strange syllables and single ones', () => {
    for (const form of ['A公司', '女五', '五'])
      expect(() => syllables.spell(form)).toThrowError(expect.objectContaining({ kind: 'InvalidInput' }));
  });

  it('pools characters of one sound, gives heteronyms to each, and keeps three tenths of the blank', () => {
    const posterior = new Float32Array(SMALL_TOKENS.length);
    posterior[0] = 0.5;
    posterior[SMALL_TOKENS.indexOf('了')] = 0.3;
    posterior[SMALL_TOKENS.indexOf('已')] = 0.2;
    const logs = syllables.pool(posterior);
    const at = (name: string) => Math.exp(logs[syllables.names.indexOf(name)]!);
    expect(at('')).toBeCloseTo(0.15, 5);
    expect(at('le')).toBeCloseTo(0.3, 5);
    expect(at('liao')).toBeCloseTo(0.3, 5);
    expect(at('yi')).toBeCloseTo(0.2, 5);
    expect(at('?')).toBeCloseTo(0, 5);
  });

  it('takes siblings that many speakers merge for each other at a loss, and nothing else', () => {
    const tokens = ['<blank>', '牛', '流', '刘', '秋', '展', '掌', '攒'];
    const merging = createSyllables(tokens);
    const posterior = new Float32Array(tokens.length);
    posterior[tokens.indexOf('流')] = 0.5;
    posterior[tokens.indexOf('刘')] = 0.4;
    posterior[tokens.indexOf('攒')] = 0.1;
    const logs = merging.pool(posterior);
    const at = (name: string) => logs[merging.names.indexOf(name)]!;
    expect(at('liu')).toBeCloseTo(Math.log(0.9), 5);
    expect(at('niu')).toBeCloseTo(Math.log(0.9) - 1, 5);
    expect(at('zhan')).toBeCloseTo(Math.log(0.1) - 1, 5);
    expect(at('zhang')).toBeCloseTo(Math.log(0.1) - 2, 5);
    expect(at('qiu')).toBeLessThan(-20);
  });
});
