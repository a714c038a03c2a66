/** The lexicon on typed talk: garbled phrases found, everyday speech left alone, context and slots obeyed. */
import { describe, expect, it } from 'vitest';
import { createExact } from '../../../../../models/speech/lexicon/exact.ts';
import { createFuzzy } from '../../../../../models/speech/lexicon/fuzzy.ts';
import { createLexicon, englishUnits, mandarinUnits } from '../../../../../models/speech/lexicon/lexicon.ts';
import { fillSlots } from '../../../../../models/speech/lexicon/slots.ts';
import {
  confusionsOf,
  splitSyllable,
  stemCost,
  stemOf,
  syllableCost,
} from '../../../../../models/speech/lexicon/sounds.ts';
import { soundsOf } from '../../../../../models/speech/syllables.ts';
import type { Phrase } from '../../../../../protocol/rules.ts';
import { measureLexicon } from '../../../../../scripts/bench/lexicon.ts';

const units = mandarinUnits(soundsOf);
const phrase = (phraseId: string, forms: string[], context?: Phrase['context'], language = 'zh-CN'): Phrase => ({
  phraseId,
  language,
  category: 'tendentious',
  forms,
  citation: 'c',
  ...(context ? { context } : {}),
});
const hear = (phrases: readonly Phrase[], syllables: readonly string[], bidders: string[][] = []) => {
  const lexicon = createLexicon({ phrases, units, project: { bidders } });
  return [...syllables.flatMap((unit) => lexicon.push(unit)), ...lexicon.flush()];
};
const say = (phrases: readonly Phrase[], text: string, bidders: string[][] = []) =>
  hear(phrases, units.spell(text), bidders).map((hit) => hit.phraseId);

describe('sounds', () => {
  it('takes syllables apart and knows what is mixed up', () => {
    expect([splitSyllable('zhuang'), splitSyllable('an'), splitSyllable('a')]).toEqual([
      ['zh', 'uang'],
      ['', 'an'],
      ['', 'a'],
    ]);
    expect(syllableCost('shi', 'shi')).toBe(0);
    expect(syllableCost('shang', 'san')).toBe(0.5);
    expect(syllableCost('shang', 'sang')).toBe(0.25);
    expect(syllableCost('ma', 'quan')).toBe(1);
    expect(confusionsOf('zhang')).toEqual(expect.arrayContaining(['zang', 'zhan']));
  });

  it('knows a word by its stem', () => {
    expect(stemOf('Scores')).toBe(stemOf('scoring'));
    expect(stemCost('bidder', 'bidder')).toBe(0);
    expect(stemCost('bidder', 'window')).toBeGreaterThan(0.9);
  });
});

describe('createExact', () => {
  it('finds overlapping patterns and those inside others', () => {
    const exact = createExact([['a', 'b', 'a'], ['b', 'a', 'c'], ['a'], []]);
    expect([...'abac'].map((unit) => [...exact.push(unit)].sort())).toEqual([[2], [], [0, 2], [1]]);
  });
});

describe('createFuzzy', () => {
  const same = (a: string, b: string) => (a === b ? 0 : 1);
  const run = (pattern: string, limit: number, text: string) => {
    const fuzzy = createFuzzy([{ units: [...pattern], limit }], same);
    return [...text].flatMap((unit) => fuzzy.push(unit));
  };

  it('agrees with the whole table of costs', () => {
    expect(run('abcde', 0, 'xxabcdexx')).toEqual([{ pattern: 0, cost: 0, begin: 2, end: 6 }]);
    expect(run('abcde', 1, 'xxabXdexx')).toEqual([{ pattern: 0, cost: expect.closeTo(1), begin: 2, end: 6 }]);
    expect(run('abcde', 1, 'xxabdexx')).toEqual([{ pattern: 0, cost: expect.closeTo(0.8), begin: 2, end: 5 }]);
    expect(run('abcde', 1, 'xxabcXdexx')).toEqual([{ pattern: 0, cost: expect.closeTo(0.5), begin: 2, end: 7 }]);
    expect(run('abcde', 0.9, 'xxabXYexx')).toEqual([]);
  });

  it('tells a match once, and again when it is said again', () => {
    expect(run('abcd', 1.1, 'abcdyyyyabcd')).toHaveLength(2);
  });
});

describe('createLexicon', () => {
  const scores = [phrase('p', ['给他打最高分'])];

  it('finds a phrase within talk although syllables were misheard, lost or added', () => {
    expect(say(scores, '我看还是给他打最高分算了')).toEqual(['p']);
    expect(hear(scores, 'wo kan gei ta da zui gao hen suan le'.split(' '))).toHaveLength(1);
    expect(hear(scores, 'wo kan gei ta zui gao fen suan le'.split(' '))).toHaveLength(1);
    expect(hear(scores, 'wo kan gei ta da le zui gao fen'.split(' '))).toHaveLength(1);
    expect(say(scores, '请大家先看一下技术部分')).toEqual([]);
  });

  it('takes short forms only as they are', () => {
    const short = [phrase('p', ['回扣'])];
    expect(say(short, '他说有回扣')).toEqual(['p']);
    expect(hear(short, 'ta shuo you hui gou'.split(' '))).toEqual([]);
  });

  it('is silent after a negation or a quotation, and not after one long before', () => {
    const guarded = [phrase('p', ['给他打最高分'], { unless: ['不能', '招标文件规定'] })];
    expect(say(guarded, '不能给他打最高分')).toEqual([]);
    expect(say(guarded, '招标文件规定什么情况给他打最高分')).toEqual([]);
    expect(say(guarded, '这个证书不能得分另外一家的材料比较齐全给他打最高分')).toEqual(['p']);
  });

  it('lets a negation or a quotation reach less far over a pause', () => {
    const guarded = [phrase('p', ['给他打最高分'], { unless: ['没有', '招标文件规定'] })];
    const judged = (text: string, pausedBehind: string) => {
      const lexicon = createLexicon({ phrases: guarded, units });
      const end = units.spell(text).length - 1;
      units.spell(text).forEach((unit, i) => {
        lexicon.push(unit);
        if (i === units.spell(pausedBehind).length - 1) lexicon.pause();
      });
      return lexicon.judge('p', end - 5, end);
    };
    expect(judged('偏离表没有填写给他打最高分', '')).toBe('refused');
    expect(judged('偏离表没有填写给他打最高分', '偏离表没有填写')).toBe('allowed');
    expect(judged('偏离表没有填写给他打最高分', '偏离表')).toBe('refused');
    expect(judged('招标文件规定的情况给他打最高分', '招标文件规定的情况')).toBe('refused');
    expect(judged('招标文件规定什么情况最好的一家才给他打最高分', '招标文件规定')).toBe('allowed');
  });

  it('takes what is said of the opposite for one thing, the one that was said', () => {
    const opposites = [phrase('high', ['第一家打高一点']), phrase('low', ['第一家打低一点'])];
    expect(say(opposites, '我看第一家打高一点')).toEqual(['high']);
    expect(say(opposites, '我看第一家打低一点')).toEqual(['low']);
  });

  it('is silent while rules are read out, although a word of them was misheard, and not long after', () => {
    const guarded = [phrase('p', ['给外面打个电话'], { unless: ['不得', '严禁', '禁止'] })];
    const reading = units.spell('不得私下接触投标人严禁收受财物');
    const said = units.spell('给外面打个电话');
    expect(hear(guarded, [...reading, 'yan', 'jun', ...said])).toEqual([]);
    expect(hear(guarded, [...reading, ...Array<string>(80).fill('a'), ...said])).toHaveLength(1);
  });

  it('waits for a needed word on either side, and gives up', () => {
    const needing = [phrase('p', ['关照一下'], { needs: ['第三家', '甲公司'] })];
    expect(say(needing, '第三家请关照一下')).toEqual(['p']);
    expect(say(needing, '请关照一下那个甲公司')).toEqual(['p']);
    expect(say(needing, '请关照一下空调的温度我有点冷')).toEqual([]);
  });

  it('judges what another engine found by the same words', () => {
    const lexicon = createLexicon({ phrases: [phrase('p', ['给他打最高分'], { unless: ['不能'] })], units });
    for (const unit of units.spell('不能给他')) lexicon.push(unit);
    expect(lexicon.judge('p', 2, 3)).toBe('refused');
    expect(lexicon.judge('p', 9, 12)).toBe('allowed');
  });

  it('fills slots with the names of the bidders, and with ordinals where there are none', () => {
    expect(fillSlots('就选{BIDDER}吧', 'zh-CN')).toEqual(expect.arrayContaining(['就选第一家吧', '就选甲公司吧']));
    const slotted = [phrase('p', ['就选{BIDDER}吧'])];
    expect(say(slotted, '就选华远建设吧', [['华远建设工程有限公司', '华远建设']])).toEqual(['p']);
    expect(say(slotted, '就选华远吧', [['华远建设工程有限公司']])).toEqual(['p']);
    expect(fillSlots('make sure the {NUMBER} bidder wins', 'en')).toContain('make sure the second bidder wins');
  });

  it('takes a contraction for the two words that it stands for', () => {
    expect(englishUnits.spell("we can't and Cannot, they won’t, don't")).toEqual(
      englishUnits.spell('we can not and can not they will not do not'),
    );
  });

  it('lets an English negation reach over two words, and what is quoted over twelve', () => {
    const english = [phrase('p', ['they offered us a bribe'], { unless: ['never', 'tender documents'] }, 'en')];
    const told = (text: string) => {
      const lexicon = createLexicon({ phrases: english, units: englishUnits });
      return englishUnits.spell(text).flatMap((unit) => lexicon.push(unit)).length;
    };
    expect(told('never say that they offered us a bribe')).toBe(0);
    expect(told('never mind the time and listen they offered us a bribe')).toBe(1);
    expect(told('the tender documents mind the time and listen they offered us a bribe')).toBe(0);
  });

  it('finds English by stems', () => {
    const english = [phrase('p', ['they offered us a bribe'], undefined, 'en')];
    const lexicon = createLexicon({ phrases: english, units: englishUnits });
    const hits = englishUnits.spell('i think they offer us a bribes yesterday').flatMap((unit) => lexicon.push(unit));
    expect(hits.map((hit) => hit.phraseId)).toEqual(['p']);
  });
});

describe('the lexicon behind a channel that garbles syllables', () => {
  it('keeps its promises on the shipped pack and the neutral sentences', () => {
    const { patterns, sentences, rows } = measureLexicon({ patterns: 500, seed: 3, rounds: 1, rates: [0.1, 0.24] });
    expect(patterns).toBe(500);
    expect(sentences).toBeGreaterThanOrEqual(2000);
    expect(rows[0]!.recall).toBeGreaterThanOrEqual(0.95);
    expect(rows[1]!.recall).toBeGreaterThanOrEqual(0.85);
    for (const { falsePerHour } of rows) expect(falsePerHour).toBeLessThanOrEqual(0.1);
  }, 60_000);
});
