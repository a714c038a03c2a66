/** Words around a phrase of the English ear: negated, quoted, needed, doubted, or none of the phrase in them. */
import { describe, expect, it } from 'vitest';
import { heardOf, judgeByWords } from '../../../../models/speech/pocketsphinx-context.ts';
import type { SpokenWord } from '../../../../models/speech/pocketsphinx-library.ts';
import type { Keyword } from '../../../../models/speech/pocketsphinx-spotter.ts';
import type { PhraseContext } from '../../../../protocol/rules.ts';

const PHONES = [...'abcdefghij'];
const WORD = 4000;
const keywordWith = (context?: PhraseContext): Keyword => ({
  phraseId: 'p1',
  text: 'They offered us a bribe',
  words: 'they offered us a bribe',
  threshold: -30,
  phones: PHONES,
  context,
});

/** A quarter of a second each, one after the other; `|` is a pause of half a second, `word:0.1` a doubted word. */
function say(text: string): { words: SpokenWord[]; beginSample: number; endSample: number } {
  let at = 0;
  const words: SpokenWord[] = [];
  for (const one of text.split(' ')) {
    if (one === '|') {
      at += 8000;
      continue;
    }
    const [word = '', sure = '1'] = one.split(':');
    const phones = word === 'BRIBED' ? PHONES : ['x'];
    const length = word === 'BRIBED' ? 5 * WORD : WORD;
    words.push({ text: word, sure: Number(sure), beginSample: at, endSample: at + length, phones });
    at += length;
  }
  const phrase = words.find(({ text: word }) => word === 'BRIBED' || word === 'OTHER')!;
  return { words, beginSample: phrase.beginSample, endSample: phrase.endSample };
}
const verdict = (text: string, context?: PhraseContext, score = 0) =>
  judgeByWords({ keyword: keywordWith(context), score, ...say(text) });

describe('judgeByWords', () => {
  const NEGATED = { unless: ['not', 'never', 'tender documents'] };

  it('refuses what is negated or quoted, and tells what is not', () => {
    expect(verdict('i think that BRIBED yesterday', NEGATED)).toBe('allowed');
    expect(verdict('do not say BRIBED', NEGATED)).toBe('refused');
    expect(verdict("you don't say BRIBED", NEGATED)).toBe('refused');
    expect(verdict('the tender document says here on page five BRIBED', NEGATED)).toBe('refused');
  });

  it('tells when the negation is doubted, far off, in the sentence before, or after the phrase', () => {
    expect(verdict('do not:0.1 say BRIBED', NEGATED)).toBe('allowed');
    expect(verdict('never mind the time and listen BRIBED', NEGATED)).toBe('allowed');
    expect(verdict('of course not | BRIBED', NEGATED)).toBe('allowed');
    expect(verdict('BRIBED but not me', NEGATED)).toBe('allowed');
  });

  it('lets a quotation reach over a pause', () => {
    expect(verdict('the tender document says | BRIBED', NEGATED)).toBe('refused');
  });

  it('waits for a needed word, takes a doubted one, and gives up after eight words', () => {
    const NEEDS = { needs: ['second bidder'] };
    expect(verdict('the second:0.1 bidder:0.1 said BRIBED', NEEDS)).toBe('allowed');
    expect(verdict('i know BRIBED it was', NEEDS)).toBe('open');
    expect(verdict('BRIBED it was the second bidder', NEEDS)).toBe('allowed');
    expect(verdict('BRIBED a b c d e f g h the second bidder', NEEDS)).toBe('refused');
  });

  it('without words tells all but what needs some', () => {
    const bare = { score: 0, beginSample: 0, endSample: 8000, words: undefined };
    expect(judgeByWords({ keyword: keywordWith(NEGATED), ...bare })).toBe('allowed');
    expect(judgeByWords({ keyword: keywordWith({ needs: ['bidder'] }), ...bare })).toBe('refused');
  });

  it('refuses what was scarcely spotted and is not in the words at all', () => {
    expect(verdict('we read OTHER here', undefined, -29)).toBe('refused');
    expect(verdict('we read BRIBED here', undefined, -29)).toBe('allowed');
    // Ten phones: ten powers of ten over the threshold are sure enough whatever the words.
    expect(verdict('we read OTHER here', undefined, -20)).toBe('allowed');
  });
});

describe('heardOf', () => {
  it('puts the words before and after around the phrase as the pack writes it', () => {
    const text = 'They offered us a bribe';
    expect(heardOf({ text, ...say('i think BRIBED last week') })).toBe('i think They offered us a bribe last week');
    expect(heardOf({ text, beginSample: 0, endSample: 1, words: undefined })).toBe(text);
  });
});
