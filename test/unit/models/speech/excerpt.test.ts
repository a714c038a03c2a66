/** What is said after a phrase: nothing from beyond ten seconds, told once, and only where there is more of it. */
import { describe, expect, it } from 'vitest';
import { createExcerpts } from '../../../../models/speech/excerpt.ts';

const S = 16_000;
const hit = (phraseId: string, endS: number) => ({
  ...{ phraseId, text: 'x', score: 0, threshold: -1, heard: 'a x b' },
  beginSample: (endS - 1) * S,
  endSample: endS * S,
});

describe('createExcerpts', () => {
  it('tells once what was said within ten seconds after a phrase, and nothing beyond', () => {
    const excerpts = createExcerpts();
    excerpts.begin(hit('p', 5), 'a x', ['b']);
    for (const [text, s] of [
      ['c', 9],
      ['d', 15],
      ['e', 15.1],
    ] as const)
      excerpts.unit(text, s * S);
    expect(excerpts.due(15.5 * S, S)).toEqual([]);
    expect(excerpts.due(16 * S, S)).toEqual([
      { phraseId: 'p', beginSample: 4 * S, endSample: 5 * S, neededSample: 16 * S, heard: 'a x b c d' },
    ]);
    expect(excerpts.due(30 * S, S)).toEqual([]);
  });

  it('says nothing where nothing more was said, and follows a phrase once that is first suspected and then confirmed', () => {
    const excerpts = createExcerpts();
    excerpts.begin(hit('p', 5), 'a x', ['b']);
    expect(excerpts.due(30 * S, S)).toEqual([]);
    for (let i = 0; i < 2; i++) excerpts.begin(hit('p', 40), 'a x', []);
    excerpts.unit('c', 41 * S);
    expect(excerpts.due(60 * S, S)).toHaveLength(1);
  });

  it('keeps a bounded number of phrases and words', () => {
    const excerpts = createExcerpts();
    for (let i = 0; i < 100; i++) excerpts.begin(hit(`p${i}`, 5), 'x', []);
    for (let i = 0; i < 1000; i++) excerpts.unit('w', 6 * S);
    const told = excerpts.due(20 * S, 0);
    expect(told).toHaveLength(16);
    expect(told.at(-1)).toMatchObject({ phraseId: 'p99' });
    expect(told[0]!.heard.split(' ')).toHaveLength(151);
  });
});
