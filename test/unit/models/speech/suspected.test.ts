/** What the Mandarin ear suspects without its second pass, by made-up weights: told as that, beside the confirmed hits and never in their place. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { limitsOf } from '../../../../models/speech/confirm.ts';
import { readFsmnModel } from '../../../../models/speech/fsmn-files.ts';
import { createSpotter } from '../../../../models/speech/fsmn-spotter.ts';
import type { Hit } from '../../../../models/speech/recogniser.ts';
import type { Phrase } from '../../../../protocol/rules.ts';
import { SMALL_TOKENS, seeded, writeSmallModel } from './small-net.ts';

const scratch = mkdtempSync(join(tmpdir(), 'evalroom-suspected-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
writeSmallModel(scratch, 18);
const model = readFsmnModel(scratch);

const phrase = (form: string): Phrase => ({
  phraseId: form,
  language: 'zh-CN',
  category: 'prohibited',
  forms: [form],
  citation: 'c',
});
const signs = SMALL_TOKENS.slice(2);
const phrases = signs.flatMap((a) => signs.filter((b) => b !== a).map((b) => phrase(a + b)));

/** Tones that change sixteen times a second, for eight seconds. */
function babble(): Int16Array {
  const random = seeded(18);
  let step = 0.1;
  return Int16Array.from({ length: 8 * 16_000 }, (_, i) => {
    if (i % 960 === 0) step = 0.03 + Math.abs(random()) * 0.6;
    return Math.round(6000 * Math.sin(i * step) + 300 * random());
  });
}
const SOUND = babble();
const hear = (list: readonly Phrase[], tellSuspected: boolean): Hit[] =>
  createSpotter({ model, phrases: list, tellSuspected, ungated: true }).accept(SOUND);

describe('the strict limit of the running pass', () => {
  it('lies by as much over the mean for every length, also where the first pass itself is lax', () => {
    const of = (count: number) => limitsOf(Array.from({ length: count }, (_, i) => [i]));
    for (const count of [2, 3, 4, 5, 6, 8]) {
      const { running, mean, suspected } = of(count);
      expect(suspected - mean).toBeCloseTo(0.25);
      expect(suspected).toBeGreaterThan(running);
    }
  });
});

describe('what is only suspected', () => {
  const all = hear(phrases, true);
  const suspected = all.filter(({ level }) => level === 'suspected');
  const confirmed = all.filter(({ level }) => level === undefined);

  it('is told with a score that reaches the strict limit, and takes no confirmed hit away', () => {
    expect(suspected.length).toBeGreaterThan(10);
    for (const { score, threshold } of suspected) expect(score).toBeGreaterThanOrEqual(threshold);
    const bare = hear(phrases, false);
    expect(bare.length).toBeGreaterThan(10);
    expect(confirmed).toEqual(bare);
  });

  it('is not told of words that were confirmed within the second before, nor twice within one', () => {
    for (const one of suspected) {
      const at = all.indexOf(one);
      const near = all.filter(
        (other, i) => i < at && other.phraseId === one.phraseId && one.endSample - other.endSample < 0.9 * 16_000,
      );
      expect(near).toEqual([]);
    }
  });

  it('minds the words around it: without the one that it needs it is nothing', () => {
    const some = phrases.filter(({ phraseId }) => phraseId === suspected[0]!.phraseId);
    const count = (list: readonly Phrase[]) => hear(list, true).filter(({ level }) => level === 'suspected').length;
    expect(count(some)).toBeGreaterThan(0);
    expect(count(some.map((one) => ({ ...one, context: { needs: ['绿豆'] } })))).toBe(0);
  });

  it('asks the more of a phrase the more bidders it could be about', () => {
    const pairs = signs.flatMap((a) => signs.filter((b) => b !== a).map((b) => a + b));
    const many = (bidders: readonly string[]) =>
      createSpotter({
        model,
        phrases: [{ ...phrase('many'), phraseId: 'many', forms: pairs }],
        project: { bidders: bidders.map((one) => [one]) },
        tellSuspected: true,
        ungated: true,
      })
        .accept(SOUND)
        .filter(({ level }) => level === 'suspected');
    const { suspected: usual } = limitsOf([[1], [2]]);
    const [nobody, all] = [many([]), many(signs)];
    expect(nobody.length).toBeGreaterThan(0);
    for (const { threshold } of nobody) expect(threshold).toBeCloseTo(usual);
    expect(all.length).toBeGreaterThan(0);
    for (const { threshold } of all) expect(threshold).toBeCloseTo(Math.min(usual + Math.log(pairs.length) / 2, -0.25));
  });
});
