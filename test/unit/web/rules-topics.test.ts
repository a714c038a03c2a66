/** Topics of `off_subject` as they are typed: parted by any comma or line, and left out where there are none. */
import { describe, expect, it } from 'vitest';
import { isTooShort, TOPIC_LENGTH, TOPICS_MAX, topicsOf, withTopics } from '../../../cloud/web/state/rules-draft.ts';
import { ruleName, ruleSentence } from '../../../cloud/web/words/limits.ts';
import { loadRulePack } from '../../../models/rules/load.ts';
import { readDraft } from '../../../models/rules/problems.ts';

describe('withTopics', () => {
  const fields = { share: 0.05, topics: ['路'] };

  it('takes words parted by commas of either kind or lines', () => {
    expect(withTopics(fields, '电梯、 医院，asphalt\n道路,')).toEqual({
      share: 0.05,
      topics: ['电梯', '医院', 'asphalt', '道路'],
    });
  });

  it('leaves the key out where nothing is typed: a pack with an empty list would be another pack', () => {
    expect(withTopics(fields, ' \n')).toEqual({ share: 0.05 });
  });
});

describe('what the page says of topics', () => {
  const pack = loadRulePack('default');
  const faults = (topics: readonly string[]) => {
    const read = readDraft({ ...pack, rules: { ...pack.rules, off_subject: { ...pack.rules.off_subject!, topics } } });
    return 'problem' in read ? 1 : read.problems.length;
  };

  it('is what a pack takes: so many, and so long', () => {
    const words = Array.from({ length: TOPICS_MAX + 1 }, (_, n) => `电梯${n}`);
    expect([faults(words.slice(1)), faults(words)]).toEqual([0, 1]);
    expect([faults(['梯'.repeat(TOPIC_LENGTH)]), faults(['梯'.repeat(TOPIC_LENGTH + 1)])]).toEqual([0, 1]);
    expect(topicsOf({ topics: ['电梯'] })).toEqual(['电梯']);
    expect(topicsOf({})).toEqual([]);
  });

  it('names what no ear minds', () => {
    expect(['机', '电梯', 'a', '5'].filter(isTooShort)).toEqual(['机']);
  });

  it('has a name for the rule, and no blank where Chinese has none', () => {
    expect([ruleName('off_subject', 'zh'), ruleName('off_subject', 'en')]).toEqual([
      '无关话题（整段谈话）',
      'Off-topic talk as a whole',
    ]);
    expect(ruleName('left_seat', 'zh')).not.toContain('_');
    expect(ruleSentence('off_subject', { ...pack.rules.off_subject! }, 'zh')).toMatch(/^1 分内的话少于/);
  });
});
