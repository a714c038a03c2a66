/** Words of an engine through the lexicon: phrases with their place in the sound, in both languages. */
import { describe, expect, it } from 'vitest';
import { createWordSpotter, type HeardWord, type WordEngine } from '../../../../models/speech/words-spotter.ts';
import type { Phrase } from '../../../../protocol/rules.ts';

const phrase = (phraseId: string, language: string, text: string, more: Partial<Phrase> = {}): Phrase => ({
  phraseId,
  language,
  category: 'prohibited',
  forms: [text],
  citation: 'c',
  ...more,
});

/** An engine that gives these words one utterance at a time: each word is half a second long. */
function engineOf(utterances: readonly (readonly string[])[], sure = 0.9): WordEngine {
  let next = 0;
  let at = 0;
  return {
    accept: () => {
      // Nothing is said before it is there to be heard: each accept brings a second.
      at = Math.max(at, next * 16_000);
      return (utterances[next++] ?? []).map((text): HeardWord => {
        const word = { text, sure, beginSample: at, endSample: at + 8000 };
        at += 8000;
        return word;
      });
    },
    close: () => undefined,
  };
}
const listen = (
  language: string,
  phrases: readonly Phrase[],
  utterances: readonly (readonly string[])[],
  sure?: number,
) => {
  const spotter = createWordSpotter({ engine: engineOf(utterances, sure), language, phrases });
  return utterances.flatMap(() => spotter.accept(new Int16Array(16_000)));
};

describe('createWordSpotter', () => {
  it('finds a Mandarin phrase over the bounds of words, with its place', () => {
    const [hit, ...more] = listen(
      'zh-CN',
      [phrase('p', 'zh-CN', '领导打过招呼')],
      [['今天', '领导', '打过', '招呼', '了']],
    );
    expect(more).toEqual([]);
    expect(hit).toMatchObject({ phraseId: 'p', text: '领导打过招呼', score: 0, beginSample: 8000, endSample: 32_000 });
    expect(hit).toMatchObject({ neededSample: 16_000, heard: 'jin tian 领导打过招呼' });
  });

  it('tells ten seconds after a phrase what was said up to then, and no further', () => {
    const said = [['今天', '领导', '打过', '招呼', '了'], ...Array.from({ length: 24 }, () => ['好'])];
    const spotter = createWordSpotter({
      engine: engineOf(said),
      language: 'zh-CN',
      phrases: [phrase('p', 'zh-CN', '领导打过招呼')],
    });
    const told = said.flatMap(() => {
      const hits = spotter.accept(new Int16Array(16_000));
      return [...hits.map(({ heard }) => heard), ...spotter.later()];
    });
    // The phrase ends after 2 s; words are half a second long.
    const after = ['liao', ...Array.from({ length: 11 }, () => 'hao')];
    expect(told).toEqual([
      'jin tian 领导打过招呼',
      expect.objectContaining({ phraseId: 'p', heard: ['jin tian 领导打过招呼', ...after].join(' ') }),
    ]);
  });

  it('finds what the engine has garbled, with a score under 0 and above its threshold', () => {
    const [hit] = listen('zh-CN', [phrase('p', 'zh-CN', '领导打过招呼')], [['领导', '打个', '招呼']]);
    expect(hit!.score).toBeLessThan(0);
    expect(hit!.score).toBeGreaterThanOrEqual(hit!.threshold);
  });

  it('finds English words by their stems', () => {
    const hits = listen(
      'en',
      [phrase('p', 'en', 'change the scores')],
      [['they', 'changed', 'the', 'score'], ['fine']],
    );
    expect(hits.map((hit) => hit.phraseId)).toEqual(['p']);
  });

  it('minds the words around a phrase', () => {
    const unless = phrase('p', 'zh-CN', '内定中标单位', { context: { unless: ['禁止'] } });
    expect(listen('zh-CN', [unless], [['禁止', '内定', '中标', '单位']])).toEqual([]);
    expect(listen('zh-CN', [unless], [['内定', '中标', '单位']])).toHaveLength(1);
  });

  it('does not confirm what the engine itself doubts', () => {
    expect(listen('en', [phrase('p', 'en', 'change the scores')], [['change', 'the', 'scores']], 0.2)).toEqual([]);
  });

  it('keeps the places right over hours of words', () => {
    const talk = Array.from({ length: 300 }, () => ['我们', '先', '看', '一下', '报价', '清单']);
    const hits = listen('zh-CN', [phrase('p', 'zh-CN', '领导打过招呼')], [...talk, ['领导', '打过', '招呼']]);
    expect(hits).toHaveLength(1);
    expect(hits[0]!.beginSample).toBe(300 * 6 * 8000);
    expect(hits[0]!.endSample).toBe((300 * 6 + 3) * 8000);
  });

  it('passes on what was said within ten seconds of the phrase, and nothing older however little was said since', () => {
    const [hit] = listen(
      'zh-CN',
      [phrase('p', 'zh-CN', '领导打过招呼')],
      [
        ['我们', '昨天', '去', '医院', '看病'],
        ...Array.from({ length: 30 }, () => []),
        ['先', '看', '报价'],
        ['领导', '打过', '招呼'],
      ],
    );
    expect(hit!.heard).toBe('xian kan bao jia 领导打过招呼');
  });
});
