/** The English spotter over a decoder that the test plays: thresholds per phone, unknown words, times, doubles, and cuts. */
import { describe, expect, it } from 'vitest';
import type { Decoder, Segment, SpokenWord } from '../../../../models/speech/pocketsphinx-library.ts';
import {
  carelessOf,
  createEnglishSpotter,
  keywordFile,
  planKeywords,
  wordsOf,
} from '../../../../models/speech/pocketsphinx-spotter.ts';
import { reasonOf } from '../../../../protocol/why.ts';

const DICTIONARY: Record<string, string[]> = {
  change: ['CH', 'EY', 'N', 'JH'],
  the: ['DH', 'AH'],
  scores: ['S', 'K', 'AO', 'R', 'Z'],
  go: ['G', 'OW'],
};
const phones = (word: string) => DICTIONARY[word];
const phrase = (phraseId: string, ...forms: string[]) => ({
  phraseId,
  language: 'en',
  category: 'prohibited' as const,
  forms,
  citation: 'c',
});

/** Spots what stands in `due` once that many frames were fed. */
function player(due: Segment[]) {
  const fed: Int16Array[] = [];
  const counts = { utterances: 0 };
  let samples = 0;
  let sinceBegin = 0;
  let speech = false;
  const decoder: Decoder = {
    phones,
    spot: () => true,
    begin: () => {
      counts.utterances++;
      sinceBegin = samples;
    },
    end: () => undefined,
    feed: (block) => {
      fed.push(block);
      samples += block.length;
    },
    inSpeech: () => speech,
    close: () => undefined,
    segments: () => due.filter((s) => s.beginFrame * 160 >= sinceBegin && s.endFrame * 160 + 1600 <= samples),
  };
  const talk = (on: boolean) => {
    speech = on;
  };
  return { decoder, fed, counts, talk };
}

describe('planKeywords', () => {
  it('spells as the dictionary does and asks for more per phone the fewer there are', () => {
    expect(wordsOf("Change the scores, don't!")).toEqual(['change', 'the', 'scores', "don't"]);
    const { keywords, unheard } = planKeywords([phrase('p1', 'Change the scores!')], { phones });
    expect(unheard).toEqual([]);
    expect(keywordFile(keywords)).toBe('change the scores /1e-27.5/\n');
  });

  it('names the word that is not in the dictionary, keeps the other forms, refuses what is too short', () => {
    const { keywords, unheard } = planKeywords(
      [phrase('p1', 'change the zyzzyva', 'change the scores'), phrase('p2', 'go')],
      { phones },
    );
    expect(keywords.map((keyword) => keyword.words)).toEqual(['change the scores']);
    expect(unheard).toEqual([
      { phraseId: 'p1', reason: 'not in the dictionary: zyzzyva' },
      { phraseId: 'p2', reason: expect.stringContaining('too short') },
    ]);
  });
});

describe('createEnglishSpotter', () => {
  const { keywords } = planKeywords([phrase('p1', 'Change the scores')], { phones });
  const said = (beginFrame: number, endFrame: number): Segment => ({
    word: 'change the scores',
    beginFrame,
    endFrame,
    score: -1500,
  });

  /** The same phrase where words around it matter: they are read. */
  const minding = planKeywords([{ ...phrase('p1', 'Change the scores'), context: { unless: ['never'] } }], {
    phones,
  }).keywords;

  it('tells at once, without reading, what no word around it could change', () => {
    const { decoder } = player([said(50, 120)]);
    let asked = 0;
    const wordsOf = () => {
      asked++;
      return [];
    };
    const spot = createEnglishSpotter({ ...decoder, wordsOf }, keywords);
    const hits = Array.from({ length: 20 }, () => spot(new Int16Array(1600))).flat();
    expect(hits.map(({ heard }) => heard)).toEqual(['Change the scores']);
    expect(asked).toBe(0);
    const doubted = player([{ ...said(50, 120), score: -1500 - 250_000 }]);
    const wary = createEnglishSpotter({ ...doubted.decoder, wordsOf }, keywords);
    for (let i = 0; i < 20; i++) wary(new Int16Array(1600));
    expect(asked).toBe(1);
  });

  it('reads what was said in the ten seconds after a phrase, once', () => {
    const { decoder } = player([said(50, 120)]);
    const read: number[] = [];
    const wordsOf = (sound: Int16Array) => {
      read.push(sound.length);
      const at = (text: string, sample: number) => ({
        ...{ text, sure: 1, phones: [] },
        beginSample: sample,
        endSample: sample + 1600,
      });
      return [
        ...(read.length === 1 ? [at('please', 1000)] : []),
        at('now', sound.length - 3300),
        ...(read.length === 2 ? [at('then', sound.length - 1700)] : []),
      ];
    };
    const spot = createEnglishSpotter({ ...decoder, wordsOf }, minding);
    const told = Array.from({ length: 300 }, () => {
      const hits = spot(new Int16Array(1600));
      return [...hits.map(({ heard }) => heard), ...spot.later().map(({ heard }) => heard)];
    }).flat();
    expect(told[0]).toMatch(/^please Change the scores/);
    expect(told.slice(1)).toEqual(['please Change the scores now then']);
    expect(read).toHaveLength(2);
    expect(read[1]).toBeLessThanOrEqual(160_000);
    expect(read[1]).toBeGreaterThan(155_000);
  });

  it('reports a phrase once, with its times and the score in powers of ten', () => {
    const { decoder } = player([said(50, 120)]);
    const spot = createEnglishSpotter(decoder, keywords);
    const hits = Array.from({ length: 20 }, () => spot(new Int16Array(1600))).flat();
    expect(hits).toHaveLength(1);
    expect(hits[0]).toMatchObject({
      phraseId: 'p1',
      text: 'Change the scores',
      beginSample: 8000,
      endSample: 121 * 160,
      score: 0,
      threshold: -27.5,
    });
    expect(hits[0]!.neededSample).toBeGreaterThanOrEqual(hits[0]!.endSample);
  });

  it('takes two spottings within a second for one, later ones for new', () => {
    const { decoder } = player([said(50, 120), said(140, 200), said(400, 460)]);
    const spot = createEnglishSpotter(decoder, keywords);
    const hits = Array.from({ length: 60 }, () => spot(new Int16Array(1600))).flat();
    expect(hits.map((hit) => hit.endSample)).toEqual([121 * 160, 461 * 160]);
  });

  it('never feeds digital silence, and never overflows', () => {
    const { decoder, fed } = player([]);
    const spot = createEnglishSpotter(decoder, keywords);
    spot(new Int16Array(1600));
    spot(new Int16Array(1600).fill(32767));
    expect(fed[0]!.filter((value) => value === 0).length).toBeLessThan(100);
    expect(Math.max(...fed[0]!)).toBeLessThanOrEqual(33);
    expect(Math.min(...fed[1]!)).toBeGreaterThan(32000);
  });

  it('cuts a long utterance in a pause, and at last anyway', () => {
    const quiet = player([]);
    const spotQuiet = createEnglishSpotter(quiet.decoder, keywords);
    spotQuiet(new Int16Array(16_000 * 32));
    expect(quiet.counts.utterances).toBe(2);
    const busy = player([]);
    busy.talk(true);
    const spotBusy = createEnglishSpotter(busy.decoder, keywords);
    spotBusy(new Int16Array(16_000 * 119));
    expect(busy.counts.utterances).toBe(1);
    spotBusy(new Int16Array(16_000 * 2));
    expect(busy.counts.utterances).toBe(2);
  });

  const context = { needs: ['bidder'] };
  const needing = planKeywords([{ ...phrase('p1', 'Change the scores'), context }], { phones }).keywords;
  const word = (text: string, beginSample: number): SpokenWord => ({
    text,
    beginSample,
    endSample: beginSample + 4000,
    sure: 1,
    phones: DICTIONARY[text] ?? [],
  });
  const steps = (decoder: Decoder, count: number, list = needing) => {
    const spot = createEnglishSpotter(decoder, list);
    return Array.from({ length: count }, (_, i) =>
      spot(new Int16Array(1600)).map((hit) => ({ ...hit, step: i })),
    ).flat();
  };

  it('reads the words again until the needed one has come, and tells them with the hit', () => {
    const { decoder } = player([said(50, 120)]);
    const lengths: number[] = [];
    const wordsOf = (sound: Int16Array) => {
      lengths.push(sound.length);
      return lengths.length === 1 ? [] : [word('the', 20_000), word('bidder', 24_000)];
    };
    const hits = steps({ ...decoder, wordsOf }, 60);
    expect(hits.map((hit) => hit.heard)).toEqual(['Change the scores the bidder']);
    expect(lengths).toHaveLength(2);
    expect(hits[0]!.neededSample! - hits[0]!.endSample).toBeLessThan(3 * 16_000);
  });

  it('gives up on a needed word after three seconds, and asks no more', () => {
    const { decoder } = player([said(50, 120)]);
    let asked = 0;
    const wordsOf = () => {
      asked++;
      return [];
    };
    expect(steps({ ...decoder, wordsOf }, 100)).toEqual([]);
    expect(asked).toBe(3);
  });

  it('reads the last sound in order, at most ten seconds, and four before the phrase', () => {
    const due = [said(3000, 3100)];
    const { decoder, fed } = player(due);
    let piece: Int16Array = new Int16Array();
    const wordsOf = (sound: Int16Array) => {
      piece = sound;
      return [];
    };
    const spot = createEnglishSpotter({ ...decoder, wordsOf }, minding);
    for (let i = 0; i < 400; i++) spot(Int16Array.from({ length: 1600 }, () => i * 50));
    const all = fed.flatMap((block) => [...block]);
    const from = 3000 * 160 - 4 * 16_000;
    expect([...piece]).toEqual(all.slice(from, from + piece.length));
    expect(piece.length).toBeLessThanOrEqual(160_000);
  });

  it('reads no more words than it has heard sound in a storm of hits, and tells them all', () => {
    const storm = Array.from({ length: 100 }, (_, i) => said(2000 + i * 150, 2080 + i * 150));
    const { decoder } = player(storm);
    let read = 0;
    const wordsOf = (sound: Int16Array) => {
      read += sound.length;
      return [];
    };
    const hits = steps({ ...decoder, wordsOf }, 1800, minding);
    expect(hits).toHaveLength(100);
    expect(read).toBeLessThanOrEqual(1800 * 1600 + 60 * 16_000);
  });

  it('without a language model names the phrases that mind their words', () => {
    expect(reasonOf(carelessOf(keywords))).toBeUndefined();
    expect(reasonOf(carelessOf(needing))).toContain('deaf to p1');
    const unless = planKeywords([{ ...phrase('p1', 'Change the scores'), context: { unless: ['not'] } }], { phones });
    expect(reasonOf(carelessOf(unless.keywords))).toContain('negated or quoted: p1');
    const { decoder } = player([said(50, 120)]);
    expect(steps(decoder, 60)).toEqual([]);
  });
});
