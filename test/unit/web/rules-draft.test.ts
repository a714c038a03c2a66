/** The draft of a rule pack in the browser: what counts as a change, what it is called, and the sentences of thresholds. */
import { describe, expect, it } from 'vitest';
import { readWav } from '../../../cloud/review/rules-sound.ts';
import { formatAddress, parseAddress } from '../../../cloud/web/address.ts';
import {
  changeCount,
  freshId,
  phraseChanges,
  proposedName,
  recordingOf,
  ruleChanges,
  withoutPhrase,
  withPhrase,
  withRule,
} from '../../../cloud/web/state/rules-draft.ts';
import { ruleSentence, spanWords } from '../../../cloud/web/words/limits.ts';
import { loadRulePack } from '../../../models/rules/load.ts';
import type { RulePack } from '../../../protocol/rules.ts';

const base = loadRulePack('default');
const [first, second] = base.phrases as [RulePack['phrases'][number], RulePack['phrases'][number]];

describe('a draft', () => {
  it('counts what differs from its base, and nothing once it is as before', () => {
    let draft = withPhrase(base, { ...first, forms: [...first.forms, '另一种说法吧'] });
    draft = withoutPhrase(draft, second.phraseId);
    draft = withPhrase(draft, { ...first, phraseId: freshId(draft, 'zh-CN', 'prohibited'), forms: ['新的一句话'] });
    draft = withRule(draft, 'phone', undefined);
    expect([...phraseChanges(base, draft)]).toEqual([
      [first.phraseId, 'edited'],
      ['zh-pro-own-1', 'added'],
      [second.phraseId, 'removed'],
    ]);
    expect(ruleChanges(base, draft)).toEqual(['phone']);
    expect(changeCount(base, draft)).toBe(4);
    expect(freshId(draft, 'zh-CN', 'prohibited')).toBe('zh-pro-own-2');
    const back = withRule(withoutPhrase(draft, 'zh-pro-own-1'), 'phone', { ...base.rules.phone! });
    expect(changeCount(base, withPhrase(withPhrase(back, second), first))).toBe(0);
    expect(changeCount(base, { ...base, cooldownMs: 1 })).toBe(1);
  });

  it('is called by the next version, or by a name of its own where its base came with the product', () => {
    const taken = ['1.0.0', '1.0.9', '1.0.10'].map((version) => ({ name: 'zhejiang', version }));
    expect(proposedName({ name: 'zhejiang', version: '1.0.9' }, false, taken)).toEqual({
      name: 'zhejiang',
      version: '1.0.11',
    });
    expect(proposedName({ name: 'default', version: '1.0.0' }, true, taken)).toEqual({
      name: 'province',
      version: '1.0.0',
    });
  });

  it('sends a recording in a form that the cloud reads', async () => {
    const sound = Float32Array.from({ length: 16_000 }, (_, i) => Math.sin(i / 10));
    const heard = readWav(new Uint8Array(await recordingOf(sound).arrayBuffer()));
    expect(heard.length).toBe(16_000);
    expect(heard[100]! / 32_768).toBeCloseTo(sound[100]!, 3);
  });

  it('has an address', () => {
    const place = { page: 'rules', pack: 'zhejiang@1.0.1', tab: 'limits' } as const;
    expect(parseAddress(formatAddress(place))).toEqual(place);
  });
});

describe('the sentence of a rule', () => {
  it.each([
    [500, '0.5 秒', '0.5 s'],
    [30_000, '30 秒', '30 s'],
    [300_000, '5 分', '5 min'],
    [90_000, '1 分 30 秒', '1 min 30 s'],
    [0, '0 秒', '0 s'],
  ])('says %i ms as people do', (ms, zh, en) => {
    expect([spanWords(ms, 'zh'), spanWords(ms, 'en')]).toEqual([zh, en]);
  });

  it('says what will happen, for every rule of the packs, with no figure left out', () => {
    for (const name of ['default', 'demo'])
      for (const [rule, fields] of Object.entries(loadRulePack(name).rules))
        for (const lang of ['zh', 'en'] as const) {
          const words = ruleSentence(rule, fields as never, lang);
          expect(words, rule).not.toMatch(/[{}–_]|undefined|NaN/);
          expect(words, rule).toMatch(lang === 'zh' ? /(提示|警报)/ : /(notice|alarm)/);
        }
    expect(ruleSentence('left_seat', base.rules.left_seat as never, 'zh')).toBe(
      '离开席位，满 30 秒：提示；满 5 分：警报；一场累计满 20 分：警报。',
    );
    expect(ruleSentence('speech_fee', base.rules.speech_fee as never, 'zh')).toContain(
      '仅疑似、未证实的：提示，不计次',
    );
    expect(ruleSentence('phone', { noticeMs: null, alarmMs: null }, 'zh')).toContain('不触发');
  });
});
