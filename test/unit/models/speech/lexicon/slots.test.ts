/** Slots: no name of a bidder is lost without a word, and nobody's aliases go before another's name. */
import { describe, expect, it } from 'vitest';
import { fillPhrases, fillSlots, leftOutOf } from '../../../../../models/speech/lexicon/slots.ts';
import type { Phrase } from '../../../../../protocol/rules.ts';

const many = (bidders: number, names: number) => ({
  bidders: Array.from({ length: bidders }, (_, i) =>
    Array.from({ length: names }, (_, k) => `某${String.fromCodePoint(0x4e00 + i * 16 + k)}建设工程有限公司`),
  ),
});
const phrase = (forms: string[], context?: Phrase['context']): Phrase => ({
  phraseId: 'p',
  language: 'zh-CN',
  category: 'tendentious',
  forms,
  citation: 'c',
  ...(context ? { context } : {}),
});

describe('fillSlots', () => {
  it('keeps every bidder, every number and every letter at 50 bidders with ten names each', () => {
    const project = many(50, 10);
    const texts = new Set(fillSlots('就选{BIDDER}吧', 'zh-CN', project));
    for (const name of project.bidders.flat()) expect(texts.has(`就选${name}吧`), name).toBe(true);
    for (const name of ['第一家', '第九家', '第十二家', '第五十家', '甲公司', '癸公司'])
      expect(texts.has(`就选${name}吧`), name).toBe(true);
    expect(leftOutOf([phrase(['就选{BIDDER}吧'])], project)).toEqual([]);
  });

  it('counts to ten without bidders, and in English as far as there are some', () => {
    expect(fillSlots('{NUMBER}打高一点', 'zh-CN')).toHaveLength(10);
    expect(fillSlots('{NUMBER}打高一点', 'zh-CN', many(23, 1)).at(-1)).toBe('第二十三家打高一点');
    expect(fillSlots('the {NUMBER} bidder', 'en', many(42, 1)).at(-1)).toBe('the forty second bidder');
  });

  it("has every bidder's first name before anybody's aliases", () => {
    const project = {
      bidders: [
        ['华远', '老华', '阿华'],
        ['中盛', '老盛'],
      ],
    };
    const texts = fillSlots('就选{BIDDER}吧', 'zh-CN', project);
    expect(texts.slice(0, 2)).toEqual(['就选华远吧', '就选中盛吧']);
    expect(texts.indexOf('就选第十家吧')).toBeLessThan(texts.indexOf('就选老华吧'));
  });

  it('reads names with capitals and digits aloud, and names those that nobody can read', () => {
    const project = { bidders: [['TCL科技', '3M公司'], ['iFlow贸易']] };
    const [filled] = fillPhrases([phrase(['就选{BIDDER}吧'])], project);
    expect(filled!.forms).toEqual(expect.arrayContaining(['就选提西艾勒科技吧', '就选三艾木公司吧']));
    expect(filled!.forms.some((form) => /[a-z]/i.test(form))).toBe(false);
    expect(leftOutOf([phrase(['就选{BIDDER}吧'])], project).map(({ text }) => text)).toEqual(['iFlow贸易']);
  });

  it('fills what a phrase needs, and says so where two slots make too many', () => {
    const project = { bidders: [['华远']] };
    const [filled] = fillPhrases([phrase(['帮忙说句好话'], { needs: ['{BIDDER}', '这家'] })], project);
    expect(filled!.context!.needs).toEqual(expect.arrayContaining(['华远', '第六家', '这家']));
    const two = phrase(['{BIDDER}比{BIDDER}好']);
    const found = fillSlots(two.forms[0]!, 'zh-CN', many(30, 2));
    expect(found.length).toBe(1200);
    expect(new Set(found.map((text) => text.split('比')[0])).size).toBeGreaterThan(30);
    expect(leftOutOf([two], many(30, 2))[0]!.reason).toContain('of which 1200 are listened for');
  });
});
