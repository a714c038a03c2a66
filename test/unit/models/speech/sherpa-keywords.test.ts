/** What sherpa-onnx is told: hotwords and keyword lines in the model's own tokens, and what it cannot be told. */
import { describe, expect, it } from 'vitest';
import {
  hotwordLines,
  modelingUnitOf,
  partlyOf,
  planSherpaKeywords,
  readPronunciations,
  readTokens,
} from '../../../../models/speech/sherpa-keywords.ts';
import { createKeywordSpotter } from '../../../../models/speech/sherpa-spotter.ts';
import { reasonOf } from '../../../../protocol/why.ts';

const phrase = (phraseId: string, language: string, ...forms: string[]) => ({
  phraseId,
  language,
  category: 'prohibited' as const,
  forms,
  citation: 'c',
});
const PPINYIN = readTokens(
  ['<blk> 0', 'zh 1', 'ào 2', 'g 3', 'ù 4', 'y 5', 'í 6', 'x 7', 'ià 8', 'āo 9', 'h 10', 'ū 11', 'ī 12'].join('\n'),
);

describe('readTokens', () => {
  it('takes the token of each line and leaves its number, in files of any system', () => {
    expect([...readTokens('<blk> 0\r\n▁HE 1\r\n领 2\n')]).toEqual(['<blk>', '▁HE', '领']);
  });
});

describe('hotwords', () => {
  it('are spelt in characters, in pieces of words, in both, or not at all', () => {
    expect(modelingUnitOf(new Set(['领', '导']), false)).toBe('cjkchar');
    expect(modelingUnitOf(new Set(['▁HE', 'LL']), true)).toBe('bpe');
    expect(modelingUnitOf(new Set(['▁HE', '领']), true)).toBe('cjkchar+bpe');
    expect(modelingUnitOf(new Set(['▁HE', 'LL']), false)).toBeUndefined();
  });

  it('leave out what the model has no tokens for, and what stands there twice', () => {
    const tokens = new Set([...'领导打过招呼']);
    const phrases = [phrase('a', 'zh-CN', '领导，打过招呼！', '内定了'), phrase('b', 'zh-CN', '领导打过招呼', '选A')];
    expect(hotwordLines(phrases, tokens, 'cjkchar')).toEqual(['领导打过招呼']);
  });

  it('are written in capitals for a model of English', () => {
    expect(hotwordLines([phrase('a', 'en', 'change the scores')], new Set(), 'bpe')).toEqual(['CHANGE THE SCORES']);
  });
});

describe('planSherpaKeywords', () => {
  it('spells initials and toned finals, with favour, threshold and the name that comes back', () => {
    const { lines, formOf, unheard } = planSherpaKeywords({
      phrases: [phrase('p', 'zh-CN', '照顾一下')],
      tokens: PPINYIN,
    });
    expect(lines).toEqual(['zh ào g ù y í x ià :1.5 #0.25 @照顾一下']);
    expect(formOf.get('照顾一下')).toEqual({ phraseId: 'p', text: '照顾一下' });
    expect(unheard).toEqual([]);
  });

  it('puts the own tone of a character where its neutral one has no token', () => {
    const { lines } = planSherpaKeywords({ phrases: [phrase('p', 'zh-CN', '招呼')], tokens: PPINYIN });
    expect(lines).toEqual(['zh āo h ū :1.5 #0.35 @招呼']);
  });

  it('names what it cannot spell', () => {
    const { lines, unheard } = planSherpaKeywords({
      phrases: [phrase('p', 'zh-CN', '内定'), phrase('q', 'en', 'a bribe'), phrase('r', 'zh-CN', '照')],
      tokens: PPINYIN,
    });
    expect(lines).toEqual([]);
    expect(unheard.map(({ phraseId }) => phraseId)).toEqual(['p', 'q', 'r']);
    expect(unheard[0]!.reason).toContain('内');
    expect(unheard[1]!.reason).toContain('en.phone');
  });

  it('is deaf to a phrase that counts near certain words only, and says which it tells where they are negated', () => {
    const phrases = [
      { ...phrase('near', 'zh-CN', '招呼'), context: { needs: ['公司'] } },
      { ...phrase('negated', 'zh-CN', '照顾一下'), context: { unless: ['不要'] } },
      { ...phrase('mute', 'zh-CN', '内定'), context: { unless: ['没有'] } },
    ];
    const keywords = planSherpaKeywords({ phrases, tokens: PPINYIN });
    expect([...keywords.formOf.values()].map(({ phraseId }) => phraseId)).toEqual(['negated']);
    expect(keywords.unheard.map(({ phraseId }) => phraseId)).toEqual(['near', 'mute']);
    const partly = reasonOf(partlyOf({ phrases, keywords }));
    expect(partly).toMatch(/^deaf to near \(.*certain words.*\); mute \(.*\); tells .* negated or quoted: negated$/);
  });

  it('tells all of them beside an engine that minds the words around', () => {
    const phrases = [
      { ...phrase('near', 'zh-CN', '招呼'), context: { needs: ['公司'] } },
      { ...phrase('negated', 'zh-CN', '照顾一下'), context: { unless: ['不要'] } },
    ];
    const keywords = planSherpaKeywords({ phrases, tokens: PPINYIN, minded: true });
    expect(keywords.formOf.size).toBe(2);
    expect(reasonOf(partlyOf({ phrases, keywords, minded: true }))).toBeUndefined();
  });

  it('spells English by the pronunciations that came with the model', () => {
    const pronunciations = readPronunciations('CHANGE CH EY1 N JH\nTHE DH AH0\nTHE DH IY0\nSCORES S K AO1 R Z\n');
    const tokens = new Set('CH EY1 N JH DH AH0 S K AO1 R Z'.split(' '));
    const plan = planSherpaKeywords({
      phrases: [phrase('p', 'en', 'Change the scores!'), phrase('q', 'en', 'change the zyzzyva')],
      tokens,
      pronunciations,
    });
    expect(plan.lines).toEqual(['CH EY1 N JH DH AH0 S K AO1 R Z :1.5 #0.35 @Change_the_scores']);
    expect(plan.formOf.get('Change_the_scores')).toEqual({ phraseId: 'p', text: 'Change the scores!' });
    expect(plan.unheard).toEqual([{ phraseId: 'q', reason: expect.stringContaining('zyzzyva') }]);
  });
});

describe('createKeywordSpotter', () => {
  const keywords = planSherpaKeywords({ phrases: [phrase('p', 'zh-CN', '照顾一下')], tokens: PPINYIN });
  const listen = (told: readonly (readonly string[])[]) => {
    let block = 0;
    const spotter = createKeywordSpotter({
      engine: {
        accept: () => (told[block++] ?? []).map((keyword) => ({ keyword, lastedS: 0.8 })),
        close: () => undefined,
      },
      keywords,
    });
    return told.flatMap(() => spotter.accept(new Int16Array(8000)));
  };

  it('makes hits of what is told, where the sound is that was given, and passes over other names', () => {
    expect(listen([[], [], ['照顾一下', '别的'], []])).toEqual([
      {
        phraseId: 'p',
        text: '照顾一下',
        score: 0,
        threshold: 0,
        beginSample: 24_000 - 12_800 - 3200,
        endSample: 24_000,
        heard: '照顾一下',
      },
    ]);
  });

  it('tells a phrase once within a second', () => {
    expect(listen([['照顾一下'], ['照顾一下'], [], [], ['照顾一下']])).toHaveLength(2);
  });
});
