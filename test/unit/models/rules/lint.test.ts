/** The shipped packs under the linter, and the linter under packs that it must report. */
import { describe, expect, it } from 'vitest';
import { lintPhrases } from '../../../../models/rules/lint.ts';
import { loadRulePack } from '../../../../models/rules/load.ts';
import { englishUnits, mandarinUnits } from '../../../../models/speech/lexicon/lexicon.ts';
import { everydaySentences, readOutSentences } from '../../../../models/speech/lexicon/neutral.ts';
import { soundsOf } from '../../../../models/speech/syllables.ts';
import type { Phrase } from '../../../../protocol/rules.ts';

const mandarin = mandarinUnits(soundsOf);
const phrase = (phraseId: string, form: string, category: Phrase['category'] = 'suggestive'): Phrase => ({
  phraseId,
  language: 'zh-CN',
  category,
  forms: [form],
  citation: 'c',
});

describe('the default pack', () => {
  const { phrases } = loadRulePack('default');
  const categories = new Map(phrases.map((one) => [one.phraseId, one.category]));

  it('has phrases enough, each with its citation, in every category of both languages', () => {
    expect(phrases.length).toBeGreaterThanOrEqual(120);
    expect(new Set(phrases.map((one) => `${one.language} ${one.category}`)).size).toBe(10);
  });

  it.each([mandarin, englishUnits])(
    'matches no everyday speech, and no phrase of another category: $language',
    (units) => {
      const language = units.language === 'zh' ? 'zh' : 'en';
      const [neutral, readOut] = [everydaySentences(language), readOutSentences(language)];
      const findings = lintPhrases({ phrases, units, neutral, readOut });
      expect(findings.filter((one) => one.kind !== 'neighbour')).toEqual([]);
      const across = findings.filter((one) => categories.get(one.phraseId) !== categories.get(one.otherId ?? ''));
      expect(across.filter((one) => !ACCEPTED.has(one.phraseId))).toEqual([]);
    },
    30_000,
  );
});

describe('what the host of the room reads out', () => {
  const { phrases } = loadRulePack('default');

  it('has the words of many phrases, which their context lets pass', () => {
    const readOut = readOutSentences('zh');
    expect(readOut.length).toBeGreaterThan(300);
    const bare = phrases.map(({ context: _context, ...one }) => one);
    const stopped = new Set(
      lintPhrases({ phrases: bare, units: mandarin, neutral: [], readOut }).map((one) => one.against),
    );
    expect([...stopped].filter((sentence) => readOut.includes(sentence)).length).toBeGreaterThan(50);
  }, 30_000);

  it('finds every phrase that may be negated or quoted guarded against both, in both languages', () => {
    expect(phrases.filter(({ context }) => !context?.unless?.length).map(({ phraseId }) => phraseId)).toEqual([]);
    expect(new Set(phrases.flatMap(({ gravity }) => gravity ?? []))).toEqual(new Set(['notice', 'alarm']));
  });
});

/** A score urged in another's words: suggestive to one reader and tendentious to the next. */
const ACCEPTED = new Set(['zh-sug-20', 'zh-ten-06']);

describe('lintPhrases', () => {
  it('reports a form of two syllables, which is heard half of the times it is said', () => {
    const phrases = [phrase('a', '回扣'), phrase('b', '给你多少回扣')];
    expect(lintPhrases({ phrases, units: mandarin, neutral: [] })).toContainEqual({
      phraseId: 'a',
      form: '回扣',
      kind: 'short',
      against: '回扣',
    });
    expect(lintPhrases({ phrases, units: mandarin, neutral: [] }).filter((one) => one.phraseId === 'b')).toEqual([]);
  });

  it('reports a phrase that everyday speech has, and one that sounds like another', () => {
    const phrases = [phrase('a', '把空调开小一点'), phrase('b', '私下找过我们'), phrase('c', '似下照过我们')];
    const findings = lintPhrases({ phrases, units: mandarin, neutral: ['请工作人员把空调开小一点'] });
    expect(findings).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ phraseId: 'a', kind: 'everyday' }),
        expect.objectContaining({ phraseId: 'b', kind: 'neighbour', otherId: 'c' }),
      ]),
    );
  });
});
