/** Signs read aloud: what a phrase with digits, per cent or letters sounds like. */
import { describe, expect, it } from 'vitest';
import { fillPhrases } from '../../../../../models/speech/lexicon/slots.ts';
import { spokenForms } from '../../../../../models/speech/lexicon/spoken.ts';
import { soundsOf } from '../../../../../models/speech/syllables.ts';

describe('spokenForms', () => {
  it.each([
    ['回扣5%', ['回扣百分之五']],
    ['回扣５％', ['回扣百分之五']],
    ['12.5%', ['百分之十二点五']],
    ['OK内定了', ['欧开内定了']],
    ['给2家', ['给两家', '给二家']],
    ['第2家', ['第二家']],
    ['10万元', ['十万元']],
    ['2024年', ['二零二四年', '两千零二十四年']],
    ['招标2024', ['招标两千零二十四', '招标二零二四']],
    ['110分', ['一百一十分', '一一零分']],
    ['1,050,000元', ['一百零五万元']],
    ['12000', ['一万两千', '一二零零零']],
    ['10002', ['一万零二', '一零零零二']],
    ['120000', ['十二万', '一二零零零零']],
    ['007', ['零零七']],
    ['5-10分', ['五到十分']],
    ['没有数字', ['没有数字']],
    ['用email发', ['用email发']],
  ])('%s', (text, said) => {
    expect(spokenForms(text, 'zh-CN')).toEqual(said);
  });

  it.each([
    ['a kickback of 5%', 'a kickback of five percent'],
    ['give him 95 points', 'give him ninety five points'],
    ['1,200 dollars', 'one thousand two hundred dollars'],
    ['2.5 million', 'two point five million'],
    ['the 3rd bidder', 'the 3rd bidder'],
  ])('%s', (text, said) => {
    expect(spokenForms(text, 'en')).toEqual([said]);
  });

  it('has a bound where every number could be said in two ways', () => {
    expect(spokenForms('2家2家2家2家2家', 'zh').length).toBeLessThanOrEqual(6);
  });

  it('is what phrases are filled with and what texts are compared by', () => {
    const phrase = {
      phraseId: 'p',
      language: 'zh-CN',
      category: 'prohibited',
      forms: ['{NUMBER}加5分'],
      citation: 'c',
    } as const;
    expect(fillPhrases([phrase])[0]!.forms).toContain('第二家加五分');
    expect(soundsOf('回扣5%')).toBe(soundsOf('回扣百分之五'));
  });
});
