/** The scoring of the ears on made-up hits, where the right figure is known. */
import { describe, expect, it } from 'vitest';
import {
  drawPhrases,
  judgeClip,
  listDrawn,
  poissonUpper95,
  quantile,
  type ScoredClip,
  scoreClips,
  scoreDrawn,
} from '../../../scripts/eval-speech-score.ts';

const hit = (phrase: string, endS: number, reportedS = endS + 0.4) => ({ phrase, endS, reportedS, margin: 1 });
const clip = (said: ScoredClip['clip']['said'], hits: ScoredClip['hits'], over: object = {}): ScoredClip => ({
  clip: { file: 'f', language: 'zh', category: said.length > 0 ? 'prohibited' : null, said, durationS: 36, ...over },
  hits,
});

describe('judgeClip', () => {
  it('takes a hit within 1.5 s of the labelled end, once', () => {
    const said = [{ phrase: 'a', endS: 3 }];
    expect(judgeClip(clip(said, [hit('a', 4.4)])).found).toEqual([{ phrase: 'a', latencyS: expect.closeTo(1.8) }]);
    expect(judgeClip(clip(said, [hit('a', 4.6)]))).toMatchObject({ missed: ['a'], wrong: [{ endS: 4.6 }] });
    expect(judgeClip(clip(said, [hit('a', 3), hit('a', 3.2)])).wrong).toHaveLength(1);
  });

  it('takes a hit anywhere where no end is labelled, and calls every other phrase wrong', () => {
    const { found, wrong } = judgeClip(clip([{ phrase: 'a' }], [hit('b', 1), hit('a', 30)]));
    expect(found).toHaveLength(1);
    expect(wrong.map((h) => h.phrase)).toEqual(['b']);
  });
});

describe('scoreClips', () => {
  it('counts recall per category and level, and false alarms per hour over all clips', () => {
    const scored = [
      clip([{ phrase: 'a', endS: 3 }], [hit('a', 3)]),
      clip([{ phrase: 'a', endS: 3 }], []),
      clip([{ phrase: 'b', endS: 3 }], [hit('b', 3)], { category: 'irrelevant' }),
      clip([], [hit('a', 9)]),
    ];
    const score = scoreClips(scored, (category) => (category === 'prohibited' ? 'alarm' : undefined));
    expect(score).toMatchObject({
      recall: { prohibited: 0.5, irrelevant: 1 },
      recallByLevel: { alarm: 0.5 },
      recallAll: expect.closeTo(2 / 3),
      falseAlarms: 1,
    });
    expect(score.hours).toBeCloseTo(0.04);
    expect(score.falseAlarmsPerHour).toBeCloseTo(25);
    expect(score.latencyMedianS).toBeCloseTo(0.4);
  });

  it('has no recall where nothing was said', () => {
    expect(scoreClips([clip([], [])], () => undefined)).toMatchObject({ recallAll: null, latencyMedianS: null });
  });
});

describe('drawn phrases', () => {
  const transcripts = ['今天天气很好', '我们去开会了', 'abc', '短'];
  it('are the same for the same seed, 3 to 6 characters, one per transcript', () => {
    const drawn = drawPhrases(transcripts, 40, 7);
    expect(drawPhrases(transcripts, 40, 7)).toEqual(drawn);
    expect(drawn.length).toBeLessThanOrEqual(2);
    for (const phrase of drawn) {
      expect([...phrase].length).toBeGreaterThanOrEqual(3);
      expect(transcripts.some((t) => t.includes(phrase))).toBe(true);
    }
  });

  it('score recall as the mean over phrases and false alarms per phrase-hour, by sound', () => {
    // Here a text sounds like its own characters, with 在 like 再.
    const sound = (text: string) => [...text.replaceAll('在', '再')].join(' ');
    const scored = [
      clip([], [hit('再见了', 2)], { transcript: '说在见了吧' }),
      clip([], [hit('再见了', 2)], { transcript: '别的话' }),
      clip([], [], { transcript: '别的话别的' }),
    ];
    expect(scoreDrawn(scored, ['再见了', '别的话'], sound)).toMatchObject({
      phrases: 2,
      recallAll: 0.5,
      falseAlarms: 1,
      phraseHours: expect.closeTo(0.03),
    });
    expect(listDrawn(scored, ['再见了'], sound)).toEqual([{ phrase: '再见了', clip: 'f', wrong: true }]);
  });
});

describe('poissonUpper95', () => {
  it.each([
    [0, 2.996],
    [1, 4.744],
    [5, 10.513],
  ])('of %i events is %f', (events, bound) => {
    expect(poissonUpper95(events)).toBeCloseTo(bound, 2);
  });
});

describe('quantile', () => {
  it('is the nearest rank', () => {
    expect(quantile([3, 1, 2], 0.5)).toBe(2);
    expect(quantile([1, 2, 3, 4], 0.95)).toBe(4);
    expect(quantile([], 0.5)).toBeNull();
  });
});
