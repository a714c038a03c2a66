import { describe, expect, it } from 'vitest';
import type { Input } from '../../../../agent/decide/room.ts';
import { transcript } from '../../../../agent/decide/speech.ts';
import { isAddition, isSuspected } from '../../../../protocol/event.ts';
import type { LaterWordsObservation, PhraseObservation, SpeechCategory } from '../../../../protocol/observation.ts';
import type { Box } from '../../../../protocol/seat.ts';
import { ALL, at, begin, context, episodes, feed, layout, others, play, sitting, standing, told } from './world.ts';

describe('extra person', () => {
  const walker = (s: number) => standing(0.05 + 0.04 * (s % 20));

  it('alarms when one more walks about for five seconds, and ends when they are gone', () => {
    const run = begin();
    play(run, 20, { persons: ALL });
    play(run, 35, (s) => ({ persons: [...ALL, walker(s)] }));
    play(run, 45, { persons: ALL });
    expect(told(run).filter((t) => !t.startsWith('update'))).toEqual([
      'begin extra_person alarm',
      'end extra_person alarm',
    ]);
    const first = episodes(run)[0]!;
    expect(first).toMatchObject({ level: 'alarm', sourceId: 'cam-a', seatIds: [] });
    expect(first.figures[0]).toMatchObject({ name: 'people', value: 4, threshold: 3 });
    expect((first.beganWallMs - at(0).wallMs) / 1000).toBeLessThan(23);
  });

  it.each([
    ['a poster that never moves', () => [...ALL, standing(0.9)]],
    [
      'second boxes of the same people',
      () => [
        ...ALL,
        ...ALL.map((p) => ({
          ...p,
          box: [p.box[0] + 0.005, p.box[1], p.box[2], p.box[3] - 0.06] as const,
          score: 0.5,
        })),
      ],
    ],
    ['somebody for three seconds', (s: number) => (s % 20 < 3 ? [...ALL, walker(s)] : ALL)],
    [
      'a box far too large around somebody who is missed now and then',
      (s: number) => (s > 20 && s % 10 < 7 ? [...others('2'), { box: [0.3, 0.25, 0.7, 0.8] as Box, score: 0.8 }] : ALL),
    ],
    ['something that trembles', (s: number) => [...ALL, standing(0.9 + 0.03 * (s % 3))]],
    ['weak echoes', (s: number) => [...ALL, { ...walker(s), score: 0.2 }]],
  ])('is not fooled by %s', (_name, persons) => {
    const run = begin();
    play(run, 100, (s) => ({ persons: persons(s) }));
    expect(told(run)).toEqual([]);
  });

  describe('who gets up from a chair with a jacket, which goes on looking taken, is counted once', () => {
    const gone = others('2');

    it.each([0, 2, 4])('when they walk under a new id, missed for %i s before', (missedS) => {
      const run = begin();
      play(run, 30, { persons: ALL });
      play(run, 30 + missedS, { persons: gone });
      // Beside the chair first, then through the free space between the seats.
      const x = (s: number) => (s < 45 ? 0.3 - Math.min(0.2, (s - 30 - missedS) * 0.03) : 0.1 + (s - 45) * 0.06);
      play(run, 50, (s) => ({ persons: [...gone, standing(x(s))] }));
      // Their track breaks once more far from the chair.
      play(run, 51, { persons: gone });
      play(run, 65, (s) => ({ persons: [...gone, standing(0.95 - (s - 51) * 0.02)] }));
      expect(told(run).filter((t) => t.includes('extra_person'))).toEqual([]);
    });

    it('when they go out and come back by the door', () => {
      const run = begin();
      play(run, 30, { persons: ALL });
      play(run, 35, (s) => ({ persons: [...gone, standing(0.44 - (s - 30) * 0.08)] }));
      play(run, 60, { persons: gone });
      play(run, 75, (s) => ({ persons: [...gone, standing(0.97 - (s - 60) * 0.01)] }));
      expect(told(run).filter((t) => t.includes('extra_person'))).toEqual([]);
    });

    it('but somebody who comes in from elsewhere while a sitter is missed is one more', () => {
      const run = begin();
      play(run, 30, { persons: ALL });
      play(run, 40, { persons: gone });
      play(run, 55, (s) => ({ persons: [...gone, standing(0.97 - (s - 40) * 0.01)] }));
      expect(told(run)).toContain('begin extra_person alarm');
    });
  });

  it('says nothing of a room in which no seat is drawn and nobody is expected', () => {
    const bare = { ...context, layout: { ...layout, seats: [], roster: [] } };
    const run = begin([], bare);
    play(run, 60, (s) => ({ persons: [...ALL, walker(s)] }), bare);
    expect(told(run)).toEqual([]);
  });

  it('does not add up what two cameras see of the same people', () => {
    const two = {
      ...context,
      layout: {
        ...layout,
        seats: layout.seats.map((s) => ({ ...s, views: [...s.views, { ...s.views[0]!, cameraId: 'cam-b' }] })),
      },
    };
    const run = begin([], two);
    for (let s = 0; s < 30; s += 0.5) {
      play(run, s, { persons: ALL }, two);
      feed(run, { ...frameOf(s), cameraId: 'cam-b' }, two);
    }
    expect(told(run)).toEqual([]);
  });
});

const frameOf = (s: number) => ({
  kind: 'frame' as const,
  cameraId: 'cam-b',
  at: at(s + 0.1),
  frame: s,
  persons: ALL,
  picture: { brightness: 100, edgeEnergy: 5, shift: { dx: 0, dy: 0, confidence: 0.9 }, change: 0.3 },
  patches: [],
  modelSet: 'scripted',
  inferenceMs: 10,
});

describe('too far', () => {
  it('measures the owner in shoulder widths where the floor is not calibrated', () => {
    const run = begin();
    play(run, 20, { persons: ALL });
    play(run, 22, (s) => ({ persons: [...others('1'), standing(0.2 + (s - 20) * 0.08)] }));
    play(run, 45, { persons: [...others('1'), standing(0.34)] });
    const far = episodes(run).filter((e) => e.behaviour === 'too_far');
    expect(far[0]).toMatchObject({ phase: 'begin', level: 'notice', seatIds: ['1'], from: 'NEAR', to: 'FAR' });
    expect(far[0]!.figures.find((f) => f.name === 'distance')).toMatchObject({ unit: 'shoulders', threshold: 2 });
    play(run, 60, { persons: ALL });
    expect(
      told(run)
        .filter((t) => t.includes('too_far'))
        .at(-1),
    ).toBe('end too_far notice');
  });

  it('says nothing of an owner who leans', () => {
    const run = begin();
    play(run, 60, (s) => ({ persons: [...others('1'), sitting('1', 0.3 * Math.sin(s))] }));
    expect(told(run)).toEqual([]);
  });
});

describe('spoken words', () => {
  const hit = (s: number, category: SpeechCategory, more: Partial<PhraseObservation> = {}): PhraseObservation => ({
    kind: 'phrase',
    microphoneId: 'mic',
    at: at(s),
    engine: 'fsmn',
    language: 'zh-CN',
    phraseId: `${category}-1`,
    category,
    text: '给点好处',
    score: -1.2,
    threshold: -2.5,
    beginMonoMs: at(s - 1.4).monoMs,
    endMonoMs: at(s - 0.4).monoMs,
    heard: '你看能不能给点好处吧',
    ...more,
  });
  const quiet = (run: ReturnType<typeof begin>, from: number, to: number) => {
    for (let s = from; s <= to; s++) feed(run, { kind: 'tick', at: at(s) });
  };
  const words = (run: ReturnType<typeof begin>) => told(run).filter((t) => t.includes('speech'));

  it('alarms at once, updates with each hit, and ends after the merging time', () => {
    const run = begin();
    feed(run, hit(2, 'prohibited'));
    expect(words(run)).toEqual(['begin speech_prohibited alarm']);
    quiet(run, 3, 8);
    feed(run, hit(9, 'prohibited'));
    quiet(run, 10, 30);
    expect(words(run)).toEqual([
      'begin speech_prohibited alarm',
      'update speech_prohibited alarm',
      'end speech_prohibited alarm',
    ]);
    const first = episodes(run)[0]!;
    expect(first.beganWallMs).toBe(at(0.6).wallMs);
    expect(first.transcript!.text.slice(...first.transcript!.hit)).toBe('给点好处');
    feed(run, hit(40, 'prohibited'));
    expect(
      new Set(
        episodes(run)
          .filter((e) => e.behaviour === 'speech_prohibited')
          .map((e) => e.episodeId),
      ).size,
    ).toBe(2);
  });

  it('counts one utterance once, whoever hears it', () => {
    const run = begin();
    feed(run, hit(2, 'suggestive'));
    feed(run, hit(2.4, 'suggestive', { microphoneId: 'mic-2', engine: 'other' }));
    expect(words(run)).toEqual(['begin speech_suggestive notice']);
  });

  it('raises to an alarm when the session has had enough', () => {
    const run = begin();
    for (const s of [10, 40, 70]) {
      feed(run, hit(s, 'suggestive'));
      quiet(run, s + 1, s + 20);
    }
    expect(words(run).filter((t) => t.startsWith('begin'))).toEqual([
      'begin speech_suggestive notice',
      'begin speech_suggestive notice',
      'begin speech_suggestive alarm',
    ]);
  });

  describe('once the words after a phrase are known', () => {
    const around = (s: number, more: Partial<LaterWordsObservation> = {}): Input => {
      const { phraseId, microphoneId, engine, language, beginMonoMs, endMonoMs, text } = hit(s, 'prohibited');
      const heard = `qian ${text} hou mian`;
      const said = { phraseId, microphoneId, engine, language, beginMonoMs, endMonoMs, heard };
      return { kind: 'later_words', at: at(s + 11), ...said, ...more };
    };
    const ticks = (run: ReturnType<typeof begin>, from: number, to: number) => {
      for (let s = from; s <= to; s++) feed(run, { kind: 'tick', at: at(s) });
    };
    const spoken = (run: ReturnType<typeof begin>) =>
      episodes(run).filter(({ behaviour }) => behaviour === 'speech_prohibited');

    it('one more end of the episode that is over has them, the phrase still marked, and nothing else in it is new', () => {
      const run = begin();
      feed(run, hit(2, 'prohibited', { heard: 'qian 给点好处' }));
      ticks(run, 3, 12);
      feed(run, around(2));
      feed(run, around(2));
      ticks(run, 14, 40);
      const [first, end, more, ...rest] = spoken(run);
      expect(rest).toEqual([]);
      expect([first!.phase, end!.phase, more!.phase]).toEqual(['begin', 'end', 'end']);
      expect(more).toEqual({
        ...end,
        ...{ from: 'SILENT', to: 'SILENT' },
        transcript: { ...end!.transcript, text: 'qian 给点好处 hou mian', hit: [5, 9] },
      });
      expect([isAddition(more!), isAddition(end!)]).toEqual([true, false]);
    });

    it('an episode that goes on has them in an update of the same level, and in its end', () => {
      const run = begin();
      const long = { ...context.pack.rules.speech_prohibited!, mergeMs: 30_000 };
      const ctx = { ...context, pack: { ...context.pack, rules: { ...context.pack.rules, speech_prohibited: long } } };
      feed(run, hit(2, 'prohibited'), ctx);
      feed(run, around(2), ctx);
      for (let s = 14; s <= 60; s++) feed(run, { kind: 'tick', at: at(s) }, ctx);
      expect(spoken(run).map(({ phase, level }) => `${phase} ${level}`)).toEqual([
        'begin alarm',
        'update alarm',
        'end alarm',
      ]);
      for (const { transcript: said } of spoken(run).slice(1)) expect(said!.text).toBe('qian 给点好处 hou mian');
      expect(spoken(run)[1]!.figures).toEqual(spoken(run)[0]!.figures);
    });

    it('changes nothing by itself: not without the phrase, not of another microphone, not when it is late', () => {
      const run = begin();
      feed(run, around(2));
      feed(run, hit(2, 'prohibited'));
      feed(run, around(2, { microphoneId: 'mic-2' }));
      feed(run, around(2, { phraseId: 'other' }));
      feed(run, around(9));
      ticks(run, 3, 12);
      feed(run, around(2, { at: at(60) }));
      expect(spoken(run).map(({ phase }) => phase)).toEqual(['begin', 'end']);
    });
  });

  describe('that are only suspected', () => {
    const ctx = {
      ...context,
      pack: {
        ...context.pack,
        rules: {
          ...context.pack.rules,
          speech_prohibited: { citation: 'w', level: 'alarm', alarmAfter: 1, mergeMs: 5000, suspected: 'notice' },
        } as const,
      },
    };
    const doubt = (s: number, more: Partial<PhraseObservation> = {}) =>
      hit(s, 'prohibited', { level: 'suspected', score: -1.1, threshold: -1.25, ...more });
    const ticks = (run: ReturnType<typeof begin>, from: number, to: number) => {
      for (let s = from; s <= to; s++) feed(run, { kind: 'tick', at: at(s) }, ctx);
    };
    const spoken = (run: ReturnType<typeof begin>) =>
      episodes(run).filter(({ behaviour }) => behaviour === 'speech_prohibited');

    it('are a notice that says so, counts nothing, and ends unconfirmed', () => {
      const run = begin([], ctx);
      feed(run, doubt(2), ctx);
      feed(run, doubt(2.2, { microphoneId: 'mic-2' }), ctx);
      ticks(run, 3, 30);
      feed(run, hit(40, 'prohibited'), ctx);
      expect(words(run)).toEqual([
        'begin speech_prohibited notice',
        'end speech_prohibited notice',
        'begin speech_prohibited alarm',
      ]);
      const [first, last, next] = spoken(run);
      expect(first).toMatchObject({ from: 'SILENT', to: 'SUSPECTED', transcript: { engine: 'fsmn' } });
      expect(first!.sentence).toEqual({
        zh: '疑似禁用语“给点好处”，尚未证实',
        en: 'Suspected prohibited words “给点好处”, not confirmed yet',
      });
      expect(first!.figures).toEqual([{ name: 'score', value: -1.1, threshold: -1.25, unit: 'fsmn' }]);
      expect(last).toMatchObject({ from: 'SUSPECTED', to: 'SILENT' });
      expect(last!.sentence.zh).toContain('未得到证实');
      // A suspicion does not count in the session.
      expect(next!.figures[0]).toMatchObject({ name: 'hits', value: 1 });
      expect(next!.episodeId).not.toBe(first!.episodeId);
    });

    it('stay suspected when the words after them are known', () => {
      const run = begin([], ctx);
      feed(run, doubt(2), ctx);
      ticks(run, 3, 12);
      const { phraseId, microphoneId, engine, language, beginMonoMs, endMonoMs } = doubt(2);
      const said = {
        phraseId,
        microphoneId,
        engine,
        language,
        beginMonoMs,
        endMonoMs,
        heard: `${'x'.repeat(9)} 给点好处 hou mian`,
      };
      feed(run, { kind: 'later_words', at: at(13), ...said }, ctx);
      const more = spoken(run).at(-1)!;
      expect([isSuspected(more), isAddition(more), more.transcript!.text]).toEqual([true, true, said.heard]);
    });

    it('become what they are in the same episode when they are confirmed, however late an engine is', () => {
      for (const lateS of [1, 15]) {
        const run = begin([], ctx);
        feed(run, doubt(2), ctx);
        ticks(run, 3, 2 + lateS);
        const same = hit(2, 'prohibited', { at: at(2 + lateS) });
        feed(run, same, ctx);
        ticks(run, 3 + lateS, 60);
        expect(words(run).filter((one) => one.endsWith('notice'))).toHaveLength(lateS > 5 ? 2 : 1);
        expect(words(run).slice(-2)).toEqual(['update speech_prohibited alarm', 'end speech_prohibited alarm']);
        expect(new Set(spoken(run).map(({ episodeId }) => episodeId)).size).toBe(1);
        expect(spoken(run).at(-2)).toMatchObject({ to: 'SPOKEN', sentence: { zh: expect.stringMatching(/^听到/) } });
      }
    });

    it('are a new episode when other words come after they ended', () => {
      const run = begin([], ctx);
      feed(run, doubt(2), ctx);
      ticks(run, 3, 12);
      feed(run, hit(13, 'prohibited'), ctx);
      expect(words(run).at(-1)).toBe('begin speech_prohibited alarm');
    });

    it('change nothing of what was confirmed', () => {
      const run = begin([], ctx);
      feed(run, hit(2, 'prohibited'), ctx);
      feed(run, doubt(2.1), ctx);
      feed(run, doubt(5, { phraseId: 'prohibited-2', text: '别的' }), ctx);
      ticks(run, 6, 20);
      expect(words(run)).toEqual(['begin speech_prohibited alarm', 'end speech_prohibited alarm']);
      expect(spoken(run).at(-1)).toMatchObject({
        from: 'SPOKEN',
        sentence: { zh: expect.stringContaining('给点好处') },
      });
    });

    it('do not draw out what was confirmed', () => {
      const run = begin([], ctx);
      feed(run, hit(2, 'prohibited'), ctx);
      for (let s = 4; s < 30; s += 2) {
        feed(run, doubt(s, { phraseId: 'prohibited-2', text: '别的' }), ctx);
        if (words(run).includes('end speech_prohibited alarm')) break;
        feed(run, { kind: 'tick', at: at(s + 1) }, ctx);
      }
      const end = spoken(run).find(({ phase }) => phase === 'end');
      expect(end).toMatchObject({ level: 'alarm', from: 'SPOKEN' });
      expect(end!.durationMs).toBeLessThan(2000);
    });

    it('go on as suspected after a restart', () => {
      const run = begin([], ctx);
      feed(run, doubt(2), ctx);
      const again = begin(run.drafts, ctx);
      ticks(again, 3, 20);
      expect(spoken(again).at(-1)).toMatchObject({ phase: 'end', from: 'SUSPECTED', level: 'notice' });
    });

    it('are not told where the pack does not ask for it', () => {
      const run = begin();
      feed(run, hit(3, 'prohibited', { level: 'suspected' }));
      quiet(run, 4, 20);
      expect(words(run)).toEqual([]);
    });
  });

  it('knows no rule that the pack leaves out', () => {
    const run = begin();
    feed(run, hit(3, 'tendentious'));
    quiet(run, 4, 30);
    expect(words(run)).toEqual([]);
  });

  it.each([
    ['the words contain it', '我们 给点好处 吧', '我们 给点好处 吧', '给点好处'],
    ['pinyin does not', 'ni kan gei dian hao chu', '给点好处（ni kan gei dian hao chu）', '给点好处'],
    ['nothing around it', undefined, '给点好处', '给点好处'],
  ])('marks the hit when %s', (_name, heard, text, marked) => {
    const { heard: _around, ...bare } = hit(1, 'prohibited');
    const t = transcript(heard === undefined ? bare : { ...bare, heard });
    expect(t.text).toBe(text);
    expect(t.text.slice(...t.hit)).toBe(marked);
  });
});
