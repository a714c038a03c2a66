/** The scoring of the ears on made-up events, where the right figure is known. */
import { describe, expect, it } from 'vitest';
import { loadRulePack } from '../../../models/rules/load.ts';
import { eventsOf } from '../../../scripts/eval-speech-events.ts';
import { asPhrase, drawPhrases, planOf } from '../../../scripts/eval-speech-phrases.ts';
import {
  judgeClip,
  listDrawn,
  once,
  poissonUpper95,
  quantile,
  type ScoredClip,
  scoreClips,
  scoreDrawn,
} from '../../../scripts/eval-speech-score.ts';

const hit = (phraseId: string, endS: number, reportedS = endS + 0.4) => ({ phraseId, endS, reportedS, margin: 1 });
const event = (...args: Parameters<typeof hit>) => ({ phraseId: args[0], hits: [hit(...args)] });
const clip = (said: ScoredClip['clip']['said'], events: ScoredClip['events'], over: object = {}): ScoredClip => ({
  clip: { file: 'f', language: 'zh', category: said.length > 0 ? 'prohibited' : null, said, ...over },
  durationS: 36,
  events,
});
const itself = (text: string) => new Set([text]);

describe('judgeClip', () => {
  const judge = (one: ScoredClip, meant = itself) => judgeClip(one, meant);

  it('takes a hit within 1.5 s of the labelled end', () => {
    const said = [{ phrase: 'a', endS: 3 }];
    expect(judge(clip(said, [event('a', 4.4)])).found).toEqual([{ phrase: 'a', latencyS: expect.closeTo(1.8) }]);
    expect(judge(clip(said, [event('a', 4.6)]))).toMatchObject({ missed: [{ phrase: 'a', endS: 3 }], wrong: [{}] });
    expect(judge(clip(said, [event('a', 3), event('a', 3.2)])).wrong).toHaveLength(1);
  });

  it('takes any hit of an event, and the event once', () => {
    const said = [{ phrase: 'a', endS: 3 }];
    const twice = { phraseId: 'a', hits: [hit('a', 3), hit('a', 7)] };
    expect(judge(clip(said, [twice]))).toMatchObject({ found: [{}], missed: [], wrong: [] });
    expect(judge(clip([...said, { phrase: 'a', endS: 7 }], [twice]))).toMatchObject({ found: [{}, {}], wrong: [] });
  });

  it('takes a hit anywhere where no end is labelled, and calls every other phrase wrong', () => {
    const { found, wrong } = judge(clip([{ phrase: 'a' }], [event('b', 1), event('a', 30)]));
    expect(found).toHaveLength(1);
    expect(wrong.map((one) => one.phraseId)).toEqual(['b']);
  });

  it('takes whatever phrase the label means', () => {
    const said = [{ phrase: '第二种说法', endS: 3 }];
    expect(judge(clip(said, [event('zh-1', 3)]), () => new Set(['zh-1']))).toMatchObject({ missed: [], wrong: [] });
  });
});

describe('eventsOf', () => {
  const pack = {
    ...loadRulePack('default'),
    phrases: [asPhrase('这个项目已经内定了', 'prohibited', 'zh'), asPhrase('回扣百分之五', 'prohibited', 'zh')],
  };
  const [a, b] = pack.phrases.map(({ phraseId }) => phraseId) as [string, string];
  const spans = (...hits: ReturnType<typeof hit>[]) =>
    eventsOf(hits, pack).map((one) => [one.phraseId, one.hits.length]);

  it('merges what the room merges: the same phrase again within 5 s', () => {
    expect(spans(hit(a, 3), hit(a, 7.3))).toEqual([[a, 2]]);
    expect(spans(hit(a, 3), hit(a, 9))).toEqual([
      [a, 1],
      [a, 1],
    ]);
  });

  it('keeps two phrases of one episode apart, and another second of the same one together', () => {
    expect(spans(hit(a, 3), hit(b, 5), hit(a, 7))).toEqual([
      [a, 2],
      [b, 1],
    ]);
  });

  it('makes no event of a category that the pack has no rule for', () => {
    const { speech_prohibited: _without, ...rules } = pack.rules;
    expect(eventsOf([hit(a, 3)], { ...pack, rules })).toEqual([]);
  });
});

describe('planOf', () => {
  const labelled = (...phrases: string[]) => ({
    ...clip(
      phrases.map((phrase) => ({ phrase })),
      [],
    ).clip,
  });
  const first = loadRulePack('default').phrases.find(
    ({ forms, language }) => language === 'zh-CN' && forms.length > 1,
  )!;

  it('means by a label the phrase of the pack that has it among its forms, whichever', () => {
    const { meant } = planOf({
      clips: [labelled(first.forms[1]!, `你说${first.forms[0]}吧`, '没有这样的话')],
      language: 'zh',
      rules: 'zh-CN',
    });
    expect(meant(first.forms[1]!)).toContain(first.phraseId);
    expect(meant(`你说${first.forms[0]}吧`)).toContain(first.phraseId);
    expect(meant('没有这样的话').size).toBe(0);
  });

  it('reads signs of a label aloud, and labels that sound alike mean each other', () => {
    const { meant, pack } = planOf({ clips: [labelled('回扣5%', '回扣百分之五', '内定了')], language: 'zh' });
    expect(pack.phrases[0]!.forms).toEqual(['回扣百分之五']);
    expect(meant('回扣5%')).toEqual(meant('回扣百分之五'));
    expect(meant('内定了')).toEqual(new Set(['内定了']));
  });

  it('refuses to draw where there is nothing to draw from', () => {
    expect(() => planOf({ clips: [labelled('a')], language: 'zh', draw: { count: 4, seed: 1 } })).toThrow(
      expect.objectContaining({ code: 'nothing_to_draw' }),
    );
    expect(() => planOf({ clips: [labelled('a')], language: 'ja', rules: 'default' })).toThrow(
      expect.objectContaining({ code: 'no_phrases' }),
    );
  });
});

describe('scoreClips', () => {
  it('counts recall per category, level and gravity, and false alarms per hour over all clips', () => {
    const scored = [
      clip([{ phrase: 'a', endS: 3 }], [event('a', 3)]),
      { ...clip([{ phrase: 'a', endS: 3 }], []), suspects: [{ phraseId: 'a', endS: 3.2 }] },
      clip([{ phrase: 'b', endS: 3 }], [event('b', 3)], { category: 'irrelevant' }),
      clip([{ phrase: 'b', endS: 3 }], [], { category: null }),
      clip([], [event('a', 9)]),
    ];
    const score = scoreClips(scored, itself, (category) => (category === 'prohibited' ? 'alarm' : undefined));
    expect(score).toMatchObject({
      recall: { prohibited: 0.5, irrelevant: 1, uncategorised: 0 },
      recallByLevel: { firstPass: 0.75, suspected: 0.5, confirmed: 0.5 },
      recallByGravity: { alarm: 0.5 },
      recallAll: 0.5,
      falseAlarms: 1,
    });
    expect(score.hours).toBeCloseTo(0.05);
    expect(score.falseAlarmsPerHour).toBeCloseTo(20);
    expect(score.latencyMedianS).toBeCloseTo(0.4);
  });

  it('counts what was only suspected beside it: found by the lower level, and no false alarm', () => {
    const said = [{ phrase: 'a', endS: 3 }];
    const scored = [
      { ...clip(said, [event('a', 3)]), doubts: [event('a', 9)] },
      { ...clip(said, []), doubts: [event('a', 3)] },
      { ...clip([], []), doubts: [event('b', 3)] },
    ];
    const score = scoreClips(scored, itself, () => undefined);
    expect(score).toMatchObject({
      recallByLevel: { firstPass: 1, suspected: 1, confirmed: 0.5 },
      falseAlarms: 0,
      suspectedOnly: 3,
      suspectedOnlyFalse: 2,
    });
    expect(score.suspectedOnlyFalsePerHour).toBeCloseTo(2 / score.hours);
    expect(score.suspectedOnlyFalsePerHour95).toBeGreaterThan(2 / score.hours);
  });

  it('has no share of nothing', () => {
    expect(scoreClips([clip([], [])], itself, () => undefined)).toMatchObject({
      recallAll: null,
      latencyMedianS: null,
    });
    expect(scoreClips([], itself, () => undefined)).toMatchObject({ hours: 0, falseAlarmsPerHour: null });
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

  it('are words in another language than Chinese', () => {
    const [drawn] = drawPhrases(['Please go forward ten meters now'], 1, 1, 'en');
    expect(drawn!.split(' ').length).toBeGreaterThanOrEqual(3);
  });

  it('score recall as the mean over phrases and false alarms per phrase-hour, by sound', () => {
    // Here a text sounds like its own characters, with 在 like 再.
    const sound = (text: string) => [...text.replaceAll('在', '再')].join(' ');
    const scored = [
      clip([], [event('再见了', 2)], { transcript: '说在见了吧' }),
      clip([], [event('再见了', 2)], { transcript: '别的话' }),
      clip([], [], { transcript: '别的话别的' }),
    ];
    expect(scoreDrawn(scored, ['再见了', '别的话'], sound)).toMatchObject({
      phrases: 2,
      recallAll: 0.5,
      recallByLevel: { firstPass: 0.5, suspected: 0.5, confirmed: 0.5 },
      falseAlarms: 1,
      phraseHours: expect.closeTo(0.03),
      hours: expect.closeTo(0.03),
      falseAlarmsPerHour: expect.closeTo(33.3, 0),
      latencyMedianS: expect.closeTo(0.4),
    });
    expect(listDrawn(scored, ['再见了'], sound)).toMatchObject([{ phrase: '再见了', wrong: { hits: [{ endS: 2 }] } }]);
  });
});

describe('once', () => {
  it('takes the same phrase within a second for the same hit', () => {
    expect(once([hit('a', 2.5), hit('a', 2), hit('b', 2.2), hit('a', 3.4)]).map(({ endS }) => endS)).toEqual([
      2, 2.2, 3.4,
    ]);
  });
});

describe('poissonUpper95', () => {
  it.each([
    [0, 2.996],
    [1, 4.744],
    [5, 10.513],
    [100, 118.08],
  ])('of %i events is %f', (events, bound) => {
    expect(poissonUpper95(events)).toBeCloseTo(bound, 2);
  });

  it('lies over the count however great that is', () => {
    // By the normal approximation of so many: 1.645 deviations and a little.
    for (const events of [800, 2000, 20_000])
      expect((poissonUpper95(events) - events) / Math.sqrt(events)).toBeCloseTo(1.66, 1);
  });
});

describe('quantile', () => {
  it('is the nearest rank', () => {
    expect(quantile([3, 1, 2], 0.5)).toBe(2);
    expect(quantile([1, 2, 3, 4], 0.95)).toBe(4);
    expect(quantile([], 0.5)).toBeNull();
  });
});
