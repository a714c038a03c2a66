/** The English spotter over a decoder that the test plays: thresholds per phone, unknown words, times, doubles, and cuts. */
import { describe, expect, it } from 'vitest';
import type { Decoder, Segment } from '../../../../models/speech/pocketsphinx-library.ts';
import {
  createEnglishSpotter,
  keywordFile,
  planKeywords,
  wordsOf,
} from '../../../../models/speech/pocketsphinx-spotter.ts';

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
});
