/** What sound tells beside phrases: sound that is worth little, talk off the subject, a telephone call, and the fee as a rule of its own. */
import { describe, expect, it } from 'vitest';
import type { Input, RoomContext } from '../../../../agent/decide/room.ts';
import type { RulePack } from '../../../../protocol/rules.ts';
import { full, posed, session } from './bodies.ts';
import { ALL, at, begin, context, episodes, feed, frame, others, type Run, sitting, told } from './world.ts';

const pack: RulePack = {
  ...full,
  rules: {
    microphone_fault: { ...full.rules.microphone_fault!, clippingMs: 10_000, speechlessMs: 600_000 },
    phone: full.rules.phone!,
    speech_irrelevant: { citation: 'subject', level: 'notice', alarmAfter: null, mergeMs: 10_000 },
    speech_fee: { citation: 'fee', level: 'notice', alarmAfter: 2, mergeMs: 5000 },
    off_subject: { citation: 'subject', windowMs: 60_000, units: 60, share: 0.2, noticeMs: 120_000 },
    outside_contact: { citation: 'no contact', level: 'alarm', turns: 3, pauseMs: 1000 },
  },
};
const ctx: RoomContext = { ...context, pack };

const level = (s: number, more: Partial<Extract<Input, { kind: 'level' }>> = {}): Input => ({
  kind: 'level',
  microphoneId: 'mic',
  at: at(s),
  rmsDb: -40,
  peakDb: -20,
  speech: 0,
  clipped: 0,
  ...more,
});
/** Half-second blocks until second `until`; people sit there, seen twice a minute at least. */
function listen(
  run: Run,
  until: number,
  block: (s: number) => Partial<Extract<Input, { kind: 'level' }>>,
  mics = ['mic'],
) {
  for (; run.s < until; run.s += 0.5) {
    if (Number.isInteger(run.s)) feed(run, frame(run.s, { persons: ALL }), ctx);
    for (const microphoneId of mics) feed(run, level(run.s, { microphoneId, ...block(run.s) }), ctx);
  }
}

describe('sound that is worth little', () => {
  it('tells a gain that is too high, and when it was turned down', () => {
    const run = begin([], ctx);
    listen(run, 8, () => ({ speech: 1, clipped: 0.01 }));
    expect(told(run)).toEqual([]);
    listen(run, 30, () => ({ speech: 1, clipped: 0.01 }));
    expect(told(run)[0]).toBe('begin microphone_fault:clipping notice');
    expect(run.view.faults).toContainEqual(expect.objectContaining({ sourceId: 'mic', fault: 'clipping' }));
    listen(run, 90, () => ({ speech: 1 }));
    expect(told(run).at(-1)).toBe('end microphone_fault:clipping notice');
    expect(run.view.faults).toEqual([]);
  });

  it('does not mind a cough', () => {
    const run = begin([], ctx);
    listen(run, 120, (s) => ({ speech: 1, clipped: s % 20 < 1 ? 0.05 : 0 }));
    expect(told(run)).toEqual([]);
  });

  it('tells a microphone that hears nobody while people sit there, after its own time', () => {
    const run = begin([], ctx);
    listen(run, 500, () => ({ speech: 0.05 }));
    listen(run, 501, () => ({ speech: 1 }));
    listen(run, 1090, () => ({}));
    expect(told(run)).toEqual([]);
    listen(run, 1110, () => ({}));
    expect(told(run)).toEqual(['begin microphone_fault:speechless notice']);
    listen(run, 1112, () => ({ speech: 1 }));
    expect(told(run).at(-1)).toBe('end microphone_fault:speechless notice');
  });

  it('doubts it earlier when the other microphone of the room hears them', () => {
    const run = begin([], ctx);
    const both = (until: number) => {
      for (; run.s < until; run.s += 0.5) {
        if (Number.isInteger(run.s)) feed(run, frame(run.s, { persons: ALL }), ctx);
        feed(run, level(run.s, { speech: run.s % 4 < 2 ? 1 : 0 }), ctx);
        feed(run, level(run.s, { microphoneId: 'mic-2' }), ctx);
      }
    };
    both(95);
    expect(told(run)).toEqual([]);
    both(110);
    expect(episodes(run)[0]).toMatchObject({ fault: 'speechless', sourceId: 'mic-2' });
    // The time after which it was doubted, not the one that counts where nobody is heard elsewhere.
    const reached = expect.objectContaining({ name: 'lasting', threshold: 100 });
    expect(episodes(run)[0]!.figures).toContainEqual(reached);
    const again = begin([run.drafts.at(-1)!], ctx);
    // Nor when it is over, and nobody is heard elsewhere any more.
    listen(run, 115, () => ({ speech: 1 }), ['mic', 'mic-2']);
    expect(told(run).at(-1)).toBe('end microphone_fault:speechless notice');
    expect(episodes(run).at(-1)!.figures).toContainEqual(reached);
    // A restart in between changes nothing of that.
    again.s = 112;
    listen(again, 117, () => ({ speech: 1 }), ['mic', 'mic-2']);
    expect(told(again)).toEqual(['end microphone_fault:speechless notice']);
    expect(episodes(again)[0]!.figures).toContainEqual(reached);
  });

  it('expects no words in a break, and none of an empty room', () => {
    const run = begin([], ctx);
    feed(run, { kind: 'session', at: at(0), session: session({ phase: 'break' }) }, ctx);
    listen(run, 1300, () => ({}));
    expect(told(run)).toEqual([]);
    const empty = begin([], ctx);
    for (; empty.s < 1300; empty.s += 1) feed(empty, level(empty.s), ctx);
    expect(told(empty)).toEqual([]);
  });

  it('takes up its episode after a restart', () => {
    const run = begin([], ctx);
    listen(run, 30, () => ({ clipped: 0.01 }));
    const again = begin([run.drafts.at(-1)!], ctx);
    listen(again, 60, () => ({}));
    expect(told(again)).toEqual(['end microphone_fault:clipping notice']);
    expect(episodes(again)[0]!.episodeId).toBe(episodes(run)[0]!.episodeId);
  });
});

describe('talk off the subject', () => {
  /** A stretch every five seconds: 20 syllables, of which `covered` are about the evaluation. */
  const talk = (run: Run, until: number, covered: number, units = 20) => {
    for (; run.s < until; run.s += 5)
      feed(
        run,
        { kind: 'talk', microphoneId: 'mic', language: 'zh-CN', at: at(run.s), spanMs: 5000, units, covered },
        ctx,
      );
  };

  it('is told when it lasts, as a notice, and ends', () => {
    const run = begin([], ctx);
    talk(run, 100, 1);
    expect(told(run)).toEqual([]);
    talk(run, 200, 1);
    expect(told(run)[0]).toBe('begin speech_irrelevant notice');
    expect(episodes(run)[0]).toMatchObject({ to: 'OFF_SUBJECT', sourceId: 'mic', seatIds: [] });
    expect(episodes(run)[0]!.figures[0]).toEqual({ name: 'onSubject', value: 0.05, threshold: 0.2, unit: '' });
    talk(run, 400, 12);
    expect(told(run).at(-1)).toBe('end speech_irrelevant notice');
  });

  it.each([
    ['talk about the evaluation', 8, 20],
    ['a few words in minutes of reading', 0, 2],
  ])('is not %s', (_what, covered, units) => {
    const run = begin([], ctx);
    talk(run, 900, covered, units);
    expect(told(run)).toEqual([]);
  });

  it('is nobody’s business in a break', () => {
    const run = begin([], ctx);
    feed(run, { kind: 'session', at: at(0), session: session({ phase: 'break' }) }, ctx);
    talk(run, 900, 0);
    expect(told(run)).toEqual([]);
  });

  it('and a phrase of the same rule keep their own episodes over a restart', () => {
    const run = begin([], ctx);
    talk(run, 200, 1);
    const open = run.drafts.at(-1)!;
    const again = begin([open], ctx);
    feed(again, { kind: 'tick', at: at(0.5) }, ctx);
    again.s = 1;
    talk(again, 200, 15);
    expect(told(again)).toEqual(['end speech_irrelevant notice']);
  });
});

describe('a telephone call', () => {
  /** Speech in turns of two seconds with pauses of `pause` seconds; frames show who holds a hand at the ear. */
  const call = (run: Run, until: number, { pause = 2, hand = true, guessed = false, mics = ['mic'] } = {}) => {
    for (; run.s < until; run.s += 0.5) {
      const isUp = hand && !(guessed && run.s % 1 === 0.5);
      const persons = [...others('2').map((p) => posed(p)), posed(sitting('2'), isUp ? { left: 'ear' } : {})];
      feed(run, frame(run.s, { persons }), ctx);
      for (const microphoneId of mics)
        feed(run, level(run.s, { microphoneId, speech: run.s % (2 + pause) < 2 ? 0.9 : 0 }), ctx);
    }
  };
  const calls = (run: Run) => told(run).filter((line) => line.includes('outside_contact'));

  it('is a hand at the ear and speech in turns', () => {
    const run = begin([], ctx);
    call(run, 20, { hand: false });
    call(run, 40);
    expect(calls(run)[0]).toBe('begin outside_contact alarm');
    expect(episodes(run).find((e) => e.behaviour === 'outside_contact')).toMatchObject({
      seatIds: ['2'],
      sourceId: 'cam-a',
      beganWallMs: at(20).wallMs,
    });
    call(run, 70, { hand: false });
    expect(calls(run).at(-1)).toBe('end outside_contact alarm');
  });

  it('is not a hand at the ear in silence, nor while people talk without a pause, nor turns with no hand', () => {
    const silent = begin([], ctx);
    call(silent, 60, { mics: [] });
    const talking = begin([], ctx);
    call(talking, 60, { pause: 0 });
    const turns = begin([], ctx);
    call(turns, 60, { hand: false });
    expect([silent, talking, turns].flatMap(calls)).toEqual([]);
  });

  it('is not a hand that every other pose puts to the ear, as it is guessed of hidden hands', () => {
    const run = begin([], ctx);
    call(run, 60, { guessed: true });
    expect(calls(run)).toEqual([]);
  });

  it('is one in the view that shows the hand, whatever one from behind shows as often', () => {
    const seats = context.layout.seats.map((s) => ({
      ...s,
      views: [...s.views, ...s.views.map((v) => ({ ...v, cameraId: 'cam-b' }))],
    }));
    const two = { ...ctx, layout: { ...context.layout, seats } };
    const run = begin([], two);
    for (; run.s < 60; run.s += 0.5) {
      const calm = others('2').map((p) => posed(p));
      const shot = (left: 'ear' | 'down') => frame(run.s, { persons: [...calm, posed(sitting('2'), { left })] });
      feed(run, shot(run.s >= 20 ? 'ear' : 'down'), two);
      feed(run, { ...shot('down'), cameraId: 'cam-b', at: at(run.s + 0.1) }, two);
      feed(run, level(run.s + 0.2, { speech: run.s % 4 < 2 ? 0.9 : 0 }), two);
    }
    expect(calls(run)[0]).toBe('begin outside_contact alarm');
  });

  it('may be permitted', () => {
    const run = begin([], ctx);
    const permit = { permitId: 'p', kind: 'call' as const, fromWallMs: 0, untilWallMs: at(900).wallMs };
    feed(run, { kind: 'session', at: at(0), session: session({ permits: [permit] }) }, ctx);
    call(run, 60);
    expect(calls(run)).toEqual([]);
  });
});

describe('the same words at several microphones', () => {
  const heard = (s: number, microphoneId: string, score: number, seatId?: string): Input => ({
    kind: 'phrase',
    microphoneId,
    at: at(s),
    engine: 'fsmn',
    language: 'zh-CN',
    phraseId: 'fee-1',
    category: 'fee',
    text: '评审费太少了',
    score,
    threshold: -2,
    beginMonoMs: at(9).monoMs,
    endMonoMs: at(10).monoMs,
    ...(seatId === undefined ? {} : { seatId }),
  });

  it('are one hit of one episode, at the microphone that heard them best', () => {
    const run = begin([], ctx);
    feed(run, heard(10.1, 'mic-1', -1.5, '1'), ctx);
    feed(run, heard(10.2, 'mic-2', -0.2, '2'), ctx);
    feed(run, heard(10.3, 'mic-3', -1.9, '3'), ctx);
    expect(told(run)).toEqual(['begin speech_fee notice', 'update speech_fee notice']);
    expect(episodes(run).map((e) => [e.sourceId, e.seatIds])).toEqual([
      ['mic-1', ['1']],
      ['mic-2', ['2']],
    ]);
    expect(episodes(run)[1]!.figures[0]).toMatchObject({ name: 'hits', value: 1 });
  });

  it('are said nowhere in particular where no seat has its own microphone', () => {
    const run = begin([], ctx);
    feed(run, heard(10.1, 'mic-1', -1.5), ctx);
    expect(episodes(run)[0]).toMatchObject({ sourceId: 'mic-1', seatIds: [] });
  });
});

describe('talk about the fee', () => {
  it('is a rule of its own and graver when repeated', () => {
    const run = begin([], ctx);
    const hit = (s: number): Input => ({
      kind: 'phrase',
      microphoneId: 'mic',
      at: at(s),
      engine: 'fsmn',
      language: 'zh-CN',
      phraseId: 'fee-1',
      category: 'fee',
      text: '评审费太少了',
      score: -1,
      threshold: -2,
      beginMonoMs: at(s - 1).monoMs,
      endMonoMs: at(s).monoMs,
    });
    feed(run, hit(10), ctx);
    feed(run, { kind: 'tick', at: at(20) }, ctx);
    feed(run, hit(40), ctx);
    expect(told(run)).toEqual(['begin speech_fee notice', 'end speech_fee notice', 'begin speech_fee alarm']);
  });
});
