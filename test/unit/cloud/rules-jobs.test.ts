/** Why a sentence of the rule page does not count: only what the lexicon itself says, never what merely stands in the text. */
import { describe, expect, it } from 'vitest';
import { createRulesJobs } from '../../../cloud/review/rules-jobs.ts';
import { loadRulePack } from '../../../models/rules/load.ts';
import type { Phrase } from '../../../protocol/rules.ts';

const base = loadRulePack('default');
const jobs = createRulesJobs();
const stopped = (context: Phrase['context'], text: string) => {
  const phrase: Phrase = {
    phraseId: 'own-1',
    language: 'zh-CN',
    category: 'prohibited',
    forms: ['老地方拿信封'],
    citation: '招标投标法第五十三条',
    ...(context ? { context } : {}),
  };
  const draft = { ...base, phrases: [phrase] };
  const { hits, stopped: found } = jobs({ kind: 'sentence', draft, language: 'zh-CN', text });
  return { hits: hits.length, stopped: found.map(({ why, ...rest }) => [why, 'word' in rest ? rest.word : undefined]) };
};

describe('a phrase that is heard and does not count', () => {
  it.each([
    ['a word before it', { unless: ['严禁', '没有'] }, '没有老地方拿信封', [['unless', '没有']]],
    ['a word that it needs', { needs: ['第一家'] }, '晚上老地方拿信封', [['needs', undefined]]],
    // The word stands in the sentence, but too far off to forbid anything: what is missing is the needed one.
    [
      'a word that it needs, behind one that is out of reach',
      { unless: ['没有'], needs: ['第一家'] },
      '这里没有人说过什么我们明天晚上再到那个老地方拿信封',
      [['needs', undefined]],
    ],
    ['both', { unless: ['没有'], needs: ['第一家'] }, '没有老地方拿信封', [['both', undefined]]],
    [
      'one that forbids although what it needs is there',
      { unless: ['没有'], needs: ['第一家'] },
      '第一家没有老地方拿信封',
      [['unless', '没有']],
    ],
  ] as const)('says %s', (_what, context, text, expected) => {
    expect(stopped(context, text)).toEqual({ hits: 0, stopped: expected });
  });

  it('counts where the word is out of reach, and nothing is said', () => {
    const text = '这里没有人说过什么我们明天晚上再到那个老地方拿信封';
    expect(stopped({ unless: ['没有'] }, text)).toEqual({ hits: 1, stopped: [] });
  });
});
