/** Words of the subject in running speech: what belongs to the evaluation is covered, small talk is not. */
import { describe, expect, it } from 'vitest';
import { neutralSentences } from '../../../../../models/speech/lexicon/neutral.ts';
import type { ProjectWords } from '../../../../../models/speech/lexicon/slots.ts';
import { createVocabulary } from '../../../../../models/speech/lexicon/vocabulary.ts';
import { soundsOf } from '../../../../../models/speech/syllables.ts';
import { createTalkCount } from '../../../../../models/speech/talk.ts';

const spell = (text: string) => soundsOf(text).split(' ').filter(Boolean);
const share = (texts: readonly string[], project?: ProjectWords) => {
  const vocabulary = createVocabulary({ language: 'zh', spell, ...(project ? { project } : {}) });
  const units = texts.flatMap(spell);
  return units.reduce((sum, unit) => sum + vocabulary.push(unit), 0) / units.length;
};

describe('createVocabulary', () => {
  it('covers talk of the evaluation and no small talk', () => {
    expect(share(neutralSentences('zh'))).toBeGreaterThan(0.3);
    expect(share(['今天中午吃什么', '我儿子今年上高三了', '昨晚的球赛你看了吗', '周末我们去爬山吧'])).toBeLessThan(
      0.05,
    );
  });

  it('counts each unit once, where words overlap', () => {
    expect(share(['招标文件'])).toBe(1);
    expect(share(['投标文件报价'])).toBe(1);
  });

  it('knows the bidders of the project', () => {
    expect(share(['华远怎么样'])).toBe(0);
    expect(share(['华远怎么样'], { bidders: [['华远']] })).toBe(0.4);
  });

  it('knows the topics that a pack names', () => {
    expect(share(['沥青铺两层'])).toBe(0);
    expect(share(['沥青铺两层'], { bidders: [], topics: ['沥青'] })).toBe(0.4);
  });
});

describe('createTalkCount', () => {
  it('gives a count every five seconds', () => {
    const count = createTalkCount({ language: 'zh', spell });
    expect(count.advance(48_000)).toBeUndefined();
    for (const unit of spell('报价很高')) count.unit(unit);
    expect(count.advance(48_000)).toEqual({ samples: 96_000, units: 4, covered: 2 });
    expect(count.advance(80_000)).toEqual({ samples: 80_000, units: 0, covered: 0 });
  });
});
