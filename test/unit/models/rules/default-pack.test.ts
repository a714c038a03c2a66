/** The shipped pack on sentences that people say in the room: what is negated, quoted or read out is silent, what is meant counts. */
import { describe, expect, it } from 'vitest';
import { loadRulePack } from '../../../../models/rules/load.ts';
import { createLexicon, englishUnits, mandarinUnits, type Units } from '../../../../models/speech/lexicon/lexicon.ts';
import { soundsOf } from '../../../../models/speech/syllables.ts';

const { phrases } = loadRulePack('default');
const categories = new Map(phrases.map(({ phraseId, category }) => [phraseId, category]));
const mandarin = mandarinUnits(soundsOf);
const project = { bidders: [['华远建设工程有限公司', '华远']] };

/** Categories of what is raised, one for each hit. */
function raised(text: string, units: Units): (string | undefined)[] {
  const lexicon = createLexicon({ phrases, units, project });
  const hits = [...units.spell(text).flatMap((unit) => lexicon.push(unit)), ...lexicon.flush()];
  return hits.map(({ phraseId }) => categories.get(phraseId));
}

const lines = (text: string) => text.trim().split(/\s+/);

describe('the default pack on what is said in Mandarin', () => {
  it.each(
    lines(`
    投标人不得围标串标 严禁围标串标 招标文件规定围标串标的作废标处理 有没有围标串标的情形
    请不要把手机带进来 请不要给这家打最低分 请各位专家不要给第三家打高一点 不能因为是外地企业就不要了
    不要提醒他们补一份材料 不能把分数改成一样的 不得以任何方式把打分情况发出去 把分数不要发给外面
    评分办法规定报价最低的给他打最高分 根据评标办法给他打最高分 按评标办法报价最低的给这家打最高分
    根据评分标准第一家打高一点 按照招标文件本地企业优先考虑 领导没有打过招呼 请贵公司补个说明就行
    专家不得收受投标人的红包 请大家不要打电话问问那家公司 请大家不要关照一下第一家 不要关照一下华远 不许不用看文件直接打分`),
  )('says nothing of a rule, a quotation, a clarification: %s', (text) => {
    expect(raised(text, mandarin)).toEqual([]);
  });

  it.each(
    lines(`
    你要是不给他打最高分 如果不能给他打最高分以后别来了 不能不给他打最高分 别忘了给他打最高分 不要忘了给他打最高分
    能不能给他打最高分 别人都给他打最高分 特别给他打最高分 不管招标文件规定给他打最高分 不用管评标办法给他打最高分
    不能让这家中标 外地企业就不要了 就选第八家吧 给第三家打高分 这家给高点分 第三家打低一点`),
  )('counts a threat, a reminder, a rule set aside, and a phrase that holds a negation itself: %s', (text) => {
    expect(raised(text, mandarin)).toEqual(['tendentious']);
  });

  it.each([
    ['这个项目已经内定了', 'prohibited'],
    ['回扣百分之五', 'prohibited'],
    ['说好了回扣给百分之三', 'prohibited'],
    ['甲方指定了中标人', 'prohibited'],
    ['领导打过招呼', 'suggestive'],
    ['第三家心里有数', 'suggestive'],
    ['第八家打过招呼', 'suggestive'],
    ['多关照华远', 'suggestive'],
    ['劳务费给多少钱', 'fee'],
  ])('hears the plain forms of the discipline: %s', (text, category) => {
    expect(raised(text, mandarin)).toEqual([category]);
  });

  it('knows the bidders of the project where a phrase needs one', () => {
    expect(raised('帮忙说句好话', mandarin)).toEqual([]);
    expect(raised('华远帮忙说句好话', mandarin)).toEqual(['suggestive']);
    expect(raised('第六家帮忙说句好话', mandarin)).toEqual(['suggestive']);
  });
});

describe('the default pack on what is said in English', () => {
  it.each([
    'please do not give them the highest score',
    'you must not change the scores afterwards',
    'according to the tender documents give them the highest score',
    'nobody may send them a picture of the scores',
    "they can't give the third bidder a higher score",
    'please do not forget about the other companies',
  ])('says nothing of a rule or a quotation: %s', (text) => {
    expect(raised(text, englishUnits)).toEqual([]);
  });

  it.each([
    'if you do not give them the highest score',
    'do not forget to give them the highest score',
    'never mind the rules give them the highest score',
    'give the third bidder a higher score',
    'we should not choose outsiders',
  ])('counts a threat, a reminder, a rule set aside: %s', (text) => {
    expect(raised(text, englishUnits)).toEqual(['tendentious']);
  });
});
